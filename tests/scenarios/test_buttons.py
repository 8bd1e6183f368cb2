import asyncio

import pytest

from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Message
from tests.scenarios.test_notify import forward_until_pushed
from tests.scenarios.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"


async def fail_once(world: World, kind: FaultKind) -> Message:
    """Let Alice send something that fails, and return its card."""
    alice = world.slack.people["alice"]
    world.crm.faults.next("push", kind)
    await alice.command("/notify", TYPED)
    return await alice.sees("“Callback due”")


async def test_retry_sends_what_was_refused_and_the_button_goes_away(world: World) -> None:
    alice = world.slack.people["alice"]
    card = await fail_once(world, FaultKind.MX_500)
    await alice.press(card, ActionId.RETRY)
    await alice.sees("✅ Sent to LeadSquared for *Priya Nair*")
    await world.slack.until(lambda _: card.action_ids == [])
    assert "Alice Rao is sending it again" in card.shown
    assert len(world.pushed()) == 1


async def test_send_again_is_the_persons_decision_after_an_unknown(world: World) -> None:
    alice = world.slack.people["alice"]
    card = await fail_once(world, FaultKind.RESET_AFTER)
    assert "may or may not have arrived" in card.text
    assert len(world.pushed()) == 1
    await alice.press(card, ActionId.SEND_AGAIN)
    await alice.sees("✅ Sent to LeadSquared")
    assert len(world.pushed()) == 2


async def test_one_press_delivered_twice_has_one_effect(world: World) -> None:
    alice = world.slack.people["alice"]
    card = await fail_once(world, FaultKind.MX_500)
    presses = [alice.press(card, ActionId.RETRY, trigger_id="9000.9001.ab") for _ in range(2)]
    await asyncio.gather(*presses)
    await alice.sees("✅ Sent to LeadSquared")
    await alice.sees("There is nothing left to send again here")
    assert len(world.pushed()) == 1


async def test_buttons_are_for_the_sender_and_for_admins(world: World) -> None:
    lee, dev, alice = (world.slack.people[name] for name in ("lee", "dev", "alice"))
    world.crm.faults.next("push", FaultKind.MX_500)
    await lee.command("/notify", TYPED)
    card = await lee.sees("“Callback due”")
    await dev.press(card, ActionId.RETRY)
    refusal = await dev.sees("Only the person who sent this notification, and admins")
    assert refusal.ephemeral_to == dev.id
    assert world.pushed() == []
    await alice.press(card, ActionId.RETRY)
    await lee.sees("✅ Sent to LeadSquared")


async def test_details_are_for_the_eyes_of_whoever_asked(world: World) -> None:
    alice, lee = world.slack.people["alice"], world.slack.people["lee"]
    await alice.command("/notify", "@priya @omar Standup | moved")
    card = await alice.sees("1 of 2 sent")
    await alice.press(card, ActionId.DETAILS)
    details = await alice.sees("*Omar Aziz*: no LeadSquared user")
    assert details.ephemeral_to == alice.id
    assert "Retry 1" in card.shown
    assert not any(
        "no LeadSquared user" in m.text for m in world.slack.visible_to(lee) if m.ephemeral_to
    )


