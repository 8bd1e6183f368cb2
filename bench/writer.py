"""Turns answers into `docs/benchmarks.md`; pure, so that a test can hold every letter of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.results import Answer, Goal, Picture, Table

INTRODUCTION = """\
# Benchmarks

Written by `make bench`, and by nothing else: every number here comes from one run of it on one \
machine, peers and this bot taking turns. Run it yourself; it takes less than 20 minutes, stays \
on loopback and needs no accounts. Ratios carry over to other machines, milliseconds do not.

A number is the median of {runs} runs, with the lowest and the highest of them in brackets."""

FOLDER = "benchmarks"
"""Where the pictures lie, beside the page."""


def write_page(
    answers: Sequence[Answer],
    machine: Mapping[str, str],
    versions: Mapping[str, str],
    runs: int,
    reasons: Mapping[str, str],
) -> str:
    """Return the whole page; `reasons` says why a goal is missed, by how its aim begins."""
    parts = [
        INTRODUCTION.format(runs=runs),
        _write_machine(machine, versions),
        _write_summary(answers, reasons),
        *map(write_answer, answers),
    ]
    return "\n\n".join(parts) + "\n"


def _write_machine(machine: Mapping[str, str], versions: Mapping[str, str]) -> str:
    where = ", ".join(f"{name} {value}" for name, value in machine.items())
    what = ", ".join(f"{name} {value}" for name, value in versions.items())
    return f"Machine: {where}.\n\nVersions: {what}."


def _write_summary(answers: Sequence[Answer], reasons: Mapping[str, str]) -> str:
    rows = [
        (f"[{answer.title}](#{_link(answer.title)})", goal.aim, goal.found, _judge(goal))
        for answer in answers
        for goal in answer.goals
    ]
    missed = [goal for answer in answers for goal in answer.goals if not goal.met]
    verdict = f"{len(missed)} of {len(rows)} goals missed." if missed else "All goals are met."
    table = _write_rows(("question", "goal", "found", ""), rows, ":---")
    why = "\n".join(f"- {goal.aim}: {_explain(goal, reasons)}" for goal in missed)
    return "\n\n".join(filter(None, ["## Goals", verdict, table, why]))


def _explain(goal: Goal, reasons: Mapping[str, str]) -> str:
    known = (reason for aim, reason in reasons.items() if goal.aim.startswith(aim))
    return next(known, "the cause is not known yet.")


def write_answer(answer: Answer) -> str:
    """Return one answer's part of the page."""
    return "\n\n".join(_write_parts(answer))


def _write_parts(answer: Answer) -> Iterator[str]:
    yield f"## {answer.title}"
    yield f"**In short.** {answer.short}"
    yield from answer.method
    for table in answer.tables:
        yield _write_table(table)
    for picture in answer.pictures:
        yield _write_picture(picture)
    if answer.notes:
        yield "\n".join(f"- {note}" for note in answer.notes)


def _write_table(table: Table) -> str:
    return f"**{table.title}**\n\n{_write_rows(table.head, table.rows)}"


def _write_picture(picture: Picture) -> str:
    return f"![{picture.title}, {picture.unit}]({FOLDER}/{picture.name}.svg)"


def _write_rows(head: Sequence[str], rows: Sequence[Sequence[str]], side: str = "---:") -> str:
    rule = [":---", *(side for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _judge(goal: Goal) -> str:
    return "met" if goal.met else "**missed**"


def _link(title: str) -> str:
    """Return the anchor that a heading gets."""
    kept = (letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return "".join(kept).replace(" ", "-")
