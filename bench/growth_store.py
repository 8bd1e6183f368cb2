"""What one acceptance, claim and look for look-ups cost beside a long queue.

Each step goes straight to the store, with slots that reopen at once and no CRM.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bot.notification import Outcome, State
from bot.store.acceptance import Acceptance
from bot.store.claims import Claim
from bot.store.database import open_database
from bot.store.gate import Limits
from tests.crowd import Rows, fill
from tests.store import KEY_OWNER_ONLY, Store, acceptance

ACCEPT, CLAIM, LOOK = "acceptance", "claim and settle", "look for look-ups"
STEPS = (ACCEPT, CLAIM, LOOK)

LIMITS = Limits(limit=25, period=0.001, reserved=2, timeout=10.0)
DELIVER_WITHIN = 1e9

Queues = Mapping[str, Sequence[Rows]]
Medians = dict[str, dict[str, list[float]]]
"""By queue and step: the median milliseconds of each run."""


@dataclass
class Queue:
    """One database, and the milliseconds of what was done to it in this run."""

    store: Store
    keys: count[int] = field(default_factory=count)
    times: dict[str, list[float]] = field(default_factory=dict)

    async def step(self) -> None:
        """Accept one recipient, claim what is next, and settle it: the length stays."""
        await self.time(ACCEPT, self.store.outbox.accept(self.build()))
        await self.time(CLAIM, self.claim())
        await self.time(LOOK, self.store.resolutions.find_unresolved(1))

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

    def take_medians(self) -> dict[str, float]:
        """Return what this run came to, and begin the next."""
        medians = {step: statistics.median(times) for step, times in self.times.items()}
        self.times.clear()
        return medians


@asynccontextmanager
async def filled(url: str, kinds: Sequence[Rows]) -> AsyncIterator[Queue]:
    fill(url, kinds)
    database = open_database(url)
    store = Store(database, LIMITS, deliver_within=DELIVER_WITHIN, hourly_limit=200)
    await store.gate.prepare()
    yield Queue(store)
    await database.close()


async def measure_steps(
    queues: Queues, create: Callable[[], str], runs: int, steps: int
) -> Medians:
    """Fill a database for each queue, and step through all of them by turns in every run."""
    found: Medians = {name: {} for name in queues}
    async with AsyncExitStack() as stack:
        opened = {
            name: await stack.enter_async_context(filled(create(), kinds))
            for name, kinds in queues.items()
        }
        for _ in range(runs):
            for _ in range(steps):
                for queue in opened.values():
                    await queue.step()
            for name, queue in opened.items():
                for step, median in queue.take_medians().items():
                    found[name].setdefault(step, []).append(median)
    return found
