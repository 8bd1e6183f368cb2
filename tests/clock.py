"""Time that tests move by hand."""

import asyncio
import time


class ShiftClock:
    """The real clock plus what `forward` added; whoever waits for a time that has come wakes."""

    def __init__(self) -> None:
        self._shift = 0.0
        self._shifted = asyncio.Event()

    def time(self) -> float:
        return time.time() + self._shift

    def forward(self, seconds: float) -> None:
        self._shift += seconds
        self._shifted.set()
        self._shifted = asyncio.Event()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        until = self.time() + seconds
        waiting = asyncio.create_task(event.wait())
        try:
            while not waiting.done() and (left := until - self.time()) > 0:
                shift = asyncio.create_task(self._shifted.wait())
                await asyncio.wait(
                    {waiting, shift}, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
                shift.cancel()
        finally:
            waiting.cancel()
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
