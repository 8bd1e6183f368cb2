from typing import Any

import pytest

from bot.leadsquared.models import count_bytes
from bot.sandbox.slack import Message, View
from bot.sandbox.slack.chat_methods import build_permalink
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.forms import gets_form
from tests.scenarios.world import World

SHORTCUT = "notify_message"


async def forward(world: World, message: Message, who: str = "alice") -> View:
    """Use the shortcut on a message and return the form, once everything is in it."""
    person = world.slack.people[who]
    reply = await person.use_shortcut(SHORTCUT, message)
    assert (reply.status, reply.body) == (200, "")
    return await gets_form(world, who)


def read(view: View, block: str) -> str:
    return str(view.values[block][block]["value"] or "")


async def send(world: World, who: str = "alice") -> Message:
    """Submit the form as it is, to Priya; return the card."""
    person = world.slack.people[who]
    await person.submit({"recipients": [world.slack.people["priya"]]})
    return await person.sees("Sent to LeadSquared for *Priya Nair*")


async def test_a_message_becomes_a_notification_and_the_card_stands_in_its_thread(
    world: World,
) -> None:
    message = await world.slack.people["lee"].say("Asha asked for a callback at 3 pm")
    view = await forward(world, message)
    assert read(view, "title") == "Lee Wong in #sales"
    assert read(view, "content") == "Asha asked for a callback at 3 pm"
    assert read(view, "link") == build_permalink(message)
    card = await send(world)
    assert (card.channel, card.thread_ts) == (message.channel, message.ts)
    assert world.pushed() == [
        {
            "UserId": world.crm_id("priya@acme.com"),
            "Title": "Lee Wong in #sales",
            "Content": "Asha asked for a callback at 3 pm\n— Alice Rao, Slack",
            "ClickURL": build_permalink(message),
        }
    ]


async def test_what_was_prefilled_can_be_changed(world: World) -> None:
    alice = world.slack.people["alice"]
    await forward(world, await world.slack.people["lee"].say("Long story"))
    await alice.submit(
        {"recipients": [world.slack.people["dev"]], "title": "In short", "content": "x", "link": ""}
    )
    await alice.sees("Sent to LeadSquared for *Dev Shah*: “In short”")
    assert "ClickURL" not in world.pushed()[0]


async def test_mentions_become_names_also_of_people_not_seen_before(world: World) -> None:
    message = await world.slack.people["lee"].say("@omar and @alice: ask @priya & <them>")
    view = await forward(world, message)
    assert read(view, "content") == "@Omar Aziz and @Alice Rao: ask @Priya Nair & <them>"


async def test_entities_are_decoded_once(world: World) -> None:
    view = await forward(world, await world.slack.people["lee"].say("Write &amp; or &lt;b&gt;"))
    assert read(view, "content") == "Write &amp; or &lt;b&gt;"


async def test_rich_text_is_read_as_people_see_it(world: World) -> None:
    elements: list[dict[str, Any]] = [
        {"type": "text", "text": "Contract for "},
        {"type": "text", "text": "Acme", "style": {"bold": True}},
        {"type": "text", "text": " signed "},
        {"type": "emoji", "name": "tada", "unicode": "1f389"},
        {"type": "text", "text": " see "},
        {"type": "link", "url": "https://docs.example.com/c/9", "text": "contract"},
        {"type": "text", "text": " cc "},
        {"type": "user", "user_id": "U0DEV0001"},
        {"type": "text", "text": " & "},
        {"type": "broadcast", "range": "here"},
        {"type": "text", "text": " "},
        {"type": "emoji", "name": "our-logo"},
    ]
    quote = [{"type": "text", "text": "At 3 pm\nplease"}]
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": "One"}]}]
    blocks = [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": elements},
                {"type": "rich_text_list", "style": "bullet", "elements": items},
                {"type": "rich_text_quote", "elements": quote},
            ],
        }
    ]
    message = await world.slack.people["lee"].say("fallback", blocks=blocks)
    view = await forward(world, message)
    assert read(view, "content") == (
        "Contract for Acme signed 🎉 see contract (https://docs.example.com/c/9) "
        "cc @Dev Shah & @here :our-logo:\n• One\n> At 3 pm\n> please"
    )
    card = await send(world)
    assert card.mentions == set()


