from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from bot.errors import (
    CrmAccessError,
    CrmBusyError,
    CrmConnectError,
    CrmError,
    CrmRateLimitedError,
    CrmUncertainError,
)
from bot.store.database import Database, open_database
from bot.store.gate import (
    BEGIN_WITHIN,
    MOST_CLOSED,
    REMEMBER,
    REOPEN_MARGIN,
    GateStore,
    Limits,
    Permit,
    Wait,
    choose_slot,
    limits_in_force,
)
from bot.store.tables import slots
from tests.clock import FrozenClock

LIMITS = Limits(limit=3, period=5.0, reserved=1, timeout=10.0)
HOUR = 3600.0
TICK = 0.01


def about(seconds: float) -> Any:
    """Equal but for what a float of seconds since the epoch cannot hold."""
    return pytest.approx(seconds, abs=1e-5)


class Gate:
    """One process at the gate of an account, a transaction a step."""

    def __init__(self, database: Database, limits: Limits = LIMITS, account: str = "acc") -> None:
        self.store = GateStore(database, limits, account)
        self._database = database

    async def try_to_take(self, *, interactive: bool = True) -> Permit | Wait:
        return await self._database.transact(self._try_to_take, interactive=interactive)

    def _try_to_take(self, connection: Connection, *, interactive: bool) -> Permit | Wait:
        gate = self.store.lock(connection)
        return self.store.take(connection, gate, interactive=interactive)

    async def take(self, *, interactive: bool = True) -> Permit:
        permit = await self.try_to_take(interactive=interactive)
        assert isinstance(permit, Permit)
        return permit

    async def wait(self, *, interactive: bool = True) -> float:
        """Return the seconds the gate asks for; taking a permit must not be possible."""
        answer = await self.try_to_take(interactive=interactive)
        assert isinstance(answer, Wait)
        return answer.seconds

    async def give_back(
        self, permit: Permit, error: CrmError | None = None, *, used: bool = True
    ) -> None:
        await self._database.transact(self.store.give_back, permit, error, used=used)

    async def count_free(self) -> int:
        """Return how many permits can be taken now, by taking them."""
        for count in range(100):
            if isinstance(await self.try_to_take(), Wait):
                return count
        raise AssertionError("no end of permits")


OpenGate = Callable[..., Awaitable[Gate]]


@pytest.fixture
def open_gate(database: Database) -> OpenGate:
    async def open_one(**changes: Any) -> Gate:
        gate = Gate(database, replace(LIMITS, **changes))
        await gate.store.prepare()
        return gate

    return open_one


@pytest.fixture
async def gate(open_gate: OpenGate) -> Gate:
    return await open_gate()


# The rules, pure.


@pytest.mark.parametrize(
    ("busy_for", "interactive", "answer"),
    [
        ([0, 0, 0], True, 0),
        ([0, 0, 0], False, 0),
        ([4, 0, 0], False, 1),
        ([4, 3, 0], True, 2),
        ([4, 3, 0], False, Wait(3, for_all=False)),
        ([4, 3, 2], True, Wait(2)),
        ([4, 3, 2], False, Wait(3, for_all=False)),
        ([0, 3, 2], True, 0),
        ([-9, -1, 5], False, 0),
        ([0, 0, 0, 7], True, 0),
        ([4, 0, 0, 7], False, Wait(4, for_all=False)),
        ([4, 0, 9, 7], True, Wait(4)),
        ([4, 6, 9, 7], True, Wait(6)),
    ],
)
def test_bulk_leaves_the_reserve_and_everybody_counts_all_busy_slots(
    busy_for: list[float], interactive: bool, answer: int | Wait
) -> None:
    free_at = [(number, 100.0 + seconds) for number, seconds in enumerate(busy_for)]
    assert choose_slot(free_at, LIMITS, interactive=interactive, now=100.0) == answer


def test_without_a_reserve_bulk_takes_the_last_slot() -> None:
    free_at = [(0, 9.0), (1, 9.0), (2, 5.0)]
    limits = replace(LIMITS, reserved=0)
    assert choose_slot(free_at, limits, interactive=False, now=5.0) == 2


