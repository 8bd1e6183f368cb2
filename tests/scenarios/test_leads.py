"""Leads named behind `--lead`: their page, their owner, and which of several is meant."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import update

from bot.acceptor import STORE_WITHIN
from bot.leads.finder import FIND_WITHIN
from bot.sandbox.leadsquared import Endpoint, FaultKind
from bot.sandbox.leadsquared.account import Lead, build_lead, make_id
from bot.sandbox.slack import Message, Reply
from bot.store.drafts import EXPIRES_AFTER
from bot.store.tables import drafts, notifications
from handlers.patience import LISTEN_WITHIN
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World
from tests.unit.leads_desk import LoopTime

PAGE = "https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID="
SIGNED = "3 pm\n— Alice Rao, Slack"


def lead_id(world: World, index: int = 0) -> str:
    return str(world.crm.leads[index]["ProspectID"])


def add_twin(world: World, name: str, owner: str | None = "lee.wong@acme.com") -> Lead:
    """Add a lead that has the e-mail address of Asha Rao, too."""
    user = next((each for each in world.crm.users if each.email == owner), None)
    lead = build_lead(name, "Rao", "asha.rao@example.com", "+91-9000000009", "Twin Ltd", user)
    lead["ProspectID"] = make_id(f"lead:{name}")
    world.crm.leads.append(lead)
    return lead


async def notify(world: World, typed: str) -> Reply:
    return await world.slack.people["alice"].command("/notify", typed)


def is_asked(world: World, endpoint: Endpoint) -> bool:
    return any(call.endpoint is endpoint for call in world.crm.calls)


async def refuse(world: World, typed: str) -> str:
    """Return the sentence that a command got; nothing may be stored."""
    reply = await notify(world, typed)
    assert (reply.status, world.read(notifications), world.read(drafts)) == (200, [], [])
    assert reply.ack_seconds < 3
    return reply.text


# -- one lead -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "named",
    [
        "asha.rao@example.com",
        "+919000000001",
        '"+91 90000 00001"',
        "9000000001",
        "{id}",
        PAGE + "{id}",
        "https://us11.leadsquared.com/LeadManagement/LeadDetails?LeadID={id}",
    ],
)
async def test_the_owner_of_a_lead_is_notified_and_a_click_opens_its_page(
    world: World, named: str
) -> None:
    lead = named.format(id=lead_id(world))
    reply = await notify(world, f"owner --lead {lead} Callback due | 3 pm")
    assert (reply.status, reply.body) == (200, "")
    alice = world.slack.people["alice"]
    await alice.sees("Sent to LeadSquared for *Priya Nair*: “Callback due”. Opens lead *Asha Rao*.")
    assert world.pushed() == [
        {
            "UserId": world.crm_id("priya@acme.com"),
            "Title": "Callback due",
            "Content": SIGNED,
            "ClickURL": PAGE + lead_id(world),
        }
    ]


async def test_a_lead_may_be_named_without_notifying_its_owner(world: World) -> None:
    await notify(world, "@lee --lead asha.rao@example.com Callback due | 3 pm")
    await world.slack.people["alice"].sees("for *Lee Wong*: “Callback due”. Opens lead *Asha Rao*.")
    assert world.pushed()[0]["UserId"] == world.crm_id("lee.wong@acme.com")


async def test_a_link_that_was_given_wins_and_the_card_does_not_say_otherwise(
    world: World,
) -> None:
    await notify(world, "owner --lead asha.rao@example.com --link https://x.io/a Due | 3 pm")
    card = await world.slack.people["alice"].sees("Sent to LeadSquared for *Priya Nair*: “Due”.")
    assert "Opens" not in card.text
    assert world.pushed()[0]["ClickURL"] == "https://x.io/a"


async def test_a_page_that_is_not_known_is_left_out_and_the_card_says_so(world: World) -> None:
    world.crm.api.app_host = ""
    text = "see https://in21.leadsquared.com/other"
    await notify(world, f"owner --lead asha.rao@example.com Due | {text}")
    card = await world.slack.people["alice"].sees("Sent to LeadSquared for *Priya Nair*: “Due”.")
    assert "A click opens nothing: LeadSquared did not tell where lead *Asha Rao*" in card.text
    assert "ClickURL" not in world.pushed()[0]


async def test_the_owner_who_is_named_in_slack_too_gets_it_once(world: World) -> None:
    await notify(world, "@priya owner @lee --lead asha.rao@example.com Due | 3 pm")
    card = await world.slack.people["alice"].sees("3 of 3 sent")
    assert "notified once: Priya Nair and Priya Nair." in card.shown
    users = [push["UserId"] for push in world.pushed()]
    assert sorted(users) == sorted(world.crm_id(f"{who}@acme.com") for who in ("priya", "lee.wong"))


async def test_the_owner_who_is_the_key_owner_too_gets_it_once(world: World) -> None:
    admin = world.crm_id("admin@acme.com")
    world.crm.leads[0] |= {"OwnerId": admin, "OwnerIdName": "CRM Admin"}
    await notify(world, "key-owner owner @priya --lead asha.rao@example.com Due | 3 pm")
    await world.slack.people["alice"].sees("2 of 2 sent")
    assert {push["UserId"] for push in world.pushed()} == {admin, world.crm_id("priya@acme.com")}
    names = {row.name for row in world.read()}
    assert names == {"CRM Admin (also key-owner)", "Priya Nair"}


async def test_nobody_gets_it_twice_because_the_key_owner_is_not_known(world: World) -> None:
    world.crm.faults.next("whoami", FaultKind.UNAVAILABLE_503, times=2)
    typed = "key-owner owner --lead asha.rao@example.com Due | 3 pm"
    assert "could not tell just now whether the lead's owner is" in await refuse(world, typed)
    await notify(world, typed)
    await world.slack.people["alice"].sees("2 of 2 sent")


async def test_the_second_enter_is_asked_about_here_too(world: World) -> None:
    for _ in range(2):
        reply = await notify(world, "owner --lead asha.rao@example.com Due | 3 pm")
        await world.slack.people["alice"].sees("Sent to LeadSquared")
    assert "You sent this" in reply.text
    assert len(world.pushed()) == 1


# -- no lead --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("nobody.here@example.com", "no lead with the e-mail address nobody.here@example.com"),
        ("+919999999999", "no lead with the phone number +91-9999999999"),
        ("3c9d1c3e-1111-4222-8333-abcdefabcdef", "It may have been deleted or merged"),
        (
            "https://us11.leadsquared.com/LeadManagement/LeadDetails"
            "?LeadID=3c9d1c3e-1111-4222-8333-abcdefabcdef",
            "The pages of this account are on in21.leadsquared.com: check the link",
        ),
    ],
)
async def test_a_lead_that_is_not_there_is_refused_and_the_text_given_back(
    world: World, named: str, words: str
) -> None:
    text = await refuse(world, f"@lee owner --lead {named} Callback due | 3 pm")
    assert words in text
    assert "so nothing was sent" in text
    assert "Callback due | 3 pm```" in text


async def test_a_lead_without_an_owner_is_refused_only_where_the_owner_is_wanted(
    world: World,
) -> None:
    text = await refuse(world, "@lee owner --lead nobody@example.com Due | 3 pm")
    assert "No Owner has no owner in LeadSquared, so nothing was sent." in text
    await notify(world, "@lee --lead nobody@example.com Due | 3 pm")
    await world.slack.people["alice"].sees("Opens lead *No Owner*.")


async def test_a_mistake_in_the_text_costs_no_look_up(world: World) -> None:
    text = await refuse(world, f"owner --lead asha.rao@example.com Due | {'x' * 2_100}")
    assert "LeadSquared takes 2,048" in text
    assert world.crm.calls == []


# -- LeadSquared in trouble -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FaultKind.UNAUTHORIZED_401, "LeadSquared refused our keys, so nothing was sent."),
        (FaultKind.RATE_LIMIT_429, "could not be asked for this lead just now"),
        (FaultKind.UNAVAILABLE_503, "could not be asked for this lead just now"),
        (FaultKind.HTML_200, "could not be asked for this lead just now"),
    ],
)
async def test_trouble_with_the_look_up_is_told_and_nothing_is_sent(
    world: World, kind: FaultKind, words: str
) -> None:
    world.crm.faults.next("lead_by_email", kind)
    assert words in await refuse(world, "owner --lead asha.rao@example.com Due | 3 pm")


@pytest.mark.parametrize("slack_took", [0.0, 0.8])
async def test_a_slow_look_up_is_given_up_in_time_for_the_sentence(
    world: World, slack_took: float
) -> None:
    """What Slack took to tell who the sender is, LeadSquared does not have any more."""
    world.slack.faults.fail("users.info", "hang", 1)
    world.crm.faults.next("lead_by_email", FaultKind.HANG)
    time = LoopTime()
    typed = "owner --lead asha.rao@example.com Due | 3 pm"
    answering = asyncio.create_task(notify(world, typed))
    await world.slack.until(lambda _: "users.info" in [call.method for call in world.slack.calls])
    await time.forward(slack_took)
    world.slack.faults.release()
    await world.crm.until(lambda: is_asked(world, Endpoint.LEAD_BY_EMAIL))
    left = LISTEN_WITHIN - STORE_WITHIN - slack_took
    assert left < FIND_WITHIN
    await time.forward(left - 0.1)
    assert not answering.done()
    await time.forward(0.1)
    now = asyncio.get_running_loop().time()
    reply = await answering
    assert asyncio.get_running_loop().time() == now
    assert "could not be asked for this lead just now, so nothing was sent" in reply.text
    assert world.read(notifications) == []


async def test_a_lead_is_found_during_a_big_send(open_world: OpenWorld) -> None:
    """The send leaves two calls: one for the lead, one for the account's host."""
    world = await open_world(confirm_above=0)
    world.clock.stand_still()
    people = world.slack.add_people(60)
    world.crm.add_users(60)
    await notify(world, " ".join(f"@{each.name}" for each in people) + " Standup | moved")
    await world.crm.until(lambda: len(world.crm.calls) == 23)
    await notify(world, "owner --lead asha.rao@example.com Due | 3 pm")
    rows = world.read(notifications)
    page = PAGE + lead_id(world)
    assert [(row.lead_name, row.click_url) for row in rows] == [(None, None), ("Asha Rao", page)]
    assert len(world.crm.calls) == 25


