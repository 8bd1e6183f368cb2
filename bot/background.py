"""Tasks that nobody awaits: kept, named, and heard of when they fail.

A part that died in silence would leave work undone for ever, so a bug in any of them ends the
process; what is under way may finish before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from bot.errors import StoreError

log = structlog.get_logger()

T = TypeVar("T")


class Watch:
    """Hears of what failed with nobody there to notice; `run` raises it."""

    name = "watch"

    def __init__(self) -> None:
        self._failures: list[Exception] = []
        self._heard = asyncio.Event()

    async def run(self) -> None:
        """Wait until something fails, or until stopped."""
        await self._heard.wait()
        self.check()

    def stop(self) -> None:
        self._heard.set()

    def fail(self, error: Exception) -> None:
        """End the process because of `error`."""
        self._failures.append(error)
        self._heard.set()

    def hear(self, task: asyncio.Task[Any]) -> None:
        """Take note of how a task ended; trouble with the database is no bug."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StoreError):
            log.warning("task.store_missed", task=task.get_name(), error=type(error).__name__)
        elif isinstance(error, Exception):
            self.fail(error)

    def check(self) -> None:
        """Raise what has failed, once."""
        failures, self._failures = self._failures, []
        if failures:
            raise ExceptionGroup("failed in the background", failures)


class Tasks:
    """The tasks of one part of the bot."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, name: str, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """Begin `work`, and go on."""
        task = self._keep(name, work)
        task.add_done_callback(self._watch.hear)
        return task

    async def finish(self, name: str, work: Coroutine[None, None, T]) -> T:
        """Return what `work` does; it goes on to its end if the caller is cancelled."""
        task = self._keep(name, work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._watch.hear)  # nobody else will
            raise

    async def drain(self, seconds: float | None = None) -> int:
        """Let them end, and those they start; cancel and count what is late."""
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.wait(self._running)
        except TimeoutError:
            pass
        for task in self._running:
            task.cancel()
        return len(self._running)

    def _keep(self, name: str, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
