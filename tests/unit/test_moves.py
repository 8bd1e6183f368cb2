"""Every way in which a delivery comes into a state is counted, once, if it is committed."""

from collections import Counter
from collections.abc import Mapping

import pytest
from sqlalchemy import Connection

from bot.errors import CrmAccessError, CrmBusyError
from bot.notification import Outcome, Place, State
from bot.observer import Unobserved
from bot.store.database import Database
from bot.store.gate import Limits
from bot.store.resolutions import NoMatch
from tests.clock import FrozenClock
from tests.store import DELIVER_WITHIN, Store

LIMITS = Limits(limit=10, period=5.0, reserved=0, timeout=10.0)
SENT = Outcome(State.SENT)
REJECTED = Outcome(State.REJECTED, "rejected")
UNLINKED = NoMatch(Outcome(State.UNLINKED, "not_in_crm"))
AWAY = NoMatch(Outcome(State.UNAVAILABLE, "slack_away"))


class Ear(Unobserved):
    """Adds up what it hears."""

    def __init__(self) -> None:
        self._heard: Counter[str] = Counter()

    def moved(self, states: Mapping[str, int]) -> None:
        self._heard.update(states)

    def take(self) -> dict[str, int]:
        """Return what was heard since the last time."""
        heard, self._heard = self._heard, Counter()
        return dict(heard)


@pytest.fixture
def ear(database: Database) -> Ear:
    database.observer = ear = Ear()
    return ear


async def accept(store: Store, ear: Ear, *users: str, **crm: str) -> str:
    """Accept and resolve, and forget what was heard of it."""
    notification = await store.accept(*users)
    await store.resolve(**crm)
    ear.take()
    return notification


async def test_accepting_brings_all_to_pending_and_the_same_again_none(
    store: Store, ear: Ear
) -> None:
    await store.accept("UA", "UB", "UC")
    assert ear.take() == {"pending": 3}
    await store.accept("UA", "UB", "UC")
    await store.resolve(UA="a", UB="b")
    assert ear.take() == {}


async def test_a_push_goes_by_sending_to_its_outcome(store: Store, ear: Ear) -> None:
    await accept(store, ear, "UA", UA="a")
    claim = await store.claim()
    assert ear.take() == {"sending": 1}
    await store.claims.settle(claim, SENT, None)
    assert ear.take() == {"sent": 1}
    await store.claims.settle(claim, SENT, None)
    assert ear.take() == {}


async def test_what_is_put_back_is_pending_again(store: Store, ear: Ear) -> None:
    await accept(store, ear, "UA", UA="a")
    await store.claims.repeat(await store.claim(), CrmBusyError(), seconds=0, counts=True)
    assert ear.take() == {"sending": 1, "pending": 1}
    await store.claims.hand_back(await store.claim())
    assert ear.take() == {"sending": 1, "pending": 1}


async def test_twins_come_to_the_same_outcome(store: Store, ear: Ear) -> None:
    await accept(store, ear, "UA", "UB", "UC", UA="a", UB="a")
    await store.settle(REJECTED)
    assert ear.take() == {"sending": 1, "rejected": 2}
    await store.resolve(UC="a")
    assert ear.take() == {"rejected": 1}


async def test_a_refusal_for_all_condemns_the_rest(store: Store, ear: Ear) -> None:
    await accept(store, ear, "UA", "UB", "UC", UA="a", UB="b")
    error = CrmAccessError(status=401)
    await store.claims.settle(await store.claim(), REJECTED, error, condemns=True)
    assert ear.take() == {"sending": 1, "rejected": 3}


async def test_who_is_not_found_ends_without_a_push(store: Store, ear: Ear) -> None:
    await store.accept("UA", "UB", "UC")
    ear.take()
    await store.resolve(UA=UNLINKED, UB=AWAY, UC=UNLINKED)
    assert ear.take() == {"unlinked": 2, "unavailable": 1}


async def test_time_ends_what_waits_and_what_was_being_sent(
    store: Store, ear: Ear, clock: FrozenClock
) -> None:
    await accept(store, ear, "UA", "UB", "UC", UA="a", UB="a")
    claim = await store.claim()
    clock.forward(LIMITS.lease + 1)
    assert await store.claims.sweep() == 1
    assert ear.take() == {"sending": 1, "unknown": 2}
    await store.claims.settle(claim, SENT, None)
    assert ear.take() == {"sent": 2}
    clock.forward(DELIVER_WITHIN)
    assert await store.claims.sweep() == 1
    assert ear.take() == {"unavailable": 1}


async def test_a_new_round_and_a_cancellation_are_moves(store: Store, ear: Ear) -> None:
    notification = await accept(store, ear, "UA", "UB", UA="a")
    assert await store.rounds.cancel(notification, key="k1") == 2
    assert ear.take() == {"cancelled": 2}
    count = await store.rounds.reopen(
        notification, [State.CANCELLED], key="k2", asked_by="UALICE", place=Place("C1")
    )
    assert (count, ear.take()) == (2, {"pending": 2})
    assert await store.rounds.cancel(notification, key="k1") == 0
    assert ear.take() == {}


async def test_what_was_not_committed_is_not_counted(store: Store, ear: Ear) -> None:
    await accept(store, ear, "UA", UA="a")
    claim = await store.claim()
    ear.take()

    def settle_and_fail(connection: Connection) -> None:
        store.claims._settle(connection, claim, SENT, None, condemns=False)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.database.transact(settle_and_fail)
    assert await store.states() == ["sending"]
    assert ear.take() == {}
    await store.claims.settle(claim, SENT, None)
    assert ear.take() == {"sent": 1}
