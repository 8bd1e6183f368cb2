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

from bot.clock import Clock
from bot.errors import CrmError, StoreError
from bot.store.gate import GateStore, Permit

log = structlog.get_logger()

LONGEST_WAIT = 1.0
"""Seconds after which a waiting call looks again: another process may have given a slot back."""


class RateGate:
    """Gives permits, one for each call."""

    def __init__(self, store: GateStore, limiter: AsyncLimiter, clock: Clock) -> None:
        self._store = store
        self._limiter = limiter
        self._clock = clock
        self._changed = asyncio.Event()  # a look-up of ours ended
        self._giving_back: set[asyncio.Task[None]] = set()

    async def admit(self) -> None:
        """Wait for this process's share of the rate."""
        await self._limiter.acquire()

    @asynccontextmanager
    async def permit(self, *, interactive: bool = False) -> AsyncIterator[None]:
        """Hold a permit around one look-up; the error it ends in teaches the gate."""
        await self.admit()
        permit = await self._wait_for_permit(interactive=interactive)
        error: CrmError | None = None
        try:
            yield
        except CrmError as exc:
            error = exc
            raise
        finally:
            giving_back = asyncio.create_task(self._give_back(permit, error), name="give-back")
            self._giving_back.add(giving_back)
            giving_back.add_done_callback(self._giving_back.discard)
            await asyncio.shield(giving_back)

    async def _wait_for_permit(self, *, interactive: bool) -> Permit:
        while True:
            permit = await self._store.take_alone(interactive=interactive)
            if isinstance(permit, Permit):
                return permit
            await self._clock.wait(self._changed, min(permit.seconds, LONGEST_WAIT))

    async def drain(self) -> None:
        """Wait for the permits on their way back."""
        if self._giving_back:
            await asyncio.wait(self._giving_back)

    async def _give_back(self, permit: Permit, error: CrmError | None) -> None:
        try:
            await self._store.give_back_alone(permit, error)
        except StoreError as exc:  # the slot's lease ends by itself
            log.warning("gate.slot_left_to_lease", error=type(exc).__name__)
        self._changed.set()
