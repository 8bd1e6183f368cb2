"""Replies owed to people in Slack: a row until Slack took it, so that a restart pays it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import (
    Connection,
    Double,
    Insert,
    Row,
    Select,
    bindparam,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from bot.notification import Card, Place, Report
from bot.store.database import Database
from bot.store.reports import Reports
from bot.store.tables import (
    IS_OPEN,
    IS_SHOWABLE,
    deliveries,
    replies,
)

LEASE = 60.0
"""Seconds after which another process pays a reply that was taken and not paid."""

QUICK = 2.0
"""Seconds within which an outcome is answer enough: nothing is said before it."""

PATIENCE = 5.0
"""Seconds after which an outcome that was expected quickly is said to be on its way."""

SHOW_SPACING = 1.5
"""Seconds between two cards that show progress, in all: 40 a minute, as Slack takes some 50
`chat.update` calls of an app: https://docs.slack.dev/apis/web-api/rate-limits"""


@dataclass(frozen=True)
class Debt:
    """One reply to pay, or to show the progress of: what to say, and where."""

    id: int
    place: Place
    asked_by: str
    age: float
    uses: int
    tries: int
    report: Report
    card: Card | None
    """What Slack took already, and can be updated."""
    seconds_left: float
    """Until the last outcome is expected; 0 if nobody knows."""


def build_insert(database: Database) -> Insert:
    """Return the statement that owes a reply; its rows are those of `owed_row`."""
    now = database.now
    return insert(replies).values(
        asked_at=now,
        due_at=now,
        expected_at=now + bindparam("expected_in", type_=Double),
        show_at=now + bindparam("show_in", type_=Double),
    )


def owed_row(
    notification_id: str,
    asked_by: str,
    place: Place,
    *,
    recipients: int,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Return a reply to owe; `seconds` is the estimate until it can be paid, where there is one."""
    soon = seconds is not None and seconds > QUICK
    return {
        "notification_id": notification_id,
        "asked_by": asked_by,
        "recipients": recipients,
        "expected_in": seconds,
        # What only one person may see cannot be updated.
        "show_in": None if place.private else 0.0 if soon else PATIENCE,
        **asdict(place),
    }


class Debts:
    """Hands out the replies owed, each to one process at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reports = Reports(database)
        self._taking = asyncio.Lock()
        # Built once: composing a statement takes longer than running it.
        now = database.now
        is_open = exists().where(IS_OPEN, deliveries.c.notification_id == replies.c.notification_id)
        others = replies.alias("others")
        last_shown = select(func.max(others.c.shown_at)).where(others.c.shown_at.is_not(None))
        spaced = func.coalesce(last_shown.scalar_subquery(), 0.0) <= now - SHOW_SPACING
        self._find_due = self._find(
            replies.c.paid_at.is_(None), replies.c.due_at <= now, ~is_open
        ).order_by(replies.c.due_at)
        self._find_showable = self._find(
            IS_SHOWABLE, replies.c.show_at <= now, is_open, spaced
        ).order_by(replies.c.show_at)

    def _find(self, *conditions: Any) -> Select[Any]:
        now = self._database.now
        return (
            select(
                replies,
                (now - replies.c.asked_at).label("age"),
                (replies.c.expected_at - now).label("seconds_left"),
            )
            .where(or_(replies.c.lease_until.is_(None), replies.c.lease_until <= now), *conditions)
            .limit(1)
            .with_for_update(skip_locked=True)
        )

    async def take(self) -> Debt | None:
        """Lease the oldest reply whose notification has no open delivery left.

        If there is none, the one whose progress should have been shown first.
        """
        async with self._taking:  # the next has to see what this one has shown: SHOW_SPACING
            return await self._database.transact(self._take)

    def _take(self, connection: Connection) -> Debt | None:
        leased = {"lease_until": self._database.now + LEASE}
        row = connection.execute(self._find_due).first()
        if row is None:
            row = connection.execute(self._find_showable).first()
            leased["shown_at"] = self._database.now  # before the call: other processes look too
        if row is None:
            return None
        self._set(connection, row.id, **leased)
        report = self._reports.find_in(connection, row.notification_id)
        if report is None:
            raise LookupError(row.notification_id)  # the foreign key rules it out
        return _debt(row, report)

    async def count_use(self, debt_id: int) -> None:
        """Commit one use of the `response_url` before it is made; Slack allows five."""
        await self._database.transact(self._set, debt_id, uses=replies.c.uses + 1)

    async def pay(self, debt_id: int, card: Card | None = None) -> None:
        """Note that Slack took it, unless a correction has become due meanwhile."""
        await self._database.transact(self._end_lease, debt_id, card, paid_at=self._database.now)

    async def postpone(self, debt_id: int, *, seconds: float, counts: bool = True) -> None:
        """Try again later: Slack did not take it."""
        due_at = self._database.now + seconds
        tries = replies.c.tries + int(counts)
        await self._database.transact(self._end_lease, debt_id, None, due_at=due_at, tries=tries)

    async def show_again(self, debt_id: int, *, seconds: float, card: Card | None = None) -> None:
        """Show progress again in so many seconds, on this card."""
        show_at = self._database.now + seconds
        await self._database.transact(self._end_lease, debt_id, card, show_at=show_at)

    async def show_no_more(self, debt_id: int) -> None:
        """Show no progress any more: Slack will not have it."""
        await self._database.transact(self._end_lease, debt_id, None, show_at=null())

    def _end_lease(
        self, connection: Connection, debt_id: int, card: Card | None, /, **values: Any
    ) -> None:
        """Change a reply, unless a correction has made it due anew; the card holds for both."""
        if card is not None:
            self._set(connection, debt_id, card_channel=card.channel, card_ts=card.ts)
        mine = (replies.c.id == debt_id) & replies.c.lease_until.is_not(None)
        connection.execute(update(replies).where(mine).values(lease_until=null(), **values))

    def _set(self, connection: Connection, debt_id: int, /, **values: Any) -> None:
        connection.execute(update(replies).where(replies.c.id == debt_id).values(**values))


def _debt(row: Row[Any], report: Report) -> Debt:
    place = Place(row.channel_id, row.thread_ts, row.response_url, row.private)
    waited = report.seconds - (row.asked_at - report.accepted_at)  # of this round alone
    return Debt(
        id=row.id,
        place=place,
        asked_by=row.asked_by,
        age=row.age,
        uses=row.uses,
        tries=row.tries,
        report=replace(report, seconds=max(0.0, waited)),
        card=Card(row.card_channel, row.card_ts) if row.card_ts else None,
        seconds_left=max(0.0, row.seconds_left or 0.0),
    )
