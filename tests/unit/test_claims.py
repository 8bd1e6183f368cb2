from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Row

from bot.errors import (
    CrmAccessError,
    CrmBusyError,
    CrmConnectError,
    CrmRateLimitedError,
    CrmUncertainError,
)
from bot.notification import Notification, Outcome, State
from bot.store.claims import LEASE_RAN_OUT, TOO_LATE, Claim, Claims
from bot.store.database import Database
from bot.store.gate import INTERACTIVE_RECIPIENTS, GateStore, Limits, Permit, Wait
from tests.clock import FrozenClock
from tests.store import ACCOUNT, DELIVER_WITHIN, LIMITS, Store, acceptance

TICK = 0.01
SENT = Outcome(State.SENT)
UNCERTAIN = Outcome(State.UNKNOWN, "uncertain", "Bad gateway")
REFUSED = Outcome(State.REJECTED, "access_401", "Invalid keys")
MANY = Limits(limit=50, period=5.0, reserved=2, timeout=10.0)


@pytest.fixture
async def wide(database: Database) -> Store:
    """A store whose slots are never the question."""
    store = Store(database, MANY)
    await store.gate.prepare()
    return store


async def claim_all(store: Store) -> list[Claim]:
    claims = []
    while isinstance(claim := await store.claims.claim(), Claim):
        claims.append(claim)
    return claims


# From accepted to sent.


async def test_a_claim_has_all_that_a_push_needs(store: Store) -> None:
    notification = await store.accept("UA")
    await store.resolve(UA="g1")
    claim = await store.claim()
    assert claim.notification_id == notification
    assert claim.notification == Notification("Title", "Content k1")
    assert (claim.crm_user_id, claim.attempt, claim.repeats) == ("g1", 1, 0)


async def test_a_delivery_goes_from_accepted_to_sent(store: Store, clock: FrozenClock) -> None:
    await store.accept("")
    assert await store.claims.peek()
    claim = await store.claim()
    assert await store.states() == ["sending"]
    assert not await store.claims.peek()
    clock.forward(1)
    assert await store.claims.settle(claim, SENT, None)
    (row,) = await store.rows()
    assert (row.state, row.settled_at, row.lease_until) == ("sent", clock.time(), None)


async def test_with_nothing_to_send_no_slot_is_taken(store: Store) -> None:
    assert not await store.claims.peek()
    assert await store.claims.claim() is None
    for key in ("k1", "k2", "k3"):
        await store.accept("", key=key)
    assert len(await claim_all(store)) == 3


async def test_who_is_not_resolved_is_not_claimed(store: Store) -> None:
    await store.accept("UA")
    assert not await store.claims.peek()
    assert await store.claims.claim() is None


async def test_without_a_slot_the_delivery_stays_pending(store: Store) -> None:
    for key in ("k1", "k2", "k3", "k4"):
        await store.accept("", key=key)
    await claim_all(store)
    assert await store.states() == ["sending"] * 3 + ["pending"]
    assert isinstance(await store.claims.claim(), Wait)
    assert await store.claims.peek()


async def test_slots_reopen_one_period_after_the_response(store: Store, clock: FrozenClock) -> None:
    for key in ("k1", "k2", "k3", "k4"):
        await store.accept("", key=key)
    claims = await claim_all(store)
    clock.forward(1)
    for claim in claims:
        await store.claims.settle(claim, SENT, None)
    clock.forward(4.9)
    assert isinstance(await store.claims.claim(), Wait)
    clock.forward(0.2)
    assert await store.claim()


# Order.


async def test_the_lowest_position_is_next_then_the_oldest(wide: Store) -> None:
    await wide.accept("UA", "UB", "UC", key="k1")
    await wide.accept("UD", "UE", key="k2")
    await wide.accept("UF", key="k3")
    await wide.resolve(UA="a", UB="b", UC="c", UD="d", UE="e", UF="f")
    claimed = [claim.crm_user_id for claim in await claim_all(wide)]
    assert claimed == ["a", "d", "f", "b", "e", "c"]


async def test_a_single_notification_passes_a_thousand_recipients(wide: Store) -> None:
    users = [f"U{number}" for number in range(1000)]
    await wide.accept(*users, key="k1")
    await wide.resolve(**{user: user.lower() for user in users})
    assert [(await wide.claim()).crm_user_id for _ in range(3)] == ["u0", "u1", "u2"]
    await wide.accept("UX", key="k2")
    await wide.resolve(UX="x")
    assert [(await wide.claim()).crm_user_id for _ in range(2)] == ["x", "u3"]