# -- several leads --------------------------------------------------------------------------------


async def ask(world: World, typed: str = "owner --lead asha.rao@example.com Due | 3 pm") -> Message:
    """Return the question that a command led to."""
    reply = await notify(world, typed)
    assert reply.status == 200
    return await world.slack.people["alice"].sees("Which one do you mean?")


def buttons_of(message: Message) -> list[dict[str, Any]]:
    return [
        each for block in message.blocks for each in block.get("elements", []) if "value" in each
    ]


async def test_of_several_leads_the_one_that_is_pressed_is_meant(world: World) -> None:
    twin = add_twin(world, "Usha")
    alice = world.slack.people["alice"]
    question = await ask(world)
    assert question.ephemeral_to == alice.id
    assert "2 leads fit. Nothing was sent yet." in question.text
    assert "1. *Asha Rao* · asha.rao@example.com · +91-9000000001 · " in question.text
    assert "2. *Usha Rao* · " in question.text
    assert "owner Lee Wong" in question.text
    assert (world.read(notifications), world.pushed()) == ([], [])
    second = buttons_of(question)[1]
    await alice.press(question, second["action_id"], second["value"])
    await alice.sees("Sent to LeadSquared for *Lee Wong*: “Due”. Opens lead *Usha Rao*.")
    assert [(push["UserId"], push["ClickURL"]) for push in world.pushed()] == [
        (world.crm_id("lee.wong@acme.com"), PAGE + str(twin["ProspectID"]))
    ]
    await alice.sees("On its way; the result appears here.")


