"""Only the members of one user group may send, where the setting says so."""

import html
import time

import pytest

from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Person
from bot.store.tables import drafts, notifications
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World

SALES = "S0SALES01"  # Priya, Lee and Dev
TYPED = "@priya Callback due | Asha asked for 3 pm"
OUTSIDE = (
    "Only the members of *@sales-team* may send notifications. Nothing was sent. Ask an admin to "
    "add you to it; it may take five minutes until I know."
)
UNTOLD = (
    "Only the members of one user group may send notifications, and Slack could not tell whether "
    "you are in it. Nothing was sent. Try again."
)
MEMBERS = "usergroups.users.list"


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    return await open_world(allowed_usergroup=SALES)


def check_nothing_was_stored(world: World) -> None:
    assert (world.read(notifications), world.read(drafts), world.pushed()) == ([], [], [])


async def refuse(world: World, who: str, sentence: str, typed: str = TYPED) -> None:
    reply = await world.slack.people[who].command("/notify", typed, timestamp=time.time())
    assert html.unescape(reply.text).startswith(sentence)
    assert reply.ack_seconds < 3
    check_nothing_was_stored(world)


async def test_a_member_may_send(world: World) -> None:
    lee = world.slack.people["lee"]
    assert (await lee.command("/notify", TYPED)).body == ""
    await lee.sees("✅ Sent to LeadSquared for *Priya Nair*")


@pytest.mark.parametrize("who", ["omar", "alice"])
@pytest.mark.parametrize("typed", [TYPED, "@sales-team Standup | moved", "test"])
async def test_nobody_else_may_not_even_an_admin(world: World, who: str, typed: str) -> None:
    await refuse(world, who, OUTSIDE, typed)


@pytest.mark.parametrize("who", ["omar"])
async def test_those_whom_the_admins_setting_names_may_not_either(
    open_world: OpenWorld, who: str
) -> None:
    world = await open_world(allowed_usergroup=SALES, admins=("U0OMAR001",))
    await refuse(world, who, OUTSIDE)


async def test_everybody_may_look_things_up(world: World) -> None:
    omar = world.slack.people["omar"]
    assert "LeadSquared" in (await omar.command("/notify", "help")).text
    assert "You have sent no" in (await omar.command("/notify", "status ab12")).text
    assert "*Omar Aziz* in Slack" in (await omar.command("/notify", "whoami")).text


async def test_somebody_outside_gets_no_form(world: World) -> None:
    omar, lee = world.slack.people["omar"], world.slack.people["lee"]
    await refuse(world, "omar", OUTSIDE, "")
    await omar.use_shortcut("notify_global")
    message = await lee.say("Asha called")
    await omar.use_shortcut("notify_message", message)
    await world.slack.until(
        lambda slack: [one.text for one in slack.visible_to(omar)].count(OUTSIDE) == 3
    )
    assert world.slack.views[omar] == []


async def test_somebody_outside_gets_no_form_from_the_home_tab(world: World) -> None:
    omar = world.slack.people["omar"]
    await omar.open_home()
    home = await omar.sees_home("Send a notification")
    await omar.press(home, ActionId.COMPOSE)
    told = await omar.sees(OUTSIDE)
    assert told.channel == world.slack.workspace.open_dm(omar).id
    assert world.slack.views[omar] == []


async def open_form(person: Person) -> None:
    await person.command("/notify")
    await person.gets_view("Notify in LeadSquared")


async def test_who_has_left_the_group_cannot_send_the_form_any_more(world: World) -> None:
    lee = world.slack.people["lee"]
    await open_form(lee)
    world.slack.workspace.groups["sales-team"].members.remove(lee)
    world.clock.forward(301)
    filled = {"recipients": [world.slack.people["priya"]], "content": "At 3 pm"}
    reply = await lee.submit(filled, timestamp=time.time())
    assert reply.json["errors"] == {"content": OUTSIDE.replace("*", "")}  # no marks there
    check_nothing_was_stored(world)


async def test_who_has_left_the_group_cannot_answer_a_question_any_more(world: World) -> None:
    lee = world.slack.people["lee"]
    await lee.command("/notify", "@sales-team Standup | moved")
    question = await lee.sees("Nothing is sent yet.")
    world.slack.workspace.groups["sales-team"].members.remove(lee)
    world.clock.forward(301)
    await lee.press(question, ActionId.SEND_DRAFT, timestamp=time.time())
    await lee.sees(OUTSIDE)
    assert (world.read(notifications), world.pushed()) == ([], [])


async def test_who_has_left_the_group_cannot_send_again_any_more(world: World) -> None:
    lee = world.slack.people["lee"]
    world.crm.faults.next("push", FaultKind.MX_500)
    await lee.command("/notify", TYPED)
    card = await lee.sees("“Callback due”")
    world.slack.workspace.groups["sales-team"].members.remove(lee)
    world.clock.forward(301)
    await lee.press(card, ActionId.RETRY, timestamp=time.time())
    await lee.sees(OUTSIDE)
    assert world.pushed() == []


@pytest.mark.parametrize("kind", [500, "internal_error", "ratelimited:30", "garbage", "hang"])
async def test_if_slack_cannot_tell_nobody_may_send(world: World, kind: str | int) -> None:
    world.slack.faults.fail(MEMBERS, kind)
    await refuse(world, "lee", UNTOLD)
    world.slack.faults.clear()
    lee = world.slack.people["lee"]
    assert (await lee.command("/notify", TYPED)).body == ""


async def test_if_slack_cannot_tell_the_last_hour_counts(world: World) -> None:
    lee = world.slack.people["lee"]
    await open_form(lee)
    world.slack.faults.fail(MEMBERS, 500)
    world.clock.forward(3_500)
    assert (await lee.command("/notify", TYPED, timestamp=time.time())).body == ""
    world.clock.forward(101)
    reply = await lee.command("/notify", "@dev Other | text", timestamp=time.time())
    assert reply.text.startswith(UNTOLD)


@pytest.mark.parametrize("kind", ["no_such_subteam", "missing_scope", "plan_upgrade_required"])
async def test_a_group_that_slack_does_not_tell_of_is_the_admins_to_mend(
    world: World, kind: str
) -> None:
    world.slack.faults.fail(MEMBERS, kind)
    await refuse(world, "lee", "Only the members of one user group may send notifications, and")
    reply = await world.slack.people["lee"].command("/notify", TYPED)
    assert "An admin should check ALLOWED_USERGROUP" in reply.text


async def test_a_deactivated_group_lets_nobody_send(world: World) -> None:
    world.slack.workspace.groups["sales-team"].date_delete = 1_700_000_000
    await refuse(world, "lee", "Only the members of one user group may send notifications, and")
