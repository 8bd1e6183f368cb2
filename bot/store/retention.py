"""What is forgotten, and when: finished notifications, people nobody meets, spent presses."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, select

from bot.people import Standing
from bot.store.database import Database
from bot.store.tables import (
    IS_OPEN,
    deliveries,
    drafts,
    interactions,
    links,
    notifications,
    people,
    replies,
)

DAY = 24 * 3600.0

BATCH = 500
"""Notifications forgotten in one transaction, so that nobody waits for it."""

IS_OVER = ~exists().where(
    IS_OPEN, deliveries.c.notification_id == notifications.c.id
) & ~exists().where(replies.c.notification_id == notifications.c.id, replies.c.paid_at.is_(None))
"""Every delivery of a notification has ended, and everybody was told."""


class Retention:
    """Deletes what was kept long enough."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, *, keep_days: float) -> int:
        """Delete what was accepted `keep_days` ago, ended, and was reported; and whom we met then.

        Returns how many notifications that were.
        """
        forgotten = 0
        while count := await self._database.transact(self._forget_some, keep_days):
            forgotten += count
        await self._database.transact(self._forget_presses)
        await self._database.transact(self._forget_people, keep_days)
        return forgotten

    def _forget_some(self, connection: Connection, keep_days: float) -> int:
        """Lock what is old, then look once more: somebody may have pressed Retry meanwhile."""
        old = notifications.c.accepted_at < self._database.now - keep_days * DAY
        batch = select(notifications.c.id).where(old, IS_OVER).limit(BATCH).correlate(None)
        lock = select(notifications.c.id).where(notifications.c.id.in_(batch))
        ids = connection.scalars(lock.with_for_update(skip_locked=True)).all()
        if not ids:
            return 0
        change = delete(notifications).where(notifications.c.id.in_(ids), IS_OVER)
        return connection.execute(change).rowcount

    def _forget_presses(self, connection: Connection) -> None:
        yesterday = self._database.now - DAY
        connection.execute(delete(drafts).where(drafts.c.made_at < yesterday))
        connection.execute(delete(interactions).where(interactions.c.at < yesterday))

    def _forget_people(self, connection: Connection, keep_days: float) -> None:
        """Delete who was not met for so long; of links, those by e-mail and of who has left."""
        long_ago = self._database.now - keep_days * DAY
        unmet = people.c.read_at < long_ago
        left = select(people.c.user_id).where(unmet, people.c.standing == Standing.DEACTIVATED)
        by_email = links.c.linked_by.is_(None) & (links.c.linked_at < long_ago)
        connection.execute(delete(links).where(by_email | links.c.user_id.in_(left)))
        connection.execute(delete(people).where(unmet))
