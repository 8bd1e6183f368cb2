import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import create_engine, func, select

from bot.sandbox.slack import Reply, View
from bot.store.tables import notifications
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World

TITLE = "Notify in LeadSquared"
SIGNATURE = "\n— Alice Rao, Slack"


def count_stored(world: World) -> int:
    """Return how many notifications the database holds, read past the bot."""
    engine = create_engine(world.settings.database_url)
    try:
        with engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(notifications)).scalar_one()
    finally:
        engine.dispose()


async def open_form(world: World, who: str = "alice", channel: str = "sales") -> View:
    person = world.slack.people[who]
    reply = await person.command("/notify", "", channel)
    assert (reply.status, reply.body) == (200, "")
    return await person.gets_view(TITLE)


def fill_in(world: World, *names: str, **values: Any) -> dict[str, Any]:
    chosen = [world.slack.people[name] for name in names]
    return {"recipients": chosen, "title": "Callback due", "content": "At 3 pm", **values}


async def test_the_command_alone_opens_the_form_while_its_trigger_lives(world: World) -> None:
    """The stand-in refuses a trigger after three seconds; a refusal would be a violation."""
    view = await open_form(world)
    assert view.is_open
    assert [block["block_id"] for block in view.blocks if block["type"] == "input"] == [
        "recipients",
        "groups",
        "kind",
        "title",
        "content",
        "lead",
        "owner",
        "link",
        "icon",
    ]
    assert count_stored(world) == 0


@pytest.mark.parametrize("channel", ["sales", "leads-private", "alice-priya"])
async def test_what_was_written_is_sent_and_the_card_stands_where_the_form_was_opened(
    world: World, channel: str
) -> None:
    alice = world.slack.people["alice"]
    await open_form(world, channel=channel)
    reply = await alice.submit(
        fill_in(world, "priya", link="https://x.io/a?b=1&c=2", icon="https://x.io/i.png")
    )
    assert (reply.status, reply.body) == (200, "")
    card = await alice.sees("Sent to LeadSquared for *Priya Nair*: “Callback due”.")
    assert card.channel == world.slack.channels[channel].id
    assert world.pushed() == [
        {
            "UserId": world.crm_id("priya@acme.com"),
            "Title": "Callback due",
            "Content": f"At 3 pm{SIGNATURE}",
            "ClickURL": "https://x.io/a?b=1&c=2",
            "IconURL": "https://x.io/i.png",
        }
    ]


async def test_without_a_title_the_sender_is_named(world: World) -> None:
    alice = world.slack.people["alice"]
    await open_form(world)
    await alice.submit(fill_in(world, "priya", title=""))
    await alice.sees("Sent to LeadSquared")
    assert world.pushed()[0]["Title"] == "Message from Alice Rao"


async def test_several_people_are_one_card_whose_counts_add_up(world: World) -> None:
    alice = world.slack.people["alice"]
    await open_form(world)
    await alice.submit(fill_in(world, "priya", "lee", "omar", "priya"))
    await alice.sees("2 of 3 sent")
    assert len(world.pushed()) == 2


