import pytest

from bot.notification import State, Summary
from tests.clock import FrozenClock
from tests.store import Store


async def test_a_report_says_how_long_it_took(store: Store, clock: FrozenClock) -> None:
    notification = await store.accept("UA", "UB")
    await store.resolve(UA="a", UB="b")
    clock.forward(3)
    await store.settle()
    clock.forward(1)
    report = await store.reports.find(notification)
    assert report is not None
    assert report.seconds == pytest.approx(4)  # one is still open
    clock.forward(3)
    await store.settle()
    clock.forward(60)
    report = await store.reports.find(notification)
    assert report is not None
    assert report.seconds == pytest.approx(7)


async def test_a_notification_nobody_sent_is_not_found(store: Store) -> None:
    assert await store.reports.find("nothing") is None
    assert await store.reports.find_latest("UALICE") is None


async def test_the_latest_is_that_of_its_sender(store: Store, clock: FrozenClock) -> None:
    await store.accept("", key="k1")
    clock.forward(1)
    latest = await store.accept("", key="k2")
    clock.forward(1)
    await store.accept("", key="k3", sender="UBOB")
    report = await store.reports.find_latest("UALICE")
    assert report is not None
    assert report.notification_id == latest


async def test_the_recent_ones_are_counted_by_state_and_their_first_named(
    store: Store, clock: FrozenClock
) -> None:
    many = await store.accept("UA", "UB", "UC", "UD", key="k1")
    await store.resolve(UA="a", UB="b")
    await store.settle()
    clock.forward(1)
    alone = await store.accept("UA", key="k2")
    await store.accept("UA", key="k3", sender="UBOB")
    newest, older = await store.reports.find_recent("UALICE")
    assert (newest.notification_id, newest.title) == (alone, "Title")
    assert (newest.counts, newest.is_open) == ({(State.PENDING, None): 1}, True)
    assert (older.notification_id, older.recipients) == (many, 4)
    assert older.counts == {(State.SENT, None): 1, (State.PENDING, None): 3}
    assert older.count(State.PENDING, State.SENDING) == 3
    assert [each.slack_user_id for each in older.first] == ["UA", "UB", "UC"]
    assert [each.name for each in older.first] == ["UA", "UB", None]
    assert newest.accepted_at - older.accepted_at == pytest.approx(1)


async def test_only_so_many_are_recent(store: Store, clock: FrozenClock) -> None:
    for number in range(4):
        await store.accept("UA", key=f"k{number}")
        clock.forward(1)
    assert len(await store.reports.find_recent("UALICE", most=3)) == 3
    assert await store.reports.find_recent("UNOBODY") == []


def test_a_count_may_leave_out_some_codes() -> None:
    counts = {
        (State.UNLINKED, "guest"): 2,
        (State.UNLINKED, "not_in_crm"): 3,
        (State.SENT, None): 4,
    }
    summary = Summary("n1", "Title", 0.0, counts, ())
    assert summary.recipients == 9
    assert summary.count(State.UNLINKED, State.SENT) == 9
    assert summary.count(State.UNLINKED, but_not=["guest"]) == 3
