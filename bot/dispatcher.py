"""Peek, take a permit and a claim together, push, settle, until stopped.

The queue is the database; this holds only the calls in flight. An outcome that cannot be stored
is kept and offered again until the database takes it, or the lease ends it as unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.background import Tasks, Watch
from bot.backoff import BUSY, UNREACHABLE, Backoff
from bot.clock import Clock
from bot.errors import (
    CrmAccessError,
    CrmBusyError,
    CrmError,
    CrmRateLimitedError,
    CrmRejectedError,
    CrmUncertainError,
    StoreBrokenError,
    StoreError,
)
from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.models import BrowserPush, count_bytes
from bot.notification import Outcome, State
from bot.observer import UNOBSERVED, Observer
from bot.rate_gate import RateGate
from bot.store.claims import Claim, Claims
from bot.store.gate import BEGIN_WITHIN, Wait
from bot.worker import LOOK_EVERY, Worker

log = structlog.get_logger()

STORE_RETRY = 0.5
"""Seconds between tries to store an outcome while the database is away."""


class Dispatcher(Worker):
    """Sends what is due, as fast as the gate allows."""

    name = "dispatcher"

    def __init__(
        self,
        claims: Claims,
        gate: RateGate,
        client: LeadSquaredClient,
        clock: Clock,
        random: Callable[[], float],
        on_settled: Callable[[], None],
        watch: Watch,
        observer: Observer = UNOBSERVED,
    ) -> None:
        super().__init__(clock)
        self._claims = claims
        self._gate = gate
        self._client = client
        self._random = random
        self._on_settled = on_settled
        self._admitted = False
        self._has_work = False  # somebody says so, so that a peek would only cost time
        self._closed_until = float("-inf")  # until then nothing new can pass, so none is tried
        self._in_flight = Tasks(watch)
        self._observer = observer
        self._waiting_since: float | None = None  # there has been work, and no permit for it

    def wake(self) -> None:
        """Look for work now: something was accepted, or resolved."""
        self._has_work = True
        super().wake()

    async def step(self) -> bool:
        """Start the push that is next; False when nothing is due."""
        if (closed := self._closed_until - self._clock.time()) > 0:
            await self._clock.wait(self._awake, min(closed, LOOK_EVERY))
            return True
        if not self._has_work and not await self._claims.peek():
            return False
        if self._waiting_since is None:
            self._waiting_since = self._clock.time()
        if not self._admitted:
            await self._gate.admit()
            self._admitted = True
        claim = await self._in_flight.finish("claim", self._claim_and_start())
        self._has_work = self._has_work and claim is not None
        if isinstance(claim, Wait):
            await self._wait(claim)
        else:
            self._waiting_since = None
        return claim is not None

    async def _claim_and_start(self) -> Claim | Wait | None:
        """Claim what is next and start its push: one without the other would be lost work."""
        begun = self._clock.time()
        claim = await self._claims.claim()
        if isinstance(claim, Claim):
            since = begun if self._waiting_since is None else self._waiting_since
            self._observer.waited("push", self._clock.time() - since)
            self._admitted = False
            self._in_flight.start("delivery", self._deliver(claim, begun))
        return claim

    async def _wait(self, wait: Wait) -> None:
        """Wait for a slot; a look now and then, as other processes may give one back."""
        seconds = min(wait.seconds, LOOK_EVERY)
        if wait.for_all:
            self._closed_until = self._clock.time() + seconds
        else:
            await self._clock.wait(self._awake, seconds)

    async def drain(self, seconds: float) -> None:
        """Let the calls in flight finish and be stored; what is not done by then is unknown."""
        late = await self._in_flight.drain(seconds)
        log.info("dispatcher.drained", late=late)

    async def _deliver(self, claim: Claim, begun: float) -> None:
        if self._clock.time() - begun > BEGIN_WITHIN:
            await self._store(lambda: self._claims.hand_back(claim))
            return
        error = await self._push(claim)
        await self._store(lambda: self._record(claim, error))
        if claim.permit.is_probe:
            self._closed_until = float("-inf")
        super().wake()  # there may be a slot
        self._on_settled()

    async def _push(self, claim: Claim) -> CrmError | None:
        try:
            push = build_push(claim)
        except ValueError:  # no request went out, so this one is certain
            log.exception("delivery.not_built", **_ids(claim))
            return CrmRejectedError()
        try:
            await self._client.push(push)
        except CrmError as exc:
            return exc
        except Exception as exc:  # boundary: whatever it was, the request may have gone out
            log.exception("delivery.push_failed", **_ids(claim))
            return CrmUncertainError(type(exc).__name__)
        return None

    async def _record(self, claim: Claim, error: CrmError | None) -> None:
        """Store what the answer means: the table of the design, section 3."""
        backoff = _backoff_for(error)
        if isinstance(error, CrmRateLimitedError):
            state = State.PENDING
            await self._claims.repeat(claim, error, seconds=0.0, counts=False)
        elif error is not None and backoff is not None and claim.repeats < backoff.repeats:
            state = State.PENDING
            seconds = backoff.delay(claim.repeats + 1, self._random())
            await self._claims.repeat(claim, error, seconds=seconds, counts=True)
        else:
            outcome = outcome_of(error)
            state, condemns = outcome.state, isinstance(error, CrmAccessError)
            await self._claims.settle(claim, outcome, error, condemns=condemns)
        log.info(
            "delivery.answered",
            **_ids(claim),
            attempt=claim.attempt,
            answer=error.code if error else "sent",
            state=state.value,
        )

    async def _store(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write until the database takes it; results are fenced, so repeating is harmless."""
        while True:
            try:
                return await write()
            except StoreBrokenError:
                raise  # the process ends for it
            except StoreError as exc:
                log.warning("dispatcher.store_missed", error=type(exc).__name__)
                await self._clock.wait(asyncio.Event(), STORE_RETRY)


def build_push(claim: Claim) -> BrowserPush:
    """Return what to send; its size was held against the setting when it was accepted."""
    notification = claim.notification
    return BrowserPush.create(
        user_id=claim.crm_user_id,
        title=notification.title,
        content=notification.content,
        click_url=notification.click_url,
        icon_url=notification.icon_url,
        max_bytes=count_bytes(notification.title, notification.content),
    )


def _ids(claim: Claim) -> dict[str, int | str]:
    return {"delivery": claim.delivery_id, "notification": claim.notification_id}


def _backoff_for(error: CrmError | None) -> Backoff | None:
    if error is None or not error.retryable:
        return None
    return BUSY if isinstance(error, CrmBusyError) else UNREACHABLE


def outcome_of(error: CrmError | None) -> Outcome:
    """Return the final state of a call that will not be repeated."""
    if error is None:
        return Outcome(State.SENT)
    if error.in_doubt:
        state = State.UNKNOWN
    elif error.retryable:
        state = State.UNAVAILABLE
    else:
        state = State.REJECTED
    return Outcome(state, error.code, error.detail or None)
