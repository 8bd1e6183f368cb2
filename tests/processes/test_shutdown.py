import asyncio
import signal
import time

import pytest

from tests.processes.conftest import OpenWorld
from tests.processes.storage import SqliteStorage
from tests.processes.world import World


def mention(count: int, first: int = 1) -> str:
    return " ".join(f"@u{number:03}" for number in range(first, first + count))


async def test_calls_in_flight_are_settled_and_the_next_process_sends_the_rest(
    open_world: OpenWorld, migrated: None
) -> None:
    world = await open_world(limit=25, period=0.5)
    world.slack.add_people(200)
    world.crm.add_users(200)
    world.crm.latency = 0.1
    first = await world.start_bot()
    for number in range(5):
        text = f"{mention(40, 1 + 40 * number)} Standup {number} | moved"
        await world.person("alice").command("/notify", text)
    await world.crm.until(lambda: len(world.crm.pushes) >= 30)
    begun = time.monotonic()
    first.send(signal.SIGTERM)
    assert await first.ends() == 0
    assert time.monotonic() - begun < 5
    sent_by_first = len(world.pushed())
    assert world.states().count("sent") == sent_by_first < 200
    assert world.states().count("pending") == 200 - sent_by_first
    await world.start_bot()
    cards = await world.sees_cards(5, within=40)
    assert len(cards) == 5
    assert all("40 of 40 sent" in card for card in cards)
    assert len(world.pushed()) == len(set(world.pushed())) == 200
    assert world.crm.refusals == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_further_signals_change_nothing(world: World, number: signal.Signals) -> None:
    world.crm.latency = 0.7
    bot = await world.start_bot()
    await world.person("alice").command("/notify", "@priya @lee Callback due | 3 pm")
    await world.pushes_begin(2)
    bot.send(number)
    await bot.logs("server.stopping")
    bot.send(signal.SIGTERM)
    bot.send(signal.SIGINT)
    bot.send(number)
    assert await bot.ends() == 0
    assert world.states() == ["sent", "sent"]
    assert bot.errors == ""


async def test_a_reply_that_became_due_during_shutdown_is_paid_before_the_end(
    world: World,
) -> None:
    world.crm.latency = 0.5
    bot = await world.start_bot()
    await world.person("alice").command("/notify", "@priya Callback due | 3 pm")
    await world.pushes_begin(1)
    assert await bot.stop() == 0
    assert len(world.cards()) == 1


async def test_a_request_under_way_is_answered_and_what_it_accepted_is_sent_later(
    world: World,
) -> None:
    """The database was closed under it when nothing else was left to do."""
    first = await world.start_bot()
    world.slack.faults.delay = 0.5
    typing = asyncio.create_task(
        world.person("alice").command("/notify", "@priya Callback due | 3 pm")
    )
    await world.slack.until(lambda slack: any(c.method == "users.info" for c in slack.calls))
    assert await first.stop() == 0
    reply = await typing
    assert (reply.status, reply.body) == (200, "")
    world.slack.faults.clear()
    await world.start_bot()
    [card] = await world.sees_cards(1)
    assert "Sent to LeadSquared" in card


async def test_a_closed_gate_does_not_hold_up_the_end(
    open_world: OpenWorld, migrated: None
) -> None:
    """A look-up would have waited for its turn until the host lost patience."""
    world = await open_world(limit=1, period=60)
    bot = await world.start_bot()
    await world.person("alice").command("/notify", "key-owner Takes | the only slot")
    await world.sees_cards(1)
    await world.person("alice").command("/notify", "@priya Callback due | 3 pm")
    begun = time.monotonic()
    assert await bot.stop() == 0
    assert time.monotonic() - begun < 8
    assert world.states() == ["sent", "pending"]


async def test_it_ends_at_once_while_slack_is_away(world: World) -> None:
    world.slack.faults.fail("auth.test", 503)
    bot = await world.launch()
    await bot.logs("bot.waiting", what="slack")
    assert await bot.stop() == 0
    assert bot.errors == ""


async def test_it_ends_at_once_while_its_database_is_away(world: World) -> None:
    world.storage = SqliteStorage(world.database.parent / "volume" / "bot.db")
    bot = await world.launch()
    await bot.logs("bot.waiting", what="database")
    assert await bot.stop() == 0
    assert bot.errors == ""


@pytest.mark.long
async def test_it_ends_in_time_while_slack_hangs(world: World) -> None:
    world.slack.faults.fail("auth.test", "hang")
    bot = await world.launch()
    await world.slack.until(lambda slack: bool(slack.calls))
    assert await bot.stop() == 0
