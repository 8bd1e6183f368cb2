"""Every way in which LeadSquared can fail to tell who a person is; nobody is guessed."""

import time

import pytest

from bot.notification import State
from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.leadsquared.faults import RATE_LIMITS, Endpoint
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.test_crm_faults import (
    ALL_REFUSED,
    CHECK_KEYS,
    ENDINGS,
    SENT,
    TITLE,
    TYPED,
    Ending,
    calls_of,
    labels,
    open_still,
    press_and_see_it_sent,
    see_ending,
    see_gate_closed,
    see_outcome,
    see_pauses,
    send,
    without_seconds,
)
from tests.scenarios.world import World

AT_ONCE = {kind for kind, _, _ in ALL_REFUSED}
"""The kinds that would answer every other look-up alike; the others are repeated."""

NOT_TOLD = "❌ LeadSquared could not tell us who *{}* is, so nothing was sent. Press Retry later."
UNREACHABLE = (
    "❌ LeadSquared could not be reached, so nothing was sent to *Priya Nair*. Press Retry later."
)


def ended(sentence: str, code: str) -> Ending:
    return Ending(State.UNAVAILABLE, code, sentence, ActionId.RETRY)


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    return await open_still(open_world)


@pytest.mark.parametrize("kind", sorted(set(FaultKind) - AT_ONCE - RATE_LIMITS.keys()))
async def test_a_look_up_that_fails_once_is_repeated_and_then_it_is_sent(
    open_world: OpenWorld, kind: FaultKind
) -> None:
    world = await open_still(open_world, kind)
    world.crm.faults.next("users", kind)
    await world.slack.people["alice"].command("/notify", TYPED)
    await see_pauses(world, 1)
    await world.slack.people["alice"].sees(SENT)
    assert (len(calls_of(world, Endpoint.USERS)), len(calls_of(world))) == (2, 1)
    assert len(world.pushed()) == 1


@pytest.mark.parametrize("kind", RATE_LIMITS)
async def test_a_look_up_refused_for_rate_waits_for_the_gate(world: World, kind: FaultKind) -> None:
    world.crm.faults.next("users", kind)
    await world.slack.people["alice"].command("/notify", TYPED)
    await see_gate_closed(world)
    await see_pauses(world, 1)
    await world.forward(5)
    await world.slack.people["alice"].sees(SENT)
    first, second = calls_of(world, Endpoint.USERS)
    assert second.at - first.at >= 5
    assert len(world.pushed()) == 1


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.HANG, "unavailable"),
        (FaultKind.EMPTY_500, "unavailable"),
        (FaultKind.UNAVAILABLE_503, "unavailable"),
        (FaultKind.RESET_BEFORE, "unavailable"),
        (FaultKind.CUT_BODY, "unavailable"),
        (FaultKind.HTML_200, "unavailable"),
        (FaultKind.NULL_200, "unavailable"),
        (FaultKind.BROKEN_JSON_200, "unavailable"),
        (FaultKind.MX_500, "rejected"),
    ],
)
async def test_a_look_up_that_goes_on_failing_is_given_up_after_five_repeats(
    open_world: OpenWorld, kind: FaultKind, code: str
) -> None:
    world = await open_still(open_world, kind)
    world.crm.faults.always("users", kind)
    await world.slack.people["alice"].command("/notify", TYPED)
    await see_pauses(world, 5)
    card = await see_ending(world, ended(NOT_TOLD.format("Priya Nair"), code), attempts=0)
    assert (len(calls_of(world, Endpoint.USERS)), calls_of(world)) == (6, [])
    world.crm.faults.clear()
    await press_and_see_it_sent(world, card)
    assert (len(calls_of(world, Endpoint.USERS)), len(calls_of(world))) == (7, 1)


async def test_a_look_up_without_a_connection_is_given_up_after_five_repeats(
    world: World,
) -> None:
    await world.crm.refuse_connections()
    await world.slack.people["alice"].command("/notify", TYPED)
    await see_pauses(world, 5)
    card = await see_ending(world, ended(UNREACHABLE, "connect"), attempts=0)
    await world.crm.accept_connections()
    await press_and_see_it_sent(world, card)


