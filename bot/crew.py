"""The loops of one process: started together, told together to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import structlog

from bot.backoff import Backoff
from bot.errors import SlackError, StoreError

log = structlog.get_logger()

T = TypeVar("T")

CONNECTING = Backoff(first=0.5, most=15.0, repeats=0)
"""Waits between tries to reach the database or Slack at boot, for ever."""


class Part(Protocol):
    """What runs as a task of its own: a Worker, the Watch, a connection."""

    @property
    def name(self) -> str: ...

    async def run(self) -> None: ...

    def stop(self) -> None: ...


class Crew:
    """Who works here, and whether the day is over."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._stopping = asyncio.Event()
        self.workers: list[Part] = []

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def start(self, tasks: asyncio.TaskGroup, *workers: Part) -> None:
        """Run each as a task of its own; whoever comes after `stop` ends at once."""
        for worker in workers:
            self.workers.append(worker)
            tasks.create_task(worker.run(), name=worker.name)
        if self.is_stopping:
            self.stop()

    def stop(self) -> None:
        self._stopping.set()
        for worker in self.workers:
            worker.stop()

    async def keep_trying(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T | None:
        """Return what `attempt` does once it works; None if the bot is stopped before."""
        tries = 0
        while not self.is_stopping:
            tries += 1
            try:
                return await attempt()
            except (StoreError, SlackError) as exc:
                error, reason = type(exc).__name__, str(exc)
                log.warning("bot.waiting", what=what, error=error, reason=reason, tries=tries)
            delay = CONNECTING.delay(min(tries, 10), self._random())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()
        return None
