"""What grows with the work: claims beside long queues, very large sends, very large accounts.

Run `python -m bench.growth` (about four minutes; `--quick` for one).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.command import run_command
from bench.databases import open_databases
from bench.growth_memory import Memory, measure_by_turns, measure_waiting
from bench.growth_report import Growth, build_answer
from bench.growth_store import Queues, measure_steps
from bench.peers import POSTGRES, SQLITE
from bench.results import Answer
from bot.notification import State
from tests.crowd import Rows


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    runs: int
    steps: int
    waiting: Sequence[int]
    seconds: float
    """How long a process is watched."""
    directory: int
    recipients: int


FULL = Size(3, 25, (100, 10_000, 100_000), 5.0, 50_000, 10_000)
QUICK = Size(1, 4, (100, 1_000), 1.0, 2_000, 200)

Creates = dict[str, Callable[[], str]]
"""Makes a database with its tables, by the name of who uses it."""


def build_queues(waiting: Sequence[int]) -> Queues:
    """Return the queues by name: the lengths asked about, and the longest in awkward forms."""
    small, many = Rows(waiting[0]), waiting[-1]
    lengths = {f"{number:,} waiting": [Rows(number, min(number, 1_000))] for number in waiting}
    beside = f"{waiting[0]:,} waiting, {many:,}"
    return lengths | {
        f"{many:,} waiting, one recipient each": [Rows(many, 1)],
        f"{beside} sent": [Rows(many, state=State.SENT), small],
        f"{beside} not yet due": [Rows(many, 1, repeats=1, due_in=1e5), small],
        f"{beside} to look up": [Rows(many, resolved=False), small],
    }


async def measure(size: Size) -> Answer:
    """Measure, with databases of its own."""
    growth = Growth(list(size.waiting), size.directory, size.recipients)
    with open_databases() as databases:
        creates: Creates = {
            SQLITE: databases.create_sqlite,
            POSTGRES: databases.create_postgres,
        }
        for name, create in creates.items():
            queues = build_queues(size.waiting)
            growth.steps[name] = await measure_steps(queues, create, size.runs, size.steps)
        for _ in range(size.runs):
            await _measure_run(size, creates, growth)
    return build_answer(growth)


async def _measure_run(size: Size, creates: Creates, growth: Growth) -> None:
    """Watch the processes of one run; those that only wait do so beside each other."""
    pairs = [(name, number) for name in creates for number in size.waiting]
    turns = asyncio.Lock()
    watched: list[Memory] = await asyncio.gather(
        *(measure_waiting(creates[name](), number, size.seconds, turns) for name, number in pairs)
    )
    for pair, memory in zip(pairs, watched, strict=True):
        growth.waiting_memory.setdefault(pair, []).append(memory)
    big = await measure_by_turns(creates, size.directory, size.recipients, size.seconds)
    for name, found in big.items():
        growth.big.setdefault(name, []).append(found)


if __name__ == "__main__":
    run_command(measure, FULL, QUICK)