async def test_a_repeat_that_is_due_goes_by_its_position_like_all_the_others(
    wide: Store, clock: FrozenClock
) -> None:
    await wide.accept("UA", "UB", key="k1")
    await wide.resolve(UA="a", UB="b")
    for seconds in (3.0, 2.0):
        claim = await wide.claim()
        await wide.claims.repeat(claim, CrmConnectError(), seconds=seconds, counts=True)
    clock.forward(3)  # b is due longer, a has been served as little as k2
    await wide.accept("", key="k2")
    claimed = [claim.crm_user_id for claim in await claim_all(wide)]
    assert claimed == ["a", "KEY_OWNER", "b"]


async def test_the_first_twenty_recipients_may_use_the_reserve(database: Database) -> None:
    limits = Limits(limit=23, period=5.0, reserved=2, timeout=10.0)
    store = Store(database, limits)
    await store.gate.prepare()
    users = [f"U{number}" for number in range(24)]
    await store.accept(*users, key="k1")
    await store.resolve(**{user: user.lower() for user in users})
    assert len(await claim_all(store)) == 23 - 2
    for _ in range(2):
        await store.accept("", key=f"single{_}")
    assert [claim.crm_user_id for claim in await claim_all(store)] == ["KEY_OWNER"] * 2


@pytest.mark.parametrize(("position", "claimed"), [(0, True), (19, True), (20, False)])
async def test_with_only_the_reserve_free_the_position_decides(
    store: Store, position: int, claimed: bool
) -> None:
    assert INTERACTIVE_RECIPIENTS == 20
    await store.accept("", key="k1")
    await store.accept("", key="k2")
    assert len(await claim_all(store)) == 2
    await store.accept("UA", key="k3")
    await store.resolve(UA="a")
    await store.execute(
        "UPDATE deliveries SET position = :position WHERE slack_user_id = 'UA'",
        {"position": position},
    )
    assert isinstance(await store.claims.claim(), Claim) is claimed


class GateBesideAButton(GateStore):
    """A gate at which, on Postgres, a button is pressed between the look and the claim."""

    def take(self, connection: Connection, gate: Row[Any], *, interactive: bool) -> Permit | Wait:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'cancelled'")
        return super().take(connection, gate, interactive=interactive)


async def test_what_is_taken_back_at_the_last_moment_is_not_claimed_and_costs_no_slot(
    store: Store,
) -> None:
    await store.accept("")
    gate = GateBesideAButton(store.database, LIMITS, ACCOUNT)
    assert await Claims(store.database, gate).claim() is None
    assert await store.states() == ["cancelled"]
    for key in ("k2", "k3", "k4"):
        await store.accept("", key=key)
    assert len(await claim_all(store)) == 3


# Repeats.


