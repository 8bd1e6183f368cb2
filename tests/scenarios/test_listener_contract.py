"""What every listener owes, whichever way a person came in."""

import ast
import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select
from structlog.testing import capture_logs

from bot.errors import CommitInDoubtError, StoreError, StoreUnavailableError
from bot.notification import Place
from bot.people import Person as Known
from bot.people import Standing
from bot.replies import ActionId
from bot.replies.compose import Prefill, modal
from bot.replies.home import Home, build_view
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Message, Person, Reply, View
from bot.store.tables import notifications
from tests.scenarios.forms import gets_form
from tests.scenarios.world import World

HANDLERS = sorted((Path(__file__).parents[2] / "handlers").glob("*.py"))


def count_stored(world: World) -> int:
    """Return how many notifications the database holds, read past the bot."""
    engine = create_engine(world.settings.database_url)
    try:
        with engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(notifications)).scalar_one()
    finally:
        engine.dispose()


@dataclass
class Interaction:
    """One thing a person is about to do; `act` may be called again with the same trigger."""

    world: World
    person: Person
    act: Callable[[str | None], Awaitable[Reply]]
    sends: bool
    """It leads to a notification, else to a form."""

    async def read_answer(self, reply: Reply) -> str:
        """Return the sentence this person got, wherever it stands."""
        assert reply.status == 200
        assert reply.ack_seconds < 3
        if isinstance(reply.json, dict) and "errors" in reply.json:
            return str(reply.json["errors"]["content"])
        if reply.body:
            assert reply.json["response_type"] == "ephemeral"
            return reply.text
        await self.world.slack.until(lambda _: bool(self._find_answers()))
        return self._find_answers()[-1].text

    def _find_answers(self) -> list[Message]:
        """Return what only this person sees."""
        return [
            one
            for one in self.world.slack.visible_to(self.person)
            if one.ephemeral_to == self.person.id or one.channel.startswith("D")
        ]

    async def check_done(self) -> None:
        if self.sends:
            await self.person.sees("Sent to LeadSquared")
        else:
            await self.person.gets_view("Notify in LeadSquared")


def _forged(trigger_id: str | None) -> dict[str, Any]:
    return {} if trigger_id is None else {"trigger_id": trigger_id}


async def prepare_command(world: World, person: Person) -> Interaction:
    async def act(trigger_id: str | None) -> Reply:
        return await person.command(
            "/notify", "@priya Callback due | at 3 pm", **_forged(trigger_id)
        )

    return Interaction(world, person, act, sends=True)


def open_form(world: World, person: Person) -> View:
    """Put the form in front of somebody without the bot's doing."""
    return world.slack._modals.open(person, modal(Place("C0SALES01"), Prefill("Due", "at 3 pm")))


async def prepare_submission(world: World, person: Person) -> Interaction:
    view = open_form(world, person)

    async def act(trigger_id: str | None) -> Reply:
        view.is_open = True
        chosen = {"recipients": [world.slack.people["priya"]]}
        return await world.slack.submit(view, chosen, person, **_forged(trigger_id))

    return Interaction(world, person, act, sends=True)


async def prepare_global_shortcut(world: World, person: Person) -> Interaction:
    async def act(trigger_id: str | None) -> Reply:
        return await person.use_shortcut("notify_global", **_forged(trigger_id))

    return Interaction(world, person, act, sends=False)


async def say(world: World, text: str = "Callback due at 3 pm") -> Message:
    return await world.slack.people["lee"].say(text)


async def prepare_message_shortcut(world: World, person: Person) -> Interaction:
    message = await say(world)

    async def act(trigger_id: str | None) -> Reply:
        return await person.use_shortcut("notify_message", message, **_forged(trigger_id))

    return Interaction(world, person, act, sends=False)


async def prepare_home_button(world: World, person: Person) -> Interaction:
    """Put the tab there without the bot's doing: to some it would show no button."""
    home = Home(Known(person.id, person.name, None, Standing.MEMBER, is_admin=False), None, [])
    view = world.slack._modals.publish(person, build_view(home))

    async def act(trigger_id: str | None) -> Reply:
        return await person.press(view, ActionId.COMPOSE, **_forged(trigger_id))

    return Interaction(world, person, act, sends=False)


Prepare = Callable[[World, Person], Awaitable[Interaction]]
SURFACES: list[Prepare] = [
    prepare_command,
    prepare_submission,
    prepare_global_shortcut,
    prepare_message_shortcut,
    prepare_home_button,
]
WITHOUT_PLACE = (prepare_global_shortcut, prepare_home_button)
"""What can be answered by a direct message only."""


