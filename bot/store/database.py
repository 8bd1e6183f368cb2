"""One engine, its clock, and transactions whose failures say whether anything was stored.

The store's queries are plain functions of a connection. A whole transaction runs in a thread in one
go; statement by statement through an async driver it takes 2.5 times as long on SQLite, and 3.5
times on Postgres.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.sql.elements import ColumnElement

from bot.errors import StoreBrokenError, StoreUnavailableError
from bot.observer import UNOBSERVED, Observer
from bot.store import faults, moves

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]

SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
# clock_timestamp(), as now() stands still; in a SELECT, as a volatile function serves no index.
POSTGRES_NOW = "(SELECT extract(epoch from clock_timestamp())::double precision)"
SQLITE_PRAGMAS = (
    "busy_timeout=1000",  # milliseconds; longer would outlast Slack's patience
    "journal_mode=WAL",
    "synchronous=FULL",  # an acknowledged notification survives power loss
    "foreign_keys=ON",
)
POSTGRES_TIMEOUTS = {"statement_timeout": 2_000, "idle_in_transaction_session_timeout": 5_000}
"""Milliseconds; the second so that a process that froze does not keep the account's gate."""

POOL_TIMEOUT = 1.0
"""Seconds for a free connection: so that Slack can be told in time that nothing was stored."""

THREADS = 16
"""More than connections, so that who waits for one is told by the pool when it takes too long."""


class Database(ABC):
    """Runs transactions; `now` is the clock of its queries (seconds since the epoch)."""

    def __init__(self, now: ColumnElement[float]) -> None:
        self.now = now
        self.observer: Observer = UNOBSERVED
        self.on_broken: Callable[[StoreBrokenError], None] = _do_nothing

    @abstractmethod
    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction: commit what it did, or nothing of it happened.

        Raises StoreUnavailableError when nothing was stored, and CommitInDoubtError when the
        connection broke while committing. StoreBrokenError goes to `on_broken` as well. A bug
        comes through as what it is. If the caller is cancelled, it may still happen.
        """

    @abstractmethod
    async def check(self) -> None:
        """Look at what can be found out before the first transaction.

        Raises StoreUnavailableError for what may come, and StoreBrokenError for what is damaged.
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
            url,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # what people write is nothing for the log
            connect_args={"check_same_thread": False},
        )
        event.listen(self.engine, "connect", _set_up_sqlite)
        event.listen(self.engine, "begin", _begin_immediate)
        event.listen(self.engine, "handle_error", _open_anew_after_trouble)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._broken: StoreBrokenError | None = None

    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        run = partial(self._run, work, *args, **kwargs)
        try:
            return await loop.run_in_executor(self._thread, run)
        except StoreBrokenError as exc:
            self._broken = StoreBrokenError(f"DATABASE_URL: {self.engine.url.database} {exc}.")
            self.on_broken(self._broken)
            raise self._broken from exc

    async def check(self) -> None:
        if _is_there(Path(str(self.engine.url.database))):
            await self.transact(_check_pages)

    def insert(self, table: Table) -> Any:
        return sqlite.insert(table)

    def serialize(self, connection: Connection, name: str) -> None:
        """Nothing to do: BEGIN IMMEDIATE lets all of them wait."""

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown()

    def _run(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._broken is not None:  # to open it anew would make an empty file in its place
            raise StoreUnavailableError(str(self._broken))
        with faults.named(), self.engine.connect() as connection:
            noted = moves.begin_notes(connection)
            done = work(connection, *args, **kwargs)
            _check_in_place(connection)
            with faults.named(committing=True):
                connection.commit()
            self.observer.moved(noted)
            return done


class PostgresDatabase(Database):
    """A small pool; nothing outlives a transaction, so that poolers do no harm."""

    def __init__(self, url: str, now: ColumnElement[float]) -> None:
        from sqlalchemy.dialects import postgresql

        super().__init__(now)
        self._dialect = postgresql
        self.engine = create_engine(
            url,
            pool_size=3,
            max_overflow=2,
            pool_pre_ping=True,
            pool_timeout=POOL_TIMEOUT,
            hide_parameters=True,
            connect_args={
                "prepare_threshold": None,
                "connect_timeout": 5,
                "tcp_user_timeout": 10_000,  # milliseconds until a silent network is an error
                "keepalives_idle": 30,
            },
        )
        event.listen(self.engine, "handle_error", _open_anew_after_trouble)
        names = POSTGRES_TIMEOUTS.items()
        self._set_timeouts = select(
            *(func.set_config(name, str(value), literal_column("true")) for name, value in names)
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="postgres")

    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(self._run, work, *args, **kwargs))

    async def check(self) -> None:
        """Nothing to do: its server looks after it."""

    def insert(self, table: Table) -> Any:
        return self._dialect.insert(table)

    def serialize(self, connection: Connection, name: str) -> None:
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        connection.execute(lock, {"name": name})

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self.engine.dispose)
        self._threads.shutdown()

    def _run(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with faults.named(), self.engine.connect() as connection:
            noted = moves.begin_notes(connection)
            connection.execute(self._set_timeouts)
            done = work(connection, *args, **kwargs)
            with faults.named(committing=True):
                connection.commit()
            self.observer.moved(noted)
            return done


def open_database(url: str, *, now: Callable[[], float] | None = None) -> Database:
    """Build the database for `url`; `now` replaces its clock in tests."""
    is_sqlite = url.startswith("sqlite")
    clock: ColumnElement[float] = literal_column(SQLITE_NOW if is_sqlite else POSTGRES_NOW)
    if now is not None:
        clock = bindparam("now", callable_=now)
    return SqliteDatabase(url, clock) if is_sqlite else PostgresDatabase(url, clock)


def find_problem(path: Path) -> str | None:
    """Return why a database file cannot be opened or made at `path`, if that can be seen."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} cannot be written to"
    if path.is_dir():
        return f"{path.absolute()} is a folder, not a file"
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        return f"the file {path.absolute()} cannot be read and written"
    return None


def _is_there(path: Path) -> bool:
    """Tell whether the file is there; raises StoreUnavailableError if it cannot be made either."""
    if (problem := find_problem(path)) is not None:
        raise StoreUnavailableError(f"DATABASE_URL: {problem}")
    return path.exists()


def _check_pages(connection: Connection) -> None:
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise StoreBrokenError(f"is damaged ({found}). {faults.RESTORE}")


def _set_up_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours: see _begin_immediate
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    path = cursor.execute("PRAGMA database_list").fetchone()[2]
    record.info["file"] = path, _identify(path)
    cursor.close()


def _check_in_place(connection: Connection) -> None:
    """Refuse to commit to a file that was moved, deleted or replaced: nobody would find it."""
    path, opened = connection.info["file"]
    if _identify(path) != opened:
        raise StoreBrokenError("was moved or replaced while it was open; the old file has the work")


def _identify(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: upgrading from a read fails with no wait at all."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _open_anew_after_trouble(context: ExceptionContext) -> None:
    if faults.must_reopen(context.original_exception):
        context.is_disconnect = True


def _do_nothing(_: StoreBrokenError) -> None: ...
