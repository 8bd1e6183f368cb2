import json
import time

import pytest
from structlog.testing import capture_logs

from bot.errors import StoreUnavailableError
from bot.homes import REFRESH_EVERY, STAY
from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Person
from bot.sandbox.slack.payloads import build_event
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"


def count_published(world: World) -> int:
    return sum(call.method == "views.publish" for call in world.slack.calls)


async def open_home(person: Person, text: str) -> str:
    """Open the tab, and return what it shows once `text` is there."""
    reply = await person.open_home()
    assert (reply.status, reply.body) == (200, "")
    return (await person.sees_home(text)).shown


async def test_an_empty_tab_says_who_one_is_and_how_to_begin(world: World) -> None:
    priya = world.slack.people["priya"]
    shown = await open_home(priya, "in LeadSquared, matched by e-mail")
    assert "*Priya Nair* in Slack (priya@acme.com) is *Priya Nair* (priya@acme.com)" in shown
    assert "You have sent nothing yet." in shown
    assert "`/notify @priya Callback due | Asha asked for 3 pm`" in shown
    assert "[Send a notification]" in shown
    assert "For admins" not in shown


async def test_somebody_without_a_leadsquared_user_reads_that(world: World) -> None:
    await open_home(world.slack.people["omar"], "is not linked to a LeadSquared user")


async def test_a_slow_leadsquared_keeps_the_rest_of_the_tab_waiting_for_nothing(
    world: World,
) -> None:
    priya = world.slack.people["priya"]
    world.crm.faults.always("*", FaultKind.HANG)
    await open_home(priya, "LeadSquared is still being asked.")
    await priya.sees_home(": LeadSquared could not be asked just now who they are there.")
    world.crm.faults.clear()
    world.crm.release()
    await open_home(priya, "matched by e-mail")


async def test_the_last_ones_are_listed_with_what_became_of_them(world: World) -> None:
    lee = world.slack.people["lee"]
    await lee.command("/notify", TYPED)
    await lee.sees("✅ Sent to LeadSquared")
    await lee.command("/notify", "@priya @omar Standup | moved")
    await lee.sees("1 of 2 sent")
    shown = (await open_home(lee, "Your last notifications")).splitlines()
    newest = next(number for number, line in enumerate(shown) if "“Standup”" in line)
    assert shown[newest].startswith("⚠️ “Standup” to *Priya Nair*, *Omar Aziz* · ")
    assert shown[newest + 1 : newest + 3] == ["1 of 2 sent · 1 not linked", "[Retry 1] [Details]"]
    assert shown[newest + 3].startswith("✅ “Callback due” to *Priya Nair*")
    assert shown[newest + 4 : newest + 6] == ["Sent to LeadSquared", "[Details]"]


async def test_nobody_sees_what_somebody_else_sent(world: World) -> None:
    alice, lee = world.slack.people["alice"], world.slack.people["lee"]
    await lee.command("/notify", TYPED)
    await lee.sees("✅ Sent to LeadSquared")
    for person in (alice, world.slack.people["priya"]):  # not even admins, or its recipient
        assert "Callback due”" not in await open_home(person, "You have sent nothing yet.")


async def test_an_open_tab_follows_what_happens(world: World) -> None:
    lee = world.slack.people["lee"]
    await open_home(lee, "matched by e-mail")
    world.clock.forward(REFRESH_EVERY)
    await lee.command("/notify", TYPED)
    await lee.sees_home("✅ “Callback due” to *Priya Nair*")


async def test_a_tab_is_refreshed_at_most_every_three_seconds(world: World) -> None:
    lee = world.slack.people["lee"]
    world.clock.stand_still()
    await open_home(lee, "matched by e-mail")
    before = count_published(world)
    for number in range(3):
        await lee.command("/notify", f"@priya Number {number} | text")
        await lee.sees(f"“Number {number}”")
    await world.forward(REFRESH_EVERY - 0.1)
    await world.forward(0.0)
    assert count_published(world) == before
    await world.forward(1.0)
    await lee.sees_home("“Number 2”")
    await world.forward(10.0)
    await world.forward(0.0)
    assert count_published(world) == before + 1


