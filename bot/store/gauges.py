"""Numbers for whoever watches from outside: cheap at any size, and none of them names anybody."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Select, exists, func, select

from bot.overview import MOST_COUNTED
from bot.store.database import Database
from bot.store.gate import GateStore
from bot.store.overview import count_pending
from bot.store.tables import IS_OPEN, IS_SENDING, deliveries, replies


@dataclass(frozen=True)
class Gauges:
    """How things are now; counts end at `MOST_COUNTED`."""

    pending: int
    oldest: float
    """Seconds that the oldest pending delivery has waited."""
    sending: int
    owed: int
    """Replies whose outcome is there, and which Slack has not taken."""
    limit: int
    period: float
    is_learned: bool
    """A refusal of the CRM taught less than the settings say."""
    closed: float
    """Seconds until the gate opens again; 0 while it is open."""


class GaugesStore:
    """Reads the gauges in one transaction."""

    def __init__(self, database: Database, gate: GateStore, *, deliver_within: float) -> None:
        self._database = database
        self._gate = gate
        self._count_pending = count_pending(database, deliver_within)
        sending = select(deliveries.c.id).where(IS_SENDING).limit(MOST_COUNTED).subquery()
        self._count_sending = select(func.count()).select_from(sending)
        self._count_owed = _count_owed()

    async def read(self) -> Gauges:
        return await self._database.transact(self._read)

    def _read(self, connection: Connection) -> Gauges:
        pending, oldest = connection.execute(self._count_pending).one()
        limits, closed = self._gate.look(connection)
        return Gauges(
            pending=pending,
            oldest=max(0.0, oldest),
            sending=connection.scalars(self._count_sending).one(),
            owed=connection.scalars(self._count_owed).one(),
            limit=limits.limit,
            period=limits.period,
            is_learned=limits != self._gate.limits,
            closed=closed,
        )


def _count_owed() -> Select[int]:
    """Count among the replies that are not paid, which are few but for big queues."""
    unpaid = select(replies.c.notification_id).where(replies.c.paid_at.is_(None))
    first = unpaid.order_by(replies.c.due_at).limit(MOST_COUNTED).subquery()
    is_open = exists().where(IS_OPEN, deliveries.c.notification_id == first.c.notification_id)
    return select(func.count()).select_from(first).where(~is_open)
