from collections.abc import Collection
from dataclasses import replace

import pytest

from bot.errors import CrmBusyError, UserError
from bot.notification import KEY_OWNER, CrmRecipient, KeyOwner, Outcome, Place, State
from bot.store.database import Database
from bot.store.quota import HOUR
from bot.store.resolutions import NoMatch
from bot.store.rounds import Rounds
from tests.clock import FrozenClock
from tests.store import DELIVER_WITHIN, LIMITS, Store, acceptance

FAILED = (State.REJECTED, State.UNAVAILABLE, State.UNLINKED)
ELSEWHERE = Place("C9", "9.5", "https://hooks.test/9")
SENT = Outcome(State.SENT)


@pytest.fixture
def rounds(store: Store) -> Rounds:
    return store.rounds


async def retry(
    rounds: Rounds, notification: str, *, key: str = "p1", but_not: Collection[str] = ()
) -> int:
    return await rounds.reopen(
        notification, FAILED, but_not=but_not, key=key, asked_by="UBOB", place=ELSEWHERE
    )


async def fail(store: Store) -> str:
    """Send to three, of whom one is rejected, one is unlinked and one gets it; report that."""
    notification = await store.accept("UA", "UB", "UC")
    unlinked = NoMatch(Outcome(State.UNLINKED, "not_in_crm"), "Lee")
    await store.resolve(UA="a", UB="b", UC=unlinked)
    first = await store.claim()
    await store.claims.settle(first, Outcome(State.REJECTED, "rejected", "No"), None)
    await store.settle()
    await store.debts.pay((await store.take_debt()).id)
    return notification


async def test_a_new_round_opens_what_failed_and_nothing_else(
    store: Store, rounds: Rounds, clock: FrozenClock
) -> None:
    notification = await fail(store)
    clock.forward(2 * DELIVER_WITHIN)
    assert await retry(rounds, notification) == 2
    rows = await store.rows()
    assert [row.state for row in rows] == ["pending", "sent", "pending"]
    for row in (rows[0], rows[2]):
        assert (row.code, row.detail, row.settled_at, row.repeats) == (None, None, None, 0)
        assert (row.due_at, row.expires_at) == (clock.time(), clock.time() + DELIVER_WITHIN)
        assert row.crm_user_id is None  # links may have changed


async def test_a_new_round_leaves_those_alone_whose_code_is_ruled_out(
    store: Store, rounds: Rounds
) -> None:
    notification = await fail(store)
    everybody = ["not_in_crm", "rejected"]
    assert await retry(rounds, notification, but_not=everybody) == 0
    assert await retry(rounds, notification, but_not=["not_in_crm"], key="p2") == 1
    assert await store.states() == ["pending", "sent", "unlinked"]


async def test_what_has_no_code_is_never_ruled_out(store: Store, rounds: Rounds) -> None:
    notification = await fail(store)
    await store.execute("UPDATE deliveries SET code = NULL")
    assert await retry(rounds, notification, but_not=["bot"]) == 2


async def test_whoever_pressed_is_owed_one_reply_where_they_are(
    store: Store, rounds: Rounds
) -> None:
    notification = await fail(store)
    await retry(rounds, notification)
    await store.resolve(UA="a", UC="c")
    assert await store.debts.take() is None
    for _ in range(2):
        await store.execute("UPDATE slots SET free_at = 0")
        await store.settle()
    debt = await store.take_debt()
    assert (debt.asked_by, debt.place) == ("UBOB", ELSEWHERE)
    assert {each.state for each in debt.report.deliveries} == {State.SENT}
    await store.debts.pay(debt.id)
    assert await store.debts.take() is None


async def test_results_of_the_round_before_stay_fenced(
    store: Store, rounds: Rounds, clock: FrozenClock
) -> None:
    notification = await store.accept("")
    late = await store.claim()
    clock.forward(LIMITS.lease + 0.1)
    await store.claims.sweep()
    states = (State.UNKNOWN,)
    await rounds.reopen(notification, states, key="p1", asked_by="UALICE", place=ELSEWHERE)
    assert not await store.claims.settle(late, SENT, None)
    assert not await store.claims.repeat(late, CrmBusyError(), seconds=0, counts=True)
    again = await store.claim()
    assert (again.attempt, again.crm_user_id) == (2, KEY_OWNER)


