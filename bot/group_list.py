"""The user groups of the workspace for a menu: kept for five minutes, searched while one types."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from bot.clock import Clock
from bot.errors import SlackError, SlackRefusedError, SlackUnavailableError, UserError
from bot.replies.ids import BlockId
from bot.slack_api import SlackApi

log = structlog.get_logger()

KEEP = 300.0
"""Seconds until the groups are read from Slack again: it allows twenty such calls a minute."""

READ_WITHIN = 1.5
"""Seconds that a listener waits for Slack."""

WHY_NONE = {
    "plan_upgrade_required": "Slack has user groups on its paid plans only.",
    "missing_scope": "The bot may not read user groups: install its Slack app again.",
}
"""What is said in the menu, where there is room for a short line."""


@dataclass(frozen=True)
class ListedGroup:
    """A user group that is active; `handle` is what people write behind the @."""

    group_id: str
    handle: str
    name: str

    def fits(self, wanted: str) -> bool:
        return wanted in self.handle.casefold() or wanted in self.name.casefold()


class GroupList:
    """Finds groups by what they are called."""

    def __init__(self, slack: SlackApi, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock
        self._groups: tuple[ListedGroup, ...] = ()
        self._until = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def search(self, text: str) -> list[ListedGroup]:
        """Return the groups whose handle or name has this in it, by handle.

        Raises UserError or SlackError where Slack does not tell; takes 1.5 s at most.
        """
        if self._clock.time() >= self._until:
            await self._read_in_time()
        wanted = text.strip().lstrip("@").casefold()
        return [group for group in self._groups if group.fits(wanted)]

    def find_names(self, group_ids: Collection[str]) -> dict[str, str]:
        """Return the handles that are known; asks nobody."""
        return {each.group_id: each.handle for each in self._groups if each.group_id in group_ids}

    async def fetch_names(self, group_ids: Collection[str]) -> dict[str, str]:
        """Return the handles, asking Slack for what is not known, within the same time."""
        if set(group_ids) - self.find_names(group_ids).keys():
            with contextlib.suppress(UserError, SlackError):
                await self._read_in_time()
        return self.find_names(group_ids)

    async def _read_in_time(self) -> None:
        """Read the groups, or join who is reading; a caller who gives up does not end it."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="groups")
            self._reading.add_done_callback(_note_end)
        try:
            async with asyncio.timeout(READ_WITHIN):
                await asyncio.shield(self._reading)
        except SlackRefusedError as exc:
            if exc.code in WHY_NONE:
                raise UserError(WHY_NONE[exc.code], field=BlockId.GROUPS) from exc
            raise
        except TimeoutError as exc:
            raise SlackUnavailableError("usergroups.list") from exc

    async def _read(self) -> None:
        listed = await self._slack.fetch_groups()
        self._groups = tuple(sorted(_read_groups(listed), key=lambda each: each.handle.casefold()))
        self._until = self._clock.time() + KEEP


def _read_groups(listed: list[dict[str, Any]]) -> Iterator[ListedGroup]:
    for group in listed:
        group_id, handle = group.get("id"), group.get("handle")
        if isinstance(group_id, str) and isinstance(handle, str) and not group.get("date_delete"):
            yield ListedGroup(group_id, handle, str(group.get("name") or ""))


def _note_end(reading: asyncio.Task[None]) -> None:
    """Look at the error: nobody may be left who does."""
    error = None if reading.cancelled() else reading.exception()
    if error is not None and not isinstance(error, SlackError):
        log.error("groups.failed", exc_info=error)
