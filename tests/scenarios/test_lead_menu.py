"""The form's lead menu: searched while somebody types, chosen, and checked when it is sent."""

import asyncio
from typing import Any

import pytest

from bot.acceptor import STORE_WITHIN
from bot.errors import StoreUnavailableError
from bot.leads.found import Hint
from bot.leads.search import PAUSE, SEARCH_WITHIN
from bot.replies.lead_options import HINTS, NOT_A_LEAD
from bot.sandbox.leadsquared import Endpoint, FaultKind
from bot.sandbox.leadsquared.account import make_id
from bot.sandbox.slack import Call, Reply, View
from bot.store.tables import notifications
from handlers.patience import LISTEN_WITHIN, SUGGEST_WITHIN
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.forms import gets_form, until_one_pauses
from tests.scenarios.test_leads import PAGE, is_asked, lead_id
from tests.scenarios.test_listener_contract import failing
from tests.scenarios.test_modal import fill_in, open_form
from tests.scenarios.world import World
from tests.unit.leads_desk import LoopTime

OWNER = {"owner": ["owner"]}
ASHA_RAO = "Asha Rao · asha.rao@example.com · +91-9000000001"


async def type_in(world: World, view: View, text: str) -> Reply:
    """Type into the lead menu, and pause as people do."""
    asking = asyncio.create_task(world.slack.suggest(view, "lead", text))
    pausing = asyncio.create_task(until_one_pauses(world))
    await asyncio.wait({asking, pausing}, return_when=asyncio.FIRST_COMPLETED)
    pausing.cancel()
    world.clock.forward(PAUSE)
    reply = await asking
    assert reply.status == 200
    assert reply.ack_seconds < 3
    return reply


async def offer(world: World, view: View, text: str) -> list[str]:
    reply = await type_in(world, view, text)
    return [option["text"]["text"] for option in reply.json["options"]]


def asked_for_people(world: World) -> list[Call]:
    return [call for call in world.slack.calls if call.method == "users.info"]


def searched(world: World) -> list[str]:
    asked = [call for call in world.crm.calls if call.endpoint is Endpoint.SEARCH]
    return [text for call in asked for text in call.query.values()]


# -- choosing a lead ------------------------------------------------------------------------------


async def test_a_lead_is_searched_and_chosen_and_a_click_opens_its_page(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world)
    assert await offer(world, view, "ash") == [
        ASHA_RAO,
        "Asha Menon · asha.m@example.com · +91-9000000002",
    ]
    await alice.submit(fill_in(world, "priya", lead=ASHA_RAO))
    card = await alice.sees("for *Priya Nair*: “Callback due”. Opens lead *Asha Rao*.")
    assert card.channel == world.slack.channels["sales"].id
    assert [push["ClickURL"] for push in world.pushed()] == [PAGE + lead_id(world)]


async def test_the_owner_alone_is_enough(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world)
    await offer(world, view, "Menon")
    await alice.submit(fill_in(world, lead=lead_id(world, 1)) | OWNER)
    await alice.sees("Sent to LeadSquared for *Lee Wong*: “Callback due”. Opens lead *Asha Menon*.")
    assert [push["UserId"] for push in world.pushed()] == [world.crm_id("lee.wong@acme.com")]


async def test_the_owner_who_is_chosen_too_gets_it_once(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world)
    await offer(world, view, "asha")
    await alice.submit(fill_in(world, "priya", "lee", lead=ASHA_RAO) | OWNER)
    await alice.sees("3 of 3 sent")
    assert len(world.pushed()) == 2


async def test_a_forwarded_message_keeps_its_text_and_its_thread(world: World) -> None:
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say("Asha asked for a callback")
    await alice.use_shortcut("notify_message", message)
    view = await gets_form(world)
    await offer(world, view, "asha")
    await alice.submit({"lead": ASHA_RAO, "owner": ["owner"], "link": ""})
    card = await alice.sees("Opens lead *Asha Rao*.")
    assert card.thread_ts == message.ts
    assert world.pushed()[0]["Content"].startswith("Asha asked for a callback")
    assert world.pushed()[0]["ClickURL"] == PAGE + lead_id(world)


