"""What start and rest come to; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.peers import DEFAULT, NODE, NOT_MEASURED, OURS, POSTGRES, SQLITE
from bench.results import Answer, Goal, Picture, Spread, Table, at_most

START, IDLE = 1.5, 1.0
"""Seconds; percent of a core."""
MEMORY = {SQLITE: 100.0, POSTGRES: 115.0}
"""MB."""


@dataclass(frozen=True)
class Cost:
    """One start of one process, and a rest after it."""

    first_start: float
    """Seconds to the first acknowledgement with nothing in its database: tables are made."""
    start: float
    """The same once they are there, as at every restart."""
    memory: float
    """Resident, in MB, when it has answered once."""
    idle: float
    """Percent of a core."""


METHOD = (
    "From the start of the process to its first acknowledgement (asked every 5 ms), starts taking "
    "turns; then its resident memory, and the CPU it uses while nobody asks for anything: {rest:g} "
    "s after each start, all processes resting at the same time."
)
NOTES = (
    "The bot imports SQLAlchemy, pydantic and, for Postgres, psycopg on top of Bolt, and looks "
    "every second for work that another process accepted; the bare listeners import Bolt and "
    "look for nothing.",
    "The first start with a new database makes its tables in a process of its own; the goal is "
    "for every start after it.",
)


def build_answer(costs: Mapping[str, Sequence[Cost]], rest: float) -> Answer:
    head = ("", "start, s", "first start, s", "resident memory, MB", "idle CPU, %")
    rows = [(name, *_show(runs)) for name, runs in costs.items()]
    if NODE not in costs:
        rows.append((NODE, *(NOT_MEASURED for _ in head[1:])))
    names = [name.replace("`", "").replace(", ", ",\n") for name in costs]
    starts: list[Spread | None] = [Spread.of(run.start for run in runs) for runs in costs.values()]
    memory: list[Spread | None] = [Spread.of(run.memory for run in runs) for runs in costs.values()]
    return Answer(
        title="Start and rest",
        short=_conclude(costs),
        method=[METHOD.format(rest=rest)],
        tables=[Table("Before and between requests", head, rows)],
        goals=_judge(costs),
        pictures=[
            Picture("rest-start", "Start to first answer", "s", names, {"start": starts}),
            Picture("rest-memory", "Resident memory", "MB", names, {"memory": memory}),
        ],
        notes=NOTES,
    )


def _conclude(costs: Mapping[str, Sequence[Cost]]) -> str:
    parts = []
    for name in (*OURS, DEFAULT):
        start = Spread.of(run.start for run in costs[name]).median
        memory = Spread.of(run.memory for run in costs[name]).median
        parts.append(f"{name}: {start:.1f} s, {memory:.0f} MB")
    return f"To the first answer, and then resident: {'; '.join(parts)}."


def _show(runs: Sequence[Cost]) -> tuple[str, ...]:
    return (
        Spread.of(run.start for run in runs).show(2),
        Spread.of(run.first_start for run in runs).show(2),
        Spread.of(run.memory for run in runs).show(0),
        Spread.of(run.idle for run in runs).show(2),
    )


def _judge(costs: Mapping[str, Sequence[Cost]]) -> list[Goal]:
    goals = []
    for name in OURS:
        runs = costs[name]
        start = Spread.of(run.start for run in runs).median
        memory = Spread.of(run.memory for run in runs).median
        idle = Spread.of(run.idle for run in runs).median
        goals += [
            at_most(f"{name}: start", START, start, " s", 2),
            at_most(f"{name}: resident memory", MEMORY[name], memory, " MB", 0),
            at_most(f"{name}: idle CPU", IDLE, idle, " %", 2),
        ]
    return goals
