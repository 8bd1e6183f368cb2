import asyncio

import pytest

from bot.notification import Card, Outcome, Place, State
from bot.store.database import Database
from bot.store.debts import LEASE, PATIENCE
from bot.store.resolutions import NoMatch
from tests.clock import FrozenClock
from tests.store import LIMITS, Store

TICK = 0.01
SENT = Outcome(State.SENT)
REJECTED = Outcome(State.REJECTED, "refused")


async def test_nothing_is_owed_at_first(store: Store) -> None:
    assert await store.debts.take() is None


async def test_a_reply_is_owed_once_every_delivery_has_ended(store: Store) -> None:
    notification = await store.accept("UA", "UB", "UC")
    await store.resolve(UA="a", UB="b")
    claim = await store.claim()
    await store.settle()
    assert await store.debts.take() is None  # one is being sent, one is unresolved
    await store.claims.settle(claim, SENT, None)
    assert await store.debts.take() is None
    await store.resolve(UC=NoMatch(Outcome(State.UNLINKED, "not_in_crm"), "Omar"))
    debt = await store.take_debt()
    assert debt.report.notification_id == notification
    assert [(each.state, each.code, each.name) for each in debt.report.deliveries] == [
        (State.SENT, None, "UA"),
        (State.SENT, None, "UB"),
        (State.UNLINKED, "not_in_crm", "Omar"),
    ]


async def test_a_reply_is_leased_to_one_process_and_to_another_if_that_died(
    store: Store, database: Database, clock: FrozenClock
) -> None:
    other = Store(database)
    await store.accept("")
    await store.settle()
    debt = await store.take_debt()
    assert await other.debts.take() is None
    clock.forward(LEASE - TICK)
    assert await other.debts.take() is None
    clock.forward(2 * TICK)
    assert (await other.take_debt()).id == debt.id


async def test_a_reply_is_paid_once(store: Store, clock: FrozenClock) -> None:
    await store.accept("")
    await store.settle()
    await store.debts.pay((await store.take_debt()).id)
    clock.forward(2 * LEASE)
    assert await store.debts.take() is None


async def test_the_oldest_reply_is_paid_first(store: Store, clock: FrozenClock) -> None:
    for key in ("k1", "k2"):
        await store.accept("", key=key, sender=key)
        clock.forward(1)
    await store.settle()
    await store.settle()
    assert [(await store.take_debt()).asked_by for _ in range(2)] == ["k1", "k2"]


@pytest.mark.parametrize(("counts", "tries"), [(True, 1), (False, 0)])
async def test_a_postponed_reply_waits_and_counts_its_tries(
    store: Store, clock: FrozenClock, counts: bool, tries: int
) -> None:
    await store.accept("")
    await store.settle()
    debt = await store.take_debt()
    await store.debts.postpone(debt.id, seconds=4, counts=counts)
    clock.forward(4 - TICK)
    assert await store.debts.take() is None
    clock.forward(TICK)
    again = await store.take_debt()
    assert (again.id, again.tries, again.uses) == (debt.id, tries, 0)


async def test_uses_of_a_response_url_are_counted_and_survive(
    store: Store, clock: FrozenClock
) -> None:
    place = Place("C1", response_url="https://hooks.test/1")
    await store.accept("", place=place)
    await store.settle()
    debt = await store.take_debt()
    for _ in range(2):
        await store.debts.count_use(debt.id)
    clock.forward(LEASE + TICK)
    again = await store.take_debt()
    assert (again.uses, again.tries, again.place) == (2, 0, place)
    assert again.age == pytest.approx(LEASE + TICK)


# Progress.

URL = "https://hooks.test/1"


async def accept_many(store: Store, place: Place | None = None) -> str:
    """Accept more than goes out at once, so that its progress is to be shown at once."""
    users = [f"U{n}" for n in range(4)]
    return await store.accept(*users, key=f"many{place}", place=place)


@pytest.mark.parametrize(
    ("recipients", "place", "seconds"),
    [
        (4, Place("C1"), 0.0),
        (4, Place(), 0.0),
        (3, Place("C1"), PATIENCE),
        (4, Place("C1", response_url=URL, private=True), None),
    ],
    ids=["a queue", "no place", "quick", "private"],
)
async def test_progress_is_shown_at_once_or_when_patience_ends_or_not_to_one_person(
    store: Store, clock: FrozenClock, recipients: int, place: Place, seconds: float | None
) -> None:
    notification = await store.accept(*(f"U{n}" for n in range(recipients)), place=place)
    if seconds:
        clock.forward(seconds - TICK)
        assert await store.debts.take() is None
        clock.forward(TICK)
    if seconds is None:
        clock.forward(60)
        assert await store.debts.take() is None
        return
    debt = await store.take_debt()
    assert debt.report.notification_id == notification
    assert debt.report.is_open
    assert debt.card is None