async def test_a_delivery_not_taken_waits_before_it_is_claimed_again(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("")
    claim = await store.claim()
    assert await store.claims.repeat(claim, CrmBusyError("later"), seconds=4, counts=True)
    (row,) = await store.rows()
    assert (row.state, row.code, row.due_at) == ("pending", "busy", clock.time() + 4)
    clock.forward(4 - TICK)
    assert not await store.claims.peek()
    assert await store.claims.claim() is None
    clock.forward(TICK)
    assert await store.claims.peek()
    again = await store.claim()
    assert (again.attempt, again.repeats) == (2, 1)


async def test_a_repeat_that_does_not_count_leaves_the_number(store: Store) -> None:
    await store.accept("")
    claim = await store.claim()
    await store.claims.repeat(claim, CrmConnectError(), seconds=0, counts=False)
    assert ((await store.claim()).attempt, claim.repeats) == (2, 0)


async def test_a_repeat_gives_its_slot_back_one_period_later(
    store: Store, clock: FrozenClock
) -> None:
    for key in ("k1", "k2", "k3"):
        await store.accept("", key=key)
    for claim in await claim_all(store):
        await store.claims.repeat(claim, CrmConnectError(), seconds=0, counts=True)
    assert isinstance(await store.claims.claim(), Wait)
    clock.forward(LIMITS.period + TICK)
    assert len(await claim_all(store)) == 3


async def test_a_refusal_closes_the_gate_and_one_probe_reopens_it(
    store: Store, clock: FrozenClock
) -> None:
    for key in ("k1", "k2", "k3"):
        await store.accept("", key=key)
    claim = await store.claim()
    error = CrmRateLimitedError("", limit=2, period=5)
    assert await store.claims.repeat(claim, error, seconds=0, counts=False)
    assert isinstance(await store.claims.claim(), Wait)
    clock.forward(5.1)
    probe = await store.claim()
    assert isinstance(await store.claims.claim(), Wait)
    await store.claims.settle(probe, SENT, None)
    assert isinstance(await store.claims.claim(), Claim)
    limits, closed = await store.gate.read()
    assert (limits.limit, closed) == (2, 0.0)


async def test_what_is_handed_back_was_never_called_so_slot_and_delivery_are_free_at_once(
    store: Store,
) -> None:
    for key in ("k1", "k2", "k3"):
        await store.accept("", key=key)
    claims = await claim_all(store)
    await store.claims.hand_back(claims[0])
    assert await store.states() == ["pending", "sending", "sending"]
    again = await store.claim()
    assert again.delivery_id == claims[0].delivery_id
    assert (again.attempt, again.repeats) == (2, 0)


# Age.


async def test_what_is_too_old_is_never_claimed_and_ends_as_too_late(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("", "UA")
    clock.forward(DELIVER_WITHIN - TICK)
    assert await store.claims.peek()
    assert await store.claims.sweep() == 0
    clock.forward(TICK)
    assert not await store.claims.peek()
    assert await store.claims.claim() is None
    assert await store.claims.sweep() == 2
    rows = await store.rows()
    assert [(row.state, row.code) for row in rows] == [("unavailable", TOO_LATE)] * 2
    assert {row.settled_at for row in rows} == {clock.time()}
    assert await store.claims.sweep() == 0


async def test_what_is_being_sent_does_not_grow_too_old(store: Store, clock: FrozenClock) -> None:
    await store.accept("")
    clock.forward(DELIVER_WITHIN - 1)
    claim = await store.claim()
    clock.forward(2)
    assert await store.claims.sweep() == 0
    assert await store.claims.settle(claim, SENT, None)
    assert await store.states() == ["sent"]


async def test_what_waits_for_a_repeat_grows_too_old_as_well(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("")
    clock.forward(DELIVER_WITHIN - 1)
    await store.claims.repeat(await store.claim(), CrmBusyError(), seconds=60, counts=True)
    clock.forward(2)
    assert await store.claims.sweep() == 1
    (row,) = await store.rows()
    assert (row.state, row.code) == ("unavailable", TOO_LATE)


# Leases and fencing.


async def test_a_lease_that_ran_out_is_unknown(store: Store, clock: FrozenClock) -> None:
    await store.accept("")
    await store.claim()
    clock.forward(LIMITS.lease - TICK)
    assert await store.claims.sweep() == 0
    clock.forward(2 * TICK)
    assert await store.claims.sweep() == 1
    (row,) = await store.rows()
    assert (row.state, row.code, row.settled_at) == ("unknown", LEASE_RAN_OUT, clock.time())
    assert row.lease_until is None
    assert not await store.claims.peek()


async def lose(store: Store, clock: FrozenClock) -> Claim:
    """Return a claim whose process seemed dead for longer than its lease."""
    await store.accept("", "UA")
    await store.resolve(UA="KEY_OWNER")
    claim = await store.claim()
    clock.forward(LIMITS.lease + TICK)
    await store.claims.sweep()
    assert await store.states() == ["unknown"] * 2
    return claim


async def test_a_late_result_corrects_what_the_lease_left_and_its_twin(
    store: Store, clock: FrozenClock
) -> None:
    claim = await lose(store, clock)
    assert await store.claims.settle(claim, SENT, None)
    assert [(row.state, row.code) for row in await store.rows()] == [("sent", None)] * 2


async def test_a_late_result_is_told_though_unknown_was_told_before(
    store: Store, clock: FrozenClock
) -> None:
    claim = await lose(store, clock)
    told = await store.take_debt()
    await store.debts.pay(told.id)
    assert await store.debts.take() is None
    await store.claims.settle(claim, SENT, None)
    correction = await store.take_debt()
    assert correction.id == told.id
    assert {each.state for each in correction.report.deliveries} == {State.SENT}


async def test_a_result_in_time_is_told_once(store: Store) -> None:
    await store.accept("")
    await store.settle()
    await store.debts.pay((await store.take_debt()).id)
    assert await store.debts.take() is None


async def test_a_late_answer_that_the_crm_did_not_take_it_ends_it_as_we_said_no_repeat(
    store: Store, clock: FrozenClock
) -> None:
    claim = await lose(store, clock)
    assert await store.claims.repeat(claim, CrmBusyError("later"), seconds=0, counts=True)
    rows = await store.rows()
    assert [(row.state, row.code, row.detail) for row in rows] == [
        ("unavailable", "busy", "later")
    ] * 2
    assert not await store.claims.peek()
    assert (await store.take_debt()).report.deliveries[0].state is State.UNAVAILABLE


async def test_what_is_handed_back_after_its_lease_stays_unknown(
    store: Store, clock: FrozenClock
) -> None:
    claim = await lose(store, clock)
    await store.claims.hand_back(claim)
    assert await store.states() == ["unknown"] * 2


async def test_a_late_refusal_of_access_condemns_nobody(store: Store, clock: FrozenClock) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UA="a", UB="b")
    claim = await store.claim()
    clock.forward(LIMITS.lease + TICK)
    await store.claims.sweep()
    error = CrmAccessError(status=401)
    assert await store.claims.settle(claim, REFUSED, error, condemns=True)
    assert await store.states() == ["rejected", "pending"]


async def test_a_correction_that_comes_while_the_reply_is_being_paid_is_not_lost(
    store: Store, clock: FrozenClock
) -> None:
    claim = await lose(store, clock)
    told = await store.take_debt()
    await store.claims.settle(claim, SENT, None)
    await store.debts.pay(told.id)
    assert (await store.take_debt()).report.deliveries[0].state is State.SENT


async def test_a_result_is_stored_once(store: Store) -> None:
    await store.accept("")
    claim = await store.claim()
    assert await store.claims.settle(claim, UNCERTAIN, CrmUncertainError())
    assert not await store.claims.settle(claim, SENT, None)
    assert not await store.claims.repeat(claim, CrmConnectError(), seconds=0, counts=True)
    await store.claims.hand_back(claim)
    (row,) = await store.rows()
    assert (row.state, row.code, row.detail) == ("unknown", "uncertain", "Bad gateway")


async def settle(store: Store, claim: Claim) -> None:
    assert not await store.claims.settle(claim, Outcome(State.UNKNOWN), None, condemns=True)


async def repeat(store: Store, claim: Claim) -> None:
    assert not await store.claims.repeat(claim, CrmConnectError(), seconds=99, counts=True)


async def hand_back(store: Store, claim: Claim) -> None:
    await store.claims.hand_back(claim)


@pytest.mark.parametrize("late", [settle, repeat, hand_back])
async def test_the_result_of_an_older_attempt_changes_nothing(
    store: Store, clock: FrozenClock, late: Callable[[Store, Claim], object]
) -> None:
    await store.accept("", "UA")
    first = await store.claim()
    await store.claims.repeat(first, CrmBusyError(), seconds=0, counts=True)
    second = await store.claim()
    before = await store.rows()
    result = late(store, first)
    assert hasattr(result, "__await__")
    await result
    assert await store.rows() == before
    assert await store.claims.settle(second, SENT, None)


@pytest.mark.parametrize("late", [settle, repeat, hand_back])
async def test_a_late_result_gives_its_slot_back_all_the_same(
    store: Store, clock: FrozenClock, late: Callable[[Store, Claim], object]
) -> None:
    await store.accept("")
    first = await store.claim()
    await store.execute("UPDATE deliveries SET attempt = 7")
    result = late(store, first)
    assert hasattr(result, "__await__")
    await result
    clock.forward(LIMITS.period + TICK)
    for key in ("k2", "k3", "k4"):
        await store.accept("", key=key)
    assert len(await claim_all(store)) == 3


# What concerns everybody.


async def test_a_condemned_notification_ends_without_more_calls(store: Store) -> None:
    await store.accept("UA", "UB", "UC", "UD", key="k1")
    await store.resolve(UA="a", UB="b", UC="b")
    await store.accept("UE", key="k2")
    await store.resolve(UE="e")
    claim = await store.claim()
    assert claim.crm_user_id == "a"
    error = CrmAccessError("Invalid keys", status=401)
    assert await store.claims.settle(claim, REFUSED, error, condemns=True)
    rows = await store.rows()
    assert [(row.state, row.code, row.detail) for row in rows[:4]] == [
        ("rejected", "access_401", "Invalid keys")
    ] * 4
    assert all(row.settled_at for row in rows[:4])
    assert rows[4].state == "pending"


async def test_what_is_under_way_of_a_condemned_notification_keeps_its_own_outcome(
    store: Store,
) -> None:
    await store.accept("UA", "UB", "UC")
    await store.resolve(UA="a", UB="b", UC="b")
    first, second = await store.claim(), await store.claim()
    error = CrmAccessError(status=401)
    await store.claims.settle(first, REFUSED, error, condemns=True)
    assert await store.states() == ["rejected", "sending", "rejected"]
    await store.claims.settle(second, SENT, None)
    assert await store.states() == ["rejected", "sent", "sent"]


async def test_a_result_that_came_too_late_condemns_nobody(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UA="a", UB="b")
    claim = await store.claim()
    await store.execute("UPDATE deliveries SET attempt = 7 WHERE slack_user_id = 'UA'")
    error = CrmAccessError(status=401)
    assert not await store.claims.settle(claim, REFUSED, error, condemns=True)
    assert await store.states() == ["sending", "pending"]


async def test_many_at_once_are_each_claimed_by_one(wide: Store, database: Database) -> None:
    other = Store(database, MANY)
    users = [f"U{number}" for number in range(20)]
    await wide.outbox.accept(acceptance(*users))
    await wide.resolve(**{user: user.lower() for user in users})
    claims = [await (wide, other)[turn % 2].claim() for turn in range(20)]
    assert len({claim.delivery_id for claim in claims}) == 20
    assert len({claim.permit.id for claim in claims}) == 20
    assert await wide.claims.claim() is None
