"""Every way in which LeadSquared can fail a push, and what the sender reads then."""

import re
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from bot.notification import State
from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.leadsquared.faults import AFTER_ACCEPTING, RATE_LIMITS, Endpoint
from bot.sandbox.leadsquared.meter import Refusal
from bot.sandbox.leadsquared.server import Call
from bot.sandbox.slack import Message
from bot.store.tables import gates
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import Rows, World

TYPED = "@priya Callback due | Asha asked for 3 pm"
SENT = "✅ Sent to LeadSquared for *Priya Nair*: “Callback due”."
TITLE = "\n“Callback due”"

BLOCKED = (
    "Browser notifications may also be blocked there: in Chrome, open "
    "`chrome://settings/content/notifications` and make sure LeadSquared is under Allowed; in "
    "Firefox, on the LeadSquared page, click the padlock, then Connection secure, More "
    "information, Permissions, and allow Send Notifications."
)
UNCERTAIN = (
    "⚠️ LeadSquared gave no clear answer for *Priya Nair*, so this one may or may not have "
    "arrived. It was not repeated. Ask them, then press Send again if it is missing."
)
CHECK_KEYS = (
    "An admin should check LEADSQUARED_ACCESS_KEY, LEADSQUARED_SECRET_KEY and LEADSQUARED_URL."
)
CHECK_RIGHTS = "An admin should check the rights of the user that the keys belong to."
CHECK_URL = "An admin should check LEADSQUARED_URL."

PATIENCE = 0.5
"""Seconds of LEADSQUARED_TIMEOUT where LeadSquared hangs: these pass in real time."""
HANGING = {FaultKind.HANG, FaultKind.HANG_AFTER, FaultKind.TRICKLE}

PAUSES = [(2.5, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 40.0), (30.0, 60.0)]
"""Seconds before each repeat: at least and at most."""


@dataclass(frozen=True)
class Ending:
    """Where a push ends: for good, or until a person presses the button."""

    state: State
    code: str
    sentence: str
    button: ActionId


def rejected(said: str) -> Ending:
    told = f": “{said}”" if said.endswith(".") else f": “{said}”."
    sentence = f"❌ LeadSquared rejected it for *Priya Nair*{told} Nothing was sent. {BLOCKED}"
    return Ending(State.REJECTED, "rejected", sentence, ActionId.RETRY)


def denied(status: int, sentence: str) -> Ending:
    return Ending(State.REJECTED, f"access_{status}", f"❌ {sentence}", ActionId.RETRY)


REDIRECTED = Ending(
    State.REJECTED,
    "redirected",
    f"❌ LeadSquared's address sent us elsewhere, so nothing was sent. {CHECK_URL}",
    ActionId.RETRY,
)
UNTYPED = Ending(
    State.REJECTED,
    "untyped",
    "❌ LeadSquared refused it without saying why. Nothing was sent. If it stays so, an admin "
    "should look into the log.",
    ActionId.RETRY,
)
UNKNOWN = Ending(State.UNKNOWN, "uncertain", UNCERTAIN, ActionId.SEND_AGAIN)

ENDINGS = {
    FaultKind.MX_500: rejected("Refused by the stand-in, status 500."),
    FaultKind.MX_400: rejected("Invalid Input! Parameter Name: Title"),
    FaultKind.MX_200: rejected("Duplicate entry 'x'"),
    FaultKind.MX_WITHOUT_STATUS: rejected("Attribute(s) does not exist - mx_A."),
    FaultKind.REDIRECT_302: REDIRECTED,
    FaultKind.TEAPOT_418: UNTYPED,
    FaultKind.UNAUTHORIZED_401: denied(
        401,
        f"LeadSquared refused our keys, so nothing was sent. {CHECK_KEYS} "
        "LeadSquared said: “Invalid Access Details provided.”",
    ),
    FaultKind.FORBIDDEN_403: denied(
        403, f"LeadSquared does not let our keys do this, so nothing was sent. {CHECK_RIGHTS}"
    ),
    FaultKind.NOT_FOUND_404: denied(
        404, f"LeadSquared has nothing at the address we use, so nothing was sent. {CHECK_URL}"
    ),
    FaultKind.NULL_REFERENCE: UNKNOWN,
    FaultKind.EMPTY_200: UNKNOWN,
    FaultKind.HTML_200: UNKNOWN,
    FaultKind.BROKEN_JSON_200: UNKNOWN,
    FaultKind.NULL_200: UNKNOWN,
    FaultKind.ERROR_WITHOUT_TYPE_200: UNKNOWN,
    FaultKind.EMPTY_500: UNKNOWN,
    FaultKind.HTML_502: UNKNOWN,
    FaultKind.HANG: UNKNOWN,
    FaultKind.HANG_AFTER: UNKNOWN,
    FaultKind.RESET_BEFORE: UNKNOWN,
    FaultKind.RESET_AFTER: UNKNOWN,
    FaultKind.CLOSE_AFTER: UNKNOWN,
    FaultKind.CUT_BODY: UNKNOWN,
    FaultKind.TRICKLE: UNKNOWN,
    FaultKind.HUGE_BODY: UNKNOWN,
    FaultKind.GZIP_BOMB: UNKNOWN,
}
"""The kinds that end a push at its first call; the others are repeated."""

