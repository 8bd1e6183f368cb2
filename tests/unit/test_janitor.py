import pytest

from bot.errors import StoreUnavailableError
from bot.janitor import FORGET_EVERY, Janitor
from bot.notification import Outcome, State
from bot.store.database import Database
from bot.store.retention import DAY, Retention
from tests.clock import FrozenClock
from tests.store import DELIVER_WITHIN, LIMITS, Store

KEEP_DAYS = 30


class FlakyRetention(Retention):
    """A database that goes away when it is asked to forget."""

    away = False

    async def forget(self, *, keep_days: float) -> int:
        if self.away:
            raise StoreUnavailableError
        return await super().forget(keep_days=keep_days)


class Desk:
    """A janitor with its store, and how often it told that something was settled."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.store = Store(database)
        self.retention = FlakyRetention(database)
        self.told = 0
        self.janitor = Janitor(
            self.store.claims,
            self.retention,
            clock,
            keep_days=KEEP_DAYS,
            on_settled=self._on_settled,
        )

    def _on_settled(self) -> None:
        self.told += 1


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    desk = Desk(database, clock)
    await desk.store.gate.prepare()
    return desk


async def test_with_nothing_to_end_it_tells_nobody(desk: Desk) -> None:
    await desk.store.accept("")
    assert not await desk.janitor.step()
    assert desk.told == 0
    assert await desk.store.states() == ["pending"]


async def test_what_is_too_old_is_ended_and_told(desk: Desk, clock: FrozenClock) -> None:
    await desk.store.accept("")
    clock.forward(DELIVER_WITHIN)
    assert not await desk.janitor.step()
    assert desk.told == 1
    assert await desk.store.states() == ["unavailable"]
    await desk.janitor.step()
    assert desk.told == 1


async def test_what_a_dead_process_was_sending_is_ended_and_told(
    desk: Desk, clock: FrozenClock
) -> None:
    await desk.store.accept("")
    await desk.store.claim()
    clock.forward(LIMITS.lease + 0.1)
    await desk.janitor.step()
    assert desk.told == 1
    assert await desk.store.states() == ["unknown"]


async def test_what_was_kept_long_enough_is_forgotten_but_asked_for_only_every_hour(
    desk: Desk, clock: FrozenClock
) -> None:
    await desk.store.accept("")
    await desk.store.claims.settle(await desk.store.claim(), Outcome(State.SENT), None)
    await desk.store.debts.pay((await desk.store.take_debt()).id)
    clock.forward(KEEP_DAYS * DAY - 1)
    await desk.janitor.step()
    assert await desk.store.states() == ["sent"]
    clock.forward(FORGET_EVERY - 1)
    await desk.janitor.step()
    assert await desk.store.states() == ["sent"]
    clock.forward(1)
    assert not await desk.janitor.step()
    assert await desk.store.states() == []


async def test_when_forgetting_fails_it_is_not_tried_again_before_the_hour(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.retention.away = True
    with pytest.raises(StoreUnavailableError):
        await desk.janitor.step()
    clock.forward(FORGET_EVERY - 1)
    await desk.janitor.step()
    clock.forward(1)
    with pytest.raises(StoreUnavailableError):
        await desk.janitor.step()
