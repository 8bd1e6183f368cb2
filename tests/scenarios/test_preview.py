import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.sandbox.slack import Reply, View
from bot.store.tables import drafts, notifications
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.forms import gets_form
from tests.scenarios.world import World

PUBLIC_URL = "https://notifier.example.com"
SHOWN = "*Preview*: about this much is seen in"


async def open_form(world: World, **written: Any) -> View:
    """Open the form and write into it without sending it."""
    alice = world.slack.people["alice"]
    await alice.command("/notify")
    view = await alice.gets_view("Notify in LeadSquared")
    world.slack.fill(view, written)
    return view


async def press_preview(world: World, view: View) -> str:
    """Press the button and return what the form shows once it has changed."""
    before = view.hash
    reply = await world.slack.people["alice"].press(view, "preview")
    assert (reply.status, reply.body) == (200, "")
    await world.slack.until(lambda _: view.hash != before)
    return view.shown


def read(view: View) -> dict[str, Any]:
    """Return what stands in each field."""
    entries = {name: entry[name] for name, entry in view.values.items()}
    return {
        name: next(value for key, value in entry.items() if key != "type")
        for name, entry in entries.items()
    }


def find_images(view: View) -> list[str]:
    return [block["accessory"]["image_url"] for block in view.blocks if "accessory" in block]


async def test_a_press_shows_the_notification_as_browsers_will(world: World) -> None:
    view = await open_form(world, title="t" * 70, content="c" * 300, link="https://x.io/a?b&c")
    assert SHOWN not in view.shown
    shown = await press_preview(world, view)
    for seen in ("t" * 63 + "…", "c" * 120 + "…", "t" * 49 + "…", "c" * 199 + "…"):
        assert f"\n{seen}\n" in shown
    assert f"{SHOWN} Chrome on Windows\n" in shown
    assert f"{SHOWN} Firefox on Windows\n" in shown
    assert "A click opens https://x.io/a?b&c" in shown
    assert "391 of 2,048 bytes. Nothing is sent before you press Send." in shown
    assert "cannot be sent yet" not in shown
    assert (world.read(notifications), world.read(drafts), world.pushed()) == ([], [], [])


async def test_what_was_written_stays_and_is_sent_as_it_was_written(world: World) -> None:
    alice, priya = world.slack.people["alice"], world.slack.people["priya"]
    written = {
        "recipients": [priya],
        "kind": "call",
        "content": " *Asha*\ncalled :tada: ",
        "link": "https://x.io/a?b&c",
        "icon": "https://x.io/i.png",
    }
    view = await open_form(world, **written)
    before = read(view)
    await press_preview(world, view)
    assert read(view) == before
    world.slack.fill(view, {"content": "changed"})
    assert "\nchanged\n" in await press_preview(world, view)
    await alice.submit()
    await alice.sees("Sent to LeadSquared for *Priya Nair*: “Missed call”")
    assert world.pushed() == [
        {
            "UserId": world.crm_id("priya@acme.com"),
            "Title": "Missed call",
            "Content": "changed\n— Alice Rao, Slack",
            "ClickURL": "https://x.io/a?b&c",
            "IconURL": "https://x.io/i.png",
        }
    ]


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("Incoming SMS", "New SMS"),
        ("E-mail received", "New e-mail"),
        ("Missed call or voice message", "Missed call"),
        ("Hot prospect", "Hot prospect"),
    ],
)
async def test_a_kind_gives_the_title_and_the_icon(
    open_world: OpenWorld, kind: str, title: str
) -> None:
    world = await open_world(public_url=PUBLIC_URL)
    alice = world.slack.people["alice"]
    view = await open_form(world, recipients=[alice], kind=kind, content="Asha, at 3 pm")
    shown = await press_preview(world, view)
    assert f"\n{title}\nAsha, at 3 pm\n" in shown
    [image] = find_images(view)
    await alice.submit()
    await alice.sees(f"“{title}”")
    [push] = world.pushed()
    assert (push["Title"], push["IconURL"]) == (title, image)


async def test_a_title_of_ones_own_wins_over_the_kind(world: World) -> None:
    view = await open_form(world, kind="hot", title="Big deal", content="Asha")
    assert "\nBig deal\nAsha\n" in await press_preview(world, view)
    assert find_images(view) == []


async def test_mistakes_are_told_in_the_preview_and_kept_in_the_form(world: World) -> None:
    view = await open_form(world, title="T", content="c" * 2100, link="http://x.io", icon="what")
    before = read(view)
    shown = await press_preview(world, view)
    assert "This cannot be sent yet" in shown
    assert "Title + content is 2,122 bytes, with the line that names you" in shown
    assert "The link must begin with https://" in shown
    assert "The icon must begin with https://" in shown
    assert "A click opens no page" in shown
    assert "2,122 of 2,048 bytes" in shown
    assert read(view) == before
    world.slack.fill(view, {"content": "Hello", "link": "https://x.io/", "icon": ""})
    shown = await press_preview(world, view)
    assert "cannot be sent" not in shown
    assert "A click opens https://x.io/" in shown