async def test_an_hour_after_the_visit_nobody_is_taken_to_be_looking(world: World) -> None:
    lee = world.slack.people["lee"]
    await open_home(lee, "matched by e-mail")
    world.clock.forward(STAY)
    before = count_published(world)
    await lee.command("/notify", TYPED, timestamp=time.time())  # signatures go by the real clock
    await lee.sees("✅ Sent to LeadSquared")
    await world.forward(10.0)
    await world.forward(0.0)
    assert count_published(world) == before


async def test_retry_on_the_tab_is_answered_by_the_tab_and_a_direct_message(world: World) -> None:
    lee = world.slack.people["lee"]
    world.crm.faults.next("push", FaultKind.MX_500)
    await lee.command("/notify", TYPED)
    await lee.sees("LeadSquared rejected it")
    await open_home(lee, "Failed: LeadSquared rejected it")
    world.clock.stand_still()  # so that it is the press that changes the tab
    await lee.press(lee.home, ActionId.RETRY)
    await world.slack.until(lambda _: "[Retry]" not in lee.home.shown)
    await lee.sees("✅ Sent to LeadSquared for *Priya Nair*", "dm-lee")
    world.clock.forward(REFRESH_EVERY)
    await lee.sees_home("✅ “Callback due”")
    assert len(world.pushed()) == 1


async def test_send_again_on_the_tab(world: World) -> None:
    lee = world.slack.people["lee"]
    world.crm.faults.next("push", FaultKind.RESET_AFTER)
    await lee.command("/notify", TYPED)
    await lee.sees("may or may not have arrived")
    await open_home(lee, "⚠️ “Callback due”")
    await lee.press(lee.home, ActionId.SEND_AGAIN)
    await lee.sees("✅ Sent to LeadSquared", "dm-lee")
    world.clock.forward(REFRESH_EVERY)
    await lee.sees_home("✅ “Callback due”")
    assert len(world.pushed()) == 2


async def test_what_waits_is_taken_back_on_the_tab(world: World) -> None:
    lee = world.slack.people["lee"]
    people = world.slack.add_people(60)
    world.crm.add_users(60)
    mentions = " ".join(person.mention for person in people)
    await lee.command("/notify", f"{mentions} Big | news", escape=False)
    await world.crm.until(lambda: len(world.crm.pushes) >= 23)
    assert "⏳ “Big” to " in await open_home(lee, "still open")
    world.clock.stand_still()
    await lee.press(lee.home, ActionId.CANCEL)
    shown = (await lee.sees_home("taken back")).shown
    sent = len(world.pushed())
    assert f"{sent} of 60 sent · {60 - sent} taken back" in shown
    assert "[Cancel" not in shown


async def test_details_open_over_the_tab(world: World) -> None:
    lee = world.slack.people["lee"]
    await lee.command("/notify", "@priya @omar Standup | moved")
    await lee.sees("1 of 2 sent")
    await open_home(lee, "“Standup”")
    await lee.press(lee.home, ActionId.DETAILS)
    details = await lee.gets_view("Details")
    assert "*Omar Aziz*: no LeadSquared user" in details.shown


async def test_each_notification_has_its_own_buttons(world: World) -> None:
    lee = world.slack.people["lee"]
    for title in ("First", "Second"):
        await lee.command("/notify", f"@priya {title} | text")
        await lee.sees(f"“{title}”")
    await open_home(lee, "“Second”")
    values = [
        element["value"]
        for block in lee.home.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == ActionId.DETAILS
    ]
    await lee.press(lee.home, ActionId.DETAILS, values[1])
    assert "*First*" in (await lee.gets_view("Details")).shown