# -- mistakes -------------------------------------------------------------------------------------


async def check_refused(world: World, values: dict[str, Any], field: str, words: str) -> None:
    """Submit; the mistake must stand at its field, the text stay, and nothing be stored."""
    alice = world.slack.people["alice"]
    view = alice.view
    await alice.submit(values)
    assert list(view.errors) == [field]
    assert words in view.errors[field]
    assert view.is_open
    assert view.values["content"]["content"]["value"] == "At 3 pm"
    assert world.read(notifications) == []


async def test_a_lead_that_was_deleted_meanwhile_is_told_at_its_field(world: World) -> None:
    view = await open_form(world)
    await offer(world, view, "asha")
    gone = world.crm.leads.pop(0)
    words = f"no lead with the id {gone['ProspectID']}, so nothing was sent"
    await check_refused(world, fill_in(world, "priya", lead=ASHA_RAO), "lead", words)
    alice = world.slack.people["alice"]
    await alice.submit({"lead": "Asha Menon · asha.m@example.com · +91-9000000002"})
    await alice.sees("Opens lead *Asha Menon*.")


async def test_a_lead_without_an_owner_is_told_at_the_owner(world: World) -> None:
    view = await open_form(world)
    await offer(world, view, "owner")
    values = fill_in(world, "priya", lead=lead_id(world, 4)) | OWNER
    await check_refused(world, values, "owner", "No Owner has no owner in LeadSquared")


async def test_an_owner_needs_a_lead(world: World) -> None:
    await open_form(world)
    values = fill_in(world, "priya") | OWNER
    await check_refused(world, values, "lead", "Choose the lead whose owner should get this.")


async def test_a_form_for_nobody_says_who_could_get_it(world: World) -> None:
    view = await open_form(world)
    await offer(world, view, "asha")
    values = fill_in(world, lead=ASHA_RAO)
    await check_refused(
        world, values, "recipients", "Choose at least one person or group, or below a lead"
    )


async def test_a_slow_look_up_is_told_at_the_lead_in_time(world: World) -> None:
    view = await open_form(world)
    await offer(world, view, "asha")
    world.crm.faults.next("lead_by_id", FaultKind.HANG)
    time = LoopTime()
    alice = world.slack.people["alice"]
    sending = asyncio.create_task(alice.submit(fill_in(world, "priya", lead=ASHA_RAO)))
    await world.crm.until(lambda: is_asked(world, Endpoint.LEAD_BY_ID))
    await time.forward(LISTEN_WITHIN - STORE_WITHIN)
    now = asyncio.get_running_loop().time()
    await sending
    assert asyncio.get_running_loop().time() == now
    assert "could not be asked for this lead just now" in view.errors["lead"]
    assert world.read(notifications) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FaultKind.UNAVAILABLE_503, "could not be asked for this lead just now"),
        (FaultKind.RATE_LIMIT_429, "could not be asked for this lead just now"),
        (FaultKind.UNAUTHORIZED_401, "LeadSquared refused our keys"),
    ],
)
async def test_a_look_up_that_fails_is_told_at_the_lead(
    world: World, kind: FaultKind, words: str
) -> None:
    view = await open_form(world)
    await offer(world, view, "asha")
    world.crm.faults.next("lead_by_id", kind)
    await check_refused(world, fill_in(world, "priya", lead=ASHA_RAO), "lead", words)


# -- while somebody types -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FaultKind.UNAVAILABLE_503, "could not be asked just now"),
        (FaultKind.RATE_LIMIT_429, "could not be asked just now"),
        (FaultKind.UNAUTHORIZED_401, "refused to search"),
    ],
)
async def test_trouble_is_an_option_that_cannot_be_sent(
    world: World, kind: FaultKind, words: str
) -> None:
    view = await open_form(world)
    world.crm.faults.next("search", kind)
    options = await offer(world, view, "asha")
    assert len(options) == 1
    assert words in options[0]
    values = fill_in(world, "priya", lead=NOT_A_LEAD)
    await check_refused(world, values, "lead", "That was no lead.")


