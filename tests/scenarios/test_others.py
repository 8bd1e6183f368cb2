"""What is somebody else's: their questions, forms and notifications, by ids that were guessed."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Message, Person, Reply
from bot.sandbox.slack.payloads import build_interaction
from bot.store.tables import deliveries, drafts, links
from tests.scenarios.world import World

FORM = "application/x-www-form-urlencoded"


async def act(world: World, kind: str, person: Person, **fields: Any) -> Reply:
    """Deliver what Slack would have to send for somebody who presses what they never saw."""
    payload = build_interaction(kind, person, trigger_id="9000.9001.ab", **fields)
    body = urlencode({"payload": json.dumps(payload)}).encode()
    return await world.slack.post(body, {"Content-Type": FORM, **world.slack.sign(body)})


async def press(world: World, person: Person, action: str, value: str) -> Reply:
    button = {"type": "button", "action_id": action, "block_id": "b", "value": value}
    channel = {"id": "C0SALES01", "name": "sales"}
    return await act(world, "block_actions", person, actions=[button], channel=channel)


def value_of(message: Message) -> str:
    return str(message.blocks[-1]["elements"][0]["value"])


@pytest.fixture
async def question(world: World) -> Message:
    """A question that only Lee was asked."""
    lee = world.slack.people["lee"]
    await lee.command("/notify", "@sales-team Secret | of Lee")
    return await lee.sees("sales-team")


@pytest.mark.parametrize("name", ["dev", "alice"])
async def test_the_question_of_somebody_else_cannot_be_answered(
    world: World, question: Message, name: str
) -> None:
    """Not even by an admin, as Alice is: it would be sent in Lee's name."""
    person = world.slack.people[name]
    assert (await press(world, person, ActionId.SEND_DRAFT, value_of(question))).status == 200
    refusal = await person.sees("This question is too old to be answered")
    assert "Secret" not in refusal.shown
    assert world.read(deliveries) == []
    assert len(world.read(drafts)) == 1


async def test_the_question_of_somebody_else_cannot_be_answered_as_a_form(
    world: World, question: Message
) -> None:
    view = {"id": "V1", "type": "modal", "callback_id": "confirm", "hash": "1.h"}
    view["private_metadata"] = value_of(question)
    reply = await act(world, "view_submission", world.slack.people["dev"], view=view)
    assert reply.json["response_action"] == "update"
    assert "Secret" not in reply.body
    assert world.read(deliveries) == []


@pytest.mark.parametrize(
    "action", [ActionId.RETRY, ActionId.SEND_AGAIN, ActionId.CANCEL, ActionId.DETAILS]
)
@pytest.mark.parametrize(
    ("name", "refused_with"),
    [
        ("dev", "Only the person who sent this notification, and admins"),
        ("gus", "Guests cannot send notifications"),
    ],
)
async def test_the_buttons_of_somebody_else_do_nothing_and_tell_nothing(
    world: World, action: str, name: str, refused_with: str
) -> None:
    lee, other = world.slack.people["lee"], world.slack.people[name]
    world.crm.faults.next("push", FaultKind.MX_500)
    await lee.command("/notify", "@priya Secret | of Lee")
    card = await lee.sees("“Secret”")
    before = world.read(deliveries)
    assert (await press(world, other, action, value_of(card))).status == 200
    told = await other.sees(refused_with)
    assert "Secret" not in told.shown
    assert world.read(deliveries) == before
    assert world.pushed() == []


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (ActionId.RETRY, "This notification is too old"),
        (ActionId.SEND_DRAFT, "This question is too old"),
        (ActionId.PREVIEW, "There is no form to preview here"),
    ],
)
async def test_a_button_without_what_it_is_about_is_answered_with_a_sentence(
    world: World, action: str, told: str
) -> None:
    dev = world.slack.people["dev"]
    button = {"type": "button", "action_id": action, "block_id": "b"}
    channel = {"id": "C0SALES01", "name": "sales"}
    reply = await act(world, "block_actions", dev, actions=[button], channel=channel)
    assert reply.status == 200
    await dev.sees(told)


@pytest.mark.parametrize("name", ["gus", "exa", "gone", "robot"])
@pytest.mark.parametrize("text", ["status", "whoami @priya", "link @omar dev@acme.com", "help"])
async def test_who_is_no_full_member_learns_and_changes_nothing(
    world: World, name: str, text: str
) -> None:
    reply = await world.slack.people[name].command("/notify", text)
    assert "@acme.com" not in reply.text.partition("You typed:")[0]
    assert reply.text.startswith(("Guests", "Only ", "This Slack account"))
    assert world.read(links) == []


async def test_what_leadsquared_says_pings_nobody_and_forges_nothing(world: World) -> None:
    alice = world.slack.people["alice"]
    lead = world.crm.leads[0]
    lead["FirstName"], lead["LastName"] = "<!channel>\u202e<https://evil|x>", "A\r\n✅ *Sent*"
    await alice.command("/notify", f"@priya --lead {lead['EmailAddress']} Due | at 3 pm")
    card = await alice.sees("Opens lead")
    assert "&lt;!channel&gt;" in card.text
    assert "\u202e" not in card.text
    assert "\n✅ *Sent*" not in card.text
