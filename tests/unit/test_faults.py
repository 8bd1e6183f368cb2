"""The table of what a driver raises and what it means; what can be provoked is, elsewhere."""

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import CompileError, DBAPIError, NoResultFound

from bot.errors import CommitInDoubtError, StoreBrokenError, StoreUnavailableError
from bot.store.faults import find_fault

ERRORS = psycopg.errors


def wrap(error: Exception, *, lost: bool = False) -> DBAPIError:
    """Return what SQLAlchemy makes of a driver's error."""
    base = sqlite3.Error if isinstance(error, sqlite3.Error) else psycopg.Error
    wrapped = DBAPIError.instance("SELECT 1", {}, error, base, connection_invalidated=lost)
    assert isinstance(wrapped, DBAPIError)
    return wrapped


def sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("from SQLite")
    error.sqlite_errorcode = getattr(sqlite3, name)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    "error",
    [
        ERRORS.AdminShutdown,
        ERRORS.CannotConnectNow,
        ERRORS.ConfigurationLimitExceeded,
        ERRORS.ConnectionFailure,
        ERRORS.ConnectionTimeout,
        ERRORS.CrashShutdown,
        ERRORS.DatabaseDropped,
        ERRORS.DeadlockDetected,
        ERRORS.DiskFull,
        ERRORS.IdleInTransactionSessionTimeout,
        ERRORS.InsufficientPrivilege,
        ERRORS.InvalidCatalogName,
        ERRORS.InvalidPassword,
        ERRORS.IoError,
        ERRORS.LockNotAvailable,
        ERRORS.ObjectInUse,
        ERRORS.OutOfMemory,
        ERRORS.ProtocolViolation,
        ERRORS.QueryCanceled,
        ERRORS.ReadOnlySqlTransaction,
        ERRORS.SerializationFailure,
        ERRORS.TooManyConnections,
        ERRORS.TransactionTimeout,
        psycopg.InterfaceError,
        psycopg.OperationalError,
    ],
)
def test_trouble_with_postgres_is_waited_for(error: type[psycopg.Error]) -> None:
    fault = find_fault(wrap(error()))
    assert isinstance(fault, StoreUnavailableError)
    assert str(fault) == error.__name__


@pytest.mark.parametrize(
    "error",
    [
        ERRORS.DataCorrupted,
        ERRORS.FeatureNotSupported,
        ERRORS.ForeignKeyViolation,
        ERRORS.InFailedSqlTransaction,
        ERRORS.InternalError_,
        ERRORS.InvalidSqlStatementName,
        ERRORS.InvalidTextRepresentation,
        ERRORS.NotNullViolation,
        ERRORS.NumericValueOutOfRange,
        ERRORS.StatementTooComplex,
        ERRORS.SyntaxError,
        ERRORS.UndefinedColumn,
        ERRORS.UndefinedTable,
        ERRORS.UniqueViolation,
        psycopg.DataError,
        psycopg.InternalError,
        psycopg.ProgrammingError,
    ],
)
def test_anything_else_from_postgres_is_a_bug(error: type[psycopg.Error]) -> None:
    assert find_fault(wrap(error())) is None
    assert find_fault(wrap(error()), committing=True) is None
    assert find_fault(wrap(error(), lost=True)) is not None  # whatever was said last


@pytest.mark.parametrize(
    ("error", "lost", "doubt"),
    [
        (psycopg.OperationalError(), True, True),
        (psycopg.OperationalError(), False, True),
        (ERRORS.AdminShutdown(), True, True),
        (ERRORS.StatementCompletionUnknown(), False, True),
        (ERRORS.SerializationFailure(), False, False),
        (ERRORS.DiskFull(), False, False),
    ],
)
def test_only_a_commit_that_may_have_happened_is_in_doubt(
    error: psycopg.Error, lost: bool, doubt: bool
) -> None:
    fault = find_fault(wrap(error, lost=lost), committing=True)
    assert isinstance(fault, CommitInDoubtError if doubt else StoreUnavailableError)
    assert isinstance(find_fault(wrap(error, lost=lost)), StoreUnavailableError)


@pytest.mark.parametrize(
    "name",
    [
        "SQLITE_BUSY",
        "SQLITE_BUSY_SNAPSHOT",
        "SQLITE_CANTOPEN",
        "SQLITE_FULL",
        "SQLITE_IOERR_FSYNC",
        "SQLITE_IOERR_WRITE",
        "SQLITE_LOCKED",
        "SQLITE_PERM",
        "SQLITE_PROTOCOL",
        "SQLITE_READONLY",
        "SQLITE_READONLY_DBMOVED",
    ],
)
def test_trouble_with_sqlite_is_waited_for(name: str) -> None:
    fault = find_fault(wrap(sqlite_error(name)))
    assert isinstance(fault, StoreUnavailableError)
    assert str(fault) == f"from SQLite ({name})"


@pytest.mark.parametrize("name", ["SQLITE_CORRUPT", "SQLITE_CORRUPT_INDEX", "SQLITE_NOTADB"])
@pytest.mark.parametrize("committing", [True, False])
def test_a_damaged_file_is_not_waited_for(name: str, committing: bool) -> None:
    fault = find_fault(wrap(sqlite_error(name)), committing=committing)
    assert isinstance(fault, StoreBrokenError)


@pytest.mark.parametrize("name", ["SQLITE_ERROR", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_MISUSE"])
def test_anything_else_from_sqlite_is_a_bug(name: str) -> None:
    assert find_fault(wrap(sqlite_error(name))) is None
    assert find_fault(wrap(sqlite3.ProgrammingError("not from the library"))) is None


@pytest.mark.parametrize(
    ("name", "doubt"),
    [("SQLITE_IOERR_FSYNC", True), ("SQLITE_IOERR_WRITE", False), ("SQLITE_FULL", False)],
)
def test_a_commit_that_was_written_and_not_synced_is_in_doubt(name: str, doubt: bool) -> None:
    fault = find_fault(wrap(sqlite_error(name)), committing=True)
    assert isinstance(fault, CommitInDoubtError if doubt else StoreUnavailableError)


@pytest.mark.parametrize("error", [OSError(28, "disk"), TimeoutError()])
def test_what_the_system_refuses_is_trouble(error: OSError) -> None:
    assert isinstance(find_fault(error), StoreUnavailableError)
    assert isinstance(find_fault(error, committing=True), CommitInDoubtError)


def test_a_query_of_ours_that_is_wrong_is_a_bug() -> None:
    assert find_fault(NoResultFound()) is None
    assert find_fault(CompileError()) is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            'connection failed: FATAL:  password authentication failed for user "bot"\nmore',
            'OperationalError password authentication failed for user "bot"',
        ),
        ("failed to resolve host 'ss@host'", "OperationalError"),  # half a password
    ],
)
def test_the_servers_words_are_kept_and_no_others(said: str, reason: str) -> None:
    assert str(find_fault(wrap(psycopg.OperationalError(said)))) == reason
