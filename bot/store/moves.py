"""Which deliveries a transaction has moved into which states: told to nobody unless it commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection

from bot.notification import State

NOTES = "moves"


def begin_notes(connection: Connection) -> Mapping[str, int]:
    """Return what will be noted in the one transaction of this connection."""
    notes: Counter[str] = Counter()
    connection.execution_options(**{NOTES: notes})
    return notes


def note(connection: Connection, state: State | str, count: int = 1) -> None:
    """Note that so many deliveries came into `state`."""
    if count:
        connection.get_execution_options()[NOTES][State(state).value] += count
