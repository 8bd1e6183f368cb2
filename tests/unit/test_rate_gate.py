import asyncio

import pytest
from aiolimiter import AsyncLimiter

from bot.background import Watch
from bot.errors import CrmBusyError, CrmError, CrmRateLimitedError, StoreUnavailableError
from bot.rate_gate import LONGEST_WAIT, RateGate
from bot.store.database import Database
from bot.store.gate import REOPEN_MARGIN, GateStore, Permit, Wait
from tests.clock import FrozenClock
from tests.store import ACCOUNT, LIMITS, make_read_only


class FlakyGateStore(GateStore):
    """A gate whose database may be slow to give a permit, and away when it comes back."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, LIMITS, ACCOUNT)
        self.away = False
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.answer.set()

    async def take_alone(self, *, interactive: bool) -> Permit | Wait:
        self.asked.set()
        await self.answer.wait()
        return await super().take_alone(interactive=interactive)

    async def give_back_alone(self, permit: Permit, error: CrmError | None, *, used: bool) -> None:
        if self.away:
            raise StoreUnavailableError
        await super().give_back_alone(permit, error, used=used)


@pytest.fixture
async def store(database: Database) -> FlakyGateStore:
    store = FlakyGateStore(database)
    await store.prepare()
    return store


@pytest.fixture
def gate(store: FlakyGateStore, clock: FrozenClock) -> RateGate:
    return RateGate(store, AsyncLimiter(1000, 1), clock, Watch())


async def count_free(store: GateStore) -> int:
    count = 0
    while isinstance(await store.take_alone(interactive=True), Permit):
        count += 1
    return count


async def test_a_permit_holds_a_slot_until_a_period_after_its_end(
    gate: RateGate, store: FlakyGateStore, clock: FrozenClock
) -> None:
    async with gate.permit(interactive=True), gate.permit(interactive=True):
        assert await count_free(store) == 1
    assert await count_free(store) == 0
    clock.forward(LIMITS.period + 2 * REOPEN_MARGIN)
    assert await count_free(store) == 2


async def test_without_a_free_slot_it_waits_for_one(
    gate: RateGate, store: FlakyGateStore, clock: FrozenClock
) -> None:
    for _ in range(3):
        async with gate.permit(interactive=True):
            pass
    begun = clock.time()
    async with gate.permit(interactive=True):
        assert clock.time() - begun == pytest.approx(LIMITS.period, abs=0.1)


async def test_bulk_waits_though_the_reserve_is_free(gate: RateGate, clock: FrozenClock) -> None:
    begun = clock.time()
    for _ in range(3):
        async with gate.permit():
            pass
    assert clock.time() - begun == pytest.approx(LIMITS.period, abs=0.1)


async def test_it_looks_again_when_a_slot_of_its_own_came_back(
    gate: RateGate, store: FlakyGateStore, clock: FrozenClock
) -> None:
    permits = [await store.take_alone(interactive=True) for _ in range(3)]
    begun = clock.time()
    gate._changed.set()
    assert isinstance(permits[0], Permit)
    await store.database.transact(store.give_back, permits[0], None, used=False)
    async with gate.permit(interactive=True):
        assert clock.time() == begun


async def test_it_looks_again_soon_as_another_process_may_give_one_back(
    gate: RateGate, store: FlakyGateStore, clock: FrozenClock
) -> None:
    permit, *_ = [await store.take_alone(interactive=True) for _ in range(3)]
    assert isinstance(permit, Permit)
    begun = clock.time()
    wait = clock.wait

    async def give_back_meanwhile(event: asyncio.Event, seconds: float) -> None:
        assert seconds == LONGEST_WAIT
        await wait(event, seconds)
        await store.database.transact(store.give_back, permit, None, used=False)

    clock.wait = give_back_meanwhile  # type: ignore[method-assign]  # another process
    async with gate.permit(interactive=True):
        assert clock.time() - begun == LONGEST_WAIT


async def test_the_process_waits_for_its_own_share_first(
    store: FlakyGateStore, clock: FrozenClock
) -> None:
    gate = RateGate(store, AsyncLimiter(1, 3600), clock, Watch())
    await gate.admit()
    waiting = asyncio.create_task(gate.admit())
    done, _ = await asyncio.wait({waiting}, timeout=0)
    assert not done
    waiting.cancel()
    asking = asyncio.create_task(gate.permit(interactive=True).__aenter__())
    await asyncio.wait({asking}, timeout=0)
    assert not asking.done()
    asking.cancel()
    await asyncio.wait({waiting, asking})
    assert await count_free(store) == 3  # and meanwhile holds no slot


async def test_a_refusal_teaches_the_gate_and_comes_through(
    gate: RateGate, store: FlakyGateStore
) -> None:
    with pytest.raises(CrmRateLimitedError):
        async with gate.permit(interactive=True):
            raise CrmRateLimitedError(limit=2, period=5, retry_after=30)
    limits, closed = await store.read()
    assert limits.limit == 2
    assert closed == pytest.approx(30, abs=0.01)
    assert isinstance(await store.take_alone(interactive=True), Wait)


@pytest.mark.parametrize("error", [CrmBusyError(), LookupError()], ids=lambda each: str(type(each)))
async def test_any_error_gives_the_slot_back_as_used(
    gate: RateGate, store: FlakyGateStore, clock: FrozenClock, error: Exception
) -> None:
    with pytest.raises(type(error)):
        async with gate.permit(interactive=True):
            raise error
    assert await count_free(store) == 2
    clock.forward(LIMITS.period + 2 * REOPEN_MARGIN)
    assert await count_free(store) == 1


async def test_a_cancelled_look_up_gives_its_slot_back(
    gate: RateGate, store: FlakyGateStore, clock: FrozenClock
) -> None:
    begun = asyncio.Event()

    async def look_up() -> None:
        async with gate.permit(interactive=True):
            begun.set()
            await asyncio.Event().wait()

    looking = asyncio.create_task(look_up())
    await begun.wait()
    looking.cancel()
    await asyncio.wait({looking})
    assert looking.cancelled()
    clock.forward(LIMITS.period + 2 * REOPEN_MARGIN)
    assert await count_free(store) == 3


async def test_a_slot_comes_back_though_the_one_who_waits_for_that_is_cancelled(
    gate: RateGate, store: FlakyGateStore, clock: FrozenClock
) -> None:
    permit = gate.permit(interactive=True)
    await permit.__aenter__()
    ending = asyncio.create_task(permit.__aexit__(None, None, None))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait({ending})
    await gate.drain()
    clock.forward(LIMITS.period + 2 * REOPEN_MARGIN)
    assert await count_free(store) == 3
    await gate.drain()  # nothing is left


@pytest.mark.parametrize("free", [3, 0])
async def test_a_slot_taken_for_somebody_who_gave_up_meanwhile_goes_back_unused(
    gate: RateGate, store: FlakyGateStore, free: int
) -> None:
    for _ in range(3 - free):
        await store.take_alone(interactive=True)
    store.asked.clear()
    store.answer.clear()
    asking = asyncio.create_task(gate.permit(interactive=True).__aenter__())
    await store.asked.wait()
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()
    store.answer.set()
    await until_idle()
    await gate.drain()
    assert await count_free(store) == free


async def test_a_database_that_fails_somebody_who_gave_up_meanwhile_troubles_nobody(
    gate: RateGate, store: FlakyGateStore
) -> None:
    await make_read_only(store.database)
    await give_up_asking(gate, store)
    gate._watch.check()


async def test_a_bug_that_hits_somebody_who_gave_up_meanwhile_is_heard_of(
    gate: RateGate, store: FlakyGateStore
) -> None:
    await store.database.transact(
        lambda connection: connection.exec_driver_sql("ALTER TABLE slots RENAME TO gone")
    )
    await give_up_asking(gate, store)
    with pytest.raises(ExceptionGroup) as caught:
        gate._watch.check()
    assert "no such table: slots" in str(caught.value.exceptions[0])


async def give_up_asking(gate: RateGate, store: FlakyGateStore) -> None:
    """Ask for a permit, and be gone when the database answers."""
    store.answer.clear()
    asking = asyncio.create_task(gate.permit(interactive=True).__aenter__())
    await store.asked.wait()
    asking.cancel()
    await asyncio.wait({asking})
    store.answer.set()
    await until_idle()
    assert asking.cancelled()


async def until_idle() -> None:
    """Let all other tasks end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


async def test_a_slot_that_cannot_be_given_back_is_left_to_its_lease(
    gate: RateGate, store: FlakyGateStore, clock: FrozenClock
) -> None:
    store.away = True
    async with gate.permit(interactive=True):
        pass
    clock.forward(LIMITS.lease - 0.1)
    assert await count_free(store) == 2
    clock.forward(0.2)
    assert await count_free(store) == 1


async def test_without_the_database_there_is_no_permit(
    gate: RateGate, store: FlakyGateStore
) -> None:
    await make_read_only(store.database)
    with pytest.raises(StoreUnavailableError):
        async with gate.permit(interactive=True):
            raise AssertionError("no call may be made")
