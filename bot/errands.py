"""Late Slack updates that no listener may wait for: owned, bounded, and logged when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

from bot.errors import SlackError

log = structlog.get_logger()


class Errands:
    """Small tasks that make what is already stored visible; losing one loses no work."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, name: str, errand: Coroutine[None, None, None]) -> None:
        """Start an errand; the caller goes on."""
        task = asyncio.create_task(self._run(name, errand), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Let those under way finish, within a bound."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def _run(self, name: str, errand: Coroutine[None, None, None]) -> None:
        try:
            await errand
        except SlackError as exc:
            log.warning("errand.failed", name=name, error=type(exc).__name__)