REPEATED = {*RATE_LIMITS, FaultKind.UNAVAILABLE_503}


async def open_still(open_world: OpenWorld, kind: FaultKind | None = None) -> World:
    """Open a world in which time moves by `forward` alone."""
    world = await open_world(**({"leadsquared_timeout": PATIENCE} if kind in HANGING else {}))
    world.clock.stand_still()
    return world


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    return await open_still(open_world)


def test_every_switch_has_a_scenario() -> None:
    assert ENDINGS.keys() | REPEATED == set(FaultKind)
    assert not ENDINGS.keys() & REPEATED


def calls_of(world: World, endpoint: Endpoint = Endpoint.PUSH) -> list[Call]:
    return [call for call in world.crm.calls if call.endpoint is endpoint]


def labels(card: Message) -> list[str]:
    return re.findall(r"\[([^\]]+)\]", card.shown)


def without_seconds(text: str) -> str:
    return re.sub(r"\d+ s:", "N s:", text)


async def send(world: World, typed: str = TYPED) -> Message:
    """Let Alice send something, and return its card."""
    alice = world.slack.people["alice"]
    await alice.command("/notify", typed)
    return await see_outcome(world)


async def see_outcome(world: World, text: str = "“Callback due”") -> Message:
    """Wait until the newest card that Alice sees shows no progress any more, and return it."""
    alice = world.slack.people["alice"]

    def find() -> Message | None:
        cards = [one for one in world.slack.workspace.visible_to(alice, None) if text in one.shown]
        return cards[-1] if cards and not cards[-1].text.startswith("⏳") else None

    await world.slack.until(lambda _: find() is not None)
    card = find()
    assert card is not None
    return card


async def see_ending(world: World, ending: Ending, *, attempts: int) -> Message:
    """Wait for Alice's card and hold it, and what is stored, against what is promised."""
    card = await see_outcome(world)
    assert card.text == ending.sentence + TITLE
    assert labels(card) == ["Send again" if ending.button is ActionId.SEND_AGAIN else "Retry"]
    assert card.action_ids == [ending.button]
    (row,) = world.read()
    assert (row.state, row.code, row.attempt) == (ending.state, ending.code, attempts)
    return card


async def press_and_see_it_sent(world: World, card: Message) -> None:
    """Press the card's one button after the fault has ended; it brings exactly one push."""
    alice = world.slack.people["alice"]
    pushes = len(world.crm.pushes)
    await alice.press(card, card.action_ids[0])
    again = await alice.sees(SENT)
    assert again.action_ids == []
    await world.slack.until(lambda _: card.action_ids == [])
    assert "Alice Rao is sending it again; the new result appears below." in card.shown
    assert len(world.crm.pushes) == pushes + 1
    assert [row.state for row in world.read()] == [State.SENT]


@pytest.mark.parametrize("kind", ENDINGS)
async def test_a_push_that_goes_wrong_is_called_once_and_a_button_sends_it(
    open_world: OpenWorld, kind: FaultKind
) -> None:
    world = await open_still(open_world, kind)
    world.crm.faults.always("push", kind)
    await world.slack.people["alice"].command("/notify", TYPED)
    card = await see_ending(world, ENDINGS[kind], attempts=1)
    assert len(world.crm.pushes) == (1 if kind in AFTER_ACCEPTING else 0)
    world.crm.faults.clear()
    await world.forward(200)  # nothing repeats it
    await press_and_see_it_sent(world, card)
    assert len(calls_of(world)) == 2


# What is repeated, and how often.


async def see_pauses(world: World, count: int) -> None:
    """Follow a delivery through its repeats, each no sooner and no later than promised."""
    for number, (least, most) in enumerate(PAUSES[:count], 1):
        rows = await world.until_stored(partial(find_waiting, repeats=number))
        due_at = find_waiting(rows, number).due_at
        assert least <= due_at - world.clock.time() <= most
        await world.forward_to(due_at)


def find_waiting(rows: Rows, repeats: int) -> Any:
    """Return the delivery that waits for this repeat."""
    wanted = (repeats, State.PENDING)
    return next((row for row in rows if (row.repeats, row.state) == wanted), None)


