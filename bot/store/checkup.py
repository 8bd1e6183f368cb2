"""What a doctor wants to know of the database; to read it makes and migrates nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, func, select, text
from sqlalchemy.pool import NullPool

from bot.errors import StoreBrokenError, StoreUnavailableError
from bot.overview import Overview
from bot.store import faults
from bot.store.database import Database
from bot.store.gate import GateStore
from bot.store.overview import OverviewStore
from bot.store.schema import read_version
from bot.store.sqlite import find_problem
from bot.store.tables import SCHEMA_REVISION, gates, slots

LARGEST_READ = 256 * 1024 * 1024
"""Bytes of an SQLite file beyond which its pages are not all read: `serve` does so at its start."""

ROOM = text("""
    SELECT current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int AS server,
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used
""")


@dataclass(frozen=True)
class Room:
    """Connections that a Postgres server lets us have, of which `used` are taken."""

    most: int
    used: int


@dataclass(frozen=True)
class Checkup:
    """What was found in a database that answers."""

    kind: str
    version: str
    revision: str | None
    """None while our tables are not there."""
    accounts: tuple[str, ...] = ()
    """The values of LEADSQUARED_URL that a bot has run with."""
    slots_taken: int = 0
    overview: Overview | None = None
    """None if no bot has run with this LEADSQUARED_URL."""
    now: float = 0.0
    room: Room | None = None


class CheckupStore:
    """Reads all of it in one transaction."""

    def __init__(self, database: Database, gate: GateStore, overview: OverviewStore) -> None:
        self._database = database
        self._gate = gate
        self._overview = overview

    async def read(self) -> Checkup:
        return await self._database.transact(self._read)

    def _read(self, connection: Connection) -> Checkup:
        version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
        is_sqlite = connection.dialect.name == "sqlite"
        kind, room = ("SQLite", None) if is_sqlite else ("Postgres", _read_room(connection))
        revision = read_version(connection)
        if revision is None or revision < SCHEMA_REVISION:
            return Checkup(kind, version, revision, room=room)
        accounts = tuple(connection.scalars(select(gates.c.account).order_by(gates.c.account)))
        knows_ours = self._gate.account in accounts
        taken = select(func.count()).where(
            slots.c.account == self._gate.account, slots.c.free_at > self._database.now
        )
        return Checkup(
            kind,
            version,
            revision,
            accounts,
            connection.scalars(taken).one(),
            self._overview.read_in(connection) if knows_ours else None,
            connection.scalars(select(self._database.now)).one(),
            room,
        )


def inspect_file(path: Path) -> str | None:
    """Look into an SQLite file without changing it, and return the revision of its tables.

    Raises StoreUnavailableError if it cannot be opened, StoreBrokenError if it is damaged, and
    FileNotFoundError if it is not there yet and can be made.
    """
    if (problem := find_problem(path)) is not None:
        raise StoreUnavailableError(problem)
    if not path.exists():
        raise FileNotFoundError
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool
    )
    with faults.named(), closing(engine.connect()) as connection:
        if path.stat().st_size <= LARGEST_READ:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if found != "ok":
                raise StoreBrokenError(f"is damaged ({found}). {faults.RESTORE}")
        return read_version(connection)


def _read_room(connection: Connection) -> Room:
    found = connection.execute(ROOM).one()
    most = found.server if found.role in (None, -1) else min(found.server, found.role)
    return Room(most, found.used)