@given(
    limit=st.integers(1, 5),
    reserved=st.integers(0, 4),
    more=st.integers(0, 3),
    moments=st.lists(st.integers(-5, 5), min_size=8, max_size=8),
    interactive=st.booleans(),
)
def test_a_wait_ends_exactly_when_a_slot_can_be_chosen(
    limit: int, reserved: int, more: int, moments: list[int], interactive: bool
) -> None:
    limits = Limits(limit, 5.0, min(reserved, limit - 1), 10.0)
    free_at = [(n, float(moment)) for n, moment in enumerate(moments[: limit + more])]
    chosen = choose_slot(free_at, limits, interactive=interactive, now=0.0)
    busy = sum(moment > 0 for _, moment in free_at)
    needed = 1 if interactive else limits.reserved + 1
    if isinstance(chosen, Wait):
        assert limit - busy < needed
        later = chosen.seconds
        assert isinstance(choose_slot(free_at, limits, interactive=interactive, now=later), int)
        sooner = choose_slot(free_at, limits, interactive=interactive, now=later - TICK)
        assert isinstance(sooner, Wait)
    else:
        assert limit - busy >= needed
        assert chosen < limit
        assert free_at[chosen][1] <= 0


@dataclass
class Learned:
    """The columns of a gate that say what a refusal taught."""

    learned_limit: int | None = None
    learned_period: float | None = None
    learned_at: float | None = 1000.0
    learned_under: str | None = LIMITS.name


@pytest.mark.parametrize(
    ("learned", "in_force"),
    [
        (Learned(learned_at=None), LIMITS),
        (Learned(2, 5.0), replace(LIMITS, limit=2)),
        (Learned(9, 5.0), LIMITS),
        (Learned(1, None), replace(LIMITS, limit=1, reserved=0)),
        (Learned(3, 60.0), replace(LIMITS, period=60.0)),
        (Learned(3, 1.0), LIMITS),
        (Learned(None, 9.0), replace(LIMITS, period=9.0)),
        (Learned(2, 9.0, 1000.0 - REMEMBER + 1), Limits(2, 9.0, 1, 10.0)),
        (Learned(2, 9.0, 1000.0 - REMEMBER), LIMITS),
        (Learned(2, 9.0, learned_under="25/5"), LIMITS),
        (Learned(2, 9.0, learned_under=None), LIMITS),
    ],
)
def test_what_was_learned_narrows_the_setting_and_never_widens_it(
    learned: Any, in_force: Limits
) -> None:
    assert limits_in_force(learned, LIMITS, now=1000.0) == in_force


def test_the_name_of_a_setting_is_its_limit_and_period() -> None:
    assert Limits(25, 5.0, 2, 10.0).name == "25/5"
    assert Limits(25, 0.5, 2, 10.0).name != Limits(25, 5.0, 2, 10.0).name


@pytest.mark.parametrize(
    ("calls", "seconds"), [(0, 0), (1, 0), (25, 0), (26, 5), (50, 5), (51, 10), (150, 25)]
)
def test_an_estimate_is_a_period_for_each_full_round_before(calls: int, seconds: float) -> None:
    assert Limits(25, 5.0, 2, 10.0).estimate(calls) == seconds


def test_bulk_work_leaves_the_reserve_free() -> None:
    assert Limits(25, 5.0, 2, 10.0).estimate(150, bulk=True) == 30


# The rows.


async def test_only_as_many_permits_as_the_limit_are_out_at_once(gate: Gate) -> None:
    assert await gate.count_free() == 3


async def test_a_slot_reopens_one_period_after_its_response(gate: Gate, clock: FrozenClock) -> None:
    first, *_ = [await gate.take() for _ in range(3)]
    clock.forward(4.0)
    await gate.give_back(first)
    assert await gate.wait() == about(LIMITS.period + REOPEN_MARGIN)
    clock.forward(LIMITS.period)
    assert await gate.wait() == about(REOPEN_MARGIN)
    clock.forward(REOPEN_MARGIN + 0.001)
    assert await gate.count_free() == 1


async def test_an_unused_permit_frees_its_slot_at_once(gate: Gate) -> None:
    first, *_ = [await gate.take() for _ in range(3)]
    await gate.give_back(first, used=False)
    assert await gate.count_free() == 1


async def test_bulk_leaves_the_reserve_to_those_who_wait(gate: Gate) -> None:
    await gate.take(interactive=False)
    await gate.take(interactive=False)
    bulk = await gate.try_to_take(interactive=False)
    assert bulk == Wait(about(LIMITS.lease), for_all=False)
    await gate.take()
    everybody = await gate.try_to_take()
    assert everybody == Wait(about(LIMITS.lease), for_all=True)


