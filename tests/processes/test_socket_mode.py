"""A bot that connects to Slack: the start, the end, and what happens to commands in between."""

import asyncio
import signal

import aiohttp
import pytest

from bot.sandbox.slack import Reply
from tests.processes.accounts import check_accounts
from tests.processes.bot_process import BotProcess
from tests.processes.world import APP_TOKEN, SOCKET_MODE, World

TYPED = "@priya Callback due | 3 pm"


async def start_bot(world: World) -> BotProcess:
    return await world.start_bot(LEADSQUARED_TIMEOUT="2", **SOCKET_MODE)


def type_command(world: World, number: int) -> asyncio.Task[Reply]:
    text = f"key-owner Note {number} | moved"
    return asyncio.create_task(world.person("alice").command("/notify", text))


async def test_a_command_leads_to_one_push_and_one_card(world: World) -> None:
    bot = await start_bot(world)
    assert (await bot.get("/healthz"), await bot.get("/readyz")) == (200, 200)
    reply = await world.person("alice").command("/notify", TYPED)
    assert (reply.status, reply.body) == (200, "")
    [card] = await world.sees_cards(1)
    assert "Sent to LeadSquared for *Priya Nair*" in card
    assert await bot.stop() == 0
    assert bot.errors == ""
    assert world.slack.sockets.connections == []


async def test_the_app_token_wins_over_the_signing_secret(world: World) -> None:
    bot = await world.start_bot(SLACK_APP_TOKEN=APP_TOKEN)
    await bot.logs("settings.socket_mode_preferred", using="SLACK_APP_TOKEN")
    body = b"command=%2Fnotify&text=help"
    async with (
        aiohttp.ClientSession() as session,
        session.post(bot.slack_url, data=body, headers=world.slack.sign(body)) as response,
    ):
        assert response.status == 404
    assert (await world.person("alice").command("/notify", "help")).ok


async def explain(world: World, **changes: str) -> str:
    """Start a bot that must not start, and return the line it leaves."""
    bot = await world.launch(**(SOCKET_MODE | changes))
    assert await bot.ends() == 78
    assert not bot.has_logged("bot.ready")
    [line] = bot.errors.splitlines()
    return line


async def test_an_app_token_that_slack_refuses_is_named_and_not_shown(world: World) -> None:
    line = await explain(world, SLACK_APP_TOKEN="xapp-1-of-another-app")
    assert line.startswith("SLACK_APP_TOKEN: Slack refused it (invalid_auth). Example: xapp-…")
    assert "of-another-app" not in line


async def test_an_app_token_without_its_scope_is_refused(world: World) -> None:
    world.slack.sockets.app_scopes.clear()
    line = await explain(world)
    assert line.startswith("SLACK_APP_TOKEN: Slack refused it (missing_scope).")
    assert "connections:write" in line
    world.expected_violations = ["apps.connections.open: missing_scope connections:write"]


async def test_it_waits_for_slack_with_its_port_bound(world: World) -> None:
    world.slack.faults.fail("apps.connections.open", 503, times=1)
    world.slack.faults.fail("link", 503)
    bot = await world.launch(**SOCKET_MODE)
    await bot.logs("socket_mode.waiting", tries=2)
    assert (await bot.get("/healthz"), await bot.get("/readyz")) == (200, 503)
    assert not bot.has_logged("bot.ready")
    world.slack.faults.clear()
    await bot.logs("bot.ready")
    assert await bot.get("/readyz") == 200
    assert (await world.person("alice").command("/notify", "help")).ok


async def test_it_ends_at_once_while_there_is_no_connection(world: World) -> None:
    world.slack.faults.fail("link", "hang")
    bot = await world.launch(**SOCKET_MODE)
    await world.slack.until(
        lambda slack: any(c.method == "apps.connections.open" for c in slack.calls)
    )
    assert await bot.stop() == 0
    assert not bot.has_logged("bot.ready")
    assert bot.errors == ""


async def test_sigterm_with_commands_in_hand_loses_none(world: World) -> None:
    first = await start_bot(world)
    world.slack.faults.delay = 0.5
    typing = [type_command(world, number) for number in range(20)]
    await world.slack.until(lambda slack: len(slack.sockets.sent) == 20)
    first.send(signal.SIGTERM)
    replies = await asyncio.gather(*typing)
    assert await first.ends() == 0
    assert all(reply.ok for reply in replies), replies
    world.slack.faults.clear()
    await start_bot(world)
    await world.sees_cards(20, within=40)
    check_accounts(world)
    assert len(world.pushed()) == 20


async def test_kill_9_and_start_again(world: World) -> None:
    first = await start_bot(world)
    await world.crm.refuse_connections()
    replies = await asyncio.gather(*(type_command(world, number) for number in range(5)))
    assert all(reply.ok for reply in replies)
    in_flight = await world.kill(first)
    assert (await type_command(world, 5)).error == "dispatch_failed"
    await world.crm.accept_connections()
    await start_bot(world)
    await world.sees_cards(5)
    check_accounts(world, in_flight=in_flight)
    assert world.states().count("sent") == len(world.pushed()) >= 5 - len(in_flight)
    assert len(world.states()) == 5


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_a_refresh_under_load_loses_no_command(world: World, reason: str) -> None:
    """Slack sends over the old connection until it is closed, and over the new one at once."""
    await start_bot(world)
    sockets = world.slack.sockets
    replies: list[Reply] = []
    for opened in range(1, 4):
        typing = [type_command(world, 100 * opened + number) for number in range(8)]
        old = await sockets.ask_to_leave(reason)
        await world.slack.until(lambda _, opened=opened: sockets.opened > opened)  # type: ignore[misc]
        typing += [type_command(world, 100 * opened + number) for number in range(8, 16)]
        await world.slack.until(lambda _, opened=opened: len(sockets.sent) == 16 * opened)  # type: ignore[misc]
        old.time_is_up.set()
        replies += await asyncio.gather(*typing)
        await old.gone.wait()
        assert old.received >= 4
    assert all(reply.ok for reply in replies), replies
    assert max(reply.ack_seconds for reply in replies) < 3
    await world.sees_cards(48, within=40)
    check_accounts(world)
    assert len(world.pushed()) == 48