async def test_an_empty_form_can_be_previewed_too(world: World) -> None:
    shown = await press_preview(world, await open_form(world))
    assert "The notification has no text" in shown
    assert "Message from Alice Rao" in shown


@pytest.mark.parametrize("code", ["invalid_arguments", "invalid_blocks"])
async def test_an_icon_that_slack_cannot_load_does_not_cost_the_preview(
    world: World, code: str
) -> None:
    """Slack fetches pictures and refuses the whole view if it cannot."""
    view = await open_form(world, content="Hello", icon="https://pictures.example.com/i.png")
    world.slack.faults.fail("views.update", code, times=1)
    shown = await press_preview(world, view)
    assert "Slack could not load the icon; browsers may not show it either" in shown
    assert find_images(view) == []
    assert read(view)["icon"] == "https://pictures.example.com/i.png"


async def press_as_it_was(world: World, payload: dict[str, Any]) -> Reply:
    """Deliver a press that carries an earlier state of the view."""
    press = {
        "type": "block_actions",
        "team": {"id": "T0ACME001", "domain": "acme"},
        "user": {"id": "U0ALICE01", "team_id": "T0ACME001"},
        "trigger_id": "9000.9001.ab",
        "container": {"type": "view", "view_id": payload["id"]},
        "view": payload,
        "actions": [{"type": "button", "action_id": "preview", "block_id": "b"}],
    }
    body = urlencode({"payload": json.dumps(press)}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", **world.slack.sign(body)}
    return await world.slack.post(body, headers)


async def until_refused(world: World, code: str) -> None:
    await world.slack.until(
        lambda slack: any(
            call.method == "views.update" and call.error == code for call in slack.calls
        )
    )


async def test_a_press_on_what_has_changed_since_changes_nothing(world: World) -> None:
    view = await open_form(world, content="old")
    payload = view.build_payload()
    world.slack.fill(view, {"content": "new"})
    await press_preview(world, view)
    changed = view.hash
    assert (await press_as_it_was(world, payload)).status == 200
    await until_refused(world, "hash_conflict")
    assert view.hash == changed
    assert "\nnew\n" in view.shown


async def test_two_quick_presses_show_one_preview(world: World) -> None:
    view = await open_form(world, content="Hello")
    payload = view.build_payload()
    assert (await press_as_it_was(world, payload)).status == 200
    assert (await press_as_it_was(world, payload)).status == 200
    await until_refused(world, "hash_conflict")
    assert view.shown.count(SHOWN) == 1


async def test_a_form_that_was_closed_meanwhile_harms_nothing(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world, content="Hello")
    payload = view.build_payload()
    await world.slack.close_view(view)
    assert (await press_as_it_was(world, payload)).status == 200
    await until_refused(world, "not_found")
    assert world.slack.views[alice] == []
    assert [one for one in world.slack.visible_to(alice) if one.via != "say"] == []


async def test_somebody_made_a_guest_meanwhile_is_told(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world, content="Hello")
    alice.is_restricted = True
    world.clock.forward(601)
    await alice.press(view, "preview", timestamp=time.time())
    told = await alice.sees("Guests cannot send notifications")
    assert told.channel == world.slack.workspace.open_dm(alice).id
    assert SHOWN not in view.shown


async def test_a_slack_that_hangs_is_not_waited_for(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world, content="Hello")
    world.slack.faults.fail("views.update", "hang")
    reply = await alice.press(view, "preview")
    assert (reply.status, reply.body) == (200, "")
    assert reply.ack_seconds < 1
    await world.slack.until(lambda slack: slack.calls[-1].method == "views.update")
    world.slack.faults.clear()


async def test_a_forwarded_message_is_previewed_as_the_form_opens(world: World) -> None:
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say("Asha asked for *3 pm*")
    await alice.use_shortcut("notify_message", message)
    view = await gets_form(world)
    assert "\nLee Wong in #sales\nAsha asked for *3 pm*\n— Alice Rao, Slack\n" in view.shown
    assert "A click opens https://acme.slack.com/archives/C0SALES01/p" in view.shown
    assert "of 2,048 bytes. Nothing is sent" in view.shown
    world.slack.fill(view, {"content": "Shorter"})
    assert "\nShorter\n" in await press_preview(world, view)
    assert view.shown.count("A click opens") == 1


async def test_a_message_without_text_opens_a_form_without_preview(world: World) -> None:
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say("", files=[{"id": "F1", "mode": "tombstone"}])
    await alice.use_shortcut("notify_message", message)
    assert SHOWN not in (await gets_form(world)).shown
