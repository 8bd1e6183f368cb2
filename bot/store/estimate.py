"""How long a send will take at LeadSquared's limit, with what is served before it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select

from bot.errors import UserError
from bot.store.database import Database
from bot.store.gate import INTERACTIVE_RECIPIENTS, GateStore
from bot.store.tables import IS_QUEUED, deliveries

MOST_COUNTED = 20_000
"""Deliveries counted for an estimate: an hour's worth at the default pace, and cheap."""


class Estimate:
    """Looks at the queue and the gate inside the caller's transaction; all times in seconds."""

    def __init__(self, database: Database, gate: GateStore, *, deliver_within: float) -> None:
        self._gate = gate
        self._deliver_within = deliver_within
        # Lower positions are served first, so these come before the last of `count`.
        before = select(deliveries.c.id).where(
            IS_QUEUED, deliveries.c.position < bindparam("count")
        )
        capped = before.limit(bindparam("most")).subquery()
        ahead = select(func.count()).select_from(capped).scalar_subquery()
        self._look = gate.look_beside(ahead.label("ahead"))

    def read(self, connection: Connection, count: int) -> float:
        """Return how long it takes until the last of `count` recipients is served."""
        bounds = {"count": count, "most": MOST_COUNTED}
        found = connection.execute(self._look, bounds).one()
        limits, closed = self._gate.describe(found)
        return closed + limits.estimate(found.ahead + count, bulk=count > INTERACTIVE_RECIPIENTS)

    def check(self, connection: Connection, count: int) -> float:
        """Do the same; raises UserError if it would outlive its usefulness."""
        seconds = self.read(connection, count)
        if seconds > self._deliver_within:
            raise UserError(too_slow(count, seconds, self._deliver_within))
        return seconds


def too_slow(count: int, seconds: float, within: float) -> str:
    """Say why a send that would outlive its usefulness is not taken."""
    return (
        f"{count} recipients would take about {_span(seconds)} at LeadSquared's limit, and "
        f"notifications older than {_span(within)} are not sent. Nothing was sent. "
        "Choose fewer people."
    )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
