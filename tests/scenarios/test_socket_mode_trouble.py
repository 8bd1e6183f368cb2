"""Connections that end, cannot be had, or only look alive: a fresh one every time, at a pace."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.sandbox.slack import StandInSlack
from bot.worker import Worker
from tests.scenarios.world import World

OPEN = "apps.connections.open"
Logs = list[MutableMapping[str, Any]]


def count_tries(slack: StandInSlack) -> int:
    return sum(call.method == OPEN for call in slack.calls)


async def tried(world: World, times: int) -> None:
    await world.slack.until(lambda slack: count_tries(slack) == times)


async def opens(world: World, count: int) -> None:
    """Wait for a connection of this number to be up."""
    await world.slack.until(lambda slack: slack.sockets.opened == count)


async def check_works(world: World) -> None:
    assert (await world.slack.people["alice"].command("/notify", "help")).ok
    assert (await world.get("/readyz"))[0] == 200


async def check_away(world: World) -> None:
    status, text = await world.get("/readyz")
    assert (status, json.loads(text)) == (503, {"database": True, "slack": False})
    assert (await world.get("/healthz"))[0] == 200


async def pause(world: World, seconds: float) -> None:
    """Let the pause before the next try begin, and so many seconds of it pass."""
    async with asyncio.timeout(10):
        workers = [each for each in world.bot._crew.workers if isinstance(each, Worker)]
        await world.clock.until_waiting(len(workers) + 1)
    world.clock.forward(seconds)


async def cut(world: World) -> None:
    [connection] = world.slack.sockets.connections
    connection.cut()
    await connection.gone.wait()


async def test_a_connection_that_ends_is_replaced_at_once(world: World) -> None:
    for opened in (2, 3):
        await cut(world)
        await opens(world, opened)
        await check_works(world)
        await world.forward(31)
    assert count_tries(world.slack) == 3


async def test_a_handshake_that_is_refused_is_followed_by_a_fresh_address(world: World) -> None:
    """The stand-in takes no address twice, and says so."""
    world.slack.faults.fail("link", 503, times=3)
    with capture_logs() as logs:
        await cut(world)
        for tries in (2, 3, 4):
            await tried(world, tries)
            await pause(world, 30)
        await opens(world, 2)
    assert count_tries(world.slack) == 5
    reasons = [one["reason"] for one in logs if one["event"] == "socket_mode.waiting"]
    assert reasons == ["WSServerHandshakeError, 503"] * 3
    await check_works(world)


@pytest.mark.parametrize("trouble", ["invalid_auth", "internal_error", 503, "reset", "garbage"])
async def test_without_a_connection_it_is_not_ready_says_so_and_tries_for_ever(
    world: World, trouble: str | int
) -> None:
    world.slack.faults.fail(OPEN, trouble)
    with capture_logs() as logs:
        await cut(world)
        for tries in range(2, 7):
            await tried(world, tries)
            await check_away(world)
            await pause(world, 30)
        await tried(world, 7)
        world.slack.faults.clear()
        await pause(world, 30)
        await opens(world, 2)
    levels = [one["log_level"] for one in logs if one["event"] == "socket_mode.waiting"]
    assert levels == ["warning"] * 2 + ["error"] * 4  # from a minute on
    await check_works(world)


async def test_a_connection_that_only_looks_alive_is_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes over it any more, and nothing says so but a ping without an answer."""
    monkeypatch.setattr("bot.slack_api.HEARTBEAT", 0.1)
    await world.forward(31)
    await cut(world)  # the next one beats faster
    await opens(world, 2)
    [mute] = world.slack.sockets.connections
    await world.slack.until(lambda _: mute.pings >= 2)
    await world.forward(31)
    mute.is_mute = True
    await opens(world, 3)
    await check_works(world)


async def test_too_many_connections_are_waited_out(world: World) -> None:
    sockets = world.slack.sockets
    sockets.most = 0
    with capture_logs() as logs:
        await cut(world)
        await pause(world, 0)
    [said] = [one for one in logs if one["event"] == "socket_mode.waiting"]
    assert said["reason"] == "no hello, but too_many_websockets"
    sockets.most = 10
    await pause(world, 30)
    await opens(world, 2)
    await check_works(world)


async def test_socket_mode_switched_off_and_on_again_is_followed(world: World) -> None:
    await world.forward(31)
    await world.slack.sockets.disable()
    await pause(world, 0)
    await check_away(world)
    world.slack.uses_sockets = True
    await pause(world, 30)
    await opens(world, 2)
    await check_works(world)


async def test_it_ends_while_it_waits_for_a_connection(world: World) -> None:
    world.slack.faults.fail(OPEN, 503)
    await cut(world)
    await pause(world, 0)
    async with asyncio.timeout(3):
        await world.stop_bot()
    world.slack.faults.clear()
    await world.start_bot()


async def test_it_ends_while_slack_keeps_a_connection_waiting(world: World) -> None:
    world.slack.faults.fail("link", "hang")
    await world.forward(31)
    await cut(world)
    await tried(world, 2)
    async with asyncio.timeout(3):
        await world.stop_bot()
    world.slack.faults.clear()
    await world.start_bot()


async def test_a_connection_without_hello_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.socket_mode.link.GREETED_WITHIN", 0.05)
    world.slack.sockets.is_shy = True
    await cut(world)
    with capture_logs() as logs:
        await pause(world, 0)
    [said] = [one for one in logs if one["event"] == "socket_mode.waiting"]
    assert said["reason"] == "no hello"
    world.slack.sockets.is_shy = False
    await pause(world, 30)
    await opens(world, 2)
    await check_works(world)
