import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiolimiter import AsyncLimiter

from bot.background import Watch
from bot.dispatcher import STORE_RETRY, Dispatcher, outcome_of
from bot.errors import (
    CommitInDoubtError,
    CrmAccessError,
    CrmBusyError,
    CrmConnectError,
    CrmError,
    CrmRateLimitedError,
    CrmRejectedError,
    CrmUncertainError,
    StoreBrokenError,
    StoreError,
    StoreUnavailableError,
)
from bot.notification import KEY_OWNER, Notification, Outcome
from bot.rate_gate import RateGate
from bot.store.acceptance import Acceptance
from bot.store.claims import Claim, Claims
from bot.store.database import Database
from bot.store.gate import BEGIN_WITHIN, Limits, Wait
from tests.clock import FrozenClock
from tests.fakes import LEE, OMAR, PRIYA, FakeCrm
from tests.store import LIMITS, Store, acceptance

FINAL = ("sent", "rejected", "unavailable", "unknown")


class FlakyClaims(Claims):
    """A database that goes away for some calls, by the name of the method."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.database, store.gate)
        self.errors: list[StoreError] = []
        self.tries = 0
        self.after_claim: Callable[[], object] = lambda: None
        self.calls: list[str] = []

    async def peek(self) -> bool:
        self.calls.append("peek")
        return await super().peek()

    async def claim(self) -> Claim | Wait | None:
        self.calls.append("claim")
        claim = await super().claim()
        self.after_claim()
        return claim

    async def settle(
        self, claim: Claim, outcome: Outcome, error: CrmError | None, *, condemns: bool = False
    ) -> bool:
        self._fail_at_times()
        return await super().settle(claim, outcome, error, condemns=condemns)

    async def hand_back(self, claim: Claim) -> None:
        self._fail_at_times()
        await super().hand_back(claim)

    def _fail_at_times(self) -> None:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)


class Desk:
    """A dispatcher with its store and a scripted CRM, on one clock."""

    def __init__(
        self, database: Database, clock: FrozenClock, limits: Limits, jitter: float = 0.5
    ) -> None:
        self.clock = clock
        self.store = Store(database, limits)
        self.claims = FlakyClaims(self.store)
        self.crm = FakeCrm()
        self.settled = 0
        self.watch = Watch()
        limiter = AsyncLimiter(1000, 1)  # the slots are what the tests are about
        gate = RateGate(self.store.gate, limiter, clock, Watch())
        self.dispatcher = Dispatcher(
            self.claims, gate, self.crm, clock, lambda: jitter, self._on_settled, self.watch
        )

    def _on_settled(self) -> None:
        self.settled += 1

    async def step(self) -> bool:
        """Take one step and let what it began finish."""
        busy = await self.dispatcher.step()
        await asyncio.gather(*self.dispatcher._in_flight._running)
        return busy

    async def work_for(self, seconds: float) -> None:
        """Work as the loop does: step by step, and a look a second when there is nothing."""
        until = self.clock.time() + seconds
        while self.clock.time() < until:
            if not await self.step():
                self.clock.forward(1)

    async def states(self) -> list[tuple[str, str | None]]:
        return [(str(row.state), row.code) for row in await self.store.rows()]


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    desk = Desk(database, clock, LIMITS)
    await desk.store.gate.prepare()
    return desk


async def test_with_nothing_due_nothing_is_asked_of_the_gate(desk: Desk) -> None:
    assert not await desk.step()
    assert desk.crm.pushes == []
    assert not desk.dispatcher._admitted


async def test_what_is_due_is_pushed_once_and_settled(desk: Desk) -> None:
    given = Acceptance(
        "k1",
        "UALICE",
        "Alice",
        Notification("Title", "Content", "https://a.test/", "https://b.test/i.png"),
        acceptance("UA").recipients,
        acceptance("UA").place,
    )
    await desk.store.outbox.accept(given)
    await desk.store.resolve(UA=PRIYA)
    assert await desk.step()
    assert not await desk.step()
    (push,) = desk.crm.pushes
    assert (push.user_id, push.title, push.content) == (PRIYA, "Title", "Content")
    assert (push.click_url, push.icon_url) == ("https://a.test/", "https://b.test/i.png")
    assert await desk.states() == [("sent", None)]
    assert desk.settled == 1


async def test_the_key_owner_is_named_as_such(desk: Desk) -> None:
    await desk.store.accept("")
    await desk.step()
    assert [push.user_id for push in desk.crm.pushes] == [KEY_OWNER]


async def test_a_text_longer_than_the_default_is_sent_because_it_was_accepted(
    desk: Desk,
) -> None:
    await desk.store.accept("", content="x" * 4000)
    await desk.step()
    assert [len(push.content) for push in desk.crm.pushes] == [4000]


async def test_what_cannot_be_sent_at_all_is_rejected_and_not_in_doubt(desk: Desk) -> None:
    await desk.store.accept("UA")
    await desk.store.resolve(UA="not a CRM user id")
    await desk.step()
    assert desk.crm.pushes == []
    assert await desk.states() == [("rejected", "rejected")]


# The table of what an answer means.


@pytest.mark.parametrize(
    ("error", "state", "pushes"),
    [
        (None, ("sent", None), 1),
        (CrmRejectedError("No such user"), ("rejected", "rejected"), 1),
        (CrmAccessError("Invalid keys", status=401), ("rejected", "access_401"), 1),
        (CrmAccessError(status=403), ("rejected", "access_403"), 1),
        (CrmAccessError(status=404), ("rejected", "access_404"), 1),
        (CrmUncertainError("Bad gateway"), ("unknown", "uncertain"), 1),
        (RecursionError("a bug of ours"), ("unknown", "uncertain"), 1),
        (CrmConnectError(), ("unavailable", "connect"), 6),
        (CrmBusyError("later"), ("unavailable", "busy"), 4),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_an_answer_ends_as_the_table_says_after_so_many_calls(
    desk: Desk, error: Exception | None, state: tuple[str, str | None], pushes: int
) -> None:
    desk.crm.answers = [error] * 20
    await desk.store.accept("")
    await desk.work_for(600)
    assert await desk.states() == [state]
    assert len(desk.crm.pushes) == pushes
    assert desk.settled == pushes


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (CrmRejectedError("No such user"), "No such user"),
        (CrmRejectedError(), None),
        (CrmBusyError("Try later"), "Try later"),
    ],
)
def test_the_words_of_the_crm_are_kept(error: CrmError, detail: str | None) -> None:
    assert outcome_of(error).detail == detail


async def test_an_unexpected_exception_says_its_type_and_no_more(desk: Desk) -> None:
    desk.crm.answers = [ValueError("something private")]
    await desk.store.accept("")
    await desk.step()
    (row,) = await desk.store.rows()
    assert (row.state, row.detail) == ("unknown", "ValueError")


@pytest.mark.parametrize(("jitter", "least", "most"), [(0.0, 60, 75), (0.999, 125, 145)])
async def test_without_a_connection_it_gives_up_after_about_two_minutes(
    database: Database, clock: FrozenClock, jitter: float, least: float, most: float
) -> None:
    desk = Desk(database, clock, LIMITS, jitter)
    await desk.store.gate.prepare()
    desk.crm.answers = [CrmConnectError()] * 20
    await desk.store.accept("")
    begun = clock.time()
    while (await desk.states())[0][0] not in FINAL:
        await desk.work_for(1)
    assert least <= clock.time() - begun <= most


async def test_a_repeat_that_succeeds_ends_it(desk: Desk) -> None:
    desk.crm.answers = [CrmConnectError(), CrmBusyError(), None]
    await desk.store.accept("")
    await desk.work_for(60)
    assert await desk.states() == [("sent", None)]
    assert len(desk.crm.pushes) == 3


async def test_a_refusal_for_the_rate_is_repeated_without_counting(desk: Desk) -> None:
    desk.crm.answers = [CrmRateLimitedError("", limit=3, period=5)] * 40
    await desk.store.accept("")
    await desk.work_for(600)
    (row,) = await desk.store.rows()
    assert (row.state, row.repeats) == ("sent", 0)
    assert len(desk.crm.pushes) == 41


async def test_while_the_gate_is_closed_nobody_is_pushed_and_then_one_probes(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.crm.answers = [CrmRateLimitedError(retry_after=30.0)]
    await desk.store.accept("UA", "UB")
    await desk.store.resolve(UA=PRIYA, UB=OMAR)
    await desk.step()
    begun = clock.time()
    while len(desk.crm.pushes) < 2:
        await desk.step()
    assert clock.time() - begun == pytest.approx(30.0, abs=1.0)
    while len(desk.crm.pushes) < 3:
        await desk.step()
    assert clock.time() - begun < 32.0
    assert await desk.states() == [("sent", None), ("sent", None)]


async def test_access_refused_ends_the_rest_of_that_notification_without_calls(
    desk: Desk,
) -> None:
    desk.crm.answers = [CrmAccessError("Invalid keys", status=401)]
    await desk.store.accept("UA", "UB", "UC", key="k1")
    await desk.store.resolve(UA=PRIYA, UB=OMAR)
    await desk.step()
    await desk.store.accept("", key="k2")
    await desk.work_for(30)
    assert await desk.states() == [("rejected", "access_401")] * 3 + [("sent", None)]
    assert len(desk.crm.pushes) == 2


async def test_another_refusal_ends_only_its_own_delivery(desk: Desk) -> None:
    desk.crm.answers = [CrmRejectedError()]
    await desk.store.accept("UA", "UB")
    await desk.store.resolve(UA=PRIYA, UB=OMAR)
    await desk.work_for(30)
    assert await desk.states() == [("rejected", "rejected"), ("sent", None)]


# The pace.


async def test_the_slots_set_the_pace(desk: Desk, clock: FrozenClock) -> None:
    begun = clock.time()
    pushed: list[float] = []
    desk.crm.before_answer = lambda: pushed.append(clock.time() - begun)
    users = {f"U{n}": f"6f0c2a1e-{n:04}-4222-8333-abcdefabcdef" for n in range(7)}
    await desk.store.accept(*users)
    await desk.store.resolve(**users)
    await desk.work_for(60)
    assert len(pushed) == 7
    assert pushed[:3] == [0.0] * 3
    assert pushed[3] == pytest.approx(5.0, abs=0.01)
    assert pushed[6] == pytest.approx(10.0, abs=0.02)


async def test_only_a_wait_for_the_reserve_looks_again_at_once_when_woken(
    database: Database, clock: FrozenClock
) -> None:
    desk = Desk(database, clock, LIMITS)
    await desk.store.gate.prepare()
    for key in ("k1", "k2"):
        await desk.store.accept("", key=key)
        await desk.step()
    users = [f"U{n}" for n in range(21)]
    await desk.store.accept(*users, key="k3")
    await desk.store.resolve(**dict.fromkeys(users[:20], PRIYA), U20=OMAR)
    await desk.store.execute("UPDATE deliveries SET position = 50 WHERE slack_user_id = 'U0'")
    desk.dispatcher._awake.clear()
    before = clock.time()
    assert await desk.step()  # bulk may not take the last slot, so it waits
    assert clock.time() - before == pytest.approx(1.0)
    await desk.store.accept("", key="k4")
    assert await desk.step()
    assert len(desk.crm.pushes) == 3  # but a single one may


async def test_a_closed_gate_is_not_asked_again_before_its_time(
    desk: Desk, clock: FrozenClock
) -> None:
    for key in ("k1", "k2", "k3", "k4"):
        await desk.store.accept("", key=key)
    for _ in range(3):
        await desk.step()
    assert await desk.step()  # finds no slot
    desk.dispatcher._awake.clear()
    before = clock.time()
    assert await desk.step()
    assert clock.time() - before == pytest.approx(1.0)
    desk.dispatcher.wake()
    await desk.step()
    desk.dispatcher.wake()
    before = clock.time()
    await desk.step()
    assert clock.time() == before
    assert len(desk.crm.pushes) == 3


async def test_the_share_of_the_process_is_kept_while_waiting_for_a_slot(desk: Desk) -> None:
    for key in ("k1", "k2", "k3", "k4"):
        await desk.store.accept("", key=key)
    for _ in range(4):
        await desk.step()
    assert desk.dispatcher._admitted
    await desk.work_for(10)
    assert not desk.dispatcher._admitted
    assert len(desk.crm.pushes) == 4


async def test_what_another_process_took_meanwhile_is_no_work(
    desk: Desk, database: Database
) -> None:
    other = Store(database)
    await desk.store.accept("")
    admit = desk.dispatcher._gate.admit

    async def admit_while_another_claims() -> None:
        await admit()
        await other.claim()

    desk.dispatcher._gate.admit = admit_while_another_claims  # type: ignore[method-assign]  # a race
    assert not await desk.step()
    assert desk.crm.pushes == []


# When things go wrong between the claim and the outcome.


@pytest.mark.parametrize(("seconds", "pushes"), [(BEGIN_WITHIN, 1), (BEGIN_WITHIN + 0.1, 0)])
async def test_a_push_that_would_begin_too_late_is_handed_back(
    desk: Desk, clock: FrozenClock, seconds: float, pushes: int
) -> None:
    await desk.store.accept("")
    desk.claims.after_claim = lambda: clock.forward(seconds)
    await desk.step()
    assert len(desk.crm.pushes) == pushes
    assert await desk.store.states() == ["pending" if pushes == 0 else "sent"]
    desk.claims.after_claim = lambda: None
    await desk.work_for(10)
    assert await desk.states() == [("sent", None)]
    assert len(desk.crm.pushes) == 1


async def test_a_claim_that_cannot_be_handed_back_is_offered_again(
    desk: Desk, clock: FrozenClock
) -> None:
    await desk.store.accept("")
    desk.claims.after_claim = lambda: clock.forward(3)
    desk.claims.errors = [StoreUnavailableError()]
    await desk.step()
    assert desk.claims.tries == 2
    assert await desk.store.states() == ["pending"]


async def test_an_outcome_that_cannot_be_stored_is_offered_again_and_not_sent_again(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.claims.errors = [StoreUnavailableError(), CommitInDoubtError(), StoreUnavailableError()]
    await desk.store.accept("")
    before = clock.time()
    await desk.step()
    assert clock.time() - before == pytest.approx(3 * STORE_RETRY)
    assert desk.claims.tries == 4
    assert len(desk.crm.pushes) == 1
    assert await desk.states() == [("sent", None)]


async def test_an_outcome_stored_after_its_lease_corrects_the_unknown(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.crm.before_answer = lambda: clock.forward(LIMITS.lease + 1)
    sweep = desk.store.claims.sweep
    await desk.store.accept("")
    step = asyncio.create_task(desk.dispatcher.step())
    await step
    await sweep()
    await asyncio.gather(*desk.dispatcher._in_flight._running)
    assert await desk.states() == [("sent", None)]


async def test_a_bug_in_a_delivery_is_heard_of_and_the_others_are_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug = LookupError("a bug")
    settle, broken = desk.claims.settle, [True]

    async def settle_but_once(*args: object, **kwargs: object) -> bool:
        if broken:
            broken.clear()
            raise bug
        return await settle(*args, **kwargs)  # type: ignore[arg-type]  # whatever they were

    monkeypatch.setattr(desk.claims, "settle", settle_but_once)
    await desk.store.accept("UA", "UB")
    await desk.store.resolve(UA=PRIYA, UB=OMAR)
    await desk.dispatcher.step()
    await desk.dispatcher.step()
    await desk.dispatcher.drain(30)
    with pytest.raises(ExceptionGroup) as caught:
        desk.watch.check()
    assert caught.value.exceptions == (bug,)
    assert await desk.store.states() == ["sending", "sent"]  # the lease ends the first


async def test_an_outcome_is_not_offered_to_a_broken_database_again(desk: Desk) -> None:
    desk.claims.errors = [StoreBrokenError(), StoreUnavailableError()]
    await desk.store.accept("")
    await desk.dispatcher.step()
    await desk.dispatcher.drain(30)
    assert desk.claims.tries == 1


# Shutting down.


@asynccontextmanager
async def push_under_way(desk: Desk, key: str = "k1") -> AsyncIterator[asyncio.Event]:
    """Have one push wait for the event."""
    answered = asyncio.Event()
    push = desk.crm.push

    async def wait(*args: object) -> object:
        await answered.wait()
        return await push(*args)  # type: ignore[arg-type]  # whatever it was

    desk.crm.push = wait  # type: ignore[method-assign, assignment]  # a slow CRM
    await desk.store.accept("", key=key)
    await desk.dispatcher.step()
    await asyncio.sleep(0)
    yield answered


async def test_what_is_under_way_may_finish_at_the_end(desk: Desk) -> None:
    async with push_under_way(desk) as answered:
        draining = asyncio.create_task(desk.dispatcher.drain(30))
        await asyncio.sleep(0)
        answered.set()
        await draining
    assert await desk.states() == [("sent", None)]


async def test_what_does_not_finish_is_left_to_its_lease(desk: Desk, clock: FrozenClock) -> None:
    async with push_under_way(desk):
        tasks = list(desk.dispatcher._in_flight._running)
        await desk.dispatcher.drain(0)
        await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    assert await desk.store.states() == ["sending"]
    clock.forward(LIMITS.lease + 1)
    await desk.store.claims.sweep()
    assert await desk.states() == [("unknown", "lease")]


async def test_the_success_of_a_probe_ends_the_wait_of_this_process_at_once(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.crm.answers = [CrmRateLimitedError()]
    await desk.store.accept("", key="k1", sender="UBOB")
    await desk.step()
    clock.forward(LIMITS.period + 0.1)
    async with push_under_way(desk, key="k2") as answered:  # which of the two it is is all one
        await desk.dispatcher.step()  # everybody waits for the probe
        await desk.dispatcher.step()
        assert len(desk.dispatcher._in_flight) == 1
        answered.set()
        await asyncio.gather(*desk.dispatcher._in_flight._running)
    before = clock.time()
    await desk.step()
    assert clock.time() == before
    assert await desk.states() == [("sent", None)] * 2


async def test_with_nothing_under_way_there_is_nothing_to_drain(desk: Desk) -> None:
    await desk.dispatcher.drain(0)


async def test_everybody_gets_one_call_of_many_recipients(desk: Desk) -> None:
    await desk.store.accept("UA", "UB", "UC", "")
    await desk.store.resolve(UA=PRIYA, UB=OMAR, UC=LEE)
    await desk.work_for(30)
    called = [push.user_id for push in desk.crm.pushes]
    assert sorted(called) == sorted([PRIYA, OMAR, LEE, KEY_OWNER])
    assert await desk.states() == [("sent", None)] * 4


async def test_whoever_knows_of_work_spares_the_look_before_the_claim(desk: Desk) -> None:
    await desk.store.accept("")
    desk.dispatcher.wake()
    assert await desk.step()
    assert desk.claims.calls == ["claim"]
    assert not await desk.step()  # nothing is left
    assert not await desk.step()
    assert desk.claims.calls == ["claim", "claim", "peek"]
