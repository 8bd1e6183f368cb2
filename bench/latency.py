"""From Enter to the push: idle, and for one person's notification during a send to a thousand.

Run `python -m bench.latency` (about three minutes; `--quick` for one). All are measured in turns,
a moment apart, so that the one does not get in the way of the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count

import aiohttp

from bench.command import run_command
from bench.databases import open_databases, settle_disk
from bench.latency_report import NO_RESERVE, Times, build_answer
from bench.peers import POSTGRES, SQLITE, Side, run_side
from bench.processes import BOT
from bench.requests import build_request, post, send
from bench.results import Answer

IDLE_GAP = 0.25
"""Seconds from one to the next; below the limit, so that no slot is waited for."""

BESIDE_GAP = 2.7
"""Two of these in a period is what the reserve is for."""


@dataclass(frozen=True)
class Size:
    """How much is measured in a run of each database."""

    runs: int
    idle: int
    crowd: int
    beside: int


FULL = Size(3, 40, 1_000, 10)
QUICK = Size(1, 8, 60, 3)


@dataclass
class Sender:
    """Somebody who sends to one person after the other, and what became of each."""

    session: aiohttp.ClientSession
    side: Side
    times: list[Times] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)

    async def send_one(self) -> None:
        """Press Enter, and wait until the CRM has the push."""
        title = f"Number {next(self.numbers)}"
        world = self.side.world
        mention = world.slack.people["priya"].mention
        request = build_request(world.alice, f"{mention} {title} | x")
        begun = time.monotonic()
        await post(self.session, self.side.target.url, request)
        acknowledged = time.monotonic()

        def find() -> list[float]:
            return [push.at for push in world.crm.pushes if push.body["Title"] == title]

        await world.crm.until(lambda: bool(find()), timeout=30)
        [arrived] = find()
        self.times.append(Times((arrived - begun) * 1000, (arrived - acknowledged) * 1000))

    async def send_many(self, number: int, gap: float, offset: float) -> list[Times]:
        """Send so many, `gap` seconds apart; return their times."""
        self.times.clear()
        await asyncio.sleep(offset)
        for _ in range(number):
            await self.send_one()
            await asyncio.sleep(gap)
        return list(self.times)


@dataclass(frozen=True)
class Run:
    """One run of one database; `offset` keeps it apart from the other."""

    size: Size
    database: str
    reserved: int
    offset: float

    async def measure(self, barrier: asyncio.Barrier) -> tuple[list[Times], list[Times], int]:
        """Return the times when idle and during the send, and the calls refused for rate."""
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            reserve = {"LEADSQUARED_RESERVED": str(self.reserved)}
            side = await stack.enter_async_context(run_side(BOT, session, self.database, **reserve))
            crowd = " ".join(p.mention for p in side.world.slack.add_people(self.size.crowd))
            side.world.crm.add_users(self.size.crowd)
            sender = Sender(session, side)
            await sender.send_one()  # the people are read for this one
            await settle_disk()
            await barrier.wait()
            idle = await sender.send_many(self.size.idle, IDLE_GAP, self.offset * IDLE_GAP)
            await send(session, side.target.url, side.world.alice, f"{crowd} To all | of you")
            await asyncio.sleep(BESIDE_GAP)
            beside = await sender.send_many(self.size.beside, BESIDE_GAP, self.offset * BESIDE_GAP)
            return idle, beside, len(side.world.crm.refusals)


async def measure(size: Size) -> Answer:
    """Measure, with databases of its own."""
    results: dict[str, list[tuple[list[Times], list[Times], int]]] = {}
    with open_databases() as databases:
        kinds: dict[str, tuple[Callable[[], str], int]] = {
            SQLITE: (databases.create_sqlite, 2),
            POSTGRES: (databases.create_postgres, 2),
            NO_RESERVE: (databases.create_sqlite, 0),
        }
        for _ in range(size.runs):
            barrier = asyncio.Barrier(len(kinds))
            runs = [
                Run(size, create(), reserved, at / len(kinds))
                for at, (create, reserved) in enumerate(kinds.values())
            ]
            found = await asyncio.gather(*(run.measure(barrier) for run in runs))
            for name, outcome in zip(kinds, found, strict=True):
                results.setdefault(name, []).append(outcome)
    return build_answer(size.crowd, results, BESIDE_GAP)


if __name__ == "__main__":
    run_command(measure, FULL, QUICK)
