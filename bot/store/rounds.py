"""Buttons that change deliveries: a new round of what failed, and taking back what waits.

A press is an interaction with a key, so one that Slack delivers twice has its effect once.
"""

from __future__ import annotations

from collections.abc import Collection

import structlog
from sqlalchemy import Connection, case, func, null, or_, select, update

from bot.notification import Place, State
from bot.store.database import Database
from bot.store.debts import build_insert, owed_row
from bot.store.interactions import Interactions
from bot.store.moves import note
from bot.store.quota import Quota
from bot.store.tables import IS_PENDING, IS_SENDING, deliveries, notifications

log = structlog.get_logger()


class Rounds:
    """Opens and cancels; the attempt number stays, so that late results stay fenced."""

    def __init__(self, database: Database, quota: Quota, *, deliver_within: float) -> None:
        self._database = database
        self._quota = quota
        self._interactions = Interactions(database)
        self._add_reply = build_insert(database)
        self._deliver_within = deliver_within

    async def reopen(
        self,
        notification_id: str,
        states: Collection[State],
        *,
        but_not: Collection[str] = (),
        key: str,
        asked_by: str,
        place: Place,
    ) -> int:
        """Make deliveries in `states` pending again and owe whoever asked one reply.

        Those that ended with a code in `but_not` stay as they are.

        Returns how many there were; raises UserError if they are too many for this person's hour.
        """
        count = await self._database.transact(
            self._reopen, notification_id, states, but_not, key, asked_by, place
        )
        log.info("request.reopened", notification=notification_id, recipients=count)
        return count

    async def cancel(self, notification_id: str, *, key: str) -> int:
        """Take back what has not been sent; return how many deliveries that were."""
        count = await self._database.transact(self._cancel, notification_id, key)
        log.info("request.cancelled", notification=notification_id, recipients=count)
        return count

    def _reopen(
        self,
        connection: Connection,
        notification_id: str,
        states: Collection[State],
        but_not: Collection[str],
        key: str,
        asked_by: str,
        place: Place,
    ) -> int:
        if not self._interactions.claim(connection, key):
            return 0
        # Before its deliveries, in the order of whoever forgets it: it stays, or is gone already.
        keep = select(notifications.c.id).where(notifications.c.id == notification_id)
        connection.execute(keep.with_for_update(key_share=True, read=True))
        now = self._database.now
        change = (
            update(deliveries)
            .where(
                deliveries.c.notification_id == notification_id,
                deliveries.c.state.in_(states),
                func.coalesce(deliveries.c.code, "").not_in(but_not),
            )
            .values(
                state=State.PENDING,
                code=null(),
                detail=null(),
                repeats=0,
                due_at=now,
                expires_at=now + self._deliver_within,
                settled_at=null(),
                twin_of=null(),  # whoever they are now: links may have changed
                crm_user_id=case(
                    (deliveries.c.slack_user_id.is_(None), deliveries.c.crm_user_id), else_=null()
                ),
            )
        )
        count = connection.execute(change).rowcount
        if count:
            self._quota.check(connection, asked_by, count)
            note(connection, State.PENDING, count)
            row = owed_row(notification_id, asked_by, place, recipients=count)
            connection.execute(self._add_reply, row)
        return count

    def _cancel(self, connection: Connection, notification_id: str, key: str) -> int:
        if not self._interactions.claim(connection, key):
            return 0
        on_its_way = select(deliveries.c.id).where(
            deliveries.c.notification_id == notification_id, IS_SENDING
        )
        change = (
            update(deliveries)
            .where(
                deliveries.c.notification_id == notification_id,
                IS_PENDING,
                # not those who share a call that is under way
                or_(deliveries.c.twin_of.is_(None), deliveries.c.twin_of.not_in(on_its_way)),
            )
            .values(state=State.CANCELLED, code=null(), settled_at=self._database.now)
        )
        count = connection.execute(change).rowcount
        note(connection, State.CANCELLED, count)
        return count
