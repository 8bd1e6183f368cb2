"""How many recipients one person may have in a sliding hour, new rounds included."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select

from bot.errors import UserError
from bot.store.database import Database
from bot.store.tables import replies

HOUR = 3600.0


class Quota:
    """Holds HOURLY_LIMIT inside the caller's transaction; 0 turns it off."""

    def __init__(self, database: Database, hourly_limit: int) -> None:
        self._database = database
        self._hourly_limit = hourly_limit
        self._count_recent = select(func.coalesce(func.sum(replies.c.recipients), 0)).where(
            replies.c.asked_by == bindparam("person"), replies.c.asked_at > database.now - HOUR
        )

    def check(self, connection: Connection, person: str, wanted: int) -> None:
        """Raise UserError if `wanted` more recipients would be too many for this person."""
        if not self._hourly_limit:
            return
        self._database.serialize(connection, person)
        used = int(connection.execute(self._count_recent, {"person": person}).scalar_one())
        if used + wanted > self._hourly_limit:
            raise UserError(
                f"You may notify {_count(self._hourly_limit)} an hour; you have used {used}, "
                f"and this would be {wanted} more. Nothing was sent. Try again later, or ask an "
                "admin to raise HOURLY_LIMIT."
            )


def _count(recipients: int) -> str:
    return "1 recipient" if recipients == 1 else f"{recipients} recipients"
