"""Who is in a Slack user group: kept for five minutes, and for an hour where Slack is away.

A listener waits for it, so there is a deadline; an answer that comes later serves the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import structlog

from bot.clock import Clock
from bot.errors import SlackError, SlackRefusedError, SlackUnavailableError, UserError
from bot.plaintext import echo
from bot.replies.compose import MOST_GROUPS
from bot.replies.ids import BlockId
from bot.slack_api import SlackApi

log = structlog.get_logger()

READ_WITHIN = 1.0
"""Seconds that a listener waits for Slack."""

LISTED_WITHIN = 0.7
"""Seconds of these for the handle, which is nice to have."""

KEEP = 300.0
"""Seconds until a group is read from Slack again."""

TRUST = 3600.0
"""Seconds in which what was known still counts if Slack does not answer."""

INSTEAD = (
    "Choose another group, or name the people one by one: `/notify @priya @lee Standup moved`."
)

GONE = "no_such_subteam"
NO_PLAN = "plan_upgrade_required"
NO_SCOPE = "missing_scope"

NO_GROUPS_HERE = (
    "Slack has user groups on its paid plans only, so nothing was sent. "
    "Name the people one by one: `/notify @priya @lee Standup moved`."
)
NOT_ALLOWED_TO_READ = (
    "The bot may not read user groups yet, so nothing was sent. An admin should install the Slack "
    "app again with the scope usergroups:read, as manifest.yaml has it. Until then, name the "
    "people one by one: `/notify @priya @lee Standup moved`."
)
TOO_MANY = f"Name at most {MOST_GROUPS} groups at once. Nothing was sent."


@dataclass(frozen=True)
class Group:
    """A user group as last read; `handle` is empty where Slack did not tell it."""

    handle: str
    members: tuple[str, ...]
    refused: str | None = None
    """Slack's code, if it did not tell who is in it."""
    is_active: bool = True

    @property
    def name(self) -> str:
        """Return what to call it; this pings nobody."""
        return f"*@{echo(self.handle)}*" if self.handle else "That group"


class Groups:
    """The user groups of the workspace; `get_all` and `has_member` never take long."""

    def __init__(self, slack: SlackApi, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock
        self._known: dict[str, tuple[float, Group]] = {}
        self._reading: dict[str, asyncio.Task[Group]] = {}

    async def get_all(self, group_ids: Collection[str]) -> list[Group]:
        """Return groups that have members, in the order given.

        Raises UserError for one that nothing can be sent to, SlackError if Slack did not tell.
        """
        if len(group_ids) > MOST_GROUPS:
            raise UserError(TOO_MANY, field=BlockId.GROUPS)
        groups = await asyncio.gather(*(self._get(group_id) for group_id in group_ids))
        for group in groups:
            _check(group)
        return groups

    async def has_member(self, group_id: str, user_id: str) -> tuple[bool, Group]:
        """Tell whether somebody is in an active group; raises SlackError if Slack did not tell."""
        group = await self._get(group_id)
        return group.is_active and user_id in group.members, group

    async def _get(self, group_id: str) -> Group:
        """Return a group from memory or, within a deadline, from Slack."""
        read_at, known = self._known.get(group_id, (float("-inf"), None))
        age = self._clock.time() - read_at
        if known is not None and age < KEEP:
            return known
        try:
            async with asyncio.timeout(READ_WITHIN):
                return await asyncio.shield(self._read(group_id))
        except (TimeoutError, SlackUnavailableError) as exc:
            if known is None or age >= TRUST:
                raise SlackUnavailableError("usergroups.users.list") from exc
            log.warning("group.served_stale", group=group_id, seconds=round(age))
            return known

    def _read(self, group_id: str) -> asyncio.Task[Group]:
        """Return the reading of a group; a caller who gives up does not end it."""
        reading = self._reading.get(group_id)
        if reading is None:
            reading = asyncio.create_task(self._fetch(group_id), name="group")
            self._reading[group_id] = reading
            reading.add_done_callback(lambda ended: self._note_end(group_id, ended))
        return reading

    def _note_end(self, group_id: str, reading: asyncio.Task[Group]) -> None:
        """Let the next caller read again; nobody may be left who looks at the error."""
        del self._reading[group_id]
        error = None if reading.cancelled() else reading.exception()
        if error is not None and not isinstance(error, SlackError):
            log.error("group.failed", exc_info=error)

    async def _fetch(self, group_id: str) -> Group:
        members, listed = await asyncio.gather(
            self._fetch_members(group_id), self._fetch_listed(group_id)
        )
        handle, is_active = listed
        if isinstance(members, SlackRefusedError):
            self._known.pop(group_id, None)
            return Group(handle, (), members.code, is_active)
        group = Group(handle, tuple(dict.fromkeys(members)), None, is_active)
        self._known[group_id] = (self._clock.time(), group)
        return group

    async def _fetch_members(self, group_id: str) -> list[str] | SlackRefusedError:
        try:
            return await self._slack.fetch_group_members(group_id)
        except SlackRefusedError as exc:
            return exc

    async def _fetch_listed(self, group_id: str) -> tuple[str, bool]:
        """Return a group's handle and whether it is active, as far as Slack tells."""
        try:
            async with asyncio.timeout(LISTED_WITHIN):
                groups = await self._slack.fetch_groups()
        except (SlackError, TimeoutError):
            return "", True
        found = next((each for each in groups if each.get("id") == group_id), {})
        return str(found.get("handle") or ""), not found.get("date_delete")


def _check(group: Group) -> None:
    """Raise UserError, with the next step, for a group that nothing can be sent to."""
    if group.refused == GONE or not group.is_active:
        gone = "is deactivated" if group.handle else "does not exist any more"
        told = f"{group.name} {gone}, so nothing was sent. {INSTEAD}"
        raise UserError(told, field=BlockId.GROUPS)
    if group.refused == NO_PLAN:
        raise UserError(NO_GROUPS_HERE, field=BlockId.GROUPS)
    if group.refused == NO_SCOPE:
        raise UserError(NOT_ALLOWED_TO_READ, field=BlockId.GROUPS)
    if group.refused is not None:
        raise SlackRefusedError(group.refused)
    if not group.members:
        told = f"Nobody is in {group.name}, so nothing was sent. {INSTEAD}"
        raise UserError(told, field=BlockId.GROUPS)
