"""All questions, one after the other: `python -m bench` writes `docs/benchmarks.md` (`make bench`).

`--quick` tries the code in about five minutes and prints the page instead; its numbers mean little.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import ack, growth, latency, rate, rest
from bench.machine import describe_machine, describe_versions, read_load
from bench.pictures import draw
from bench.results import Answer
from bench.writer import FOLDER, write_page

DOCS = Path(__file__).parents[1] / "docs"


@dataclass(frozen=True)
class Question:
    """How one is answered, in full and quickly."""

    measure: Callable[[Any], Coroutine[Any, Any, Answer]]
    full: Any
    quick: Any


QUESTIONS = {
    "rate": Question(rate.measure, rate.FULL, rate.QUICK),
    "ack": Question(ack.measure, ack.FULL, ack.QUICK),
    "latency": Question(latency.measure, latency.FULL, latency.QUICK),
    "growth": Question(growth.measure, growth.FULL, growth.QUICK),
    "rest": Question(rest.measure, rest.FULL, rest.QUICK),
}
ROUND_TRIPS = (
    "each statement of a transaction is a way to the server and back, and is parsed and planned "
    "anew, as prepared statements break behind the transaction poolers that hosts put before "
    "Postgres; the COMMIT waits for the disk."
)
ONE_CORE = (
    "16 requests at once wait for the one core that a process has: its profile shows half of the "
    "work in Bolt and HTTP, and half in the statements of an acceptance."
)
REASONS = {
    "this bot, SQLite: p99 at 16 connections": ONE_CORE,
    "this bot, Postgres: p50 at 1 connection": (
        f"an acceptance is eight statements and a COMMIT, and {ROUND_TRIPS}"
    ),
    "this bot, Postgres: p99 at 16 connections": ONE_CORE,
    "this bot, Postgres: idle, p50": (
        f"between Enter and the push two transactions commit, the acceptance and the claim, and "
        f"{ROUND_TRIPS}"
    ),
}
"""Why a goal is missed, by how its aim begins: for what a profiler showed and stays as it is."""

BUSY = 0.5
"""Processes that want a core before anything was started: more, and the numbers are worth less."""


def answer_all(names: list[str], *, quick: bool) -> list[Answer]:
    """Answer the questions, each in an event loop of its own."""
    answers = []
    for name in names:
        question = QUESTIONS[name]
        begun = time.monotonic()
        size = question.quick if quick else question.full
        answers.append(asyncio.run(question.measure(size)))
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return answers


def save(answers: list[Answer], docs: Path, page: str) -> None:
    """Write the page and the pictures it shows, and nothing besides."""
    (docs / FOLDER).mkdir(parents=True, exist_ok=True)
    for old in (docs / FOLDER).glob("*.svg"):
        old.unlink()
    for answer in answers:
        for picture in answer.pictures:
            draw(picture, docs / FOLDER)
    (docs / f"{FOLDER}.md").write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true", help="a small run, printed")
    parser.add_argument("--docs", type=Path, help="where to write instead of docs/")
    chosen = parser.parse_args()
    if (load := read_load()) > BUSY:
        print(f"something else runs here (load {load:.1f}): wait for it", file=sys.stderr)
    machine = describe_machine() | {"load before": f"{load:.1f}"}
    answers = answer_all(list(QUESTIONS), quick=chosen.quick)
    runs = min((q.quick if chosen.quick else q.full).runs for q in QUESTIONS.values())
    page = write_page(answers, machine, describe_versions(), runs, REASONS)
    if chosen.docs is None and chosen.quick:
        print(page)
    else:
        save(answers, chosen.docs or DOCS, page)


if __name__ == "__main__":
    main()