async def test_the_lease_of_a_dead_process_ends_by_itself(gate: Gate, clock: FrozenClock) -> None:
    for _ in range(3):
        await gate.take()
    assert LIMITS.lease == BEGIN_WITHIN + LIMITS.timeout + LIMITS.period
    assert await gate.wait() == about(LIMITS.lease)
    clock.forward(LIMITS.lease + TICK)
    assert await gate.count_free() == 3


async def test_a_permit_given_back_after_its_lease_leaves_the_next_holder_alone(
    gate: Gate, clock: FrozenClock
) -> None:
    late = [await gate.take() for _ in range(3)]
    clock.forward(LIMITS.lease + TICK)
    for _ in range(3):
        await gate.take()
    for permit in late:
        await gate.give_back(permit, used=False)
    assert await gate.wait() == about(LIMITS.lease)


async def test_a_permit_is_given_back_once(gate: Gate, clock: FrozenClock) -> None:
    permit = await gate.take()
    await gate.give_back(permit)
    clock.forward(4.0)
    await gate.give_back(permit)
    clock.forward(1.0 + TICK)
    assert await gate.count_free() == 3


async def test_every_permit_has_a_name_of_its_own(gate: Gate) -> None:
    assert len({(await gate.take()).id for _ in range(3)}) == 3


async def test_preparing_twice_changes_nothing(gate: Gate, database: Database) -> None:
    await gate.take()
    await gate.store.prepare()
    assert await gate.count_free() == 2
    numbers = await database.transact(lambda each: list(each.scalars(select(slots.c.number))))
    assert numbers == [0, 1, 2]


async def test_a_raised_setting_adds_slots_and_a_lowered_one_counts_the_old_ones(
    open_gate: OpenGate,
) -> None:
    narrow = await open_gate()
    wide = await open_gate(limit=5)
    for _ in range(4):
        await wide.take()
    assert isinstance(await narrow.try_to_take(), Wait)
    assert await wide.count_free() == 1


async def test_processes_over_one_file_share_the_slots(
    gate: Gate, database_url: str, clock: FrozenClock
) -> None:
    other_database = open_database(database_url, now=clock.time)
    other = Gate(other_database)
    await other.store.prepare()
    first = await gate.take()
    await other.take()
    await gate.take()
    assert isinstance(await other.try_to_take(), Wait)
    await other.give_back(first, used=False)
    assert await other.count_free() == 1
    await other_database.close()


async def test_accounts_do_not_share_their_slots(gate: Gate, database: Database) -> None:
    other = Gate(database, account="another")
    await other.store.prepare()
    error = CrmRateLimitedError(limit=1, period=5)
    await gate.give_back(await gate.take(), error)
    assert await other.count_free() == 3
    assert await other.store.read() == (LIMITS, 0.0)


# Refusals.


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (CrmRateLimitedError(), 5.0),
        (CrmRateLimitedError(retry_after=2.0), 5.0),
        (CrmRateLimitedError(retry_after=7.0), 7.0),
        (CrmRateLimitedError(retry_after=60.0), MOST_CLOSED),
        (CrmRateLimitedError(retry_after=86_400.0), MOST_CLOSED),
        (CrmRateLimitedError(limit=2, period=9.0), 9.0),
        (CrmRateLimitedError(limit=2, period=1.0), 5.0),
        (CrmRateLimitedError(limit=2, period=120.0), 120.0),
        (CrmRateLimitedError(limit=2, period=9.0, retry_after=20.0), 20.0),
    ],
)
async def test_a_refusal_closes_the_gate_for_the_longest_of_what_is_known(
    gate: Gate, clock: FrozenClock, error: CrmRateLimitedError, seconds: float
) -> None:
    await gate.give_back(await gate.take(), error)
    assert await gate.wait() == about(seconds + REOPEN_MARGIN)
    assert (await gate.store.read())[1] == about(seconds + REOPEN_MARGIN)
    clock.forward(seconds)
    assert await gate.wait() == about(REOPEN_MARGIN)
    clock.forward(REOPEN_MARGIN + TICK)
    await gate.take()


async def test_a_shorter_closing_does_not_shorten_a_longer_one(gate: Gate) -> None:
    first, second = await gate.take(), await gate.take()
    await gate.give_back(first, CrmRateLimitedError(retry_after=50.0))
    await gate.give_back(second, CrmRateLimitedError())
    assert await gate.wait() == about(50.0 + REOPEN_MARGIN)


