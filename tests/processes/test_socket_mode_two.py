"""Two bots, each with a connection of its own: Slack sends an envelope to either."""

import asyncio
from collections.abc import Coroutine

import pytest

from bot.sandbox.slack import Reply
from tests.postgres import Postgres
from tests.processes.accounts import check_accounts, read_entries
from tests.processes.bot_process import BotProcess
from tests.processes.storage import Storage, open_storage
from tests.processes.world import SOCKET_MODE, World


@pytest.fixture
def storage(postgres: Postgres) -> Storage:
    return open_storage(postgres.create())


@pytest.fixture
async def bots(world: World) -> list[BotProcess]:
    settings = {"LEADSQUARED_TIMEOUT": "2", **SOCKET_MODE}
    return [await world.start_bot(**settings), await world.start_bot(**settings)]


def type_commands(world: World, numbers: range) -> list[asyncio.Task[Reply]]:
    alice = world.person("alice")
    return [
        asyncio.create_task(alice.command("/notify", f"key-owner Note {number} | moved"))
        for number in numbers
    ]


async def test_both_take_their_share(world: World, bots: list[BotProcess]) -> None:
    replies = await asyncio.gather(*type_commands(world, range(20)))
    assert all(reply.ok for reply in replies)
    await world.sees_cards(20, within=40)
    assert [one.received for one in world.slack.sockets.connections] == [10, 10]
    assert len(world.pushed()) == 20
    check_accounts(world)
    assert all([await bot.get("/readyz") == 200 for bot in bots])


async def check_one_ends(world: World, ending: Coroutine[None, None, object]) -> int:
    """End one of two in the middle of twenty commands; return how many of these were accepted."""
    world.slack.faults.delay = 0.2
    typing = type_commands(world, range(20))
    await world.slack.until(lambda slack: len(slack.sockets.sent) == 20)
    ended = asyncio.create_task(ending)
    replies = await asyncio.gather(*typing)
    in_flight = await ended
    world.slack.faults.clear()
    later = await asyncio.gather(*type_commands(world, range(20, 30)))
    assert all(reply.ok for reply in later)
    await world.storage.shows("SELECT id FROM replies WHERE paid_at IS NULL", within=60)
    accepted = sum(reply.ok for reply in replies)
    assert len(read_entries(world)) >= accepted + 10
    check_accounts(world, in_flight=in_flight if isinstance(in_flight, set) else ())
    return accepted


async def test_one_stops_under_load_and_the_other_goes_on(
    world: World, bots: list[BotProcess]
) -> None:
    assert await check_one_ends(world, bots[0].stop()) == 20


async def test_one_is_killed_under_load_and_the_other_goes_on(
    world: World, bots: list[BotProcess]
) -> None:
    """Whoever is told of a failure has sent nothing, or a little more than they know."""
    assert await check_one_ends(world, world.kill(bots[0])) >= 10
