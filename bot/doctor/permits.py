"""Permits for the one call of a check: never beyond the limit, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.leadsquared.client import Permits


class Free:
    """Where nobody else can be calling: a bot calls only with a permit from the database."""

    def __init__(self, after: float = 0.0) -> None:
        self._after = after

    @asynccontextmanager
    async def permit(self, *, interactive: bool = False) -> AsyncIterator[None]:
        """Give one after so many seconds, in which the calls of a bot have gone by."""
        await asyncio.sleep(self._after)
        yield


class Patient:
    """The gate's own permits, if they are to be had in time; else TimeoutError."""

    def __init__(self, gate: Permits, within: float) -> None:
        self._gate = gate
        self._within = within

    @asynccontextmanager
    async def permit(self, *, interactive: bool = False) -> AsyncIterator[None]:
        async with AsyncExitStack() as held:
            async with asyncio.timeout(self._within):
                await held.enter_async_context(self._gate.permit(interactive=interactive))
            yield
