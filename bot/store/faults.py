"""What an error of the database means: trouble that passes, a broken file, or a bug of ours.

Trouble is waited for, so a bug taken for trouble would be tried for ever. What is not known here
as trouble is a bug, and stays the exception it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from bot.errors import (
    CommitInDoubtError,
    StoreBrokenError,
    StoreError,
    StoreUnavailableError,
)

# https://www.sqlite.org/rescode.html; SQLITE_ERROR, as for a missing table, is a bug.
SQLITE_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
SQLITE_AWAY = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
SQLITE_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
SQLITE_UNSYNCED = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}
"""The commit is written and may come back after a crash."""

READ_ONLY = "25006"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRES_AWAY = (
    "08",  # the connection; poolers use it too
    "28",  # the password was changed
    "3D000",  # the database was dropped
    "40",  # deadlocks and the like: rolled back, to be done again
    "42501",  # hosts take away the right to INSERT from a database that has grown too big
    "53",  # disk, memory or connections used up
    "55006",
    "55P03",  # locked
    "57",  # stopped, starting up, or the statement cancelled
    "58",  # input and output
    READ_ONLY,
    "25P03",
    "25P04",  # too long in a transaction
)
COMPLETION_UNKNOWN = "40003"

RESTORE = "Restore it from a backup, or move it away to begin with an empty one"


@contextmanager
def named(*, committing: bool = False) -> Iterator[None]:
    """Raise a StoreError for what is no bug; `committing`: around the commit alone."""
    try:
        yield
    except (SQLAlchemyError, OSError) as exc:
        if (fault := find_fault(exc, committing=committing)) is None:
            _leave_out_values(exc)
            raise
        raise fault from exc


def find_fault(error: SQLAlchemyError | OSError, *, committing: bool = False) -> StoreError | None:
    """Return what to raise in its place; None for a bug."""
    if isinstance(error, OSError):
        return _doubt_or_not(type(error).__name__, doubt=committing)
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _find_sqlite_fault(error.orig, committing=committing)
    return _find_postgres_fault(error, committing=committing)


def must_reopen(error: BaseException | None) -> bool:
    """Tell whether a connection may stay in trouble when a new one would not.

    A file that was opened read-only stays so, and so does a server that has become a standby.
    """
    is_standby = getattr(error, "sqlstate", None) == READ_ONLY
    return is_standby or _primary_code(error) in SQLITE_AWAY


def _find_sqlite_fault(error: sqlite3.Error, *, committing: bool) -> StoreError | None:
    code = _primary_code(error)
    reason = f"{error} ({getattr(error, 'sqlite_errorname', '')})"
    if code in SQLITE_BROKEN:
        return StoreBrokenError(f"cannot be used: {reason}. {RESTORE}")
    if code in SQLITE_AWAY | SQLITE_LOCKED:
        unsynced = getattr(error, "sqlite_errorcode", 0) in SQLITE_UNSYNCED
        return _doubt_or_not(reason, doubt=committing and unsynced)
    return None


def _primary_code(error: BaseException | None) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _find_postgres_fault(error: DBAPIError, *, committing: bool) -> StoreError | None:
    state = getattr(error.orig, "sqlstate", None)
    lost = error.connection_invalidated
    if state is None and not lost and not isinstance(error, OperationalError | InterfaceError):
        return None
    if state is not None and not lost and not state.startswith(POSTGRES_AWAY):
        return None
    reason = f"{type(error.orig).__name__} {_servers_words(error.orig)}".strip()
    return _doubt_or_not(reason, doubt=committing and (lost or state in (None, COMPLETION_UNKNOWN)))


def _leave_out_values(error: Exception) -> None:
    """Keep the server's DETAIL out of the log: it shows what people wrote."""
    driver_error = error.orig if isinstance(error, DBAPIError) else None
    primary = getattr(getattr(driver_error, "diag", None), "message_primary", None)
    if driver_error is not None and primary:
        error.args = driver_error.args = (primary,)


def _servers_words(error: object) -> str:
    """Return why the server let nobody in; a client's own words may show parts of the URL."""
    _, _, words = str(error).partition("FATAL:")
    return words.strip().partition("\n")[0]


def _doubt_or_not(reason: str, *, doubt: bool) -> StoreError:
    return CommitInDoubtError(reason) if doubt else StoreUnavailableError(reason)
