"""Rows in numbers, written by one statement a table: what only shows beside many others."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import create_engine, text

from bot.notification import State

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last) "

INSERTS = (
    "INSERT INTO notifications (id, key, sender_id, sender_name, title, content, fingerprint,"
    " accepted_at) SELECT :name || i, :name || i, 'U' || i, 'Alice', 'T', 'C', :name || i,"
    " :now - 60 FROM n WHERE i % :each = 0",
    "INSERT INTO deliveries (notification_id, position, slack_user_id, crm_user_id, state,"
    " attempt, repeats, due_at, expires_at, lease_until) SELECT :name || (i - i % :each),"
    " i % :each, 'U' || i, CASE WHEN :resolved = 1 THEN 'g' || i END, :state, :repeats, :repeats,"
    " :due, :now + 1e6, :lease FROM n",
    "INSERT INTO replies (notification_id, asked_by, private, asked_at, recipients, show_at,"
    " shown_at, due_at, paid_at) SELECT :name || i, 'U' || i, false, :now - 60, :each, :now + 1e5,"
    " :now - 60, :now - 60, :paid FROM n WHERE i % :each = 0",
)
"""Both databases take these words."""


@dataclass(frozen=True)
class Rows:
    """Deliveries of one kind, `each` in a notification, accepted a minute ago."""

    number: int
    each: int = 1_000
    state: State = State.PENDING
    resolved: bool = True
    repeats: int = 0
    due_in: float = -60.0


def fill(url: str, kinds: Sequence[Rows]) -> None:
    """Put rows into a database and, on Postgres, count them as its autovacuum soon does."""
    engine = create_engine(url)
    now = time.time()
    with engine.begin() as connection:
        for number, rows in enumerate(kinds):
            values = {
                "name": f"n{number}-",
                "last": rows.number - 1,
                "each": rows.each,
                "now": now,
                "due": now + rows.due_in,
                "state": str(rows.state),
                "resolved": int(rows.resolved),
                "repeats": rows.repeats,
                "lease": now + 1e5 if rows.state is State.SENDING else None,
                "paid": now if rows.state is State.SENT else None,
            }
            for insert in INSERTS:
                connection.execute(text(NUMBERS + insert), values)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
