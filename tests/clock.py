"""Time that tests move by hand."""

import asyncio
import time


class ShiftClock:
    """The real clock plus what `forward` added; whoever waits for a time that has come wakes."""

    def __init__(self) -> None:
        self._shift = 0.0
        self._shifted = asyncio.Event()
        self._still: float | None = None
        self._waiting = 0
        self.rests = asyncio.Event()
        """Set, and renewed, whenever somebody begins to wait."""

    def time(self) -> float:
        return (time.time() if self._still is None else self._still) + self._shift

    def stand_still(self) -> None:
        """Move by `forward` alone, so that a slow machine changes nothing."""
        self._still = time.time()

    def forward(self, seconds: float) -> None:
        self._shift += seconds
        self._shifted.set()
        self._shifted = asyncio.Event()

    async def until_waiting(self, count: int) -> None:
        """Wait until so many wait: what they found to do is done."""
        while self._waiting < count:
            await self.rests.wait()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        until = self.time() + seconds
        self._waiting += 1
        self.rests.set()
        self.rests = asyncio.Event()
        waiting = asyncio.create_task(event.wait())
        try:
            while not waiting.done() and (left := until - self.time()) > 0:
                shift = asyncio.create_task(self._shifted.wait())
                await asyncio.wait(
                    {waiting, shift},
                    timeout=left if self._still is None else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                shift.cancel()
        finally:
            waiting.cancel()
            self._waiting -= 1
        event.clear()


class FrozenClock:
    """Stands still until moved; waiting moves it, so nothing ever sleeps."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.now = start

    def time(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        if not event.is_set():
            self.now += seconds
        event.clear()