async def test_retry_finds_a_person_who_was_linked_meanwhile(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@omar Hello | there")
    card = await alice.sees("has no LeadSquared user")
    await alice.command("/notify", "link @omar dev@acme.com")
    await alice.press(card, ActionId.RETRY)
    await alice.sees("✅ Sent to LeadSquared for *Omar Aziz*")
    assert world.pushed()[0]["UserId"] == world.crm_id("dev@acme.com")


async def test_retry_leaves_those_alone_whom_it_cannot_help(world: World) -> None:
    alice = world.slack.people["alice"]
    world.crm.faults.next("push", FaultKind.MX_500)
    await alice.command("/notify", "@priya @robot @gus @exa @gone Hello | there")
    card = await alice.sees("None of 5 sent")
    assert "[Retry 1]" in card.shown
    before = [row for row in world.read() if row.state == "unlinked"]
    assert len(before) == 4
    await alice.press(card, ActionId.RETRY)
    again = await alice.sees("1 of 5 sent")
    assert again.action_ids == [ActionId.DETAILS]
    assert [row for row in world.read() if row.state == "unlinked"] == before


async def test_a_status_can_be_acted_upon(world: World) -> None:
    alice = world.slack.people["alice"]
    await fail_once(world, FaultKind.MX_500)
    await alice.command("/notify", "status")
    status = await alice.sees("Accepted")
    assert status.ephemeral_to == alice.id
    await alice.press(status, ActionId.RETRY)
    sent = await alice.sees("✅ Sent to LeadSquared for *Priya Nair*")
    assert sent.ephemeral_to == alice.id
    assert len(world.pushed()) == 1


async def test_what_waits_can_be_taken_back(world: World) -> None:
    alice = world.slack.people["alice"]
    people = world.slack.add_people(60)
    world.crm.add_users(60)
    mentions = " ".join(f"@{person.name}" for person in people)
    reply = await alice.command("/notify", f"{mentions} Big | news")
    assert "Queued for 60 people, about 10 s" in reply.text
    await world.crm.until(lambda: len(world.crm.pushes) >= 23)
    queued = await alice.sees("Queued for 60 people")
    await alice.press(queued, ActionId.CANCEL)
    await alice.sees("Taken back for")
    card = await alice.sees("taken back: ")
    sent = len(world.pushed())
    assert f"{sent} of 60 sent" in card.text
    assert f"{60 - sent} taken back" in card.text
    assert await forward_is_quiet(world)


async def forward_is_quiet(world: World) -> bool:
    """Move on by a period: nothing more is pushed."""
    before = len(world.crm.pushes)
    world.clock.forward(6)
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@priya After | all")
    await alice.sees("“After”")
    return len(world.crm.pushes) == before + 1


async def test_the_second_enter_is_answered_with_what_became_of_the_first(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", TYPED)
    await alice.sees("✅ Sent to LeadSquared")
    again = await alice.command("/notify", TYPED)
    assert "You sent this 1 s ago, and it was sent. Nothing was sent this time." in again.text
    assert len(world.pushed()) == 1
    question = await alice.sees("You sent this")
    await alice.press(question, ActionId.SEND_DRAFT)
    await world.crm.until(lambda: len(world.crm.pushes) == 2)
    await alice.sees("On its way; the result appears here.")
    assert question.action_ids == []


async def test_the_draft_of_a_second_enter_is_sent_once(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", TYPED)
    await alice.command("/notify", TYPED)
    question = await alice.sees("You sent this")
    draft = question.blocks[-1]["elements"][0]["value"]
    await alice.press(question, ActionId.SEND_DRAFT, draft)
    await world.crm.until(lambda: len(world.crm.pushes) == 2)
    await alice.command("/notify", "@lee Other | text")
    await alice.sees("“Other”")
    assert len(world.pushed()) == 3


@pytest.mark.parametrize(("seconds", "pushes"), [(50, 1), (61, 2)])
async def test_a_minute_later_it_is_no_slip_any_more(
    world: World, seconds: float, pushes: int
) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", TYPED)
    await alice.sees("✅ Sent to LeadSquared")
    world.clock.forward(seconds)
    await alice.command("/notify", TYPED)
    await alice.command("/notify", "@lee Last | one")
    await alice.sees("“Last”")
    await forward_until_pushed(world, step=0.1, count=pushes + 1)
    assert [push["Title"] for push in world.pushed()].count("Callback due") == pushes


async def test_a_failed_first_is_no_reason_to_ask(world: World) -> None:
    alice = world.slack.people["alice"]
    await fail_once(world, FaultKind.MX_500)
    await alice.command("/notify", TYPED)
    await alice.sees("✅ Sent to LeadSquared")
    assert len(world.pushed()) == 1


async def test_the_second_enter_of_a_modal_asks_in_a_modal(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", TYPED)
    await alice.sees("✅ Sent to LeadSquared")
    await alice.command("/notify", "")
    priya = world.slack.people["priya"].id
    values = {"recipients": [priya], "title": "Callback due", "content": "Asha asked for 3 pm"}
    await alice.submit(values)
    question = await alice.gets_view("Send it again?")
    assert "You sent this" in question.shown
    assert len(world.pushed()) == 1
    await alice.submit()
    await world.crm.until(lambda: len(world.crm.pushes) == 2)