@pytest.fixture(params=SURFACES, ids=lambda prepare: prepare.__name__.removeprefix("prepare_"))
async def interaction(request: pytest.FixtureRequest, world: World) -> Interaction:
    prepare: Prepare = request.param
    return await prepare(world, world.slack.people["alice"])


async def test_it_is_acknowledged_at_once_and_silently(interaction: Interaction) -> None:
    reply = await interaction.act(None)
    assert (reply.status, reply.body) == (200, "")
    assert reply.ack_seconds < 1
    await interaction.check_done()


async def test_it_does_not_wait_for_leadsquared(interaction: Interaction) -> None:
    world = interaction.world
    world.crm.faults.always("*", FaultKind.HANG)
    reply = await interaction.act(None)
    assert (reply.status, reply.body) == (200, "")
    assert reply.ack_seconds < 1
    world.crm.faults.clear()
    world.crm.release()
    await interaction.check_done()


async def test_it_does_not_wait_for_slack(interaction: Interaction) -> None:
    for method in ("users.info", "views.open", "chat.postMessage"):
        interaction.world.slack.faults.fail(method, "hang")
    interaction.world.slack.faults.hooks = "hang"
    reply = await interaction.act(None)
    assert reply.status == 200
    assert reply.ack_seconds < 3
    assert count_stored(interaction.world) == 0
    interaction.world.slack.faults.clear()


async def test_delivered_twice_it_has_one_effect(interaction: Interaction) -> None:
    world = interaction.world
    trigger_id = "9000.9001.abcdef"
    if not interaction.sends:  # Slack opens one form for one trigger
        world.expected_violations = ["views.open: exchanged_trigger_id"]
    for reply in [await interaction.act(trigger_id), await interaction.act(trigger_id)]:
        assert reply.status == 200
    await interaction.check_done()
    assert count_stored(world) == len(world.pushed()) == int(interaction.sends)
    assert len(world.slack.views[interaction.person]) == int(not interaction.sends)


async def test_delivered_twice_at_the_same_time_it_has_one_effect(
    interaction: Interaction,
) -> None:
    world = interaction.world
    trigger_id = "9000.9001.abcdef"
    if not interaction.sends:
        world.expected_violations = ["views.open: exchanged_trigger_id"]
    replies = await asyncio.gather(*(interaction.act(trigger_id) for _ in range(2)))
    assert {reply.status for reply in replies} == {200}
    await interaction.check_done()
    assert count_stored(world) == len(world.pushed()) == int(interaction.sends)
    assert len(world.slack.views[interaction.person]) == int(not interaction.sends)


async def test_somebody_slack_does_not_know_is_told(interaction: Interaction) -> None:
    world = interaction.world
    world.slack.faults.fail("users.info", "user_not_found")
    answer = await interaction.read_answer(await interaction.act(None))
    assert "nothing was sent" in answer
    assert "logged" not in answer
    assert count_stored(world) == 0


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("gus", "Guests cannot send notifications"),
        ("exa", "Only members of the workspace"),
        ("robot", "Only people can send"),
        ("gone", "This Slack account is deactivated"),
    ],
)
@pytest.mark.parametrize(
    "prepare", SURFACES, ids=lambda prepare: prepare.__name__.removeprefix("prepare_")
)
async def test_only_full_members_may_use_it(
    world: World, prepare: Prepare, who: str, sentence: str
) -> None:
    interaction = await prepare(world, world.slack.people[who])
    reply = await interaction.act(None)
    assert reply.status == 200
    if prepare not in WITHOUT_PLACE or who == "gus":
        # Slack takes no direct message to the others, so a global shortcut of theirs stays silent.
        assert sentence in await interaction.read_answer(reply)
    assert count_stored(world) == 0
    assert world.slack.views[interaction.person] == [] or interaction.sends


@contextmanager
def failing(world: World, error: StoreError, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    async def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(world.bot._base.database, "transact", fail)
        yield


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (StoreUnavailableError("gone"), "The bot's database is not available, so nothing was"),
        (CommitInDoubtError("cut"), "I could not confirm that this was stored."),
    ],
)
async def test_without_its_database_it_says_so_and_works_again_afterwards(
    interaction: Interaction,
    monkeypatch: pytest.MonkeyPatch,
    error: StoreError,
    sentence: str,
) -> None:
    with failing(interaction.world, error, monkeypatch):
        answer = await interaction.read_answer(await interaction.act(None))
    assert sentence in answer
    assert count_stored(interaction.world) == 0
    assert interaction.world.pushed() == []
    await interaction.act(None)
    await interaction.check_done()


@contextmanager
def locked(world: World) -> Iterator[None]:
    """Hold the write lock of the file, as a backup or another process may."""
    path = world.settings.database_url.partition("///")[2]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize("knows_the_sender", [True, False])
