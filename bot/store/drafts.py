"""What must be asked before it is sent: a draft is no notification, and expires after an hour."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, bindparam, select

from bot.store.acceptance import Acceptance, dump, load
from bot.store.database import Database
from bot.store.tables import drafts

EXPIRES_AFTER = 3600.0
"""Seconds in which a draft may be sent."""


class Drafts:
    """Reads and writes drafts inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        add = database.insert(drafts).values(made_at=database.now)
        self._add = add.on_conflict_do_nothing(index_elements=["key"])
        self._find_asked = select(drafts.c.id).where(drafts.c.key == bindparam("key"))

    def save(self, connection: Connection, acceptance: Acceptance, choice: int = 0) -> str:
        """Store a draft, once for an interaction and choice, and return its id."""
        key = _name(acceptance.key, choice)
        row = {
            "id": secrets.token_hex(8),
            "key": key,
            "sender_id": acceptance.sender_id,
            "acceptance": dump(acceptance),
        }
        connection.execute(self._add, row)
        same = select(drafts.c.id).where(drafts.c.key == key)
        return str(connection.scalars(same).one())

    def was_asked(self, connection: Connection, key: str) -> bool:
        """Tell whether an interaction led to a question, however it was answered."""
        return connection.execute(self._find_asked, {"key": _name(key, 0)}).first() is not None

    def find(
        self, connection: Connection, draft_id: str, sender_id: str
    ) -> tuple[Acceptance, bool] | None:
        """Return a draft of this sender and whether it is still good; None if it is gone.

        It stays until it is forgotten, so that a second press finds what came of the first.
        """
        query = select(
            drafts.c.acceptance, (drafts.c.made_at > self._database.now - EXPIRES_AFTER)
        ).where(drafts.c.id == draft_id, drafts.c.sender_id == sender_id)
        row = connection.execute(query).one_or_none()
        return (load(row[0]), bool(row[1])) if row is not None else None


def _name(key: str, choice: int) -> str:
    return f"{key}#{choice}"
