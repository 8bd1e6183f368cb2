"""Replies owed to people in Slack: a row until Slack took it, so that a restart pays it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, null, or_, select, update

from bot.notification import Place, Report
from bot.store.database import Database
from bot.store.reports import Reports
from bot.store.tables import (
    IS_OPEN,
    deliveries,
    drafts,
    interactions,
    notifications,
    replies,
)

LEASE = 60.0
"""Seconds after which another process pays a reply that was taken and not paid."""

DAY = 24 * 3600.0

BATCH = 500
"""Notifications forgotten in one transaction, so that nobody waits for it."""


@dataclass(frozen=True)
class Debt:
    """One reply to pay: what to say, and where."""

    id: int
    place: Place
    asked_by: str
    age: float
    uses: int
    tries: int
    report: Report


def owed_row(
    notification_id: str, asked_by: str, place: Place, *, recipients: int
) -> dict[str, Any]:
    """Return what a reply owed is made of, but for its times."""
    row = {"notification_id": notification_id, "asked_by": asked_by, "recipients": recipients}
    return row | asdict(place)


class Debts:
    """Hands out the replies owed, each to one process at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reports = Reports(database)

    async def take(self) -> Debt | None:
        """Lease the oldest reply whose notification has no open delivery left."""
        return await self._database.transact(self._take)

    def _take(self, connection: Connection) -> Debt | None:
        now = self._database.now
        still_open = exists().where(
            IS_OPEN, deliveries.c.notification_id == replies.c.notification_id
        )
        query = (
            select(replies, (now - replies.c.asked_at).label("age"))
            .where(
                replies.c.paid_at.is_(None),
                replies.c.due_at <= now,
                or_(replies.c.lease_until.is_(None), replies.c.lease_until <= now),
                ~still_open,
            )
            .order_by(replies.c.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = connection.execute(query).first()
        if row is None:
            return None
        self._set(connection, row.id, lease_until=now + LEASE)
        report = self._reports.find_in(connection, row.notification_id)
        if report is None:
            raise LookupError(row.notification_id)  # the foreign key rules it out
        return _debt(row, report)

    async def count_use(self, debt_id: int) -> None:
        """Commit one use of the `response_url` before it is made; Slack allows five."""
        await self._database.transact(self._set, debt_id, uses=replies.c.uses + 1)

    async def pay(self, debt_id: int) -> None:
        """Note that Slack took it, unless a correction has become due meanwhile."""
        values = {"paid_at": self._database.now, "lease_until": null()}
        await self._database.transact(self._end_lease, debt_id, values)

    async def postpone(self, debt_id: int, *, seconds: float, counts: bool = True) -> None:
        """Try again later: Slack did not take it."""
        values = {
            "due_at": self._database.now + seconds,
            "tries": replies.c.tries + int(counts),
            "lease_until": null(),
        }
        await self._database.transact(self._end_lease, debt_id, values)

    async def forget(self, *, keep_days: float) -> int:
        """Delete what was accepted `keep_days` ago, ended, and was reported."""
        is_open = exists().where(IS_OPEN, deliveries.c.notification_id == notifications.c.id)
        is_owed = exists().where(
            replies.c.notification_id == notifications.c.id, replies.c.paid_at.is_(None)
        )
        old = notifications.c.accepted_at < self._database.now - keep_days * DAY
        batch = select(notifications.c.id).where(old, ~is_open, ~is_owed).limit(BATCH)
        change = delete(notifications).where(notifications.c.id.in_(batch))
        forgotten = 0
        while count := await self._database.transact(lambda c: c.execute(change).rowcount):
            forgotten += count
        await self._database.transact(self._forget_presses)
        return forgotten

    def _forget_presses(self, connection: Connection) -> None:
        yesterday = self._database.now - DAY
        connection.execute(delete(drafts).where(drafts.c.made_at < yesterday))
        connection.execute(delete(interactions).where(interactions.c.at < yesterday))

    def _end_lease(self, connection: Connection, debt_id: int, values: dict[str, Any]) -> None:
        mine = (replies.c.id == debt_id) & replies.c.lease_until.is_not(None)
        connection.execute(update(replies).where(mine).values(**values))

    def _set(self, connection: Connection, debt_id: int, /, **values: Any) -> None:
        connection.execute(update(replies).where(replies.c.id == debt_id).values(**values))


def _debt(row: Row[Any], report: Report) -> Debt:
    place = Place(row.channel_id, row.thread_ts, row.response_url, row.private)
    waited = report.seconds - (row.asked_at - report.accepted_at)  # of this round alone
    own = replace(report, seconds=max(0.0, waited))
    return Debt(row.id, place, row.asked_by, row.age, row.uses, row.tries, own)
