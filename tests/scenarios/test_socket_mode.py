"""Slack's requests over a WebSocket; what listeners make of them is in the modules of BOTH_WAYS."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.sandbox.slack import Reply
from tests.scenarios.world import World

TYPED = "@priya Callback due | at 3 pm"
MARK = "SECRET-OF-SOMEBODY"
ALICE = {"id": "U0ALICE01", "team_id": "T0ACME001"}
JSON = {"Content-Type": "application/json"}


def type_command(world: World, text: str = "help", **forged: Any) -> asyncio.Task[Reply]:
    return asyncio.create_task(world.slack.people["alice"].command("/notify", text, **forged))


async def type_slowly(world: World, **forged: Any) -> asyncio.Task[Reply]:
    """Type a command that the bot has in hand until the faults are cleared."""
    world.slack.faults.fail("users.info", "hang")
    typing = type_command(world, TYPED, **forged)
    await world.slack.until(lambda slack: any(c.method == "users.info" for c in slack.calls))
    return typing


async def hangs_up(world: World) -> None:
    """Let the bot begin to end its connection, which takes a few turns of the loop."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert world.bot._socket is not None
    assert world.bot._socket._deadline is None


async def test_it_is_ready_while_it_is_connected(world: World) -> None:
    status, text = await world.get("/readyz")
    assert (status, json.loads(text)) == (200, {"database": True, "slack": True})
    assert await world.get("/healthz") == (200, "ok\n")
    assert len(world.slack.sockets.connections) == 1


async def test_nothing_can_be_posted_to_it(world: World) -> None:
    body = urlencode({"command": "/notify", "text": "help"}).encode()
    headers = world.slack.sign(body)
    async with (
        aiohttp.ClientSession() as session,
        session.post(str(world.slack.bot_url), data=body, headers=headers) as response,
    ):
        assert response.status == 404


async def test_the_app_token_stands_in_one_header_and_the_ticket_nowhere(world: World) -> None:
    opened = [call for call in world.slack.calls if call.method == "apps.connections.open"]
    assert [(call.ok, call.args) for call in opened] == [(True, {})]


@pytest.mark.parametrize(
    "payload",
    [
        [],
        None,
        {"user": 5},
        {"type": "event_callback", "event": 5},
        {"event": {"user": 5, "channel": 5, "item": 3}},
        {"type": "block_actions", "user": ALICE, "actions": []},
        {"type": "shortcut", "callback_id": "notify_global", "user": MARK},
        {},
        {"command": "/other", "user_id": "U0ALICE01", "text": MARK},
        {"type": "shortcut", "callback_id": "of_another_app", "user": ALICE},
    ],
)
async def test_what_makes_no_sense_is_not_acknowledged_and_does_no_harm(
    world: World, payload: Any
) -> None:
    world.slack.delivery.ack_within = 0.01
    with capture_logs() as logs:
        assert (await world.slack.post(json.dumps(payload).encode(), JSON)).status == 0
        world.slack.delivery.ack_within = 3.0
        assert (await type_command(world)).ok  # so that the one before it is over
    assert [sent.ack is None for sent in world.slack.sockets.sent] == [True, False]
    [said] = [one for one in logs if one["event"].startswith("envelope.")]
    assert said["event"] in ("envelope.malformed", "envelope.refused")
    assert MARK not in repr(logs)


@pytest.mark.parametrize("text", ["nonsense", "[]", "5", "{}", '{"type": "new"}', "[" * 100_000])
async def test_a_frame_that_makes_no_sense_is_passed_over(world: World, text: str) -> None:
    [connection] = world.slack.sockets.connections
    await connection.send(text)
    assert (await type_command(world)).ok
    assert world.slack.sockets.opened == 1


async def test_a_bug_fails_one_envelope_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    world.slack.delivery.ack_within = 0.01
    world.expected_violations = ["/notify help: unacknowledged within 3 s"]
    with capture_logs() as logs:
        with monkeypatch.context() as patch:
            patch.setattr("bot.socket_mode.envelopes.dispatch", fail)
            await type_command(world)
        world.slack.delivery.ack_within = 3.0
        assert (await type_command(world)).ok
    [said] = [one for one in logs if one["event"] == "envelope.failed"]
    assert str(said["exc_info"]) == "nobody foresaw this"


async def test_a_refresh_changes_over_without_a_gap(world: World) -> None:
    """Slack still sends over the old connection when the new one is there."""
    sockets = world.slack.sockets
    old = await sockets.ask_to_leave()
    await world.slack.until(lambda _: sockets.opened == 2)
    assert old in sockets.connections
    replies = [await type_command(world) for _ in range(4)]
    assert all(reply.ok for reply in replies)
    assert old.received == 2
    old.time_is_up.set()
    await old.gone.wait()
    assert (await world.get("/readyz"))[0] == 200
    assert (await type_command(world)).ok
    assert sockets.opened == 2


async def test_what_is_in_hand_on_the_old_connection_is_acknowledged_there(world: World) -> None:
    """An acknowledgement over another connection would be a violation."""
    typing = await type_slowly(world)
    old = await world.slack.sockets.ask_to_leave("warning")
    await world.slack.until(lambda slack: slack.sockets.opened == 2)
    old.time_is_up.set()
    await old.unusable.wait()
    world.slack.faults.clear()
    assert (await typing).ok
    await old.gone.wait()
    await world.slack.people["alice"].sees("Sent to LeadSquared")


async def test_what_slack_does_not_close_is_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.socket_mode.keeper.LINGER", 0.05)
    old = await world.slack.sockets.ask_to_leave()
    async with asyncio.timeout(5):
        await old.gone.wait()
    assert not old.unusable.is_set()  # it was the bot that closed it
    assert len(world.slack.sockets.connections) == 1


async def test_what_comes_again_after_a_lost_connection_has_one_effect(world: World) -> None:
    typing = await type_slowly(world, trigger_id="9000.9001.abcdef")
    world.slack.sockets.connections[0].cut()
    assert (await typing).error == "dispatch_failed"
    world.slack.faults.clear()
    await world.slack.until(lambda slack: slack.sockets.opened == 2)
    assert (await type_command(world, TYPED, trigger_id="9000.9001.abcdef")).ok
    await world.slack.people["alice"].sees("Sent to LeadSquared")
    assert len(world.pushed()) == 1


async def test_what_is_in_hand_is_acknowledged_before_it_hangs_up(world: World) -> None:
    typing = await type_slowly(world)
    stopping = asyncio.create_task(world.stop_bot())
    await hangs_up(world)
    assert not typing.done()
    world.slack.faults.clear()
    assert (await typing).ok
    await stopping
    await world.start_bot()
    await world.slack.people["alice"].sees("Sent to LeadSquared")


async def test_what_comes_while_others_are_in_hand_is_taken_too(world: World) -> None:
    """Slack does not know yet that the connection will end."""
    typing = await type_slowly(world)
    stopping = asyncio.create_task(world.stop_bot())
    await hangs_up(world)
    late = type_command(world, "help")
    await world.slack.until(lambda slack: len(slack.sockets.sent) == 2)
    world.slack.faults.clear()
    assert (await typing).ok
    assert (await late).ok
    await stopping
    await world.start_bot()
    await world.slack.people["alice"].sees("Sent to LeadSquared")
