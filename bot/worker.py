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


class Worker(ABC):
    """One loop; when the database is away it waits, and any other error ends the process."""

    name: ClassVar[str]

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._awake = asyncio.Event()
        self._stopping = False

    @abstractmethod
    async def step(self) -> bool:
        """Do one piece of work; False when there was none."""

    def wake(self) -> None:
        """Look for work now."""
        self._awake.set()

    def stop(self) -> None:
        """End after the step under way."""
        self._stopping = True
        self._awake.set()

    async def run(self) -> None:
        while not self._stopping:
            try:
                busy = await self.step()
            except StoreError as exc:
                log.warning("worker.store_away", worker=self.name, error=type(exc).__name__)
                busy = False
            if not busy and not self._stopping:
                await self._clock.wait(self._awake, LOOK_EVERY)
