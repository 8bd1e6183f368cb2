"""Every way in which Slack can fail to tell who somebody is, and what the sender reads then."""

import aiohttp
import pytest

from bot.notification import State
from bot.store.tables import replies
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.test_crm_faults import (
    SENT,
    TITLE,
    TYPED,
    calls_of,
    labels,
    open_still,
    press_and_see_it_sent,
    see_outcome,
    see_pauses,
)
from tests.scenarios.world import World

ONE, ALL = "users.info", "users.list"

NOT_ANSWERED = "Slack did not answer a question we had to ask it, so nothing was sent. Try again."
REFUSED = (
    "Slack refused what this needed, so nothing was sent. Try again; if it stays so, an admin "
    "should look into the bot's log."
)
AWAY = "❌ Slack could not tell us who you meant, so nothing was sent. Press Retry later."
UNKNOWN = (
    "❌ Slack does not know the person you meant. Nothing was sent to them. Choose somebody else."
)

PASSING = [500, 503, "hang", "garbage", "internal_error", "ratelimited:1"]
RESET = ("reset", 2)
"""aiohttp itself repeats a GET once whose connection was reset; that harms nothing."""

OUR_FAULT = ["invalid_auth", "token_revoked", "account_inactive", "missing_scope"]


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch, open_world: OpenWorld) -> World:
    """A call to Slack that hangs passes in real time; Slack has told who Alice is."""
    monkeypatch.setattr("bot.clients.SLACK_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    world = await open_still(open_world)
    await world.slack.people["alice"].command("/notify", "help")
    return world


def count(world: World, method: str) -> int:
    return sum(call.method == method for call in world.slack.calls) - (method == ONE)  # Alice's


@pytest.mark.parametrize(
    ("kind", "times"), [RESET, *((kind, 1) for kind in [*PASSING, *OUR_FAULT])]
)
async def test_a_recipient_slack_does_not_tell_of_once_is_asked_for_again(
    world: World, kind: str | int, times: int
) -> None:
    world.slack.faults.fail(ONE, kind, times=times)
    await world.slack.people["alice"].command("/notify", TYPED)
    await see_pauses(world, 1)
    await world.slack.people["alice"].sees(SENT)
    assert (count(world, ONE), len(world.pushed())) == (times + 1, 1)


@pytest.mark.parametrize("kind", [500, "hang", "garbage", "token_revoked", "missing_scope"])
async def test_a_recipient_slack_never_tells_of_is_given_up_after_five_repeats(
    world: World, kind: str | int
) -> None:
    alice = world.slack.people["alice"]
    world.slack.faults.fail(ONE, kind)
    await alice.command("/notify", TYPED)
    await see_pauses(world, 5)
    card = await see_outcome(world)
    assert card.text == AWAY + TITLE
    assert labels(card) == ["Retry"]
    (row,) = world.read()
    assert (row.state, row.code) == (State.UNAVAILABLE, "slack_away")
    assert (count(world, ONE), world.crm.calls) == (6, [])
    world.slack.faults.api.clear()
    await press_and_see_it_sent(world, card)


@pytest.mark.parametrize(("retry_after", "pause"), [("17", 17.0), ("600", 60.0)])
async def test_slack_is_asked_again_no_sooner_than_it_says_but_within_a_minute(
    world: World, retry_after: str, pause: float
) -> None:
    world.slack.faults.fail(ONE, f"ratelimited:{retry_after}", times=1)
    await world.slack.people["alice"].command("/notify", TYPED)
    (row,) = await world.until_stored(lambda rows: any(row.repeats for row in rows))
    assert row.due_at - world.clock.time() == pytest.approx(pause, abs=0.001)
    await world.forward_to(row.due_at)
    await world.slack.people["alice"].sees(SENT)
    assert count(world, ONE) == 2


@pytest.mark.parametrize("kind", ["user_not_found", "user_not_visible"])
async def test_whom_slack_does_not_know_is_told_of_and_the_others_are_sent_to(
    world: World, kind: str
) -> None:
    alice = world.slack.people["alice"]
    world.slack.faults.fail(ONE, kind, times=1)
    await alice.command("/notify", TYPED)
    card = await see_outcome(world)
    assert card.text == UNKNOWN + TITLE
    assert labels(card) == []
    world.slack.faults.fail(ONE, kind, times=1)  # for Dev, who has the lowest id
    await alice.command("/notify", "@priya @dev Second | one")
    card = await alice.sees("1 of 2 sent in 1 s: “Second”.\n1 not linked: ")
    assert "1 not linked: 1 person Slack does not know." in card.text
    assert labels(card) == ["Details"]
    assert len(calls_of(world)) == len(world.pushed()) == 1


@pytest.mark.parametrize(("kind", "times"), [RESET, (500, 1), ("hang", 1), ("garbage", 1)])
async def test_many_recipients_slack_does_not_list_once_are_asked_for_again(
    world: World, kind: str | int, times: int
) -> None:
    people = world.slack.add_people(12)
    world.crm.add_users(12)
    world.slack.faults.fail(ALL, kind, times=times)
    mentions = " ".join(f"@{person.name}" for person in people)
    await world.slack.people["alice"].command("/notify", f"{mentions} Callback due | Asha")
    rows = await world.until_stored(lambda rows: all(row.repeats for row in rows))
    pauses = [row.due_at - world.clock.time() for row in rows]
    assert 2.5 <= min(pauses) <= max(pauses) <= 5
    await world.forward(5.001)
    await world.slack.people["alice"].sees("✅ 12 of 12 sent in")
    assert (count(world, ALL), count(world, ONE)) == (times + 1, 0)
    assert len(calls_of(world)) == len(world.pushed()) == 12


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [(kind, NOT_ANSWERED) for kind in [*PASSING, "reset"]]
    + [(kind, REFUSED) for kind in OUR_FAULT],
)
async def test_a_sender_slack_does_not_tell_of_is_told_and_nothing_is_accepted(
    world: World, kind: str | int, sentence: str
) -> None:
    lee = world.slack.people["lee"]
    world.slack.faults.fail(ONE, kind)
    reply = await lee.command("/notify", "@alice Callback due | Asha")
    assert reply.text.startswith(f"{sentence}\nYou typed:\n```/notify @")
    assert reply.ack_seconds < 3
    assert (world.read(), world.read(replies)) == ([], [])
    world.slack.faults.api.clear()
    await lee.command("/notify", "@alice Callback due | Asha")
    await lee.sees("✅ Sent to LeadSquared for *Alice Rao*: “Callback due”.")


async def test_who_leaves_between_accept_and_send_is_told_of_and_gets_nothing(world: World) -> None:
    world.slack.faults.fail(ONE, 500, times=1)
    await world.slack.people["alice"].command("/notify", TYPED)
    (row,) = await world.until_stored(lambda rows: any(row.repeats for row in rows))
    world.slack.people["priya"].deleted = True
    await world.forward_to(row.due_at)
    card = await see_outcome(world)
    assert card.text.startswith("❌ *Priya Nair*'s Slack account is deactivated. Nothing was sent")
    assert (labels(card), world.pushed()) == ([], [])
