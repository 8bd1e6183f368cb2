"""User groups as recipients, and the question before anything goes to so many."""

import asyncio
import html
import time

import pytest

from bot.notification import State
from bot.replies import ActionId
from bot.sandbox.slack import Message, Reply
from bot.store.tables import drafts, notifications
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World

TYPED = "@sales-team Standup | moved to 11"
ASKED = "Nothing is sent yet. “Standup” would go to *3 people*, with everybody in *@sales-team*."
TOO_OLD = "This question is too old to be answered, so nothing was sent. Write it again."


async def ask(world: World, typed: str = TYPED, who: str = "alice") -> Message:
    """Type what is asked about first, and return the question."""
    person = world.slack.people[who]
    reply = await person.command("/notify", typed)
    assert reply.text.startswith("Nothing is sent yet."), reply.text
    question = await person.sees("Nothing is sent yet.")
    assert question.ephemeral_to == person.id
    return question


async def refusal(world: World, typed: str = TYPED, who: str = "alice") -> str:
    """Type what is refused at once; nothing is kept of it."""
    reply = await world.slack.people[who].command("/notify", typed)
    assert (world.read(), world.read(drafts)) == ([], [])
    assert reply.ack_seconds < 3
    return html.unescape(reply.text)


def add_group(world: World, handle: str, *names: str) -> None:
    people = [world.slack.people[name] for name in names]
    world.slack.workspace.add_group(handle, people)


def recipients(world: World) -> list[str]:
    return [str(row.slack_user_id) for row in sorted(world.read(), key=lambda row: row.id)]


def slack_ids(world: World, *names: str) -> list[str]:
    return [world.slack.people[name].id for name in names]


async def test_a_group_is_asked_about_and_sent_to_once_somebody_says_so(world: World) -> None:
    alice = world.slack.people["alice"]
    question = await ask(world)
    assert question.text == ASKED
    assert [each["text"]["text"] for each in question.blocks[-1]["elements"]] == ["Send to 3"]
    assert (world.read(), world.pushed()) == ([], [])
    await alice.press(question, ActionId.SEND_DRAFT)
    card = await alice.sees("✅ 3 of 3 sent")
    assert card.ephemeral_to is None
    await alice.sees("On its way; the result appears here.")
    assert question.action_ids == []
    assert recipients(world) == slack_ids(world, "priya", "lee", "dev")
    assert {push["Title"] for push in world.pushed()} == {"Standup"}


async def test_who_is_named_and_in_the_group_is_one_recipient_and_stands_first(
    world: World,
) -> None:
    alice = world.slack.people["alice"]
    add_group(world, "leads", "dev", "omar")
    question = await ask(world, "@sales-team @lee, me @leads @lee Standup | moved to 11")
    assert "*5 people*, with everybody in *@sales-team*, *@leads*." in question.text
    await alice.press(question, ActionId.SEND_DRAFT)
    await alice.sees("4 of 5 sent")
    assert recipients(world) == slack_ids(world, "lee", "alice", "priya", "dev", "omar")


async def test_a_private_send_to_a_group_stays_private(world: World) -> None:
    alice = world.slack.people["alice"]
    question = await ask(world, "@sales-team --private Standup | moved to 11")
    await alice.press(question, ActionId.SEND_DRAFT)
    assert (await alice.sees("3 of 3 sent")).ephemeral_to == alice.id


async def test_a_group_of_one_is_asked_about_too(world: World) -> None:
    add_group(world, "solo", "priya")
    assert "*1 person*, with everybody in *@solo*." in (await ask(world, "@solo Hi | you")).text


async def test_fifteen_hundred_are_accepted_in_time_and_can_be_taken_back(
    open_world: OpenWorld,
) -> None:
    world = await open_world(hourly_limit=0)
    alice = world.slack.people["alice"]
    world.slack.workspace.add_group("everybody", world.slack.add_people(1_500))
    world.crm.add_users(1_500)
    question = await ask(world, "@everybody Standup | moved to 11")
    assert "*1500 people*, with everybody in *@everybody*, in about 6 min." in question.text
    assert question.blocks[-1]["elements"][0]["text"]["text"] == "Send to 1500"
    reply = await alice.press(question, ActionId.SEND_DRAFT)
    assert reply.ack_seconds < 3
    assert len(world.read()) == 1_500
    queued = await alice.sees("Queued for 1500 people, about 6 min")
    assert queued is question
    await alice.press(queued, ActionId.CANCEL)
    await world.until_stored(lambda rows: {row.state for row in rows} <= ENDED)
    assert len(world.pushed()) < 50


ENDED = {State.CANCELLED, State.SENT}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("@nobody Hi | you", "Nobody is in *@nobody*, so nothing was sent. Choose another group"),
        ("@priya @nobody Hi | you", "Nobody is in *@nobody*, so nothing was sent."),
        ("@old-team Hi | you", "*@old-team* is deactivated, so nothing was sent."),
    ],
)
async def test_a_group_that_reaches_nobody_is_refused_with_the_next_step(
    world: World, typed: str, sentence: str
) -> None:
    add_group(world, "nobody")
    add_group(world, "old-team", "priya")
    world.slack.workspace.groups["old-team"].date_delete = 1_700_000_000
    told = await refusal(world, typed)
    assert told.startswith(sentence)
    assert "You typed:\n```/notify @" in told