async def close(gate: Gate, clock: FrozenClock) -> None:
    """Have the gate closed by a refusal, and let the closing pass."""
    await gate.give_back(await gate.take(), CrmRateLimitedError())
    clock.forward(LIMITS.period + TICK)


async def test_after_a_closing_one_call_probes_and_the_others_wait_for_it(
    gate: Gate, clock: FrozenClock
) -> None:
    await close(gate, clock)
    probe = await gate.take(interactive=False)
    assert probe.is_probe
    assert await gate.try_to_take() == Wait(about(LIMITS.lease), for_all=True)
    assert await gate.try_to_take(interactive=False) == Wait(about(LIMITS.lease), for_all=True)


async def test_only_a_permit_taken_after_a_closing_is_a_probe(
    gate: Gate, clock: FrozenClock
) -> None:
    assert not (await gate.take()).is_probe
    await close(gate, clock)
    probe = await gate.take()
    assert probe.is_probe
    await gate.give_back(probe)
    assert not (await gate.take()).is_probe


async def test_bulk_may_probe_though_only_the_reserve_is_free(
    gate: Gate, clock: FrozenClock
) -> None:
    await gate.give_back(await gate.take(), CrmRateLimitedError())
    clock.forward(LIMITS.period + TICK)
    await gate.give_back(await gate.take(), CrmRateLimitedError(retry_after=1.0))
    busy = text("UPDATE slots SET free_at = :until WHERE number > 0")
    until = {"until": clock.time() + 10.0}
    await gate.store.database.transact(lambda connection: connection.execute(busy, until))
    clock.forward(LIMITS.period + TICK)
    assert isinstance(await gate.try_to_take(interactive=False), Permit)


@pytest.mark.parametrize(
    "error", [None, CrmAccessError(status=401), CrmBusyError(), CrmUncertainError()]
)
async def test_a_probe_that_was_let_in_reopens_the_gate(
    gate: Gate, clock: FrozenClock, error: CrmError | None
) -> None:
    await close(gate, clock)
    await gate.give_back(await gate.take(), error)
    assert await gate.count_free() == 2
    clock.forward(LIMITS.lease + TICK)
    assert await gate.count_free() == 3


async def test_a_probe_that_is_refused_closes_the_gate_again(
    gate: Gate, clock: FrozenClock
) -> None:
    await close(gate, clock)
    await gate.give_back(await gate.take(), CrmRateLimitedError(retry_after=30.0))
    assert await gate.wait() == about(30.0 + REOPEN_MARGIN)
    clock.forward(30.0 + TICK)
    await gate.take()
    assert isinstance(await gate.try_to_take(), Wait)


@pytest.mark.parametrize(
    ("error", "used"), [(CrmConnectError(), True), (None, False)], ids=["connect", "unused"]
)
async def test_a_probe_that_proved_nothing_hands_the_probing_on(
    gate: Gate, clock: FrozenClock, error: CrmError | None, used: bool
) -> None:
    await close(gate, clock)
    await gate.give_back(await gate.take(), error, used=used)
    probe = await gate.take()
    assert isinstance(await gate.try_to_take(), Wait)
    await gate.give_back(probe)
    assert isinstance(await gate.try_to_take(), Permit)


async def test_a_probe_that_died_is_replaced_when_its_lease_ends(
    gate: Gate, clock: FrozenClock
) -> None:
    await close(gate, clock)
    dead = await gate.take()
    clock.forward(LIMITS.lease + TICK)
    await gate.take()
    await gate.give_back(dead)
    assert isinstance(await gate.try_to_take(), Wait)


async def test_the_success_of_a_call_begun_before_the_closing_does_not_reopen(
    gate: Gate, clock: FrozenClock
) -> None:
    early, refused = await gate.take(), await gate.take()
    await gate.give_back(refused, CrmRateLimitedError())
    await gate.give_back(early)
    assert await gate.wait() == about(LIMITS.period + REOPEN_MARGIN)
    clock.forward(LIMITS.period + TICK)
    await gate.take()
    assert isinstance(await gate.try_to_take(), Wait)


