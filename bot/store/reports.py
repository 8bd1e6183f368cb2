"""What became of a notification, read for whoever is told: the reporter, a card's buttons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select

from bot.notification import Delivery, Notification, Report, State, Summary
from bot.store.database import Database
from bot.store.tables import deliveries, notifications, people

NAMED = 3
"""Recipients of a notification that a list names; the rest are counted."""


class Reports:
    """Reads notifications with all their deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Built once: composing a statement takes longer than running it.
        head = select(notifications, database.now.label("now"))
        self._find_head = head.where(notifications.c.id == bindparam("id"))
        twin = deliveries.alias("twin")
        found = (
            select(
                deliveries,
                twin.c.position.label("twin_position"),
                people.c.name.label("slack_name"),
                people.c.email,
            )
            .outerjoin(
                twin,
                and_(
                    twin.c.id == deliveries.c.twin_of,
                    twin.c.notification_id == deliveries.c.notification_id,  # for the planner
                ),
            )
            .outerjoin(people, people.c.user_id == deliveries.c.slack_user_id)
            .order_by(deliveries.c.position)
        )
        self._find_deliveries = found.where(deliveries.c.notification_id == bindparam("id"))
        one_of = deliveries.c.notification_id.in_(bindparam("ids", expanding=True))
        self._find_first = found.where(one_of, deliveries.c.position < NAMED)
        fate = (deliveries.c.notification_id, deliveries.c.state, deliveries.c.code)
        self._count_fates = select(*fate, func.count()).where(one_of).group_by(*fate)
        self._find_recent_heads = (
            select(notifications.c.id, notifications.c.title, notifications.c.accepted_at)
            .where(notifications.c.sender_id == bindparam("sender_id"))
            .order_by(notifications.c.accepted_at.desc())
            .limit(bindparam("most"))
        )
        self._find_latest_id = (
            select(notifications.c.id)
            .where(notifications.c.sender_id == bindparam("sender_id"))
            .order_by(notifications.c.accepted_at.desc())
            .limit(1)
        )

    async def find(self, notification_id: str) -> Report | None:
        return await self._database.transact(self.find_in, notification_id)

    async def find_latest(self, sender_id: str) -> Report | None:
        """Return the last notification this person sent."""
        return await self._database.transact(self._find_latest, sender_id)

    async def find_recent(self, sender_id: str, most: int = 20) -> list[Summary]:
        """Return the last notifications this person sent, the newest first."""
        return await self._database.transact(self._find_recent, sender_id, most)

    def _find_recent(self, connection: Connection, sender_id: str, most: int) -> list[Summary]:
        wanted = {"sender_id": sender_id, "most": most}
        heads = connection.execute(self._find_recent_heads, wanted).all()
        these = {"ids": [head.id for head in heads]}
        counts: defaultdict[str, dict[tuple[State, str | None], int]] = defaultdict(dict)
        for notification_id, state, code, count in connection.execute(self._count_fates, these):
            counts[notification_id][State(state), code] = count
        first: defaultdict[str, list[Delivery]] = defaultdict(list)
        for row in connection.execute(self._find_first, these):
            first[row.notification_id].append(_delivery(row))
        return [
            Summary(head.id, head.title, head.accepted_at, counts[head.id], tuple(first[head.id]))
            for head in heads
        ]

    def _find_latest(self, connection: Connection, sender_id: str) -> Report | None:
        found = connection.scalars(self._find_latest_id, {"sender_id": sender_id}).one_or_none()
        return self.find_in(connection, found) if found else None

    def find_in(self, connection: Connection, notification_id: str) -> Report | None:
        """Do the same as `find` inside the caller's transaction."""
        this_one = {"id": notification_id}
        head = connection.execute(self._find_head, this_one).one_or_none()
        if head is None:
            return None
        return _report(head, connection.execute(self._find_deliveries, this_one).all())


def _report(head: Row[Any], rows: Sequence[Row[Any]]) -> Report:
    settled = [row.settled_at or head.now for row in rows]
    return Report(
        notification_id=head.id,
        sender_id=head.sender_id,
        sender_name=head.sender_name,
        notification=Notification(
            head.title, head.content, head.click_url, head.icon_url, head.lead_name
        ),
        accepted_at=head.accepted_at,
        deliveries=tuple(_delivery(row) for row in rows),
        seconds=max(settled) - head.accepted_at,
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        row.position,
        row.slack_user_id,
        row.name or row.slack_name,
        State(row.state),
        row.code,
        row.detail,
        row.twin_position,
        row.repeats,
        row.email,
    )
