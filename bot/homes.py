"""Keeps the Home tabs true that somebody may be looking at.

A tab is published when it is opened and after every press on it, and again, not too often, while
what it shows goes on. Only the process that Slack told of the visit knows of it; what happens in
another one is seen at the next visit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.clock import Clock
from bot.directory import Directory
from bot.errands import Errands
from bot.errors import SlackError, StoreError, UserError
from bot.notification import Place
from bot.people import Description
from bot.replies import home
from bot.slack_api import SlackApi
from bot.store.overview import OverviewStore
from bot.store.reports import Reports
from bot.worker import Worker

log = structlog.get_logger()

MOST_VISITS = 500
"""People whose tabs are kept true; those who came longest ago are forgotten first."""

STAY = 3_600.0
"""Seconds after a visit in which the tab follows what happens."""

REFRESH_EVERY = 3.0
"""Seconds, at least, between two refreshes of one tab."""

READ_WITHIN = 2.0
"""Seconds for everything that a tab shows, but for who one is in the CRM."""

LOOK_UP_AT_ONCE = 0.3
"""Seconds that a tab waits for who one is in the CRM before it shows the rest."""


@dataclass(eq=False)
class Visit:
    """Somebody's last visit; the lock keeps an older reading from replacing a newer one."""

    user_id: str
    at: float = 0.0
    description: Description | None = None
    published_at: float = 0.0
    due_at: float | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_due(self, now: float) -> bool:
        return self.due_at is not None and self.due_at <= now


class Homes(Worker):
    """Publishes Home tabs."""

    name = "homes"

    def __init__(
        self,
        directory: Directory,
        reports: Reports,
        overview: OverviewStore,
        slack: SlackApi,
        errands: Errands,
        clock: Clock,
        *,
        check_place: Callable[[Place], None],
    ) -> None:
        super().__init__(clock)
        self._directory = directory
        self._reports = reports
        self._overview = overview
        self._slack = slack
        self._errands = errands
        self._check_place = check_place
        self._visits: dict[str, Visit] = {}

    def show(self, user_id: str) -> None:
        """Publish somebody's tab now; the caller goes on."""
        visit = self._visits.pop(user_id, None) or Visit(user_id)
        visit.at = self._clock.time()
        self._visits[user_id] = visit  # at the end: the dict is in the order of the visits
        while len(self._visits) > MOST_VISITS:
            del self._visits[next(iter(self._visits))]
        self._errands.run("home", self._show(visit))

    async def publish(self, user_id: str) -> None:
        """Publish somebody's tab and wait for it; raises SlackError if Slack does not take it."""
        visit = self._visits.get(user_id) or Visit(user_id)
        visit.description = visit.description or await self._describe(user_id)
        await self._publish(visit)

    def refresh(self, user_id: str) -> None:
        """Publish it again soon, if somebody may be looking at it."""
        visit = self._visits.get(user_id)
        if visit is not None and self._clock.time() - visit.at < STAY:
            visit.due_at = visit.published_at + REFRESH_EVERY
            self.wake()

    async def step(self) -> bool:
        """Publish one tab that is due; False when none is."""
        now = self._clock.time()
        visit = next((each for each in self._visits.values() if each.is_due(now)), None)
        if visit is None:
            return False
        try:
            await self._publish(visit)
        except SlackError as exc:
            log.warning("home.not_refreshed", error=type(exc).__name__)
        return True

    async def _show(self, visit: Visit) -> None:
        """Publish what is known at once, and the rest when it is known."""
        looking = asyncio.create_task(self._describe(visit.user_id), name="home_description")
        try:
            await asyncio.wait({looking}, timeout=LOOK_UP_AT_ONCE)
            if not looking.done():
                await self._publish(visit)
            visit.description = await looking or visit.description
        finally:
            looking.cancel()
        await self._publish(visit)

    async def _describe(self, user_id: str) -> Description | None:
        """Return who a person is; None for whom that cannot be told, as the tab itself will say."""
        try:
            await self._directory.get_sender(user_id)
            return await self._directory.describe(user_id)
        except (UserError, SlackError, StoreError):
            return None

    async def _publish(self, visit: Visit) -> None:
        async with visit.lock:
            visit.due_at, visit.published_at = None, self._clock.time()
            await self._slack.publish_view(visit.user_id, await self._build(visit))

    async def _build(self, visit: Visit) -> dict[str, Any]:
        try:
            async with asyncio.timeout(READ_WITHIN):
                return home.build_view(await self._read(visit))
        except UserError as exc:
            return home.build_notice(exc.hint)
        except (SlackError, StoreError, TimeoutError) as exc:
            log.warning("home.not_read", error=type(exc).__name__)
            return home.build_notice(home.AWAY)

    async def _read(self, visit: Visit) -> home.Home:
        """Return what is shown; raises UserError for somebody who may not send."""
        person = await self._directory.get_sender(visit.user_id)
        is_admin = self._directory.is_admin(person)
        return home.Home(
            person,
            visit.description,
            await self._reports.find_recent(visit.user_id),
            self._find_closed(),
            await self._overview.read() if is_admin else None,
        )

    def _find_closed(self) -> str:
        """Return why nothing may be sent from a tab, which is no channel."""
        try:
            self._check_place(Place())
        except UserError as exc:
            return exc.hint
        return ""
