"""The bot's database as an operator sees it: read, changed and held up from outside."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine

from bot.setting_types import check_database_url

LOOK_EVERY = 0.03
HELD_FOR = 0.4
"""Seconds for which nobody else can write before the bot is taken to be held up."""

STALL_KEY = 4711

ENDLESS = """CREATE VIEW endless AS
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
    SELECT n FROM numbers"""
COUNT_FOR_EVER = "SELECT max(n) FROM endless"
HELD_UP = f"""CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock({STALL_KEY}); RETURN NULL; END $$"""


class Storage(ABC):
    """One database; `url` is how a host gives it to the bot."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(check_database_url(url), poolclass=NullPool)

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; return what it found."""
        with self._engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def shows(self, statement: str, *rows: tuple[Any, ...], within: float = 10.0) -> None:
        """Wait until a query finds just these rows."""
        await wait_until(lambda: self.run(statement) == list(rows), within, statement)

    @asynccontextmanager
    async def stalling(self, change: str, when: str = "true") -> AsyncIterator[None]:
        """Hold up every transaction right after such a change, such as `INSERT ON replies`.

        `held_up` tells when one waits there; what it did is not committed.
        """
        self._set_trap(f"AFTER {change} FOR EACH ROW WHEN ({when})")
        try:
            yield
        finally:
            self._remove_trap()

    @abstractmethod
    async def held_up(self) -> None:
        """Wait until a transaction of the bot is held up by `stalling`."""

    async def forgets(self, _process: str) -> None:
        """Wait until the server has ended what a dead process had begun."""
        return

    @abstractmethod
    def _set_trap(self, event: str) -> None: ...

    @abstractmethod
    def _remove_trap(self) -> None: ...


class SqliteStorage(Storage):
    """A file; a transaction that is held up counts for ever, with the write lock."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"sqlite:///{path}")
        self.path = path

    async def held_up(self) -> None:
        await wait_until(self._is_locked, 10.0, "held up")

    def _is_locked(self) -> bool:
        trying = sqlite3.connect(self.path, timeout=HELD_FOR, isolation_level=None)
        with closing(trying) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
            return False

    def _set_trap(self, event: str) -> None:
        self.run(ENDLESS)
        self.run(f"CREATE TRIGGER held_up {event} BEGIN {COUNT_FOR_EVER}; END")

    def _remove_trap(self) -> None:
        self.run("DROP TRIGGER held_up")
        self.run("DROP VIEW endless")


class PostgresStorage(Storage):
    """A database of a server; a transaction that is held up waits for a lock of ours."""

    def __init__(self, url: str) -> None:
        super().__init__(url.replace("postgresql+psycopg://", "postgres://"))
        self._keeper: Any = None

    async def held_up(self) -> None:
        await self.shows(
            "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", (STALL_KEY,)
        )

    @asynccontextmanager
    async def stalling_commit(self, change: str, when: str = "true") -> AsyncIterator[None]:
        """Hold up every transaction with such a change while it commits; it does so afterwards."""
        deferred = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        self._set_trap(f"AFTER {change} {deferred} WHEN ({when})", "CONSTRAINT TRIGGER")
        try:
            yield
        finally:
            self._remove_trap()

    def find_held_up(self) -> str:
        """Return the process whose transaction is held up."""
        query = "SELECT application_name FROM pg_stat_activity WHERE wait_event = 'advisory'"
        [(process,)] = self.run(query)
        return str(process)

    async def forgets(self, process: str) -> None:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
        await self.shows(f"{query} '{process}'", (0,))

    def _set_trap(self, event: str, kind: str = "TRIGGER") -> None:
        self._keeper = self._engine.connect()
        self._keeper.exec_driver_sql(f"SELECT pg_advisory_lock({STALL_KEY})")
        self.run(HELD_UP)
        self.run(f"CREATE {kind} held_up {event} EXECUTE FUNCTION hold_up()")

    def _remove_trap(self) -> None:
        self._keeper.close()
        self.run("DROP FUNCTION hold_up CASCADE")


def open_storage(url: str) -> Storage:
    """Return the storage behind an address, be it a host's or SQLAlchemy's."""
    if url.startswith("sqlite:///"):
        return SqliteStorage(Path(url.removeprefix("sqlite:///")))
    return PostgresStorage(url)


async def wait_until(is_so: Callable[[], bool], within: float, what: str) -> None:
    """Look again and again, in a thread, at something that tells nobody when it changes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            while True:
                if await asyncio.to_thread(is_so):
                    return
                await asyncio.sleep(LOOK_EVERY)
    raise AssertionError(f"not within {within:g} s: {what}")