async def test_a_slow_search_is_given_up_before_slack_gives_up(world: World) -> None:
    view = await open_form(world)
    world.crm.faults.next("search", FaultKind.HANG)
    time = LoopTime()
    typing = asyncio.create_task(offer(world, view, "asha"))
    await world.crm.until(lambda: is_asked(world, Endpoint.SEARCH))
    await time.forward(SEARCH_WITHIN - 0.01)
    assert not typing.done()
    await time.forward(0.01)
    now = asyncio.get_running_loop().time()
    assert (await typing)[0].startswith("LeadSquared is slow just now")
    assert asyncio.get_running_loop().time() == now


@pytest.mark.parametrize(
    "text", ["100%", "%27 or 1=1", '"Asha" Rao', "a\\b'c", "<b>&amp;", "नमस्ते 🙏", "x" * 3_000]
)
async def test_whatever_is_typed_is_searched_as_it_stands(world: World, text: str) -> None:
    view = await open_form(world)
    assert await offer(world, view, text) == []
    assert searched(world) == [text]


async def test_what_is_no_text_is_not_searched(world: World) -> None:
    view = await open_form(world)
    assert await offer(world, view, "     ") == []
    assert searched(world) == []


async def test_guests_do_not_get_to_read_leads(world: World) -> None:
    view = await open_form(world)
    reply = await world.slack.suggest(view, "lead", "asha", world.slack.people["gus"])
    assert [option["value"] for option in reply.json["options"]] == [NOT_A_LEAD]
    assert reply.json["options"][0]["text"]["text"].startswith("Guests cannot send notifications")
    assert world.slack.messages == []
    assert searched(world) == []


async def test_where_slack_must_be_asked_first_the_menu_answers_in_time_too(world: World) -> None:
    """Reading the person and searching, each in its own time, would be too long for Slack."""
    view = await open_form(world)
    lee = world.slack.people["lee"]  # not read yet, as everybody is after a restart
    world.slack.faults.fail("users.info", "hang", 1)
    world.crm.faults.next("search", FaultKind.HANG)
    time = LoopTime()
    typing = asyncio.create_task(world.slack.suggest(view, "lead", "asha", lee))
    await world.slack.until(lambda _: len(asked_for_people(world)) == 2)
    await time.forward(0.9)
    world.slack.faults.release()
    await until_one_pauses(world)
    world.clock.forward(PAUSE)
    await world.crm.until(lambda: is_asked(world, Endpoint.SEARCH))
    await time.forward(SUGGEST_WITHIN - 0.9)
    now = asyncio.get_running_loop().time()
    reply = await typing
    assert [each["text"]["text"] for each in reply.options] == [HINTS[Hint.TOO_SLOW]]
    assert asyncio.get_running_loop().time() == now


async def test_without_its_database_the_menu_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await open_form(world)
    with failing(world, StoreUnavailableError("gone"), monkeypatch):
        options = await offer(world, view, "asha")
    assert [option[:40] for option in options] == ["The bot's database is not available, so "]
    assert ASHA_RAO in await offer(world, view, "asha")


async def test_more_leads_than_a_menu_holds_are_said_to_be_more(world: World) -> None:
    asha = world.crm.leads[0]
    world.crm.leads.extend(asha | {"ProspectID": make_id(f"{number}")} for number in range(110))
    view = await open_form(world)
    options = await offer(world, view, "asha")
    assert len(options) == 100
    assert options[-1].startswith("More leads fit")
    assert options[-1] in HINTS.values()


async def test_leads_are_found_during_a_big_send(open_world: OpenWorld) -> None:
    """The send leaves two calls in five seconds, and the search needs one of them."""
    world = await open_world(confirm_above=0)
    world.clock.stand_still()
    people = world.slack.add_people(60)
    world.crm.add_users(60)
    typed = " ".join(f"@{each.name}" for each in people) + " Standup | moved"
    await world.slack.people["alice"].command("/notify", typed)
    await world.crm.until(lambda: len(world.crm.calls) == 23)
    view = await open_form(world)
    assert ASHA_RAO in await offer(world, view, "asha")
    assert len(world.crm.calls) == 24
