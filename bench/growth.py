"""What one claim and one acceptance cost beside a long queue, on SQLite and on Postgres.

Run `python -m bench.growth` (about two minutes). Each step goes straight to the store, with 25
slots that reopen at once and no CRM; all queues are measured alternately in one run.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from bot.migrations.run import upgrade
from bot.notification import Outcome, State
from bot.store.acceptance import Acceptance
from bot.store.claims import Claim
from bot.store.database import open_database
from bot.store.gate import Limits
from tests.crowd import Rows, fill
from tests.postgres import running_postgres
from tests.store import KEY_OWNER_ONLY, Store, acceptance

ROUNDS = 6
STEPS = 25
"""Notifications accepted, claimed and settled in one round of a queue."""

LIMITS = Limits(limit=25, period=0.001, reserved=2, timeout=10.0)
DELIVER_WITHIN = 1e9
MANY = 100_000
GOAL = 2.0

SMALL = Rows(100)
QUEUES = {
    "100 pending": [SMALL],
    "10,000 pending": [Rows(10_000)],
    "100,000 pending": [Rows(MANY)],
    "100,000 pending, one each": [Rows(MANY, 1)],
    "100 pending, 100,000 sent": [Rows(MANY, state=State.SENT), SMALL],
    "100 pending, 100,000 not yet due": [Rows(MANY, 1, repeats=1, due_in=1e5), SMALL],
    "100 pending, 100,000 repeats due": [Rows(MANY, repeats=1), SMALL],
    "100 pending, 100,000 unresolved": [Rows(MANY, resolved=False), SMALL],
    "100 pending, 100,000 to look up later": [
        Rows(MANY, resolved=False, repeats=1, due_in=1e5),
        SMALL,
    ],
}


@dataclass
class Queue:
    """One database, and the milliseconds of what was done to it."""

    store: Store
    keys: count[int] = field(default_factory=count)
    times: dict[str, list[float]] = field(default_factory=dict)

    async def step(self) -> None:
        """Accept one recipient, claim what is next, and settle it: the length stays."""
        await self.time("acceptance", self.store.outbox.accept(self.build()))
        await self.time("claim", self.claim())
        await self.time("look for look-ups", self.store.resolutions.find_unresolved(1))

    async def claim(self) -> None:
        if not await self.store.claims.peek():
            raise RuntimeError("nothing is due")
        claim = await self.store.claims.claim()
        if not isinstance(claim, Claim):
            raise TypeError(claim)
        await self.store.claims.settle(claim, Outcome(State.SENT), None)

    async def time(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        begun = time.perf_counter()
        await work
        self.times.setdefault(name, []).append((time.perf_counter() - begun) * 1000)

    def build(self) -> Acceptance:
        number = next(self.keys)
        return acceptance(*KEY_OWNER_ONLY, key=f"k{number}", sender=f"UNEW{number}")


@asynccontextmanager
async def filled(url: str, kinds: list[Rows]) -> AsyncIterator[Queue]:
    fill(url, kinds)
    database = open_database(url)
    store = Store(database, LIMITS, deliver_within=DELIVER_WITHIN, hourly_limit=200)
    await store.gate.prepare()
    yield Queue(store)
    await database.close()


async def measure(create: Callable[[], str]) -> dict[str, dict[str, float]]:
    """Return the median milliseconds of each step, by queue."""
    async with AsyncExitStack() as stack:
        queues = {
            name: await stack.enter_async_context(filled(create(), kinds))
            for name, kinds in QUEUES.items()
        }
        for _ in range(ROUNDS):
            for queue in queues.values():
                for _ in range(STEPS):
                    await queue.step()
    return {
        name: {step: statistics.median(times) for step, times in queue.times.items()}
        for name, queue in queues.items()
    }


def report(database: str, medians: dict[str, dict[str, float]]) -> None:
    base = next(iter(medians.values()))
    for step in base:
        print(f"{database}, {step}: {base[step]:.2f} ms with 100 pending; ratio to that:")
        for name, found in list(medians.items())[1:]:
            print(f"  {name}: {found[step] / base[step]:.2f}")
    print(f"  (goal: at most {GOAL:g})")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        numbers = count()

        def create_sqlite() -> str:
            url = f"sqlite:///{root / f'{next(numbers)}.db'}"
            upgrade(url)
            return url

        report("SQLite", asyncio.run(measure(create_sqlite)))
        with running_postgres(root / "postgres") as server:
            report("Postgres", asyncio.run(measure(server.create)))


if __name__ == "__main__":
    main()
