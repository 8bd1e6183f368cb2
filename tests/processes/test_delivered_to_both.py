"""One interaction that reaches both processes at the same moment has one effect."""

from collections.abc import AsyncIterator

import pytest

from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from tests.postgres import Postgres
from tests.processes.accounts import check_accounts
from tests.processes.conftest import OpenWorld
from tests.processes.doubling import Doubling
from tests.processes.storage import Storage, open_storage
from tests.processes.world import World

TYPED = "@priya @lee Callback due | 3 pm"

NOTIFICATIONS = "SELECT id FROM notifications"
REPLIES = "SELECT id FROM replies"
DRAFTS = "SELECT id FROM drafts"

Twice = tuple[World, Doubling]


@pytest.fixture
def storage(postgres: Postgres) -> Storage:
    return open_storage(postgres.create())


@pytest.fixture
async def twice(open_world: OpenWorld) -> AsyncIterator[Twice]:
    """A world whose Slack reaches both of its bots with every request."""
    world = await open_world()
    bots = [await world.launch(), await world.launch()]
    for bot in bots:
        await bot.logs("bot.ready")
    doubling = Doubling([bot.slack_url for bot in bots])
    async with doubling.running() as url:
        world.slack.bot_url = url
        yield world, doubling


async def check_nothing_is_owed(world: World) -> None:
    """Wait until nothing is left that could still lead to a card."""
    await world.storage.shows("SELECT id FROM replies WHERE paid_at IS NULL")


def count(world: World, query: str) -> int:
    return len(world.run_sql(query))


async def test_a_command_is_one_notification_and_one_card(twice: Twice) -> None:
    world, doubling = twice
    await world.person("alice").command("/notify", TYPED)
    assert doubling.answers == [[(200, b""), (200, b"")]]
    await world.sees_cards(1)
    await check_nothing_is_owed(world)
    assert count(world, NOTIFICATIONS) == count(world, REPLIES) == len(world.cards()) == 1
    assert len(world.pushed()) == 2
    check_accounts(world)


async def test_a_press_of_send_again_is_one_more_round_and_one_more_card(twice: Twice) -> None:
    world, doubling = twice
    alice = world.person("alice")
    world.crm.faults.for_user(world.crm_id("lee.wong@acme.com"), FaultKind.RESET_BEFORE, times=1)
    await alice.command("/notify", TYPED)
    card = await alice.sees("1 uncertain, not repeated")
    await alice.press(card, ActionId.SEND_AGAIN)
    assert doubling.answers[1] == [(200, b""), (200, b"")]
    await alice.sees("2 of 2 sent")
    await check_nothing_is_owed(world)
    assert count(world, NOTIFICATIONS) == 1
    assert count(world, REPLIES) == 2
    outcomes = [text for text in world.cards() if "“Callback due”" in text]
    assert len(outcomes) == 2
    check_accounts(world)


async def test_a_press_of_send_again_anyway_is_one_notification(twice: Twice) -> None:
    world, doubling = twice
    alice = world.person("alice")
    await alice.command("/notify", TYPED)
    await world.sees_cards(1)
    await alice.command("/notify", TYPED)
    question = await alice.sees("Send again anyway")
    assert count(world, DRAFTS) == 1
    await alice.press(question, ActionId.SEND_DRAFT)
    assert doubling.answers[2] == [(200, b""), (200, b"")]
    await world.slack.until(lambda _: sum("2 of 2 sent" in card for card in world.cards()) == 2)
    await check_nothing_is_owed(world)
    assert count(world, NOTIFICATIONS) == count(world, REPLIES) == 2
    assert len(world.cards()) == 2  # and nobody is told that the draft is gone
    assert len(world.pushed()) == 4
