"""A background loop that works while there is work, and looks once a second otherwise."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar

import structlog

from bot.clock import Clock
from bot.errors import StoreError

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between looks at the store: other processes accept work too."""

STEP_WITHIN = 4.0
"""Seconds for the step under way at shutdown; one that waits for its turn may need far longer."""


class Worker(ABC):
    """One loop; when the database is away it waits, and any other error ends the process."""

    name: ClassVar[str]

    def __init__(self, clock: Clock, *, look_every: float = LOOK_EVERY) -> None:
        self._clock = clock
        self._look_every = look_every
        self._awake = asyncio.Event()
        self._stopping = False
        self._deadline: asyncio.Timeout | None = None  # while it runs

    @abstractmethod
    async def step(self) -> bool:
        """Do one piece of work; False when there was none."""

    def wake(self) -> None:
        """Look for work now."""
        self._awake.set()

    def stop(self) -> None:
        """End after the step under way, and soon: a step cut short is done again later."""
        self._stopping = True
        self._awake.set()
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + STEP_WITHIN)

    async def run(self) -> None:
        deadline = asyncio.timeout(None)
        try:
            async with deadline as self._deadline:
                await self._work()
        except TimeoutError:
            if not deadline.expired():
                raise
            log.warning("worker.step_cut_short", worker=self.name)
        finally:
            self._deadline = None

    async def _work(self) -> None:
        while not self._stopping:
            try:
                busy = await self.step()
            except StoreError as exc:
                log.warning("worker.store_missed", worker=self.name, error=type(exc).__name__)
                busy = False
            if not busy and not self._stopping:
                await self._clock.wait(self._awake, self._look_every)