async def test_progress_knows_the_estimate_until_its_time_has_come(
    store: Store, clock: FrozenClock
) -> None:
    await accept_many(store)
    clock.forward(2)
    debt = await store.take_debt()
    assert debt.seconds_left == pytest.approx(LIMITS.estimate(4) - 2)
    clock.forward(60)
    assert (await store.take_debt()).seconds_left == 0.0


async def test_progress_is_shown_by_one_process_and_by_another_if_that_died(
    store: Store, database: Database, clock: FrozenClock
) -> None:
    other = Store(database)
    await accept_many(store)
    debt = await store.take_debt()
    clock.forward(LEASE - TICK)
    assert await other.debts.take() is None
    clock.forward(2 * TICK)
    assert (await other.take_debt()).id == debt.id


async def test_progress_is_shown_again_on_its_card_when_it_is_due(
    store: Store, clock: FrozenClock
) -> None:
    await accept_many(store)
    card = Card("C1", "1.5")
    await store.debts.show_again((await store.take_debt()).id, seconds=3.0, card=card)
    clock.forward(3 - TICK)
    assert await store.debts.take() is None
    clock.forward(TICK)
    assert (await store.take_debt()).card == card


async def test_progress_of_all_notifications_keeps_to_forty_updates_a_minute(
    store: Store, database: Database, clock: FrozenClock
) -> None:
    other = Store(database)
    for channel in "ABCDE":
        await accept_many(store, Place(channel))
    shown = []
    for step in range(600):
        clock.forward(0.1)
        debts = (store, other)[step % 2].debts  # any process
        if (debt := await debts.take()) is not None:
            shown.append((clock.time(), debt.place.channel_id))
            await debts.show_again(debt.id, seconds=3.0)
    assert 36 <= len(shown) <= 40
    assert [channel for _, channel in shown[:6]] == list("ABCDEA")  # nobody is left out


async def test_an_outcome_comes_before_progress_and_needs_no_spacing(
    store: Store, clock: FrozenClock
) -> None:
    await accept_many(store)
    await store.take_debt()
    await accept_many(store, Place("C2"))
    await store.accept("", key="k2", place=Place("C3"))
    await store.settle()
    assert (await store.take_debt()).place.channel_id == "C3"


async def test_the_outcome_is_due_at_once_and_takes_the_card_over(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("", "UA")
    clock.forward(PATIENCE)
    card = Card("C1", "1.5")
    await store.debts.show_again((await store.take_debt()).id, seconds=3.0, card=card)
    await store.settle()
    await store.resolve(UA=NoMatch(Outcome(State.UNLINKED, "not_in_crm"), "Omar"))
    debt = await store.take_debt()
    assert not debt.report.is_open
    assert debt.card == card


async def test_progress_that_slack_will_not_have_is_not_shown_again(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("", "UA", "UB", "UC")
    await store.debts.show_no_more((await store.take_debt()).id)
    clock.forward(60)
    assert await store.debts.take() is None
    await store.settle()
    await store.resolve(**dict.fromkeys(("UA", "UB", "UC"), NoMatch(SENT)))
    assert await store.take_debt()


async def test_a_correction_goes_to_the_card_that_was_wrong(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("")
    claim = await store.claim()
    clock.forward(LIMITS.lease)
    await store.claims.sweep()
    debt = await store.take_debt()
    await store.claims.settle(claim, SENT, None)  # it is due anew before it was paid
    card = Card("C1", "1.5")
    await store.debts.pay(debt.id, card)
    assert (await store.take_debt()).card == card


async def test_cards_of_which_several_could_show_progress_are_shown_one_after_the_other(
    store: Store,
) -> None:
    for number in range(8):
        await store.accept("UA", "UB", key=f"k{number}", place=Place("C1"))
    await store.execute("UPDATE replies SET show_at = due_at")
    taken = await asyncio.gather(*(store.debts.take() for _ in range(4)))
    assert sum(debt is not None for debt in taken) == 1
