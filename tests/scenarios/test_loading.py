"""The form of a message shortcut, where Slack must be asked for names before it is complete."""

import pytest
from structlog.testing import capture_logs

from bot.errors import StoreUnavailableError
from bot.sandbox.slack import View
from tests.scenarios.forms import gets_form, until_one_pauses
from tests.scenarios.test_shortcuts import SHORTCUT, read, send
from tests.scenarios.world import World

LOADING = "Reading the message"


@pytest.fixture
async def world(world: World) -> World:
    """Slack has told who Alice is, and nobody else."""
    await world.slack.people["alice"].command("/notify", "help")
    return world


def count(world: World, method: str) -> int:
    return sum(call.method == method for call in world.slack.calls)


async def use_shortcut(world: World, text: str = "Ask @omar") -> View:
    """Use the shortcut on a message of Lee's; return what opens at once."""
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say(text)
    reply = await alice.use_shortcut(SHORTCUT, message)
    assert (reply.status, reply.body) == (200, "")
    assert reply.ack_seconds < 1
    return alice.view


async def until_called(world: World, method: str, times: int) -> None:
    await world.slack.until(lambda _: count(world, method) == times)


async def test_a_form_whose_names_are_known_opens_complete(world: World) -> None:
    for name in ("omar", "lee"):
        await world.slack.people[name].command("/notify", "help")
    view = await use_shortcut(world)
    assert (read(view, "title"), read(view, "content")) == ("Lee Wong in #sales", "Ask @Omar Aziz")
    await send(world)
    assert count(world, "views.update") == 0


async def test_while_slack_is_asked_a_notice_stands_there(world: World) -> None:
    world.slack.faults.delay = 0.1
    view = await use_shortcut(world)
    assert LOADING in view.shown
    assert (
        "If this is still here in ten seconds, close it and use the shortcut again." in view.shown
    )
    assert view.values == {}
    form = await gets_form(world)
    assert (form, form.hash) == (view, view.hash)
    assert LOADING not in view.shown
    assert (read(view, "title"), read(view, "content")) == ("Lee Wong in #sales", "Ask @Omar Aziz")
    card = await send(world)
    assert (card.channel, card.thread_ts is not None) == ("C0SALES01", True)


async def mention_group(world: World, *, labelled: bool) -> View:
    """Use the shortcut on a message to a group; Slack does not always write how it is called."""
    await world.slack.people["lee"].command("/notify", "help")
    message = await world.slack.people["lee"].say("@sales-team: call Asha")
    if not labelled:
        message.text = message.text.replace("|@sales-team", "")
    await world.slack.people["alice"].use_shortcut(SHORTCUT, message)
    return await gets_form(world)


async def test_a_group_that_is_mentioned_is_named_and_asked_for_once(world: World) -> None:
    view = await mention_group(world, labelled=False)
    assert read(view, "content") == "@sales-team: call Asha"
    view = await mention_group(world, labelled=False)
    assert read(view, "content") == "@sales-team: call Asha"
    assert (count(world, "usergroups.list"), count(world, "views.update")) == (1, 1)


async def test_a_group_that_the_message_names_is_not_asked_for(world: World) -> None:
    view = await mention_group(world, labelled=True)
    assert read(view, "content") == "@sales-team: call Asha"
    assert count(world, "usergroups.list") == 0


@pytest.mark.parametrize("kind", [500, "hang", "missing_scope", "plan_upgrade_required"])
async def test_a_group_that_slack_does_not_tell_is_called_so(world: World, kind: str | int) -> None:
    world.slack.faults.fail("usergroups.list", kind)
    view = await mention_group(world, labelled=False)
    assert read(view, "content") == "@group: call Asha"


@pytest.mark.parametrize("kind", ["hang", 500, "user_not_found", "garbage", "token_revoked"])
async def test_names_that_slack_does_not_tell_are_done_without(
    world: World, kind: str | int
) -> None:
    world.slack.faults.fail("users.info", kind)
    await use_shortcut(world)
    view = await gets_form(world)
    assert read(view, "title") == "Somebody in #sales"
    assert read(view, "content") == "Ask @someone"
    assert "Preview" in view.shown


async def test_without_the_database_the_form_shows_what_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailableError("gone")

    await world.slack.people["omar"].command("/notify", "help")
    monkeypatch.setattr("bot.directory.Directory.fetch_names", fail)
    await use_shortcut(world)
    view = await gets_form(world)
    assert (read(view, "title"), read(view, "content")) == ("Somebody in #sales", "Ask @Omar Aziz")


async def test_a_notice_that_was_closed_stays_closed(world: World) -> None:
    world.slack.faults.delay = 0.1
    view = await use_shortcut(world)
    with capture_logs() as logs:
        await world.slack.close_view(view)
        await world.slack.until(lambda slack: slack.calls[-1].error == "not_found")
        await world.bot._base.errands.drain(5)
    assert world.slack.views[world.slack.people["alice"]] == []
    assert [entry for entry in logs if entry["log_level"] != "info"] == []


@pytest.mark.parametrize(("kind", "pause"), [(500, 0.5), ("reset", 0.5), ("ratelimited:3", 3.0)])
async def test_a_form_that_slack_does_not_take_is_put_there_later(
    world: World, kind: str | int, pause: float
) -> None:
    world.clock.stand_still()
    world.slack.faults.fail("views.update", kind, times=1)
    view = await use_shortcut(world)
    await until_one_pauses(world)
    assert LOADING in view.shown
    world.clock.forward(pause - 0.01)
    assert count(world, "views.update") == 1
    world.clock.forward(0.02)
    assert read(await gets_form(world), "content") == "Ask @Omar Aziz"


async def test_a_form_that_slack_never_takes_is_given_up(world: World) -> None:
    world.clock.stand_still()
    world.slack.faults.fail("views.update", 500)
    view = await use_shortcut(world)
    with capture_logs() as logs:
        for tries in range(1, 5):
            await until_called(world, "views.update", tries)
            await until_one_pauses(world)
            world.clock.forward(4.01)
        await until_called(world, "views.update", 5)
        await world.bot._base.errands.drain(5)
    assert LOADING in view.shown  # which says what to do
    failed = [entry for entry in logs if entry["event"] == "errand.failed"]
    assert [entry["error"] for entry in failed] == ["SlackUnavailableError"]


async def test_what_is_typed_while_an_answer_is_lost_is_not_lost(world: World) -> None:
    """Slack put the form there, and we do not know: trying again must not undo what is typed."""
    world.clock.stand_still()
    world.slack.faults.fail("views.update", "reset_after", times=1)
    await use_shortcut(world)
    view = await gets_form(world)
    await until_one_pauses(world)
    world.slack.fill(view, {"content": "Typed meanwhile"})
    with capture_logs() as logs:
        world.clock.forward(1)
        await world.slack.until(lambda slack: slack.calls[-1].error == "hash_conflict")
        await world.bot._base.errands.drain(5)
    assert read(view, "content") == "Typed meanwhile"
    assert [entry for entry in logs if entry["log_level"] != "info"] == []


async def test_a_trigger_that_expired_is_told_and_nothing_opens(world: World) -> None:
    alice = world.slack.people["alice"]
    message = await world.slack.people["lee"].say("Ask @omar")
    trigger = world.slack.tickets.issue_trigger(alice)
    world.clock.forward(4)
    await alice.use_shortcut(SHORTCUT, message, trigger_id=trigger)
    await alice.sees("Slack gives three seconds to open a form, and they were over")
    assert world.slack.views[alice] == []
    world.expected_violations = ["views.open: expired_trigger_id"]
