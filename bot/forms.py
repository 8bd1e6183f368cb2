"""Opens forms at once; what has to be asked for first is filled in while a notice stands there.

Slack opens a form within three seconds or not at all, but changes an open one at any time:
https://docs.slack.dev/surfaces/modals
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.clock import Clock
from bot.errands import Errands
from bot.errors import SlackRateLimitedError, SlackUnavailableError
from bot.replies.compose import loading_modal
from bot.slack_api import OpenView, SlackApi

View = dict[str, Any]

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each repeat of a change that Slack did not take: nobody may be left waiting."""


class Forms:
    """Opens forms for listeners, which may not wait for what is asked."""

    def __init__(self, slack: SlackApi, errands: Errands, clock: Clock) -> None:
        self._slack = slack
        self._errands = errands
        self._clock = clock

    async def open(self, trigger_id: str, view: View) -> None:
        """Open a form that is complete; raises SlackError."""
        await self._slack.open_view(trigger_id, view)

    async def open_soon(self, trigger_id: str, build: Callable[[], Awaitable[View]]) -> None:
        """Open a notice, and put the form in its place once it is built; raises SlackError."""
        opened = await self._slack.open_view(trigger_id, loading_modal())
        self._errands.run("form", self._fill_in(opened, build))

    async def _fill_in(self, opened: OpenView, build: Callable[[], Awaitable[View]]) -> None:
        """Replace the notice, unless whoever it is for has closed it."""
        view = await build()
        for pause in PAUSES:
            try:
                await self._slack.update_view(opened, view)
            except SlackUnavailableError as exc:
                least = exc.retry_after if isinstance(exc, SlackRateLimitedError) else 0.0
                await self._clock.wait(asyncio.Event(), max(pause, least))
            else:
                return
        await self._slack.update_view(opened, view)
