"""Which notifications are forgotten, and which are not."""

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.notification import Outcome, Place, State
from bot.store.resolutions import NoMatch
from bot.store.retention import DAY
from tests.clock import FrozenClock
from tests.store import Store

TICK = 0.01
SENT = Outcome(State.SENT)
REJECTED = Outcome(State.REJECTED, "refused")


async def test_what_ended_and_was_told_is_forgotten_after_its_days(
    store: Store, clock: FrozenClock
) -> None:
    notification = await store.accept("UA", "UB")
    await store.resolve(UA="a", UB="a")
    await store.settle()
    await store.debts.pay((await store.take_debt()).id)
    clock.forward(30 * DAY - TICK)
    assert await store.retention.forget(keep_days=30) == 0
    clock.forward(2 * TICK)
    assert await store.retention.forget(keep_days=30) == 1
    assert await store.reports.find(notification) is None
    assert await store.rows() == []
    left = await store.database.transact(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM replies").scalar()
    )
    assert left == 0


async def test_what_is_owed_is_not_forgotten(store: Store, clock: FrozenClock) -> None:
    await store.accept("")
    await store.settle()
    clock.forward(31 * DAY)
    assert await store.retention.forget(keep_days=30) == 0
    await store.debts.pay((await store.take_debt()).id)
    assert await store.retention.forget(keep_days=30) == 1


async def test_what_is_open_is_not_forgotten(store: Store, clock: FrozenClock) -> None:
    await store.accept("", "UA")
    claim = await store.claim()
    await store.execute("UPDATE replies SET paid_at = 1")
    clock.forward(31 * DAY)
    assert await store.retention.forget(keep_days=30) == 0
    await store.claims.settle(claim, SENT, None)
    assert await store.retention.forget(keep_days=30) == 0  # the other one is pending
    await store.claims.sweep()
    assert await store.retention.forget(keep_days=30) == 1


async def test_what_somebody_reopens_at_that_moment_is_not_forgotten(
    store: Store, clock: FrozenClock, backend: str
) -> None:
    if backend == "sqlite":
        pytest.skip("SQLite does one after the other")
    notification = await store.accept("UA")
    await store.resolve(UA=NoMatch(REJECTED))
    await store.debts.pay((await store.take_debt()).id)
    clock.forward(31 * DAY)
    pressed, stored = threading.Event(), threading.Event()

    def reopen(connection: Connection) -> int:
        count = store.rounds._reopen(
            connection, notification, [State.REJECTED], (), "press", "U0", Place("C1")
        )
        pressed.set()
        assert stored.wait(10)
        return count

    reopening = asyncio.create_task(store.database.transact(reopen))
    await asyncio.to_thread(pressed.wait, 10)
    try:
        assert await store.retention.forget(keep_days=30) == 0  # and it does not wait
    finally:
        stored.set()
    assert await reopening == 1
    assert await store.retention.forget(keep_days=30) == 0
    assert len(await store.rows()) == 1


async def test_what_was_reopened_between_the_two_looks_is_not_forgotten(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification = await store.accept("UA")
    await store.resolve(UA=NoMatch(REJECTED))
    await store.debts.pay((await store.take_debt()).id)
    clock.forward(31 * DAY)
    look = Connection.scalars

    def press_after(connection: Connection, *args: Any) -> Any:
        found = look(connection, *args)
        store.rounds._reopen(
            connection, notification, [State.REJECTED], (), "press", "U0", Place("C1")
        )
        return found

    monkeypatch.setattr(Connection, "scalars", press_after)
    assert await store.retention.forget(keep_days=30) == 0
    assert len(await store.rows()) == 1