@pytest.mark.parametrize("kind", sorted(AT_ONCE))
async def test_keys_rights_and_address_end_a_look_up_at_once(world: World, kind: FaultKind) -> None:
    world.crm.faults.always("users", kind)
    await world.slack.people["alice"].command("/notify", TYPED)
    card = await see_ending(world, ENDINGS[kind], attempts=0)
    assert (len(calls_of(world, Endpoint.USERS)), calls_of(world)) == (1, [])
    world.crm.faults.clear()
    await press_and_see_it_sent(world, card)


@pytest.mark.parametrize(("kind", "why", "advice"), ALL_REFUSED)
async def test_one_refused_look_up_speaks_for_all_recipients(
    world: World, kind: FaultKind, why: str, advice: str
) -> None:
    world.crm.faults.always("users", kind)
    card = await send(world, "@priya @lee @dev Callback due | Asha")
    assert without_seconds(card.text) == (
        "❌ None of 3 sent: “Callback due”.\n"
        f"3 failed: *Priya Nair*, *Lee Wong*, *Dev Shah* ({why}).\n{advice}"
    )
    assert labels(card) == ["Retry 3", "Details"]
    assert (len(calls_of(world, Endpoint.USERS)), calls_of(world)) == (1, [])


async def test_who_is_known_is_sent_to_while_nobody_else_can_be_found(world: World) -> None:
    await world.slack.people["alice"].command("/notify", "whoami @priya")
    await world.forward(601)  # the roster is old, the link is not
    world.crm.faults.always("users", FaultKind.EMPTY_500)
    alice = world.slack.people["alice"]
    typed = "@priya @lee Callback due | Asha"
    await alice.command("/notify", typed, timestamp=time.time())
    await world.crm.until(lambda: len(world.crm.pushes) == 1)
    await see_pauses(world, 5)
    card = await see_outcome(world)
    assert without_seconds(card.text).startswith("⚠️ 1 of 2 sent in ")
    assert card.text.endswith("1 failed: *Lee Wong* (LeadSquared could not be asked).")
    world.crm.faults.clear()
    await alice.press(card, ActionId.RETRY, timestamp=time.time())
    await alice.sees("✅ 2 of 2 sent in")
    assert len(calls_of(world)) == len(world.pushed()) == 2


async def test_a_miss_that_cannot_be_checked_makes_nobody_unlinked(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@priya First | one")
    await alice.sees("“First”")
    await world.forward(61)
    world.crm.faults.always("user_by_email", FaultKind.HTML_200)
    await alice.command("/notify", "@omar Callback due | Asha")
    await see_pauses(world, 5)
    card = await see_outcome(world)
    assert card.text == NOT_TOLD.format("Omar Aziz") + TITLE
    assert len(calls_of(world, Endpoint.USER_BY_EMAIL)) == 6
    world.crm.faults.clear()
    await alice.press(card, ActionId.RETRY)
    told = await alice.sees("*Omar Aziz* has no LeadSquared user: nobody there has")
    assert labels(told) == ["Retry"]
    assert len(world.pushed()) == 1


async def test_a_key_owner_who_cannot_be_named_leaves_the_other_unsent(world: World) -> None:
    """Priya might be the key owner; without an answer a push to her could be the second one."""
    world.crm.faults.always("whoami", FaultKind.UNAUTHORIZED_401)
    card = await send(world, "key-owner @priya Callback due | Asha")
    assert without_seconds(card.text) == (
        "⚠️ 1 of 2 sent in N s: “Callback due”.\n"
        f"1 failed: *Priya Nair* (LeadSquared refused our keys).\n{CHECK_KEYS}"
    )
    assert [push.get("UserId") for push in world.pushed()] == [None]
    world.crm.faults.clear()
    await world.slack.people["alice"].press(card, ActionId.RETRY)
    await world.slack.people["alice"].sees("✅ 2 of 2 sent in")
    assert [push.get("UserId") for push in world.pushed()][1:] == [world.crm_id("priya@acme.com")]
