"""Every way in which Slack can fail to take a card, and where the sender reads it then."""

import time
from collections.abc import Callable

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Message
from bot.sandbox.slack.web_api import Call
from bot.store.tables import replies
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.forms import gets_form
from tests.scenarios.test_crm_faults import SENT, TYPED, open_still
from tests.scenarios.world import Rows, World

HOOK, POST, UPDATE = "response_url", "chat.postMessage", "chat.update"
DIRECT, LOST = "direct message", "lost"

LADDERS = {
    "quick": (HOOK, POST, DIRECT, LOST),
    "later": (POST, HOOK, DIRECT, LOST),
    "shown": (UPDATE, POST, HOOK, DIRECT, LOST),
    "thread": (POST, HOOK, DIRECT, LOST),
    "private": (HOOK, DIRECT, LOST),
    "private later": (HOOK, DIRECT, LOST),
    "nowhere": (DIRECT, LOST),
}
"""Where a card is offered, best first, by how it was asked for and how long it took."""

AFTER = {"later": 2.1, "shown": 5.1}
"""Seconds that LeadSquared takes: too long for the `response_url`; too long to show nothing."""

PLACES = ["sales", "random", "leads-private", "archived"]
"""Where the bot may post; is not in; does not see; and where nobody may post any more."""

PRIVATELY = "@priya --private Callback due | Asha asked for 3 pm"


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    return await open_still(open_world)


def cards(world: World) -> list[Message]:
    """Return the cards there are, wherever they are."""
    bot = world.slack.bot.id
    return [each for each in world.slack.messages if each.author == bot and SENT in each.shown]


def calls_to(world: World, method: str) -> list[Call]:
    return [call for call in world.slack.calls if call.method == method]


async def ask(
    world: World, path: str, place: str = "sales", then: Callable[[], None] = lambda: None
) -> None:
    """Let Alice ask, in the way that leads to this ladder; `then` happens before the outcome."""
    pace = path.split()[-1]
    world.crm.faults.next("push", FaultKind.HANG)
    await use(world, path, place)
    await world.crm.until(lambda: any(call.fault for call in world.crm.calls))
    await world.forward(AFTER.get(pace, 0))
    if pace == "shown":
        await world.slack.until(lambda _: bool(calls_to(world, POST)))
        await world.forward(0)  # it is noted whether Slack took it
    then()
    world.crm.release()


async def use(world: World, path: str, place: str) -> None:
    alice = world.slack.people["alice"]
    channel = "sales" if place == "archived" else place
    if path in ("thread", "nowhere"):
        message = await world.slack.people["priya"].say("Callback", channel)
        if path == "thread":
            await alice.use_shortcut("notify_message", message)
        else:
            await alice.use_shortcut("notify_global")
        await gets_form(world)
        priya = [world.slack.people["priya"]]
        values = {"recipients": priya, "title": "Callback due", "content": "Asha", "link": ""}
        await alice.submit(values)
    else:
        await alice.command("/notify", PRIVATELY if "private" in path else TYPED, channel)


def build_cases() -> list[tuple[str, str, set[str]]]:
    """Return each path with its place and the rungs that refuse, as far as they can matter."""
    refusals: list[set[str]] = [set(), {HOOK}, {HOOK, DIRECT}]
    return [
        (path, place, refusing)
        for path in LADDERS
        for place in (PLACES if POST in LADDERS[path] else PLACES[:1])
        for refusing in (refusals if HOOK in LADDERS[path] else [set(), {DIRECT}])
    ] + [("shown", "sales", {UPDATE})]


@pytest.mark.parametrize(("path", "place", "refusing"), build_cases())
async def test_a_card_stands_at_the_first_rung_that_takes_it_and_nowhere_else(
    world: World, path: str, place: str, refusing: set[str]
) -> None:
    channel = world.slack.channels["sales" if place == "archived" else place]
    channel.is_archived = place == "archived"
    world.slack.workspace.messages_tab = DIRECT not in refusing
    if HOOK in refusing:
        world.slack.faults.fail(HOOK, "expired_url")
    if UPDATE in refusing:
        world.slack.faults.fail(UPDATE, "message_not_found")
    if place != "sales":
        refusing = refusing | {UPDATE, POST}
    with capture_logs() as logs:
        await ask(world, path, place)
        await world.until_stored(lambda rows: any(row.paid_at for row in rows), replies)
    rung = next(each for each in LADDERS[path] if each not in refusing)
    lost = [log["log_level"] for log in logs if log["event"] == "reply.lost"]
    assert lost == (["error"] if rung == LOST else [])
    assert [find_rung(world, card) for card in cards(world)] == ([] if rung == LOST else [rung])
    assert len(world.pushed()) == 1
    for card in cards(world):
        check_place(world, card, path, channel.id)
    told = await world.slack.people["alice"].command("/notify", "status")
    assert "*Priya Nair*: sent to LeadSquared" in told.text


