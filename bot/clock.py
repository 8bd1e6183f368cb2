"""Waiting inside the process; the store has its own clock, and tests replace both."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the background work knows of time."""

    def time(self) -> float:
        """Return seconds that never go back; only differences mean anything."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return once `event` is set or `seconds` have passed, and clear the event."""
        ...


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        return time.monotonic()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        event.clear()
