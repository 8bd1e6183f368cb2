"""Numbers for admins, cheap at any size: what could be long is counted up to a bound."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from bot.notification import State
from bot.overview import MOST_COUNTED, LastError, Overview
from bot.people import Standing
from bot.store.database import Database
from bot.store.gate import GateStore
from bot.store.tables import IS_PENDING, deliveries, links, people

NAMED = 10
"""People without a link that are named; the rest are counted."""

LOOK_BACK = 2_000
"""The newest deliveries, among which the last error is looked for: there is no index for it."""

ENDED_BADLY = (State.REJECTED, State.UNAVAILABLE, State.UNKNOWN)

NOT_THE_CRM = ("too_late", "slack_away", "lease")
"""Codes of the same states that say nothing about the CRM."""


class OverviewStore:
    """Reads the overview in one transaction."""

    def __init__(self, database: Database, gate: GateStore, *, deliver_within: float) -> None:
        self._database = database
        self._gate = gate
        member = select(people.c.user_id, people.c.name).where(people.c.standing == Standing.MEMBER)
        some = member.limit(MOST_COUNTED).subquery()
        both = some.outerjoin(links, links.c.user_id == some.c.user_id)
        self._count_people = select(func.count(), func.count(links.c.user_id)).select_from(both)
        without = select(some.c.name).select_from(both).where(links.c.user_id.is_(None))
        self._find_unlinked = without.order_by(some.c.name).limit(NAMED)
        self._count_pending = count_pending(database, deliver_within)
        newest = select(deliveries).order_by(deliveries.c.id.desc()).limit(LOOK_BACK).subquery()
        self._find_error: Select[Any] = (
            select(newest.c.code, newest.c.detail, newest.c.settled_at)
            .where(
                newest.c.state.in_(ENDED_BADLY),
                newest.c.code.not_in(NOT_THE_CRM),
                newest.c.settled_at.is_not(None),
            )
            .order_by(newest.c.settled_at.desc())
            .limit(1)
        )

    async def read(self) -> Overview:
        return await self._database.transact(self.read_in)

    def read_in(self, connection: Connection) -> Overview:
        """Do the same as `read` inside the caller's transaction."""
        members, linked = connection.execute(self._count_people).one()
        pending, oldest = connection.execute(self._count_pending).one()
        limits, closed = self._gate.look(connection)
        return Overview(
            members=members,
            linked=linked,
            not_linked=connection.scalars(self._find_unlinked).all(),
            pending=pending,
            oldest=max(0.0, oldest),
            limit=limits.limit,
            period=limits.period,
            is_learned=limits != self._gate.limits,
            closed=closed,
            last_error=_last_error(connection.execute(self._find_error).one_or_none()),
        )


def count_pending(database: Database, deliver_within: float) -> Select[int, float]:
    """Return the query for what is pending, and the seconds that the oldest has waited."""
    pending = select(deliveries.c.expires_at).where(IS_PENDING)
    first = pending.order_by(deliveries.c.expires_at).limit(MOST_COUNTED).subquery()
    waited = database.now - func.min(first.c.expires_at) + deliver_within
    return select(func.count(), func.coalesce(waited, 0.0)).select_from(first)


def _last_error(row: Row[Any] | None) -> LastError | None:
    return LastError(row.code, row.detail, row.settled_at) if row is not None else None