def find_rung(world: World, card: Message) -> str:
    direct = world.slack.workspace.open_dm(world.slack.people["alice"]).id
    if card.channel == direct:
        return DIRECT
    return UPDATE if card.edited else card.via


def check_place(world: World, card: Message, path: str, channel: str) -> None:
    """Hold a card against where it was asked for and who may read it."""
    alice = world.slack.people["alice"]
    if find_rung(world, card) == DIRECT:
        told_why = "Shown here because I may not post in #" in card.shown
        assert told_why == (POST in LADDERS[path])
        return
    parent = next((one.ts for one in world.slack.messages if one.via == "say"), None)
    assert (card.channel, card.thread_ts) == (channel, parent)
    assert card.ephemeral_to == (alice.id if "private" in path else None)


# What passes: the reply is owed until then.


def is_put_off(world: World) -> Callable[[Rows], bool]:
    return lambda rows: any(row.due_at > world.clock.time() for row in rows)


async def see_put_off(world: World, least: float, most: float) -> None:
    """Wait until the reply is due later, within bounds in seconds, and move on to then."""
    rows = await world.until_stored(is_put_off(world), replies)
    assert least <= round(rows[-1].due_at - world.clock.time(), 3) <= most
    assert rows[-1].paid_at is None
    await world.forward_to(rows[-1].due_at)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to Slack that hangs passes in real time."""
    monkeypatch.setattr("bot.clients.SLACK_TIMEOUT", aiohttp.ClientTimeout(total=0.5))


PASSING: list[tuple[str | int, float, float]] = [
    (500, 1.0, 2.0),
    (503, 1.0, 2.0),
    ("hang", 1.0, 2.0),
    ("reset", 1.0, 2.0),
    ("ratelimited:17", 17.0, 18.0),
    ("ratelimited:600", 60.0, 61.0),
    ("ratelimited:soon", 1.0, 2.0),
]
ONLY_API: list[tuple[str | int, float, float]] = [
    ("garbage", 1.0, 2.0),
    ("internal_error", 1.0, 2.0),
    ("fatal_error", 1.0, 2.0),
]


@pytest.mark.parametrize(
    ("path", "method", "kind", "least", "most"),
    [("quick", HOOK, *fault) for fault in PASSING]
    + [("private", HOOK, *fault) for fault in PASSING]
    + [("later", POST, *fault) for fault in [*PASSING, *ONLY_API]]
    + [("shown", UPDATE, *fault) for fault in [*PASSING, *ONLY_API]]
    + [("thread", POST, *fault) for fault in [*PASSING, *ONLY_API]]
    + [("nowhere", POST, *fault) for fault in [*PASSING, *ONLY_API]],
)
async def test_what_passes_is_waited_for_and_the_card_stands_where_it_belongs(
    impatient: None,
    open_world: OpenWorld,
    path: str,
    method: str,
    kind: str | int,
    least: float,
    most: float,
) -> None:
    world = await open_still(open_world)
    world.slack.faults.fail(method, kind, times=1)
    await ask(world, path)
    await see_put_off(world, least, most)
    await world.slack.people["alice"].sees(SENT)
    (card,) = cards(world)
    assert find_rung(world, card) == LADDERS[path][0]
    tries = world.slack.hook_posts if method == HOOK else calls_to(world, method)
    times = [each.at for each in tries]
    assert len(times) == 2
    assert times[1] - times[0] >= least
    assert len(world.pushed()) == 1


async def test_a_card_that_slack_keeps_waiting_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, open_world: OpenWorld
) -> None:
    monkeypatch.setattr("bot.clients.SLACK_TIMEOUT", aiohttp.ClientTimeout(total=60))
    world = await open_still(open_world)
    world.slack.faults.fail(HOOK, "hang", times=3)
    alice = world.slack.people["alice"]
    for number in range(3):
        await alice.command("/notify", f"@priya Hangs {number} | Asha")
    await world.slack.until(lambda slack: len(slack.hook_posts) == 3)
    await alice.command("/notify", TYPED)
    await alice.sees(SENT)
    world.slack.faults.release()
    for number in range(3):
        await alice.sees(f"✅ Sent to LeadSquared for *Priya Nair*: “Hangs {number}”.")


@pytest.mark.parametrize(
    ("path", "method", "seen"),
    [("quick", HOOK, [HOOK] * 2), ("later", POST, [POST] * 2), ("shown", UPDATE, [UPDATE])],
)
@pytest.mark.parametrize("kind", ["hang_after", "reset_after"])
async def test_a_lost_answer_of_slack_repeats_the_card_and_never_the_push(
    impatient: None, open_world: OpenWorld, path: str, method: str, seen: list[str], kind: str
) -> None:
    """Slack has it, but we cannot know: rather two cards than none."""
    world = await open_still(open_world)
    world.slack.faults.fail(method, kind, times=1)
    await ask(world, path)
    await see_put_off(world, 1.0, 2.0)
    await world.until_stored(lambda rows: any(row.paid_at for row in rows), replies)
    assert [find_rung(world, card) for card in cards(world)] == seen
    assert len(world.pushed()) == 1


# What a response_url allows.


@pytest.mark.parametrize(("path", "rung"), [("quick", POST), ("private", DIRECT)])
async def test_a_response_url_that_answers_anything_but_ok_has_not_taken_the_card(
    world: World, path: str, rung: str
) -> None:
    world.slack.faults.fail(HOOK, "garbage")
    await ask(world, path)
    card = await world.slack.people["alice"].sees(SENT)
    assert find_rung(world, card) == rung
    assert len(world.slack.hook_posts) == 1


async def test_five_uses_that_failed_are_all_and_then_the_card_is_posted(world: World) -> None:
    world.slack.faults.fail(HOOK, 500)
    await ask(world, "quick")
    for use in range(5):
        await see_put_off(world, 2.0**use, 2.0 ** (use + 1))
    card = await world.slack.people["alice"].sees(SENT)
    assert (card.via, card.channel) == (POST, world.slack.channels["sales"].id)
    assert len(world.slack.hook_posts) == 5
    assert cards(world) == [card]


@pytest.mark.parametrize(
    ("path", "place", "rung"),
    [("quick", "sales", POST), ("quick", "random", DIRECT), ("private", "sales", DIRECT)],
)
async def test_a_response_url_of_half_an_hour_ago_is_not_tried(
    world: World, path: str, place: str, rung: str
) -> None:
    world.slack.faults.fail(HOOK, 500, times=1)
    await ask(world, path, place)
    await world.until_stored(lambda rows: any(row.tries == 1 for row in rows), replies)
    await world.stop_bot()
    world.clock.forward(30 * 60)
    await world.start_bot()
    card = await world.slack.people["alice"].sees(SENT)
    assert find_rung(world, card) == rung
    assert cards(world) == [card]


# A token that is wrong for every call.


@pytest.mark.parametrize("path", ["later", "shown", "thread"])
async def test_with_a_revoked_token_a_response_url_is_used_which_needs_none(
    world: World, path: str
) -> None:
    await world.slack.people["alice"].command("/notify", "whoami @priya")
    await ask(world, path, then=lambda: revoke_token(world))
    await world.slack.people["alice"].sees(SENT)
    assert [find_rung(world, card) for card in cards(world)] == [HOOK]
    assert len(world.pushed()) == 1


def revoke_token(world: World) -> None:
    world.slack.api.bot_token = "xoxb-another"


@pytest.mark.parametrize("path", ["later", "shown", "thread", "nowhere"])
async def test_with_a_revoked_token_the_card_is_owed_for_as_long_as_it_takes(
    world: World, path: str
) -> None:
    """Longer than anything is kept: forty days."""
    right = world.slack.api.bot_token
    await world.slack.people["alice"].command("/notify", "whoami @priya")
    world.slack.faults.fail(HOOK, "used_url")
    await ask(world, path, then=lambda: revoke_token(world))
    for _ in range(4):
        await world.until_stored(is_put_off(world), replies)
        await world.forward(10 * 24 * 3600)
    await world.until_stored(is_put_off(world), replies)
    method = UPDATE if path == "shown" else POST
    assert (len(calls_to(world, method)), cards(world)) == (5, [])
    world.slack.api.bot_token = right
    await world.forward(300.001)
    await world.slack.people["alice"].sees(SENT)
    assert len(cards(world)) == len(world.pushed()) == 1


@pytest.mark.parametrize(
    "code", ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"]
)
async def test_every_word_for_a_wrong_token_is_waited_for(world: World, code: str) -> None:
    world.slack.faults.fail(POST, code, times=3)
    await ask(world, "nowhere")
    for _ in range(3):
        await see_put_off(world, 300, 300)
    await world.slack.people["alice"].sees(SENT)
    assert len(cards(world)) == 1


# Buttons, when Slack does not take what follows a press.


async def test_a_press_works_although_its_card_cannot_be_changed(world: World) -> None:
    alice = world.slack.people["alice"]
    world.crm.faults.next("push", FaultKind.MX_500)
    await alice.command("/notify", TYPED)
    card = await alice.sees("LeadSquared rejected it")
    world.slack.faults.fail(HOOK, "used_url")
    await alice.press(card, ActionId.RETRY, timestamp=time.time())
    again = await alice.sees(SENT)
    assert (again.via, card.action_ids) == (POST, [ActionId.RETRY])
    world.slack.faults.clear()
    await alice.press(card, ActionId.RETRY)
    await alice.sees("There is nothing left to send again here: it was done already.")
    assert len(world.pushed()) == 1
