"""What a real process holds and takes when much waits, many are named, and the account is large."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from bench.processes import BOT, Target, World, open_world, running
from bench.requests import build_request, post
from bot.sandbox.leadsquared import CrmUser
from tests.crowd import Rows, fill

EACH = 1_000
"""Recipients of each waiting notification."""

NEXT = 3
"""Recipients of each notification that are sent to while somebody watches."""


@dataclass(frozen=True)
class Memory:
    """Resident memory in MB: after a while, and the most there was."""

    now: float
    peak: float

    @classmethod
    def read(cls, target: Target) -> Memory:
        return cls(target.memory(), target.peak())


@dataclass(frozen=True)
class Big:
    """One process in a large account, and one large send."""

    first: float
    """Milliseconds from Enter to the push, the directory of all CRM users read in between."""
    acceptance: float
    """Milliseconds until the large send was acknowledged."""
    with_directory: Memory
    with_send: Memory


async def measure_waiting(url: str, waiting: int, seconds: float, turns: asyncio.Lock) -> Memory:
    """Run a bot on a database in which so many deliveries wait; it sends meanwhile.

    Others may be watched at the same time; `turns` lets them fill and start one after the other.
    """
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world())
        world.crm.users.extend(build_next(waiting))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        settings = world.build_settings(DATABASE_URL=url, DELIVER_WITHIN="1000000")
        async with turns:
            await asyncio.to_thread(fill, url, [Rows(waiting, min(waiting, EACH))])
            bot = await stack.enter_async_context(running(BOT, settings, session, world.alice))
        await asyncio.sleep(seconds)
        return Memory.read(bot)


def build_next(waiting: int) -> list[CrmUser]:
    """Return the CRM users whose turn comes first: the first few of each notification."""
    numbers = (number for number in range(waiting) if number % EACH < NEXT or waiting <= EACH)
    return [CrmUser(f"g{number}", "U", f"{number}", f"g{number}@acme.com") for number in numbers]


async def measure_big(url: str, directory: int, recipients: int, seconds: float) -> Big:
    """Send to one person, which reads everybody, and then to very many."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world())
        people = world.slack.add_people(recipients)
        world.crm.add_users(directory)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        settings = world.build_settings(DATABASE_URL=url)
        bot = await stack.enter_async_context(running(BOT, settings, session, world.alice))
        first = await _time_first(world, session, bot)
        with_directory = Memory.read(bot)
        mentions = " ".join(person.mention for person in people)
        begun = time.perf_counter()
        request = build_request(world.alice, f"{mentions} To all | of you")
        if await post(session, bot.url, request) != 200:
            raise RuntimeError("not acknowledged")
        acceptance = (time.perf_counter() - begun) * 1000
        pushed = len(world.crm.pushes)
        await world.crm.until(lambda: len(world.crm.pushes) > pushed, timeout=120)
        await asyncio.sleep(seconds)
        return Big(first, acceptance, with_directory, Memory.read(bot))


async def _time_first(world: World, session: aiohttp.ClientSession, bot: Target) -> float:
    """Return the milliseconds from Enter to the push to somebody who has to be looked up."""
    priya = world.slack.people["priya"]
    user_id = next(user.id for user in world.crm.users if user.email == priya.email)
    request = build_request(world.alice, f"{priya.mention} Hello | you")

    def has_arrived() -> bool:
        return any(push.user_id == user_id for push in world.crm.pushes)

    begun = time.perf_counter()
    await post(session, bot.url, request)
    await world.crm.until(has_arrived, timeout=60)
    return (time.perf_counter() - begun) * 1000


async def measure_by_turns(
    creates: dict[str, Callable[[], str]], directory: int, recipients: int, seconds: float
) -> dict[str, Big]:
    """Measure each database, one after the other."""
    return {
        name: await measure_big(create(), directory, recipients, seconds)
        for name, create in creates.items()
    }
