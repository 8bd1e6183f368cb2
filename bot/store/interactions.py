"""Each Slack interaction has its effect once, however often and to whichever process it comes."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.store.database import Database
from bot.store.tables import interactions


class Interactions:
    """Claims the keys of interactions inside the transaction of their effect."""

    def __init__(self, database: Database) -> None:
        add = database.insert(interactions).values(at=database.now)
        self._add = add.on_conflict_do_nothing().returning(interactions.c.key)

    def claim(self, connection: Connection, key: str) -> bool:
        """Tell whether this is the first time; a rollback gives the key back."""
        return connection.execute(self._add, {"key": key}).first() is not None