async def test_a_locked_database_is_not_waited_for(
    interaction: Interaction, knows_the_sender: bool
) -> None:
    world = interaction.world
    if not world.settings.uses_sqlite:
        pytest.skip("only a file is locked as a whole")
    if knows_the_sender:
        await interaction.person.command("/notify", "help")
    with locked(world):
        reply = await interaction.act(None)
        assert reply.ack_seconds < 3
        if interaction.sends or not knows_the_sender:
            answer = await interaction.read_answer(reply)
            assert re.search("Try again|the result appears here", answer)
        assert count_stored(world) == 0


async def test_what_nobody_foresaw_gets_a_reference_that_is_also_in_the_log(
    interaction: Interaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    with capture_logs() as logs, monkeypatch.context() as patch:
        patch.setattr("bot.directory.Directory.get_sender", fail)
        answer = await interaction.read_answer(await interaction.act(None))
    found = re.search(r"it has been logged as `?([0-9a-f]{8})`?. Try again.", answer)
    assert found, answer
    failures = [entry for entry in logs if entry["event"] == "request.failed"]
    assert [entry["reference"] for entry in failures] == [found[1]]
    assert str(failures[0]["exc_info"]) == "nobody foresaw this"
    assert "foresaw" not in answer
    assert count_stored(interaction.world) == 0


async def test_a_command_without_text_opens_the_form(world: World) -> None:
    alice = world.slack.people["alice"]
    assert (await alice.command("/notify", "  ")).body == ""
    await alice.gets_view("Notify in LeadSquared")


async def test_a_form_without_text_is_refused_at_its_field(world: World) -> None:
    """Slack's own client does not submit it; a form of spaces it does."""
    alice = world.slack.people["alice"]
    view = open_form(world, alice)
    await alice.submit({"recipients": [alice], "content": "   "})
    assert "The notification has no text" in view.errors["content"]
    assert count_stored(world) == 0


async def test_a_shortcut_on_a_message_without_text_opens_an_empty_form(world: World) -> None:
    alice = world.slack.people["alice"]
    reply = await alice.use_shortcut("notify_message", await say(world, ""))
    assert (reply.status, reply.body) == (200, "")
    view = await gets_form(world)
    assert view.values["content"]["content"]["value"] is None


def find_listeners() -> Iterator[tuple[str, ast.AsyncFunctionDef]]:
    """Yield every function that is given an `ack`."""
    for path in HANDLERS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef) and any(
                argument.arg == "ack" for argument in node.args.args
            ):
                yield f"{path.stem}.{node.name}", node


LISTENERS = dict(find_listeners())
DEADLINES = ("asyncio.timeout(LISTEN_WITHIN)", "asyncio.timeout(SUGGEST_WITHIN)")


def calls_ack(node: ast.AST) -> bool:
    """Tell whether this is `ack(…)`."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "ack"


def count_last_acks(statements: list[ast.stmt]) -> int:
    """Return how many of `await ack(…)` are the last thing done, -1000 if a way has none."""
    match statements[-1]:
        case ast.Expr(ast.Await(ast.Call() as call)) if calls_ack(call):
            return 1
        case ast.If(body=body, orelse=[_, *_] as other):
            return count_last_acks(body) + count_last_acks(other)
        case _:
            return -1000


def test_every_surface_has_a_listener() -> None:
    assert {
        "commands.answer",
        "compose.submit",
        "home.compose",
        "home.show",
        "leads.suggest",
        "shortcuts.compose",
        "shortcuts.forward",
    } <= set(LISTENERS)


@pytest.mark.parametrize("name", LISTENERS)
def test_the_acknowledgement_is_the_last_statement_of_a_listener(name: str) -> None:
    """What fails after it replaces it, so nothing may come after it."""
    listener = LISTENERS[name]
    acks = sum(calls_ack(node) for node in ast.walk(listener))
    assert acks == count_last_acks(listener.body)


@pytest.mark.parametrize("name", LISTENERS)
def test_a_listener_has_at_most_twenty_lines_and_no_try(name: str) -> None:
    listener = LISTENERS[name]
    assert (listener.end_lineno or 0) - listener.lineno < 20
    assert not any(isinstance(node, ast.Try) for node in ast.walk(listener))


@pytest.mark.parametrize("name", LISTENERS)
def test_a_listener_gives_up_before_slack_does(name: str) -> None:
    """Every await but the acknowledgement stands under the one deadline."""
    listener = LISTENERS[name]
    bounded = {
        inner
        for node in ast.walk(listener)
        if isinstance(node, ast.AsyncWith) and ast.unparse(node.items[0].context_expr) in DEADLINES
        for inner in ast.walk(node)
    }
    for node in ast.walk(listener):
        if isinstance(node, ast.Await) and not calls_ack(node.value):
            assert node in bounded, ast.unparse(node)