async def test_marks_and_emoji_of_a_message_without_blocks_are_read_too(world: World) -> None:
    text = "*Deal* won :tada: by <@U0DEV0001> &amp; <https://x.io/|team>"
    message = await world.slack.people["lee"].say("")
    message.text = text
    view = await forward(world, message)
    assert read(view, "content") == "Deal won 🎉 by @Dev Shah & team (https://x.io/)"


async def test_a_message_in_a_thread_is_answered_in_that_thread(world: World) -> None:
    lee = world.slack.people["lee"]
    parent = await lee.say("Who calls Asha?")
    answer = await world.slack.people["dev"].say("I do", thread=parent)
    view = await forward(world, answer)
    assert read(view, "title") == "Dev Shah in #sales"
    assert read(view, "link") == build_permalink(answer)
    assert f"?thread_ts={parent.ts}&cid={parent.channel}" in read(view, "link")
    card = await send(world)
    assert card.thread_ts == parent.ts


async def test_the_first_message_of_a_thread_is_answered_in_it(world: World) -> None:
    parent = await world.slack.people["lee"].say("Who calls Asha?")
    parent.thread_ts = parent.ts
    view = await forward(world, parent)
    assert read(view, "link") == build_permalink(parent)
    assert (await send(world)).thread_ts == parent.ts


@pytest.mark.parametrize(
    ("extra", "author"),
    [
        ({"bot_id": "B1", "bot_profile": {"name": "Deploys"}}, "Reminder Robot"),
        ({"user": None, "subtype": "bot_message", "username": "Web Hook"}, "Web Hook"),
        ({"user": None, "bot_id": "B1", "bot_profile": {"name": "Deploy\nbot"}}, "Deploy bot"),
        ({"user": None}, "Somebody"),
        ({"user": "U0NOBODY1"}, "Somebody"),
    ],
)
async def test_a_message_of_a_bot_names_it(
    world: World, extra: dict[str, Any], author: str
) -> None:
    message = await world.slack.people["robot"].say("Build 7 is out", **extra)
    view = await forward(world, message)
    assert read(view, "title") == f"{author} in #sales"
    await send(world)


async def test_a_message_with_only_files_gives_their_names(world: World) -> None:
    files = [{"id": "F1", "name": "offer.pdf"}, {"id": "F2", "title": "Photo"}, {"id": "F3"}]
    message = await world.slack.people["lee"].say("", files=files)
    view = await forward(world, message)
    assert read(view, "content") == "offer.pdf\nPhoto"


async def test_a_message_with_only_attachments_gives_their_text(world: World) -> None:
    attachments = [
        {"pretext": "New &amp; hot", "title": "Lead 7", "fields": [{"title": "Who", "value": "A"}]},
        {"fallback": "Old client"},
    ]
    message = await world.slack.people["robot"].say("", attachments=attachments)
    view = await forward(world, message)
    assert read(view, "content") == "New & hot\nLead 7\nWho: A\nOld client"


async def test_a_message_with_nothing_to_read_opens_an_empty_form(world: World) -> None:
    message = await world.slack.people["lee"].say("", files=[{"id": "F1", "mode": "tombstone"}])
    view = await forward(world, message)
    assert read(view, "content") == ""
    assert read(view, "title") == "Lee Wong in #sales"


@pytest.mark.parametrize(
    ("channel", "where"),
    [("alice-priya", "a direct message"), ("leads-private", "a private channel")],
)
async def test_where_the_bot_is_not_the_card_still_arrives(
    world: World, channel: str, where: str
) -> None:
    message = await world.slack.people["priya"].say("Only between us", channel)
    view = await forward(world, message)
    assert read(view, "title") == f"Priya Nair in {where}"
    card = await send(world)
    assert (card.channel, card.thread_ts) == (message.channel, message.ts)
    assert card.via == "response_url"


async def test_where_neither_way_works_the_card_is_a_direct_message(world: World) -> None:
    message = await world.slack.people["priya"].say("Only between us", "leads-private")
    await forward(world, message)
    world.slack.faults.hooks = "expired_url"
    card = await send(world)
    assert card.channel == world.slack.workspace.open_dm(world.slack.people["alice"]).id
    assert "Shown here because I may not post in #leads-private" in card.shown