async def test_a_busy_leadsquared_is_asked_three_times_more_and_then_given_up(
    world: World,
) -> None:
    world.crm.faults.always("push", FaultKind.UNAVAILABLE_503)
    await world.slack.people["alice"].command("/notify", TYPED)
    await see_pauses(world, 3)
    sentence = "❌ LeadSquared was busy, so nothing was sent to *Priya Nair*. Press Retry later."
    ending = Ending(State.UNAVAILABLE, "busy", sentence, ActionId.RETRY)
    card = await see_ending(world, ending, attempts=4)
    assert (len(calls_of(world)), world.pushed()) == (4, [])
    world.crm.faults.clear()
    await press_and_see_it_sent(world, card)
    assert len(calls_of(world)) == 5


async def test_an_unreachable_leadsquared_is_tried_five_times_more_and_then_given_up(
    world: World,
) -> None:
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", "whoami @priya")
    assert "is *Priya Nair* (priya@acme.com) in LeadSquared" in reply.text
    await world.crm.refuse_connections()
    began = world.clock.time()
    await alice.command("/notify", TYPED)
    await see_pauses(world, 5)
    assert world.clock.time() - began < 150
    sentence = (
        "❌ LeadSquared could not be reached, so nothing was sent to *Priya Nair*. "
        "Press Retry later."
    )
    ending = Ending(State.UNAVAILABLE, "connect", sentence, ActionId.RETRY)
    card = await see_ending(world, ending, attempts=6)
    await world.crm.accept_connections()
    assert calls_of(world) == []
    await press_and_see_it_sent(world, card)
    assert len(calls_of(world)) == 1


@pytest.mark.parametrize(
    ("kind", "count"), [(FaultKind.UNAVAILABLE_503, 3), (FaultKind.UNAVAILABLE_503, 1)]
)
async def test_a_leadsquared_that_is_busy_for_a_while_gets_it_once_in_the_end(
    world: World, kind: FaultKind, count: int
) -> None:
    world.crm.faults.next("push", kind, times=count)
    await world.slack.people["alice"].command("/notify", TYPED)
    await see_pauses(world, count)
    await world.slack.people["alice"].sees(SENT)
    assert (len(calls_of(world)), len(world.pushed())) == (count + 1, 1)


@pytest.mark.parametrize("kind", RATE_LIMITS)
@pytest.mark.parametrize(
    ("retry_after", "closed"), [(None, 5.0), ("17", 17.0), ("3600", 60.0), ("soon", 5.0)]
)
async def test_a_refusal_for_rate_closes_the_gate_teaches_it_and_is_repeated(
    world: World, kind: FaultKind, retry_after: str | None, closed: float
) -> None:
    world.crm.refusal = Refusal(retry_after=retry_after, limit=10)
    world.crm.faults.next("push", kind)
    alice = world.slack.people["alice"]
    await alice.command("/notify", TYPED)
    (gate,) = await world.until_stored(lambda rows: any(row.probing for row in rows), gates)
    assert closed <= gate.closed_until - world.clock.time() <= closed + 0.01
    assert (gate.learned_limit, gate.learned_period) == (10, 5.0)
    (row,) = world.read()
    assert (row.state, row.repeats) == (State.PENDING, 0)
    second = await alice.command("/notify", "@lee Waits | too")
    assert "Queued for 1 person" in second.text
    await world.forward(closed + 0.1)
    assert (await alice.sees("“Callback due”")).text == SENT
    await alice.sees("✅ Sent to LeadSquared for *Lee Wong*: “Waits”.")
    first, *others = calls_of(world)
    assert len(others) == len(world.pushed()) == 2
    assert min(call.at for call in others) - first.at >= closed
    (gate,) = world.read(gates)
    assert (gate.probing, gate.learned_limit) == (False, 10)


async def see_gate_closed(world: World) -> None:
    now = world.clock.time()
    await world.until_stored(lambda rows: any(row.closed_until > now for row in rows), gates)


async def test_a_probe_that_is_refused_closes_the_gate_once_more(world: World) -> None:
    world.crm.faults.next("push", FaultKind.RATE_LIMIT_429, times=3)
    await world.slack.people["alice"].command("/notify", TYPED)
    for _ in range(3):
        await see_gate_closed(world)
        await world.forward(5.1)
    await world.slack.people["alice"].sees(SENT)
    times = [call.at for call in calls_of(world)]
    assert len(times) == 4
    assert all(later - time >= 5 for time, later in pairwise(times))
    assert len(world.pushed()) == 1