async def test_twins_open_together_and_share_again(store: Store, rounds: Rounds) -> None:
    notification = await store.accept("UA", "UB")
    await store.resolve(UA="a", UB="a")
    await store.settle(Outcome(State.REJECTED))
    assert await retry(rounds, notification) == 2
    await store.resolve(UA="a", UB="a")
    await store.settle()
    assert await store.states() == ["sent", "sent"]


async def test_a_press_has_its_effect_once(store: Store, rounds: Rounds) -> None:
    notification = await fail(store)
    assert await retry(rounds, notification, key="p1") == 2
    await store.execute("UPDATE deliveries SET state = 'rejected' WHERE state = 'pending'")
    assert await retry(rounds, notification, key="p1") == 0
    assert await rounds.cancel(notification, key="p1") == 0
    assert await retry(rounds, notification, key="p2") == 2


async def test_with_nothing_to_open_nothing_is_owed(store: Store, rounds: Rounds) -> None:
    await store.accept("")
    await store.settle()
    await store.debts.pay((await store.take_debt()).id)
    assert await retry(rounds, "nothing", key="p1") == 0
    (row,) = await store.rows()
    assert await retry(rounds, str(row.notification_id), key="p2") == 0
    assert await store.debts.take() is None


async def test_what_waits_is_taken_back_and_what_is_under_way_is_not(
    store: Store, rounds: Rounds, clock: FrozenClock
) -> None:
    notification = await store.accept("UA", "UB", "UC", "UD", key="k1")
    await store.accept("UE", key="k2")
    await store.resolve(UA="a", UB="b", UD="a")
    claim = await store.claim()
    assert await rounds.cancel(notification, key="p1") == 2
    rows = await store.rows()
    assert [row.state for row in rows] == [
        "sending",
        "cancelled",
        "cancelled",
        "pending",  # shares the call that is under way
        "pending",
    ]
    assert rows[1].settled_at == clock.time()
    await store.claims.settle(claim, SENT, None)
    assert await store.states() == ["sent", "cancelled", "cancelled", "sent", "pending"]
    assert (await store.take_debt()).report.notification_id == notification


async def test_what_was_taken_back_is_never_claimed_or_resolved(
    store: Store, rounds: Rounds
) -> None:
    notification = await store.accept("UA", "")
    assert await rounds.cancel(notification, key="p1") == 2
    assert not await store.claims.peek()
    assert await store.claims.claim() is None
    assert await store.resolutions.find_unresolved(10) == []


async def test_nothing_left_to_take_back_is_said(store: Store, rounds: Rounds) -> None:
    notification = await fail(store)
    assert await rounds.cancel(notification, key="p1") == 0


async def test_a_new_round_counts_for_the_hour_of_whoever_pressed(
    database: Database, clock: FrozenClock
) -> None:
    store = Store(database, hourly_limit=3)
    await store.gate.prepare()
    rounds = store.rounds
    notification = await fail(store)
    await store.accept("UD", "UE", key="k2", sender="UBOB")
    with pytest.raises(UserError, match="you have used 2, and this would be 2 more"):
        await retry(rounds, notification)
    assert (await store.states())[:3] == ["rejected", "sent", "unlinked"]
    clock.forward(HOUR)
    assert await retry(rounds, notification) == 2  # the refused press was not used up
    with pytest.raises(UserError):
        await store.accept("UF", "UG", key="k3", sender="UBOB")


async def test_a_crm_user_stays_who_they_are_in_a_new_round(store: Store, rounds: Rounds) -> None:
    owner = CrmRecipient("g1", "Olga Owner")
    receipt = await store.outbox.accept(replace(acceptance(), recipients=[owner, KeyOwner()]))
    for _ in range(2):
        await store.settle(Outcome(State.REJECTED))
    assert await retry(rounds, receipt.notification_id) == 2
    assert [row.crm_user_id for row in await store.rows()] == ["g1", KEY_OWNER]