@pytest.mark.parametrize("kind", [500, "internal_error", "ratelimited:30", "hang"])
async def test_without_slack_a_group_is_refused_in_time(world: World, kind: str | int) -> None:
    world.slack.faults.fail("usergroups.users.list", kind)
    told = await refusal(world)
    assert told.startswith("Slack did not answer a question we had to ask it, so nothing was sent.")
    world.slack.faults.clear()
    await ask(world)


async def test_without_slack_what_was_known_of_a_group_counts(world: World) -> None:
    await ask(world)
    world.slack.faults.fail("usergroups.users.list", 500)
    world.clock.forward(600)
    reply = await world.slack.people["alice"].command("/notify", TYPED, timestamp=time.time())
    assert reply.text == ASKED


async def test_members_that_cannot_be_reached_count_and_are_named_the_next_time(
    world: World,
) -> None:
    alice = world.slack.people["alice"]
    add_group(world, "mixed", "priya", "gus", "robot", "nomail", "gone", "exa", "omar")
    question = await ask(world, "@mixed Standup | moved to 11")
    assert "not linked" not in question.shown  # nothing is known of them yet
    await alice.press(question, ActionId.SEND_DRAFT)
    card = await alice.sees("1 of 7 sent")
    assert "6 not linked" in card.text
    codes = {row.slack_user_id: row.code for row in world.read()}
    names = ("gus", "robot", "nomail", "gone", "exa", "omar")
    expected = ["guest", "bot", "no_email", "deactivated", "external", "not_in_crm"]
    assert [codes[user_id] for user_id in slack_ids(world, *names)] == expected
    reply = await alice.command("/notify", "@mixed Other | text")
    assert reply.text.startswith("Nothing is sent yet. “Other” would go to *7 people*")
    question = await alice.sees("“Other”")
    assert (
        "*Exa Ternal*, *Gone Girl*, *Gus Guest*, *Noma Il*, *Reminder Robot* are not linked to "
        "LeadSquared" in question.shown
    )


async def test_who_leaves_before_the_button_is_pressed_is_told_of(world: World) -> None:
    alice = world.slack.people["alice"]
    question = await ask(world)
    world.slack.people["dev"].deleted = True
    await alice.press(question, ActionId.SEND_DRAFT)
    card = await alice.sees("2 of 3 sent")
    assert "*Dev Shah* (deactivated in Slack)" in card.text


async def test_a_question_pressed_twice_is_sent_once(world: World) -> None:
    alice = world.slack.people["alice"]
    question = await ask(world)
    draft_id = question.blocks[-1]["elements"][0]["value"]
    replies = await asyncio.gather(
        alice.press(question, ActionId.SEND_DRAFT, draft_id),
        alice.press(question, ActionId.SEND_DRAFT, draft_id),
    )
    assert [reply.status for reply in replies] == [200, 200]
    await alice.sees("✅ 3 of 3 sent")
    assert (len(world.read(notifications)), len(world.pushed())) == (1, 3)


async def test_one_press_delivered_twice_is_sent_once(world: World) -> None:
    alice = world.slack.people["alice"]
    question = await ask(world)
    blocks = question.blocks
    for _ in range(2):
        question.blocks = blocks
        await alice.press(question, ActionId.SEND_DRAFT, trigger_id="9000.9001.ab")
    await alice.sees("✅ 3 of 3 sent")
    await alice.sees("This question was answered before, and it is sent once only.")
    assert (len(world.read(notifications)), len(world.pushed())) == (1, 3)


async def test_nobody_else_can_press_the_question(world: World) -> None:
    """Slack shows it to its sender alone; a forged press finds nothing."""
    question = await ask(world)
    lee = world.slack.people["lee"]
    question.ephemeral_to = lee.id
    await lee.press(question, ActionId.SEND_DRAFT)
    await lee.sees(TOO_OLD)
    assert world.read() == []


async def test_after_an_hour_the_question_is_too_old(world: World) -> None:
    alice = world.slack.people["alice"]
    question = await ask(world)
    world.clock.forward(3_601)
    await alice.press(question, ActionId.SEND_DRAFT, timestamp=time.time())
    await alice.sees(TOO_OLD)
    assert world.read() == []


async def test_one_command_delivered_twice_is_one_draft(world: World) -> None:
    alice = world.slack.people["alice"]
    for _ in range(2):
        await alice.command("/notify", TYPED, trigger_id="9000.9001.abcdef")
    questions = [one for one in world.slack.visible_to(alice) if one.text == ASKED]
    assert len(questions) == 2
    for question in questions:
        await alice.press(question, ActionId.SEND_DRAFT)
    await alice.sees("✅ 3 of 3 sent")
    assert (len(world.read(drafts)), len(world.read(notifications))) == (1, 1)
    assert len(world.pushed()) == 3