async def test_line_breaks_bars_and_tokens_stay_as_they_were_written(world: World) -> None:
    """Nothing in a form is parsed: what looks like a command is text."""
    alice = world.slack.people["alice"]
    await open_form(world)
    written = "--private | <@U0LEE0001> & <!channel>\n\tAt 3 pm 😀"
    await alice.submit(fill_in(world, "priya", title="@lee | <b>&amp;", content=written))
    card = await alice.sees("Sent to LeadSquared")
    assert card.mentions == set()
    assert world.pushed()[0]["Title"] == "@lee | <b>&amp;"
    assert world.pushed()[0]["Content"] == written + SIGNATURE


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        (
            {"content": "x" * 2016},
            "content",
            "Title + content is 2,049 bytes, with the line that",
        ),
        ({"content": "अ" * 700}, "content", "LeadSquared takes 2,048. Cut about"),
        ({"content": " \n "}, "content", "The notification has no text"),
        ({"content": "a\x00b"}, "content", "cannot be shown (U+0000). Delete it"),
        ({"content": "a\x1bb"}, "content", "cannot be shown (U+001B)"),
        ({"title": "a\x07b"}, "title", "The title has a character that cannot be shown (U+0007)"),
        ({"title": "a\nb"}, "title", "The title must be one line"),
        ({"link": "http://x.io/"}, "link", "The link must begin with https://"),
        ({"link": "javascript:alert(1)"}, "link", "The link must begin with https://"),
        ({"link": "https://a:b@x.io/"}, "link", "The link must not contain a user name"),
        ({"link": "https://evil\\@x.io/"}, "link", "The link must not contain a backslash"),
        ({"link": "https://x.io/ a"}, "link", "must not contain spaces"),
        ({"icon": "http://x.io/i.png"}, "icon", "The icon must begin with https://"),
        ({"icon": "nonsense"}, "icon", "https://. Example: https://example.com/bell.png."),
    ],
)
async def test_a_mistake_stands_at_its_field_and_what_was_written_stays(
    world: World, wrong: dict[str, str], field: str, sentence: str
) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world)
    await alice.submit(fill_in(world, "priya", **wrong))
    assert list(view.errors) == [field]
    assert sentence in view.errors[field]
    assert view.is_open
    assert view.values[field][field]["value"] == wrong[field]
    assert (count_stored(world), world.pushed()) == (0, [])
    await alice.submit(fill_in(world, "priya", link="", icon=""))
    await alice.sees("Sent to LeadSquared")
    assert view.errors == {}


async def test_a_link_leads_only_to_allowed_hosts(open_world: OpenWorld) -> None:
    world = await open_world(allowed_link_hosts=("leadsquared.com",))
    view = await open_form(world)
    await world.slack.people["alice"].submit(fill_in(world, "priya", link="https://evil.io/"))
    assert "Links to evil.io are not allowed here" in view.errors["link"]


async def test_the_hourly_limit_is_told_in_the_form(open_world: OpenWorld) -> None:
    world = await open_world(hourly_limit=1)
    view = await open_form(world)
    await world.slack.people["alice"].submit(fill_in(world, "priya", "lee"))
    assert "You may notify 1 recipient an hour" in view.errors["content"]
    assert count_stored(world) == 0


async def test_a_form_submitted_twice_is_one_notification(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world)
    world.slack.fill(view, fill_in(world, "priya"))
    body = forge(view.build_payload())
    first = await post(world, body)
    second = await post(world, body)
    assert (first.status, first.body) == (second.status, second.body) == (200, "")
    await alice.sees("Sent to LeadSquared")
    assert (count_stored(world), len(world.pushed())) == (1, 1)


async def test_an_expired_trigger_is_answered_with_a_sentence(world: World) -> None:
    alice = world.slack.people["alice"]
    trigger = world.slack.tickets.issue_trigger(alice)
    world.clock.forward(4)
    reply = await alice.command("/notify", "", trigger_id=trigger)
    assert reply.text == (
        "Slack gives three seconds to open a form, and they were over, so none was opened. "
        "Try again."
    )
    assert world.slack.views[alice] == []
    world.expected_violations = ["views.open: expired_trigger_id"]


@pytest.mark.parametrize(
    "kind", ["internal_error", "ratelimited:30", 500, "reset", "garbage", "not_allowed_token_type"]
)
async def test_a_form_that_slack_does_not_open_is_answered_with_a_sentence(
    world: World, kind: str | int
) -> None:
    alice = world.slack.people["alice"]
    world.slack.faults.fail("views.open", kind)
    reply = await alice.command("/notify")
    assert reply.status == 200
    assert "Try again" in reply.text
    assert world.slack.views[alice] == []