async def test_a_refusal_of_a_call_begun_before_unseats_the_probe(
    gate: Gate, clock: FrozenClock
) -> None:
    early, refused = await gate.take(), await gate.take()
    await gate.give_back(refused, CrmRateLimitedError())
    clock.forward(LIMITS.period + TICK)
    probe = await gate.take()
    await gate.give_back(early, CrmRateLimitedError())
    await gate.give_back(probe)
    assert await gate.wait() == about(LIMITS.period + REOPEN_MARGIN)


# Learning.


async def teach(gate: Gate, limit: int | None, period: float | None = None) -> None:
    """Refuse one call, naming the limit, and let the next one through."""
    error = CrmRateLimitedError(limit=limit, period=period)
    await gate.give_back(await gate.take(), error)


@pytest.mark.parametrize(
    ("limit", "period", "in_force"),
    [
        (2, 5.0, replace(LIMITS, limit=2)),
        (0, 5.0, replace(LIMITS, limit=1, reserved=0)),
        (-4, 5.0, replace(LIMITS, limit=1, reserved=0)),
        (25, 5.0, LIMITS),
        (25, 60.0, replace(LIMITS, period=60.0)),
        (2, None, replace(LIMITS, limit=2)),
        (None, None, LIMITS),
    ],
)
async def test_a_refusal_that_names_the_limit_teaches_it(
    gate: Gate, limit: int | None, period: float | None, in_force: Limits
) -> None:
    await teach(gate, limit, period)
    assert (await gate.store.read())[0] == in_force


async def test_a_learned_limit_is_kept_when_the_next_refusal_names_none(gate: Gate) -> None:
    first, second = await gate.take(), await gate.take()
    await gate.give_back(first, CrmRateLimitedError(limit=2, period=5.0))
    await gate.give_back(second, CrmRateLimitedError())
    assert (await gate.store.read())[0].limit == 2


async def test_the_newest_refusal_counts(gate: Gate, clock: FrozenClock) -> None:
    await teach(gate, 1, 5.0)
    clock.forward(LIMITS.period + TICK)
    await teach(gate, 2, 5.0)
    assert (await gate.store.read())[0].limit == 2


async def test_a_learned_limit_holds_for_permits(gate: Gate, clock: FrozenClock) -> None:
    await teach(gate, 2, 7.0)
    clock.forward(7.0 + TICK)
    probe = await gate.take()
    clock.forward(1.0)
    await gate.give_back(probe)
    await gate.take()
    assert await gate.wait() == about(7.0 + REOPEN_MARGIN)


async def test_a_learned_limit_is_forgotten_after_a_day(gate: Gate, clock: FrozenClock) -> None:
    await teach(gate, 1, 60.0)
    clock.forward(REMEMBER - TICK)
    assert (await gate.store.read())[0].limit == 1
    clock.forward(2 * TICK)
    assert (await gate.store.read())[0] == LIMITS
    await gate.give_back(await gate.take())
    assert await gate.count_free() == 2


@pytest.mark.parametrize("change", [{"limit": 4}, {"period": 6.0}])
async def test_a_learned_limit_is_forgotten_when_the_setting_changes(
    gate: Gate, open_gate: OpenGate, change: dict[str, Any]
) -> None:
    await teach(gate, 1, 5.0)
    changed = await open_gate(**change)
    assert (await changed.store.read())[0] == replace(LIMITS, **change)
    assert (await gate.store.read())[0].limit == 1


# The machine's clock is set.


async def test_a_clock_put_back_an_hour_stalls_no_longer_than_a_lease(
    gate: Gate, clock: FrozenClock
) -> None:
    for _ in range(3):
        await gate.take()
    clock.forward(-HOUR)
    assert await gate.wait() <= LIMITS.lease
    clock.forward(LIMITS.period + TICK)
    assert await gate.count_free() == 3


async def test_slots_within_a_lease_stay_where_they_are_when_others_are_brought_in(
    gate: Gate, clock: FrozenClock
) -> None:
    await gate.take()
    clock.forward(-HOUR)
    await gate.take()
    await gate.take()
    clock.forward(LIMITS.period + TICK)
    assert await gate.count_free() == 1
    assert await gate.wait() <= LIMITS.lease


async def test_a_closed_gate_opens_in_a_period_when_the_clock_is_put_back(
    gate: Gate, clock: FrozenClock
) -> None:
    await gate.give_back(await gate.take(), CrmRateLimitedError(retry_after=60.0))
    clock.forward(-HOUR)
    assert await gate.wait() == about(LIMITS.period)
    clock.forward(LIMITS.period + TICK)
    probe = await gate.take()
    assert isinstance(await gate.try_to_take(), Wait)
    await gate.give_back(probe)
    assert isinstance(await gate.try_to_take(), Permit)