async def test_the_second_enter_after_a_send_is_told_as_such(world: World) -> None:
    world.clock.stand_still()
    alice = world.slack.people["alice"]
    await alice.press(await ask(world), ActionId.SEND_DRAFT)
    await alice.sees("✅ 3 of 3 sent")
    again = await alice.command("/notify", TYPED)
    assert "You sent this 1 s ago, and it was sent. Nothing was sent this time." in again.text
    question = await alice.sees("You sent this")
    await alice.press(question, ActionId.SEND_DRAFT)
    await world.crm.until(lambda: len(world.crm.pushes) == 6)


async def test_of_two_questions_each_is_its_own_decision(world: World) -> None:
    alice = world.slack.people["alice"]
    first, second = await ask(world), await ask(world)
    assert first is not second
    await alice.press(first, ActionId.SEND_DRAFT)
    await alice.sees("✅ 3 of 3 sent")
    assert len(world.pushed()) == 3
    await alice.press(second, ActionId.SEND_DRAFT)
    await world.crm.until(lambda: len(world.crm.pushes) == 6)


# -- many people ----------------------------------------------------------------------------------

FIVE = ("priya", "lee", "dev", "omar", "alice")
SIX = (*FIVE, "inactive")


def mention(*names: str) -> str:
    return " ".join(f"@{name}" for name in names)


@pytest.mark.parametrize("confirm_above", [0, 6, 100])
async def test_as_many_as_the_setting_go_at_once(open_world: OpenWorld, confirm_above: int) -> None:
    world = await open_world(confirm_above=confirm_above)
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", f"{mention(*SIX)} Standup | moved to 11")
    assert reply.body == ""
    await alice.sees("4 of 6 sent")
    await ask(world)  # a group is asked about all the same


async def test_more_than_the_setting_are_asked_about(open_world: OpenWorld) -> None:
    world = await open_world(confirm_above=5)
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", f"{mention(*FIVE)} Five | of us")
    assert reply.body == ""
    question = await ask(world, f"{mention(*SIX)} key-owner Standup | moved to 11")
    assert "“Standup” would go to *7 people*." in question.text
    await alice.press(question, ActionId.SEND_DRAFT)
    await alice.sees("“Standup”.\n")
    assert len(world.read(notifications)) == 2


async def submit_form(world: World, *names: str) -> Reply:
    alice = world.slack.people["alice"]
    await alice.command("/notify")
    people = [world.slack.people[name] for name in names]
    return await alice.submit({"recipients": people, "title": "Standup", "content": "moved"})


async def test_a_form_with_six_people_is_asked_about_in_its_place(open_world: OpenWorld) -> None:
    world = await open_world(confirm_above=5)
    alice = world.slack.people["alice"]
    reply = await submit_form(world, *SIX)
    assert reply.json["response_action"] == "update"
    view = await alice.gets_view("Send to so many?")
    assert "Nothing is sent yet. “Standup” would go to *6 people*." in view.shown
    assert view.given["submit"]["text"] == "Send to 6"
    assert world.read() == []
    await alice.submit()
    await alice.sees("4 of 6 sent")
    assert not view.is_open


async def test_a_form_with_five_people_is_sent_at_once(open_world: OpenWorld) -> None:
    world = await open_world(confirm_above=5)
    assert (await submit_form(world, *FIVE)).body == ""
    await world.slack.people["alice"].sees("4 of 5 sent")


async def test_the_question_in_a_form_submitted_twice_is_sent_once(open_world: OpenWorld) -> None:
    world = await open_world(confirm_above=1)
    alice = world.slack.people["alice"]
    await submit_form(world, "priya", "lee")
    view = alice.view
    for _ in range(2):
        view.is_open = True
        assert (await world.slack.submit(view, {}, alice)).body == ""
    await alice.sees("2 of 2 sent")
    assert len(world.read(notifications)) == 1


async def test_what_the_hourly_limit_forbids_is_not_even_asked(open_world: OpenWorld) -> None:
    world = await open_world(hourly_limit=2)
    told = await refusal(world)
    assert told.startswith("You may notify 2 recipients an hour; you have used 0, and this would")


async def test_what_takes_too_long_is_not_even_asked(open_world: OpenWorld) -> None:
    world = await open_world(deliver_within=4.0)
    world.slack.workspace.add_group("everybody", world.slack.add_people(30))
    told = await refusal(world, "@everybody Standup | moved to 11")
    assert told.startswith("30 recipients would take about 5 seconds at LeadSquared's limit")


async def test_the_hourly_limit_holds_when_the_button_is_pressed(open_world: OpenWorld) -> None:
    world = await open_world(hourly_limit=4)
    alice = world.slack.people["alice"]
    first, second = await ask(world), await ask(world, "@sales-team Other | text")
    await alice.press(first, ActionId.SEND_DRAFT)
    await alice.press(second, ActionId.SEND_DRAFT)
    await alice.sees("You may notify 4 recipients an hour; you have used 3")
    assert len(world.read()) == 3
