"""What must be asked before it is sent: a draft is no notification, and expires after an hour."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, delete, select

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

    def save(self, connection: Connection, acceptance: Acceptance) -> str:
        """Store a draft, once for an interaction, and return its id."""
        draft_id = secrets.token_hex(8)
        row = {
            "id": draft_id,
            "key": acceptance.key,
            "sender_id": acceptance.sender_id,
            "acceptance": dump(acceptance),
        }
        connection.execute(self._add, row)
        same = select(drafts.c.id).where(drafts.c.key == acceptance.key)
        return str(connection.scalars(same).one())

    def take(self, connection: Connection, draft_id: str, sender_id: str) -> Acceptance | None:
        """Remove a draft of this sender and return it; None if it is gone or too old."""
        found = connection.scalars(
            delete(drafts)
            .where(
                drafts.c.id == draft_id,
                drafts.c.sender_id == sender_id,
                drafts.c.made_at > self._database.now - EXPIRES_AFTER,
            )
            .returning(drafts.c.acceptance)
        ).one_or_none()
        return load(found) if found is not None else None