async def test_a_slack_that_hangs_while_the_form_opens_is_not_waited_for(world: World) -> None:
    alice = world.slack.people["alice"]
    world.slack.faults.fail("views.open", "hang")
    reply = await alice.command("/notify")
    assert "in the time Slack gives me" in reply.text
    assert reply.ack_seconds < 3
    world.slack.faults.clear()


async def test_a_slack_that_hangs_altogether_is_not_waited_for_either(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "help")
    world.slack.faults.fail("views.open", "hang")
    world.slack.faults.fail("chat.postMessage", "hang")
    reply = await alice.use_shortcut("notify_global")
    assert (reply.status, reply.body) == (200, "")
    world.slack.faults.clear()


async def test_a_guest_gets_no_form(world: World) -> None:
    gus = world.slack.people["gus"]
    reply = await gus.command("/notify")
    assert "Guests cannot send notifications" in reply.text
    assert world.slack.views[gus] == []


async def test_somebody_made_a_guest_meanwhile_is_refused_in_the_form(world: World) -> None:
    lee = world.slack.people["lee"]
    view = await open_form(world, "lee")
    lee.is_restricted = True
    world.clock.forward(601)
    reply = await lee.submit(fill_in(world, "priya"), timestamp=time.time())
    assert "Guests cannot send notifications" in reply.json["errors"]["content"]
    assert view.is_open
    assert count_stored(world) == 0


def forge(view: Any, user_id: Any = "U0ALICE01", **changes: Any) -> bytes:
    """Return a submission as anybody with the signing secret could make it."""
    payload = {
        "type": "view_submission",
        "team": {"id": "T0ACME001", "domain": "acme"},
        "user": {"id": user_id, "team_id": "T0ACME001"},
        "view": view,
        **changes,
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


async def post(world: World, body: bytes) -> Reply:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **world.slack.sign(body)}
    return await world.slack.post(body, headers)


GOOD_VALUES: dict[str, Any] = {
    "recipients": {"recipients": {"selected_users": ["U0PRIYA01"]}},
    "title": {"title": {"value": "T"}},
    "content": {"content": {"value": "C"}},
}


def build_view(**changes: Any) -> dict[str, Any]:
    state = {"values": GOOD_VALUES}
    metadata = json.dumps({"channel_id": "C0SALES01"})
    return {
        "id": "V1",
        "type": "modal",
        "callback_id": "compose",
        "app_installed_team_id": "T0ACME001",
        "private_metadata": metadata,
        "state": state,
        **changes,
    }


def with_value(block: str, value: Any) -> dict[str, Any]:
    return build_view(state={"values": GOOD_VALUES | {block: value}})


def without(view: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in view.items() if key not in keys}


@pytest.mark.parametrize(
    "view",
    [
        build_view(state=None),
        build_view(state=[]),
        build_view(state="x"),
        build_view(state={}),
        build_view(state={"values": None}),
        build_view(state={"values": [1]}),
        with_value("recipients", None),
        with_value("recipients", {"recipients": {"selected_users": None}}),
        with_value("recipients", {"recipients": {"selected_users": "U0PRIYA01"}}),
        with_value("recipients", {"recipients": {"selected_users": {"U0PRIYA01": 1}}}),
        with_value("recipients", {"recipients": {"selected_users": [5, None, {}, []]}}),
        with_value("content", None),
        with_value("content", {"content": {"value": 5}}),
        with_value("content", {"content": {"value": ["C"]}}),
        with_value("content", {"content": "C"}),
        with_value("content", {"content": {"value": "\ud800"}}),
        with_value("title", {"title": {"value": "\udfff"}}),
    ],
)
async def test_a_hostile_form_is_refused_with_a_sentence_and_nothing_is_stored(
    world: World, view: dict[str, Any]
) -> None:
    reply = await post(world, forge(view))
    assert reply.status == 200
    assert reply.json["response_action"] == "errors"
    assert all(isinstance(text, str) and text for text in reply.json["errors"].values())
    assert count_stored(world) == 0