async def test_while_one_call_probes_the_gate_all_others_wait(world: World) -> None:
    world.crm.faults.next("push", FaultKind.RATE_LIMIT_429)
    world.crm.faults.next("push", FaultKind.HANG)
    alice = world.slack.people["alice"]
    await alice.command("/notify", TYPED)
    await see_gate_closed(world)
    await alice.command("/notify", "@lee @dev Waits | too")
    await world.forward(5.1)
    await world.crm.until(lambda: len(calls_of(world)) == 2)
    await world.forward(2)
    await alice.command("/notify", "status")
    answered = world.clock.time()
    world.crm.release()
    await alice.sees("2 of 2 sent in")
    assert min(call.at for call in calls_of(world)[2:]) >= answered
    assert (len(calls_of(world)), len(world.pushed())) == (4, 3)


# Where the first refusal speaks for the rest.

ALL_REFUSED = [
    (FaultKind.UNAUTHORIZED_401, "LeadSquared refused our keys", CHECK_KEYS),
    (FaultKind.FORBIDDEN_403, "LeadSquared denied access", CHECK_RIGHTS),
    (FaultKind.NOT_FOUND_404, "LeadSquared's address is wrong", CHECK_URL),
]
ONE_AT_A_TIME = {"leadsquared_rate_limit": 1, "leadsquared_rate_period": 0.05}


@pytest.mark.parametrize(("kind", "why", "advice"), ALL_REFUSED)
async def test_keys_rights_and_address_are_tried_once_for_all_recipients(
    open_world: OpenWorld, kind: FaultKind, why: str, advice: str
) -> None:
    world = await open_world(**ONE_AT_A_TIME)
    world.crm.faults.always("push", kind)
    card = await send(world, "@priya @lee @dev Callback due | Asha")
    assert without_seconds(card.text) == (
        "❌ None of 3 sent: “Callback due”.\n"
        f"3 failed: *Priya Nair*, *Lee Wong*, *Dev Shah* ({why}).\n{advice}"
    )
    assert labels(card) == ["Retry 3", "Details"]
    assert {(row.state, row.attempt) for row in world.read()} == {("rejected", 0), ("rejected", 1)}
    assert len(calls_of(world)) == 1
    world.crm.faults.clear()
    await world.slack.people["alice"].press(card, ActionId.RETRY)
    await world.slack.people["alice"].sees("✅ 3 of 3 sent in")
    assert (len(calls_of(world)), len(world.pushed())) == (4, 3)


@pytest.mark.parametrize(("kind", "why", "advice"), ALL_REFUSED)
async def test_who_was_sent_to_before_a_refusal_for_all_stays_sent_to(
    open_world: OpenWorld, kind: FaultKind, why: str, advice: str
) -> None:
    world = await open_world(**ONE_AT_A_TIME)
    world.crm.faults.for_user(world.crm_id("lee.wong@acme.com"), kind)
    card = await send(world, "@priya @lee @dev Callback due | Asha")
    assert without_seconds(card.text) == (
        "⚠️ 1 of 3 sent in N s: “Callback due”.\n"
        f"2 failed: *Lee Wong*, *Dev Shah* ({why}).\n{advice}"
    )
    assert labels(card) == ["Retry 2", "Details"]
    assert len(calls_of(world)) == 2
    world.crm.faults.clear()
    await world.slack.people["alice"].press(card, ActionId.RETRY)
    await world.slack.people["alice"].sees("✅ 3 of 3 sent in")
    assert [push["UserId"] for push in world.pushed()] == [
        world.crm_id(f"{name}@acme.com") for name in ("priya", "lee.wong", "dev")
    ]


async def test_one_card_tells_every_fate_of_its_recipients_and_offers_what_fits(
    world: World,
) -> None:
    world.crm.faults.for_user(world.crm_id("lee.wong@acme.com"), FaultKind.MX_500)
    world.crm.faults.for_user(world.crm_id("dev@acme.com"), FaultKind.RESET_AFTER)
    card = await send(world, "@priya @lee @dev @omar @inactive Callback due | Asha")
    assert without_seconds(card.text) == (
        "⚠️ 1 of 5 sent in N s: “Callback due”.\n"
        "2 not linked: *Omar Aziz* (no LeadSquared user); "
        "*Ina Ctive* (deactivated in LeadSquared).\n"
        "1 uncertain, not repeated: *Dev Shah* (no clear answer from LeadSquared).\n"
        "1 failed: *Lee Wong* (LeadSquared rejected it)."
    )
    assert labels(card) == ["Retry 3", "Send again 1", "Details"]
    world.crm.faults.clear()
    await world.slack.people["alice"].press(card, ActionId.RETRY)
    again = await world.slack.people["alice"].sees("2 of 5 sent in")
    assert labels(again) == ["Retry 2", "Send again 1", "Details"]
    assert len(calls_of(world)) == 4  # Dev's is for a person to decide
    await world.slack.people["alice"].press(again, ActionId.SEND_AGAIN)
    await world.slack.people["alice"].sees("3 of 5 sent in")
    assert len(calls_of(world)) == 5
