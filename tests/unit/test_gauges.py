import pytest

from bot.errors import CrmRateLimitedError
from bot.store.gauges import Gauges
from tests.clock import FrozenClock
from tests.store import LIMITS, Store

QUIET = Gauges(
    pending=0,
    oldest=0.0,
    sending=0,
    owed=0,
    limit=LIMITS.limit,
    period=LIMITS.period,
    is_learned=False,
    closed=0.0,
)


async def test_an_empty_bot_is_quiet(store: Store) -> None:
    assert await store.gauges.read() == QUIET


async def test_what_is_open_is_counted_and_what_ended_is_not(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("UA", "UB", "UC")
    await store.resolve(UA="a", UB="b")
    clock.forward(7)
    await store.settle()
    await store.claim()
    gauges = await store.gauges.read()
    assert (gauges.pending, gauges.sending, gauges.owed) == (1, 1, 0)
    assert gauges.oldest == pytest.approx(7)


async def test_a_reply_is_owed_from_the_outcome_until_it_is_paid(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("", key="k1", content="a")
    await store.accept("", key="k2", content="b")
    await store.settle()
    assert (await store.gauges.read()).owed == 1
    debt = await store.take_debt()
    await store.debts.postpone(debt.id, seconds=300)
    assert (await store.gauges.read()).owed == 1
    clock.forward(300)
    await store.debts.pay((await store.take_debt()).id)
    assert (await store.gauges.read()).owed == 0


async def test_a_refusal_shows_in_the_limits(store: Store) -> None:
    await store.accept("UA")
    await store.resolve(UA="a")
    refusal = CrmRateLimitedError("slow down", limit=2, period=9.0)
    await store.claims.repeat(await store.claim(), refusal, seconds=0, counts=False)
    gauges = await store.gauges.read()
    assert (gauges.limit, gauges.period, gauges.is_learned) == (2, 9.0, True)
    assert gauges.closed == pytest.approx(9, abs=0.01)
