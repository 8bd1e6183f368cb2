"""One engine, its clock, and transactions whose failures say whether anything was stored.

The store's queries are plain functions of a connection. On SQLite a whole transaction runs in one
thread in one go; statement by statement through an async driver it takes 2.5 times as long.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    create_engine,
    event,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from bot.errors import CommitInDoubtError, StoreUnavailableError

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]

SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
# clock_timestamp(), as now() stands still; in a SELECT, as a volatile function serves no index.
POSTGRES_NOW = "(SELECT extract(epoch from clock_timestamp())::double precision)"
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # an acknowledged notification survives power loss
    "busy_timeout=1000",  # milliseconds; longer would outlast Slack's patience
    "foreign_keys=ON",
)
STATEMENT_TIMEOUT_MS = 2_000


class Database(ABC):
    """Runs transactions; `now` is the clock of its queries (seconds since the epoch)."""

    def __init__(self, now: ColumnElement[float]) -> None:
        self.now = now

    @abstractmethod
    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction: commit what it did, or nothing of it happened.

        Raises StoreUnavailableError when nothing was stored, and CommitInDoubtError when the
        connection broke while committing. If the caller is cancelled, it may still happen.
        """

    @abstractmethod
    def insert(self, table: Table) -> Any:
        """Return the dialect's INSERT, which knows ON CONFLICT."""

    @abstractmethod
    def serialize(self, connection: Connection, name: str) -> None:
        """Let the other transactions that name the same wait until this one has ended."""

    @abstractmethod
    async def close(self) -> None: ...

    async def read_clock(self) -> float:
        """Return the time the queries see."""
        return await self.transact(lambda connection: connection.scalars(select(self.now)).one())


class SqliteDatabase(Database):
    """One file, one connection, one thread."""

    def __init__(self, url: str, now: ColumnElement[float]) -> None:
        super().__init__(now)
        self.engine = create_engine(
            url, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
        )
        event.listen(self.engine, "connect", _set_up_sqlite)
        event.listen(self.engine, "begin", _begin_immediate)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")

    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(self._run, work, *args, **kwargs))

    def insert(self, table: Table) -> Any:
        return sqlite.insert(table)

    def serialize(self, connection: Connection, name: str) -> None:
        """Nothing to do: BEGIN IMMEDIATE lets all of them wait."""

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown()

    def _run(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with self.engine.begin() as connection:
                return work(connection, *args, **kwargs)
        except (SQLAlchemyError, OSError) as exc:
            raise StoreUnavailableError(type(exc).__name__) from exc


class PostgresDatabase(Database):
    """A small pool; nothing outlives a transaction, so that poolers do no harm."""

    def __init__(self, url: str, now: ColumnElement[float]) -> None:
        from sqlalchemy.dialects import postgresql
        from sqlalchemy.ext.asyncio import create_async_engine

        super().__init__(now)
        self._dialect = postgresql
        self.engine = create_async_engine(
            url,
            pool_size=3,
            max_overflow=2,
            pool_pre_ping=True,
            pool_timeout=2,
            connect_args={
                "prepare_threshold": None,
                "connect_timeout": 5,
                "tcp_user_timeout": 10_000,  # milliseconds until a silent network is an error
                "keepalives_idle": 30,
            },
        )

    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with self.engine.connect() as connection:
                timeout = text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")
                await connection.execute(timeout)
                done = await connection.run_sync(work, *args, **kwargs)
                await self._commit(connection)
                return done
        except (SQLAlchemyError, OSError) as exc:
            raise StoreUnavailableError(type(exc).__name__) from exc

    def insert(self, table: Table) -> Any:
        return self._dialect.insert(table)

    def serialize(self, connection: Connection, name: str) -> None:
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        connection.execute(lock, {"name": name})

    async def close(self) -> None:
        await self.engine.dispose()

    async def _commit(self, connection: Any) -> None:
        try:
            await connection.commit()
        except DBAPIError as exc:
            if exc.connection_invalidated:
                raise CommitInDoubtError(type(exc).__name__) from exc
            raise


def open_database(url: str, *, now: Callable[[], float] | None = None) -> Database:
    """Build the database for `url`; `now` replaces its clock in tests."""
    is_sqlite = url.startswith("sqlite")
    clock: ColumnElement[float] = literal_column(SQLITE_NOW if is_sqlite else POSTGRES_NOW)
    if now is not None:
        clock = bindparam("now", callable_=now)
    return SqliteDatabase(url, clock) if is_sqlite else PostgresDatabase(url, clock)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours: see _begin_immediate
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: upgrading from a read fails with no wait at all."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