async def test_a_probe_under_way_is_replaced_when_the_clock_is_put_back(
    gate: Gate, clock: FrozenClock
) -> None:
    await gate.give_back(await gate.take(), CrmRateLimitedError())
    clock.forward(HOUR)
    await gate.take()
    clock.forward(-HOUR + LIMITS.lease + 10.0)
    probe = await gate.take()
    await gate.give_back(probe)
    assert isinstance(await gate.try_to_take(), Permit)


async def test_a_clock_put_forward_a_day_stalls_nothing(gate: Gate, clock: FrozenClock) -> None:
    taken = [await gate.take() for _ in range(3)]
    await gate.give_back(taken[0], CrmRateLimitedError(retry_after=60.0))
    clock.forward(24 * HOUR)
    await gate.give_back(await gate.take())
    assert await gate.count_free() == 2


# The property: no window sees more calls than the limit.


@dataclass
class Call:
    """A permit under way, and when its call arrived at the CRM."""

    permit: Permit
    begun: float
    arrived: float | None = None

    @property
    def latest(self) -> float:
        """The last moment at which the call may arrive: it begins in time, then times out."""
        return self.begun + BEGIN_WITHIN + LIMITS.timeout


ANSWERS = (None, CrmConnectError(), CrmUncertainError(), CrmBusyError())


TWO = replace(LIMITS, limit=2)


class Traffic:
    """Two processes at one gate, and a CRM that notes when their calls arrive."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        account = uuid4().hex  # each example has its own rows
        self.gates = [Gate(database, TWO, account) for _ in range(2)]
        self.clock = clock
        self.under_way: list[Call] = []
        self.arrivals: list[float] = []

    def arrive(self, call: Call, at: float) -> None:
        if call.arrived is None:
            call.arrived = at
            self.arrivals.append(at)

    async def take(self, which: int) -> None:
        """Take what can be taken; every third time only bulk asks."""
        for _ in range(2):
            permit = await self.gates[which % 2].try_to_take(interactive=which % 3 > 0)
            if isinstance(permit, Permit):
                self.under_way.append(Call(permit, self.clock.time()))

    async def begin(self, which: int) -> None:
        for call in self._some(which):
            self.arrive(call, self.clock.time())

    async def answer(self, which: int) -> None:
        for call in self._end_some(which):
            self.arrive(call, self.clock.time())
            await self.gates[1].give_back(call.permit, ANSWERS[which % 4])

    async def hand_back(self, which: int) -> None:
        for call in self._end_some(which):
            await self.gates[0].give_back(call.permit, used=call.arrived is not None)

    async def die(self, which: int) -> None:
        for call in self._end_some(which):
            self.arrive(call, call.latest)

    async def forward(self, which: int) -> None:
        """Move on; the answers of calls that timed out meanwhile are stored late."""
        self.clock.forward([0.1, 1.0, 4.9, 5.1, 9.0, 12.5, 17.5][which % 7])
        for call in [call for call in self.under_way if call.latest < self.clock.time()]:
            self.arrive(call, call.latest)
            self.under_way.remove(call)
            await self.gates[0].give_back(call.permit, CrmUncertainError())

    def _some(self, which: int) -> list[Call]:
        """Return the oldest call, the newest, or all of them."""
        return [self.under_way[:1], self.under_way[-1:], list(self.under_way)][which % 3]

    def _end_some(self, which: int) -> list[Call]:
        some = self._some(which)
        self.under_way = [call for call in self.under_way if call not in some]
        return some


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "begin", "answer", "hand_back", "die", "forward", "forward"]),
        st.integers(0, 11),
    ),
    min_size=10,
    max_size=80,
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
async def test_no_window_ever_sees_more_calls_than_the_limit(
    database: Database, clock: FrozenClock, steps: list[tuple[str, int]]
) -> None:
    traffic = Traffic(database, clock)
    for gate in traffic.gates:
        await gate.store.prepare()
    for step, which in steps:
        await getattr(traffic, step)(which)
        assert len(traffic.under_way) <= TWO.limit
    for end in traffic.arrivals:
        window = [at for at in traffic.arrivals if end - TWO.period <= at <= end]
        assert len(window) <= TWO.limit