@pytest.mark.parametrize("letters", ["word ", "x", "अनुरोध ", "क्ष", "😀", "👩‍💻", "é", "\n"])
async def test_a_long_message_is_cut_with_an_ellipsis_so_that_all_of_it_fits(
    world: World, letters: str
) -> None:
    message = await world.slack.people["lee"].say("Begin " + letters * 3000 + " end")
    view = await forward(world, message)
    content = read(view, "content")
    assert content.startswith("Begin")
    assert content.endswith("…")
    await send(world)
    push = world.pushed()[0]
    assert count_bytes(push["Title"], push["Content"]) <= 2048
    assert push["Content"] == f"{content}\n— Alice Rao, Slack"


async def test_where_more_bytes_are_allowed_the_cut_is_seen_as_well(open_world: OpenWorld) -> None:
    """A form takes 3,000 characters; beyond them the text was once cut without a mark."""
    world = await open_world(notification_max_bytes=65_536)
    message = await world.slack.people["lee"].say("word " * 2000)
    content = read(await forward(world, message), "content")
    assert content.endswith("word…")
    assert 2900 < len(content) <= 3000


async def test_a_long_name_of_an_author_leaves_room_for_the_text(world: World) -> None:
    lee = world.slack.people["lee"]
    lee.real_name = "Léé " * 200
    view = await forward(world, await lee.say("Hello"))
    assert count_bytes(read(view, "title"), "") <= 200
    assert read(view, "title").endswith("…")
    await send(world)


async def test_a_sender_of_whom_slack_says_nothing_in_time_is_told(world: World) -> None:
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say("Ask @omar")
    world.slack.faults.fail("users.info", "hang")
    reply = await alice.use_shortcut(SHORTCUT, message)
    assert reply.ack_seconds < 3
    refusal = await alice.sees("Slack did not answer a question we had to ask it")
    assert refusal.ephemeral_to == alice.id
    assert world.slack.views[alice] == []


async def test_a_sender_slack_told_of_before_is_believed_while_it_is_silent(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "help")
    await world.stop_bot()
    await world.start_bot()
    world.slack.faults.fail("users.info", 503)
    assert "Put a browser notification" in (await alice.command("/notify", "help")).text


async def test_a_guest_is_told_that_only_members_may(world: World) -> None:
    gus = world.slack.people["gus"]
    message = await world.slack.people["lee"].say("Hello")
    await gus.use_shortcut(SHORTCUT, message)
    refusal = await gus.sees("Guests cannot send notifications")
    assert refusal.ephemeral_to == gus.id
    await gus.use_shortcut("notify_global")
    await gus.sees("Guests cannot send notifications", world.slack.workspace.open_dm(gus).id)
    assert world.slack.views[gus] == []


async def test_a_channel_that_is_not_allowed_is_refused_to_the_sender_only(
    open_world: OpenWorld,
) -> None:
    world = await open_world(allowed_channels=("C0RANDOM1",))
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say("Hello")
    await alice.use_shortcut(SHORTCUT, message)
    refusal = await alice.sees("Notifications can only be sent from #random. Try it there.")
    assert refusal.ephemeral_to == alice.id
    assert not refusal.edited


@pytest.mark.parametrize("kind", ["internal_error", 500, "reset"])
async def test_a_form_that_slack_does_not_open_is_told(world: World, kind: str | int) -> None:
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say("Hello")
    world.slack.faults.fail("views.open", kind)
    reply = await alice.use_shortcut(SHORTCUT, message)
    assert reply.ok
    assert (await alice.sees("ry again.")).ephemeral_to == alice.id
    await alice.use_shortcut("notify_global")
    await alice.sees("ry again.", world.slack.workspace.open_dm(alice).id)


async def test_a_person_who_cannot_be_told_either_harms_nothing(world: World) -> None:
    alice = world.slack.people["alice"]
    world.slack.faults.fail("views.open", "internal_error")
    world.slack.faults.fail("chat.postMessage", "messages_tab_disabled")
    reply = await alice.use_shortcut("notify_global")
    assert (reply.status, reply.body) == (200, "")
    world.slack.faults.clear()
    await alice.use_shortcut("notify_global")
    await alice.gets_view()


async def test_a_form_that_takes_too_long_is_told_in_time(world: World) -> None:
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say("Hello")
    world.slack.faults.fail("views.open", "hang")
    reply = await alice.use_shortcut(SHORTCUT, message)
    assert reply.ack_seconds < 3
    told = await alice.sees("I could not finish this in the time Slack gives me")
    assert told.ephemeral_to == alice.id
    world.slack.faults.clear()