async def test_the_form_opens_from_the_tab_and_its_outcome_is_a_direct_message(
    world: World,
) -> None:
    lee, priya = world.slack.people["lee"], world.slack.people["priya"]
    await open_home(lee, "[Send a notification]")
    await lee.press(lee.home, ActionId.COMPOSE)
    await lee.gets_view("Notify in LeadSquared")
    await lee.submit({"recipients": [priya], "title": "Callback due", "content": "At 3"})
    await lee.sees("✅ Sent to LeadSquared", "dm-lee")
    world.clock.forward(REFRESH_EVERY)
    await lee.sees_home("“Callback due”")


async def test_where_only_channels_may_send_the_tab_says_so(open_world: OpenWorld) -> None:
    world = await open_world(allowed_channels=("C0SALES01",))
    shown = await open_home(world.slack.people["lee"], "can only be sent from #sales")
    assert "Send a notification" not in shown


async def test_admins_read_how_the_bot_is_doing(world: World) -> None:
    alice, lee = world.slack.people["alice"], world.slack.people["lee"]
    world.crm.faults.next("push", FaultKind.MX_500)
    await lee.command("/notify", "@priya @omar Standup | moved")
    await lee.sees("None of 2 sent")
    shown = await open_home(alice, "*For admins*")
    shown = (await alice.sees_home("matched by e-mail")).shown
    assert "*Teammates*: 2 of 4 linked" in shown
    assert "Not linked: *Lee Wong*, *Omar Aziz*." in shown
    assert "*Queue*: empty." in shown
    assert "*Limit*: 25 calls in 5 s." in shown
    assert "*Last LeadSquared error*: some time ago, LeadSquared rejected it: “" in shown


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("gus", "Guests cannot send notifications"),
        ("exa", "Only members of the workspace"),
    ],
)
async def test_others_than_members_read_that_it_is_not_for_them(
    world: World, who: str, sentence: str
) -> None:
    shown = await open_home(world.slack.people[who], sentence)
    assert "[" not in shown


async def test_an_event_delivered_twice_shows_the_tab_and_nothing_else(world: World) -> None:
    lee = world.slack.people["lee"]
    event = {"type": "app_home_opened", "user": lee.id, "channel": "D1", "tab": "home"}
    body = json.dumps(build_event(event, "Ev0SAME001", world.clock.time())).encode()
    signed = {"Content-Type": "application/json", **world.slack.sign(body)}
    again = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    replies = [await world.slack.post(body, headers) for headers in (signed, signed | again)]
    assert [reply.status for reply in replies] == [200, 200]
    await lee.sees_home("matched by e-mail")
    assert world.slack.visible_to(lee) == []


async def test_the_messages_tab_publishes_nothing(world: World) -> None:
    lee = world.slack.people["lee"]
    reply = await lee.open_home(tab="messages")
    assert reply.status == 200
    await open_home(world.slack.people["priya"], "matched by e-mail")
    assert lee not in world.slack.homes


async def test_without_the_database_the_tab_says_that_it_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise StoreUnavailableError("gone")

    lee = world.slack.people["lee"]
    with monkeypatch.context() as patch:
        patch.setattr(world.bot._base.database, "transact", fail)
        await open_home(lee, "I could not read your notifications just now.")
    await open_home(lee, "matched by e-mail")


async def test_a_tab_that_slack_does_not_take_is_logged_and_no_more(world: World) -> None:
    lee = world.slack.people["lee"]
    await open_home(lee, "matched by e-mail")
    world.clock.forward(REFRESH_EVERY)
    world.slack.faults.fail("views.publish", "internal_error")
    with capture_logs() as logs:
        await lee.command("/notify", TYPED)
        await lee.sees("✅ Sent to LeadSquared")
        await world.forward(0.0)
    assert [entry["error"] for entry in logs if entry["event"] == "home.not_refreshed"]
    world.slack.faults.clear()
    await open_home(lee, "✅ “Callback due”")