async def test_of_two_that_are_pressed_the_first_is_sent(world: World) -> None:
    add_twin(world, "Usha")
    alice = world.slack.people["alice"]
    question = await ask(world)
    first, second = buttons_of(question)
    await asyncio.gather(
        *(alice.press(question, each["action_id"], each["value"]) for each in (first, second))
    )
    await alice.sees("This question was answered before, and it is sent once only")
    await alice.sees("Sent to LeadSquared for *")
    assert len(world.read(notifications)) == 1
    assert len(world.pushed()) == 1


async def test_a_question_that_slack_asks_for_twice_is_one_question(world: World) -> None:
    add_twin(world, "Usha")
    alice = world.slack.people["alice"]
    typed = "owner --lead asha.rao@example.com Due | 3 pm"
    trigger = {"trigger_id": "9000.9001.abcdef"}
    first, second = [await alice.command("/notify", typed, **trigger) for _ in range(2)]
    assert first.json["blocks"] == second.json["blocks"]
    assert len(world.read(drafts)) == 2


async def test_after_an_hour_the_question_is_too_old(world: World) -> None:
    add_twin(world, "Usha")
    alice = world.slack.people["alice"]
    question = await ask(world)
    with world._engine.begin() as past_the_bot:  # Slack's signature would be too old as well
        past_the_bot.execute(update(drafts).values(made_at=drafts.c.made_at - EXPIRES_AFTER))
    first = buttons_of(question)[0]
    await alice.press(question, first["action_id"], first["value"])
    await alice.sees("This question is too old to be answered, so nothing was sent.")
    assert world.read(notifications) == []


async def test_a_choice_is_for_whoever_was_asked(world: World) -> None:
    add_twin(world, "Usha")
    question = await ask(world)
    dev = world.slack.people["dev"]
    first = buttons_of(question)[0]
    question.ephemeral_to = dev.id  # a forged press
    await dev.press(question, first["action_id"], first["value"])
    await dev.sees("too old to be answered, so nothing was sent")
    assert world.read(notifications) == []


async def test_leads_beyond_ten_are_counted_and_those_without_owner_left_out(
    world: World,
) -> None:
    for number in range(12):
        add_twin(world, f"Usha {number}", None if number < 2 else "lee.wong@acme.com")
    question = await ask(world)
    assert len(buttons_of(question)) == 10
    assert "13 leads fit." in question.text
    assert "And 1 more: name it more exactly." in question.shown
    assert "2 of them cannot be chosen: no owner in LeadSquared." in question.shown
    assert not re.search("Usha [01] ", question.text)


async def test_several_leads_without_any_owner_are_refused(world: World) -> None:
    world.crm.leads[0]["OwnerId"] = None
    add_twin(world, "Usha", None)
    text = await refuse(world, "owner --lead asha.rao@example.com Due | 3 pm")
    assert "Asha Rao has no owner in LeadSquared" in text
