"""Late Slack updates that no listener may wait for: owned, bounded, and logged when they fail."""

from __future__ import annotations

from collections.abc import Coroutine

import structlog

from bot.background import Tasks, Watch
from bot.errors import SlackError

log = structlog.get_logger()


class Errands:
    """Small tasks that make what is already stored visible; losing one loses no work."""

    def __init__(self, watch: Watch) -> None:
        self._tasks = Tasks(watch)

    def run(self, name: str, errand: Coroutine[None, None, None]) -> None:
        """Start an errand; the caller goes on."""
        self._tasks.start(name, self._run(name, errand))

    async def drain(self, seconds: float) -> None:
        """Let those under way finish, within a bound."""
        await self._tasks.drain(seconds)

    async def _run(self, name: str, errand: Coroutine[None, None, None]) -> None:
        try:
            await errand
        except SlackError as exc:
            log.warning("errand.failed", name=name, error=type(exc).__name__)