@pytest.mark.parametrize("block", ["title", "link", "icon"])
@pytest.mark.parametrize("value", [None, 5, [], {}, {"value": 7}, {"value": {}}])
async def test_an_optional_field_of_the_wrong_shape_counts_as_empty(
    world: World, block: str, value: Any
) -> None:
    reply = await post(world, forge(with_value(block, {block: value})))
    assert (reply.status, reply.body) == (200, "")
    await world.slack.people["alice"].sees("Sent to LeadSquared")


@pytest.mark.parametrize("metadata", [None, "", "nonsense", "[]", '{"other": 1}', "[" * 3000])
async def test_a_form_that_lost_its_place_is_answered_directly(world: World, metadata: Any) -> None:
    reply = await post(world, forge(build_view(private_metadata=metadata)))
    assert (reply.status, reply.body) == (200, "")
    card = await world.slack.people["alice"].sees("Sent to LeadSquared")
    assert card.channel == world.slack.workspace.open_dm(world.slack.people["alice"]).id


async def test_unknown_ids_are_told_and_nobody_else_is_pushed(world: World) -> None:
    alice = world.slack.people["alice"]
    chosen = {"recipients": {"selected_users": ["U0NOBODY1", "", "U0PRIYA01", "' OR 1=1"]}}
    assert (await post(world, forge(with_value("recipients", chosen)))).ok
    card = await alice.sees("1 of 2 sent")  # nobody can be called "" or "' OR 1=1"
    assert "1 not linked" in card.text
    assert [push["UserId"] for push in world.pushed()] == [world.crm_id("priya@acme.com")]


@pytest.mark.parametrize("user_id", ["U0NOBODY1", "", None, 5])
async def test_a_form_of_nobody_is_refused(world: World, user_id: Any) -> None:
    reply = await post(world, forge(build_view(), user_id))
    silence = 0  # is how Socket Mode refuses
    assert reply.status in (200, silence if world.slack.uses_sockets else 400)
    assert count_stored(world) == 0


async def test_from_the_global_shortcut_the_card_is_a_direct_message(world: World) -> None:
    alice = world.slack.people["alice"]
    assert (await alice.use_shortcut("notify_global")).body == ""
    await alice.gets_view(TITLE)
    await alice.submit(fill_in(world, "priya"))
    card = await alice.sees("Sent to LeadSquared")
    assert card.channel == world.slack.workspace.open_dm(alice).id
    assert "Shown here because" not in card.shown


async def test_the_global_shortcut_has_no_place_that_allowed_channels_could_name(
    open_world: OpenWorld,
) -> None:
    world = await open_world(allowed_channels=("C0SALES01",))
    alice = world.slack.people["alice"]
    await alice.use_shortcut("notify_global")
    await alice.sees("Notifications can only be sent from #sales. Try it there.")
    assert world.slack.views[alice] == []


async def test_the_same_form_sent_again_is_asked_about_first(world: World) -> None:
    alice = world.slack.people["alice"]
    await open_form(world)
    await alice.submit(fill_in(world, "priya"))
    await alice.sees("Sent to LeadSquared")
    view = await open_form(world)
    await alice.submit(fill_in(world, "priya"))
    assert "it was sent. Nothing was sent this time." in view.shown
    assert len(world.pushed()) == 1
    await alice.submit()
    await world.crm.until(lambda: len(world.pushed()) == 2)
    assert not view.is_open


async def test_a_question_that_is_too_old_is_answered_in_its_place(world: World) -> None:
    """The view of the question has no field at which an error could stand."""
    alice = world.slack.people["alice"]
    await open_form(world)
    await alice.submit(fill_in(world, "priya"))
    await alice.sees("Sent to LeadSquared")
    view = await open_form(world)
    await alice.submit(fill_in(world, "priya"))
    world.clock.forward(3700)
    reply = await alice.submit(timestamp=time.time())
    assert reply.json["response_action"] == "update"
    assert (
        "This question is too old to be answered, so nothing was sent. Write it again."
        in view.shown
    )
    assert view.errors == {}
    assert len(world.pushed()) == 1
