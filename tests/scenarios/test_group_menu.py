"""User groups in the form: offered while one types, asked about, and sent to."""

from typing import Any

import pytest

from bot.replies.compose import MOST_GROUPS
from bot.sandbox.slack import Reply, View
from bot.store.tables import drafts, notifications
from tests.scenarios.test_groups import add_group
from tests.scenarios.test_modal import fill_in, forge, open_form, post, with_value
from tests.scenarios.world import World

SALES = "@sales-team · Sales team"


async def type_in(world: World, view: View, text: str, who: str = "alice") -> Reply:
    reply = await world.slack.suggest(view, "groups", text, world.slack.people[who])
    assert reply.status == 200
    assert reply.ack_seconds < 3
    return reply


async def offer(world: World, view: View, text: str) -> list[str]:
    reply = await type_in(world, view, text)
    return [option["text"]["text"] for option in reply.json["options"]]


def count_lists(world: World) -> int:
    return sum(call.method == "usergroups.list" for call in world.slack.calls)


def check_nothing_was_stored(world: World) -> None:
    assert (world.read(notifications), world.read(drafts), world.pushed()) == ([], [], [])


async def test_a_group_is_chosen_asked_about_and_sent_to(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world)
    assert SALES in await offer(world, view, "Sal")
    await alice.submit(fill_in(world, groups=[SALES]))
    assert "“Callback due” would go to *3 people*, with everybody in *@sales-team*" in view.shown
    assert world.pushed() == []
    await alice.submit()
    await alice.sees("3 of 3 sent")
    assert len(world.pushed()) == 3


async def test_who_is_chosen_and_in_the_group_gets_it_once(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world)
    await offer(world, view, "sales")
    await alice.submit(fill_in(world, "priya", "alice", groups=[SALES]))
    assert "would go to *4 people*" in view.shown
    await alice.submit()
    await alice.sees("4 of 4 sent")


@pytest.mark.parametrize("typed", ["s", "SALES", "@sales", "les-te", "  sales "])
async def test_a_group_is_found_by_any_part_of_what_it_is_called(world: World, typed: str) -> None:
    assert SALES in await offer(world, await open_form(world), typed)


@pytest.mark.parametrize("typed", ["%", "'\"", "nobody here", "x" * 3_000, "<!channel>"])
async def test_what_fits_no_group_offers_none(world: World, typed: str) -> None:
    assert await offer(world, await open_form(world), typed) == []


async def test_a_deactivated_group_is_not_offered(world: World) -> None:
    add_group(world, "old-team", "priya")
    world.slack.workspace.groups["old-team"].date_delete = 1_700_000_000
    assert await offer(world, await open_form(world), "old") == []


async def test_slack_is_asked_for_the_groups_once_in_five_minutes(world: World) -> None:
    view = await open_form(world)
    for typed in ("s", "sa", "sal"):
        await offer(world, view, typed)
    assert count_lists(world) == 1
    add_group(world, "new-team", "priya")
    assert await offer(world, view, "new") == []
    world.clock.forward(300)
    assert await offer(world, view, "new") == ["@new-team"]
    assert count_lists(world) == 2


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("plan_upgrade_required", "Slack has user groups on its paid plans only."),
        ("missing_scope", "The bot may not read user groups: install its Slack app again."),
        (500, "Slack did not answer a question we had to ask it"),
        ("hang", "Slack did not answer a question we had to ask it"),
        ("token_revoked", "Slack refused what this needed"),
    ],
)
async def test_trouble_is_an_option_that_cannot_be_sent(
    world: World, kind: str | int, words: str
) -> None:
    view = await open_form(world)
    world.slack.faults.fail("usergroups.list", kind)
    [told] = await offer(world, view, "sales")
    assert told.startswith(words)
    world.slack.faults.clear()
    await world.slack.people["alice"].submit(fill_in(world, groups=[told]))
    assert view.errors == {
        "groups": "That was no group. Type its name and choose from the list, or leave this empty."
    }
    check_nothing_was_stored(world)


async def test_guests_do_not_get_to_read_groups(world: World) -> None:
    view = await open_form(world)
    reply = await type_in(world, view, "sales", "gus")
    assert reply.json["options"][0]["text"]["text"].startswith("Guests cannot send notifications")
    assert count_lists(world) == 0


async def test_a_group_of_nobody_is_told_at_its_field(world: World) -> None:
    add_group(world, "nobody")
    view = await open_form(world)
    await offer(world, view, "nobody")
    await world.slack.people["alice"].submit(fill_in(world, groups=["@nobody"]))
    assert view.errors["groups"].startswith("Nobody is in @nobody, so nothing was sent.")
    check_nothing_was_stored(world)


@pytest.mark.parametrize(
    "option", [None, 5, {}, {"value": 7}, {"value": "C0SALES01"}, {"value": ""}]
)
async def test_a_group_of_the_wrong_shape_is_told_at_its_field(world: World, option: Any) -> None:
    view = with_value("groups", {"groups": {"selected_options": [option]}})
    reply = await post(world, forge(view))
    assert reply.json["errors"]["groups"].startswith("That was no group.")
    check_nothing_was_stored(world)


async def test_groups_that_are_unknown_or_too_many_are_told_at_their_field(world: World) -> None:
    options = [{"value": f"S0NOBODY{number}"} for number in range(MOST_GROUPS + 1)]
    view = with_value("groups", {"groups": {"selected_options": options}})
    reply = await post(world, forge(view))
    assert reply.json["errors"] == {"groups": "Name at most 10 groups at once. Nothing was sent."}
    view = with_value("groups", {"groups": {"selected_options": options[:1]}})
    told = (await post(world, forge(view))).json["errors"]["groups"]
    assert told.startswith("That group does not exist any more, so nothing was sent.")
    check_nothing_was_stored(world)


async def test_a_preview_leaves_the_groups_chosen(world: World) -> None:
    alice = world.slack.people["alice"]
    view = await open_form(world)
    await offer(world, view, "sales")
    world.slack.fill(view, fill_in(world, groups=[SALES]))
    before = view.hash
    await alice.press(view, "preview")
    await world.slack.until(lambda _: view.hash != before)
    await alice.submit()
    assert "would go to *3 people*" in view.shown
