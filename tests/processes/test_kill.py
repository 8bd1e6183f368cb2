"""kill -9 at every step: whatever was accepted is sent once, or said to be unknown."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.sandbox.leadsquared import FaultKind
from tests.processes.accounts import check_accounts
from tests.processes.bot_process import BotProcess
from tests.processes.conftest import OpenWorld
from tests.processes.world import World

pytestmark = pytest.mark.usefixtures("database_url")

TYPED = "@priya Callback due | 3 pm"
ONE_IN_FLIGHT = (1,)
"""The only delivery of a test has this id."""

ONE_STATE = "SELECT state FROM deliveries"


@pytest.fixture
async def world(open_world: OpenWorld, migrated: None) -> World:
    """A short period makes for short leases, and half of these tests wait for one."""
    return await open_world(period=0.25)


async def start_bot(world: World) -> BotProcess:
    return await world.start_bot(LEADSQUARED_TIMEOUT="2")


async def kill(world: World) -> None:
    await world.kill(world.processes[-1])


async def test_before_the_commit(world: World) -> None:
    """Slack shows an error of its own, and typing it again is no repetition."""
    await start_bot(world)
    alice = world.person("alice")
    async with world.storage.stalling("INSERT ON replies"):
        typing = asyncio.create_task(alice.command("/notify", TYPED))
        await world.storage.held_up()
        await kill(world)
    assert (await typing).error == "dispatch_failed"
    assert world.states() == []
    await start_bot(world)
    assert (await alice.command("/notify", TYPED)).body == ""
    await world.sees_cards(1)
    check_accounts(world)
    assert len(world.pushed()) == 1


async def test_after_the_commit_and_before_the_acknowledgement(world: World) -> None:
    """Slack has given up on the request by the time it is stored."""
    await start_bot(world)
    world.crm.faults.always("users", FaultKind.HANG)
    world.slack.faults.fail("users.info", "hang")
    world.slack.delivery.ack_within = 0.2
    reply = await world.person("alice").command("/notify", TYPED)
    assert reply.error == "operation_timeout"
    assert world.states() == []
    world.slack.faults.clear()
    await world.storage.shows(ONE_STATE, ("pending",))
    await kill(world)
    world.crm.faults.clear()
    await start_bot(world)
    await world.sees_cards(1)
    check_accounts(world)
    assert len(world.pushed()) == 1
    world.expected_violations = [f"/notify {TYPED}: unacknowledged within 3 s"]


async def test_after_the_acknowledgement(world: World) -> None:
    await start_bot(world)
    await world.crm.refuse_connections()
    alice = world.person("alice")
    assert (await alice.command("/notify", "@priya @lee Callback due | 3 pm")).ok
    assert (await alice.command("/notify", "key-owner Callback | 4 pm")).ok
    await kill(world)
    assert world.states() == ["pending"] * 3
    await world.crm.accept_connections()
    await start_bot(world)
    await world.sees_cards(2)
    check_accounts(world)
    assert len(world.pushed()) == 3


async def test_in_the_middle_of_a_claim(world: World) -> None:
    """Nothing was claimed, so nothing is uncertain."""
    await start_bot(world)
    async with world.storage.stalling("UPDATE OF state ON deliveries", "NEW.state = 'sending'"):
        await world.person("alice").command("/notify", TYPED)
        await world.storage.held_up()
        await kill(world)
    assert world.states() == ["pending"]
    await start_bot(world)
    await world.sees_cards(1)
    check_accounts(world)
    assert len(world.pushed()) == 1


@contextmanager
def silent(port: int) -> Iterator[None]:
    """Let connecting to a port take for ever: its queue is full, and nobody accepts."""
    with socket.socket() as listener, socket.socket() as first:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        first.connect(("127.0.0.1", port))
        yield


@pytest.mark.skipif(sys.platform != "linux", reason="others answer when a queue is full")
async def test_after_the_claim_and_before_the_request_left(world: World) -> None:
    """Nobody can tell afterwards that it never left, so it is not repeated."""
    await start_bot(world)
    await world.crm.refuse_connections()
    with silent(int(world.crm.url.rpartition(":")[2])):
        await world.person("alice").command("/notify", "key-owner Callback due | 3 pm")
        await world.storage.shows(ONE_STATE, ("sending",))
        await kill(world)
    await world.crm.accept_connections()
    await start_bot(world)
    [card] = await world.sees_cards(1)
    assert "may or may not have arrived" in card
    check_accounts(world, in_flight=ONE_IN_FLIGHT)
    assert world.states() == ["unknown"]
    assert world.crm.calls == []


async def test_while_pushes_are_in_flight(world: World) -> None:
    """Whether the CRM has taken one cannot be told from here, so it is not repeated."""
    first = await start_bot(world)
    world.crm.faults.for_user(world.crm_id("lee.wong@acme.com"), FaultKind.HANG)
    world.crm.faults.for_user(world.crm_id("dev@acme.com"), FaultKind.HANG_AFTER)
    await world.person("alice").command("/notify", "@lee @priya @dev Callback due | 3 pm")
    await world.pushes_begin(3)
    await first.logs("delivery.answered")
    assert world.states() == ["sending", "sent", "sending"]
    in_flight = await world.kill(first)
    assert len(in_flight) == 2
    world.crm.faults.clear()
    await start_bot(world)
    [card] = await world.sees_cards(1)
    assert "2 uncertain, not repeated: *Lee Wong*, *Dev Shah*" in card
    check_accounts(world, in_flight=in_flight)
    assert world.states() == ["unknown", "sent", "unknown"]
    assert world.count_pushes_begun() == 3


async def test_after_the_answer_and_before_it_is_settled(world: World) -> None:
    await start_bot(world)
    async with world.storage.stalling("UPDATE OF state ON deliveries", "NEW.state = 'sent'"):
        await world.person("alice").command("/notify", TYPED)
        await world.storage.held_up()
        await kill(world)
    assert world.states() == ["sending"]
    await start_bot(world)
    [card] = await world.sees_cards(1)
    assert "may or may not have arrived" in card
    check_accounts(world, in_flight=ONE_IN_FLIGHT)
    assert len(world.pushed()) == world.count_pushes_begun() == 1


async def test_after_settling_and_before_the_reply_is_taken_up(world: World) -> None:
    await start_bot(world)
    async with world.storage.stalling("UPDATE OF lease_until ON replies"):
        await world.person("alice").command("/notify", TYPED)
        await world.storage.shows(ONE_STATE, ("sent",))
        await world.storage.held_up()
        await kill(world)
    assert world.cards() == []
    await start_bot(world)
    [card] = await world.sees_cards(1)
    assert "Sent to LeadSquared for *Priya Nair*" in card
    check_accounts(world)
    assert world.count_pushes_begun() == 1


async def test_while_the_reply_is_on_its_way(world: World) -> None:
    await start_bot(world)
    world.slack.faults.fail("response_url", "hang")
    world.slack.faults.fail("chat.postMessage", "hang")
    await world.person("alice").command("/notify", TYPED)
    await world.slack.until(lambda slack: bool(slack.hook_posts))
    assert world.states() == ["sent"]
    await kill(world)
    world.slack.faults.hooks = None  # what hangs stays so: nobody waits for it any more
    world.slack.faults.api.clear()
    world.let_a_minute_pass()
    await start_bot(world)
    [card] = await world.sees_cards(1)
    assert "Sent to LeadSquared for *Priya Nair*" in card
    check_accounts(world)
    assert world.count_pushes_begun() == 1


async def test_after_slack_took_the_reply_and_before_that_was_noted(world: World) -> None:
    """A card may come twice; it may not be missing."""
    await start_bot(world)
    world.slack.faults.fail("response_url", "hang_after")
    await world.person("alice").command("/notify", TYPED)
    await world.sees_cards(1)
    await kill(world)
    world.slack.faults.hooks = None
    world.let_a_minute_pass()
    await start_bot(world)
    cards = await world.sees_cards(2)
    assert cards[0] == cards[1]
    check_accounts(world)
    assert world.count_pushes_begun() == 1
