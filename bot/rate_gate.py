"""Permits to call LeadSquared: first this process's own limiter, then the account's slots.

The limiter keeps a busy process from asking the database in vain; the slots are what holds the
limit, across processes and restarts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiolimiter import AsyncLimiter

from bot.background import Tasks, Watch
from bot.clock import Clock
from bot.errors import CrmError, StoreError
from bot.observer import UNOBSERVED, Observer
from bot.store.gate import GateStore, Permit, Wait

log = structlog.get_logger()

LONGEST_WAIT = 1.0
"""Seconds after which a waiting call looks again: another process may have given a slot back."""


class RateGate:
    """Gives permits, one for each call."""

    def __init__(
        self,
        store: GateStore,
        limiter: AsyncLimiter,
        clock: Clock,
        watch: Watch,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._store = store
        self._limiter = limiter
        self._clock = clock
        self._changed = asyncio.Event()  # a look-up of ours ended
        self._watch = watch
        self._giving_back = Tasks(watch)
        self._observer = observer

    async def admit(self) -> None:
        """Wait for this process's share of the rate."""
        await self._limiter.acquire()

    @asynccontextmanager
    async def permit(self, *, interactive: bool = False) -> AsyncIterator[None]:
        """Hold a permit around one look-up; the error it ends in teaches the gate."""
        begun = self._clock.time()
        await self.admit()
        permit = await self._wait_for_permit(interactive=interactive)
        self._observer.waited("look_up", self._clock.time() - begun)
        error: CrmError | None = None
        try:
            yield
        except CrmError as exc:
            error = exc
            raise
        finally:
            give_back = self._give_back(permit, error, used=True)
            await self._giving_back.finish("give-back", give_back)

    async def _wait_for_permit(self, *, interactive: bool) -> Permit:
        while True:
            permit = await self._take(interactive=interactive)
            if isinstance(permit, Permit):
                return permit
            await self._clock.wait(self._changed, min(permit.seconds, LONGEST_WAIT))

    async def _take(self, *, interactive: bool) -> Permit | Wait:
        """Take a slot; one that was taken for somebody who gave up meanwhile goes back."""
        taking = asyncio.create_task(self._store.take_alone(interactive=interactive), name="take")
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(self._return_unused)
            raise

    def _return_unused(self, taking: asyncio.Task[Permit | Wait]) -> None:
        self._watch.hear(taking)
        if not taking.cancelled() and taking.exception() is None:
            taken = taking.result()
            if isinstance(taken, Permit):
                self._giving_back.start("give-back", self._give_back(taken, None, used=False))

    async def drain(self) -> None:
        """Wait for the permits on their way back."""
        await self._giving_back.drain()

    async def _give_back(self, permit: Permit, error: CrmError | None, *, used: bool) -> None:
        try:
            await self._store.give_back_alone(permit, error, used=used)
        except StoreError as exc:  # the slot's lease ends by itself
            log.warning("gate.slot_left_to_lease", error=type(exc).__name__)
        self._changed.set()
