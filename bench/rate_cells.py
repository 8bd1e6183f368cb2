"""One cell of the rate table: 150 calls against one way of counting, by the bot or by a peer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import aiohttp

from bench.processes import BOT, World, open_world, running
from bench.rate_peers import Account, Job
from bench.requests import send
from bot.sandbox.leadsquared import Counting, Endpoint

LIMIT, PERIOD = 25, 5.0
AT_ONCE = 2
"""Processes that start at the same time."""

MARGIN = 30.0
"""Seconds more than the bound that a cell may take before the measurement is given up."""


@dataclass(frozen=True)
class Setting:
    """How the CRM counts, and the most seconds that a call is on its way to being counted."""

    counting: Counting
    jitter: float

    def __str__(self) -> str:
        return f"{self.counting.replace('_', ' ')}, 0–{self.jitter * 1000:g} ms"


SETTINGS = tuple(Setting(counting, jitter) for counting in Counting for jitter in (0.15, 0.6))


@dataclass(frozen=True)
class Outcome:
    """What the CRM saw of a number of calls."""

    calls: int
    seconds: float
    """From the first arrival to the last."""
    refused: int
    sent: int
    busiest: int
    """The most arrivals in any one period."""

    @property
    def ratio(self) -> float:
        """Return the time as a multiple of what no program can beat."""
        return self.seconds / find_bound(self.calls)


@dataclass(frozen=True)
class Start:
    """Lets the processes of a wave start by turns, and its cells begin to send together."""

    ready: asyncio.Barrier
    turns: asyncio.Semaphore

    async def wait(self, offset: float) -> None:
        await self.ready.wait()
        await asyncio.sleep(offset)


def find_bound(calls: int) -> float:
    """Return the least seconds for so many calls: a whole period after every 25 but the last."""
    return (calls / LIMIT - 1) * PERIOD


@dataclass(frozen=True)
class BotCell:
    """The bot itself, `/notify` to everybody at once; one process for each of `databases`."""

    setting: Setting
    calls: int
    reserved: int
    database: str
    processes: int = 1
    offset: float = 0.0

    async def run(self, start: Start) -> Outcome:
        """Start the processes, let what that cost leave the window, and send."""
        async with AsyncExitStack() as stack:
            world = await stack.enter_async_context(
                open_world(self.setting.counting, self.setting.jitter)
            )
            session = await stack.enter_async_context(aiohttp.ClientSession())
            people = world.slack.add_people(self.calls)
            world.crm.add_users(self.calls)
            settings = world.build_settings(
                DATABASE_URL=self.database, LEADSQUARED_RESERVED=str(self.reserved)
            )
            for _ in range(self.processes):
                async with start.turns:
                    bot = await stack.enter_async_context(
                        running(BOT, settings, session, world.alice)
                    )
            before = await self._warm_up(world, session, bot.url)
            await start.wait(self.offset)
            mentions = " ".join(person.mention for person in people)
            await send(session, bot.url, world.alice, f"{mentions} To all | of you")
            await wait_for_calls(world, before + self.calls)
            return read_outcome(world, self.calls, skip=before)

    async def _warm_up(self, world: World, session: aiohttp.ClientSession, url: str) -> int:
        """Have the people read; return the pushes so far, once they have left the window."""
        priya = world.slack.people["priya"].mention
        await send(session, url, world.alice, f"{priya} The people | are read for this one")
        pushes = self.processes + 1
        await world.crm.until(lambda: len(world.crm.pushes) == pushes)
        await asyncio.sleep(PERIOD + 0.5 + self.setting.jitter)
        return pushes


@dataclass(frozen=True)
class PeerCells:
    """A peer in every setting at once, in processes that do nothing else."""

    peer: str
    settings: Sequence[Setting]
    calls: int
    processes: int = 1
    offset: float = 0.0

    async def run(self, start: Start) -> list[Outcome]:
        async with AsyncExitStack() as stack:
            worlds = [
                await stack.enter_async_context(open_world(setting.counting, setting.jitter))
                for setting in self.settings
            ]
            gap = PERIOD / len(worlds)
            accounts = [
                Account(
                    world.crm.url,
                    world.crm.access_key,
                    world.crm.secret_key,
                    world.crm.users[2].id,
                    self.offset + number * gap,
                )
                for number, world in enumerate(worlds)
            ]
            await start.wait(0.0)
            await run_child(Job(self.peer, self.calls, self.processes, accounts))
            return [read_outcome(world, self.calls) for world in worlds]


async def run_child(job: Job) -> None:
    """Run a peer's job; raises RuntimeError with what it said if it fails, or TimeoutError."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.rate_peers"),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(4 * find_bound(job.calls) + MARGIN):
            _, said = await child.communicate(job.dump().encode())
    except TimeoutError:
        child.kill()
        await child.wait()
        raise
    if child.returncode:
        raise RuntimeError(f"{job.peer}: {said.decode()}")


async def wait_for_calls(world: World, pushes: int) -> None:
    timeout = 2 * find_bound(pushes) + MARGIN
    await world.crm.until(lambda: len(world.crm.pushes) >= pushes, timeout=timeout)


def read_outcome(world: World, calls: int, skip: int = 0) -> Outcome:
    """Read the CRM's record, without the first `skip` calls."""
    pushes = [call for call in world.crm.calls if call.endpoint is Endpoint.PUSH][skip:]
    arrivals = sorted(call.at for call in pushes)
    return Outcome(
        calls=calls,
        seconds=arrivals[-1] - arrivals[0],
        refused=sum(not call.counted for call in pushes),
        sent=sum(call.counted for call in pushes),
        busiest=find_busiest(arrivals),
    )


def find_busiest(arrivals: Sequence[float]) -> int:
    """Return the most of them within any one period."""
    return max(sum(0 <= at - first < PERIOD for at in arrivals) for first in arrivals)


async def run_wave(cells: Sequence[BotCell | PeerCells]) -> list[list[Outcome]]:
    """Run cells beside each other; return the outcomes of each."""
    start = Start(asyncio.Barrier(len(cells)), asyncio.Semaphore(AT_ONCE))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_run_one(cell, start)) for cell in cells]
    return [task.result() for task in tasks]


async def _run_one(cell: BotCell | PeerCells, start: Start) -> list[Outcome]:
    outcome = await cell.run(start)
    return [outcome] if isinstance(outcome, Outcome) else outcome


def spread_offsets(cells: Sequence[BotCell | PeerCells]) -> list[BotCell | PeerCells]:
    """Give each cell an offset of its own, so that their bursts do not meet."""
    gap = PERIOD / len(cells)
    return [replace(cell, offset=number * gap) for number, cell in enumerate(cells)]
