"""SQLite: one file, one connection, one thread."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event, literal_column
from sqlalchemy.dialects import sqlite

from bot.errors import StoreBrokenError, StoreUnavailableError
from bot.store import faults, moves
from bot.store.database import Clock, Database, P, T, Work, open_anew_after_trouble

NOW = "((julianday('now') - 2440587.5) * 86400.0)"
PRAGMAS = (
    "busy_timeout=1000",  # milliseconds; longer would outlast Slack's patience
    "journal_mode=WAL",
    "synchronous=FULL",  # an acknowledged notification survives power loss
    "foreign_keys=ON",
)


class SqliteDatabase(Database):
    """One file, one connection, one thread."""

    def __init__(self, url: str, now: Clock | None) -> None:
        super().__init__(literal_column(NOW) if now is None else now)
        self.engine = create_engine(
            url,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # what people write is nothing for the log
            connect_args={"check_same_thread": False},
        )
        event.listen(self.engine, "connect", _set_up_sqlite)
        event.listen(self.engine, "begin", _begin_immediate)
        event.listen(self.engine, "handle_error", open_anew_after_trouble)
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
    for pragma in PRAGMAS:
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
