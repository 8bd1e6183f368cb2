"""Postgres in trouble for real: sessions ended, limits reached, and a wire cut at the COMMIT."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from bot.errors import CommitInDoubtError, StoreUnavailableError
from bot.store import postgres as module
from bot.store.database import Database, open_database
from bot.store.postgres import PostgresDatabase
from tests.postgres import Postgres
from tests.proxy import open_proxy

READ_ONLY = "DO 'BEGIN SET LOCAL transaction_read_only = on; DELETE FROM gates; END'"
END_OWN_SESSION = "SELECT pg_terminate_backend(pg_backend_pid())"


def add(connection: Connection, account: str = "a") -> None:
    connection.execute(text("INSERT INTO gates (account) VALUES (:account)"), {"account": account})


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM gates")).scalar_one())


def find_pid(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def add_and_execute(connection: Connection, *statements: str) -> None:
    add(connection)
    for statement in statements:
        connection.execute(text(statement))


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.create()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = open_database(url)
    yield opened
    await opened.close()


def connect(url: str) -> psycopg.Connection:
    """Return a session of somebody else."""
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


# Trouble, which passes.


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        ([END_OWN_SESSION], psycopg.errors.AdminShutdown),
        (["SELECT pg_cancel_backend(pg_backend_pid())"], psycopg.errors.QueryCanceled),
        (
            ["SET TRANSACTION READ ONLY", "UPDATE gates SET probing = true"],
            psycopg.errors.ReadOnlySqlTransaction,
        ),
        (
            [
                "SET LOCAL work_mem = '64kB'",
                "SET LOCAL temp_file_limit = '1kB'",
                "SELECT n FROM generate_series(1, 100000) n ORDER BY -n",
            ],
            psycopg.errors.ConfigurationLimitExceeded,
        ),
        (
            [
                "CREATE ROLE reader",
                "SET LOCAL ROLE reader",
                "INSERT INTO gates (account) VALUES ('b')",
            ],
            psycopg.errors.InsufficientPrivilege,
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
async def test_trouble_stores_nothing_and_passes(
    database: Database, statements: list[str], error: type[psycopg.Error]
) -> None:
    with pytest.raises(StoreUnavailableError, match=error.__name__):
        await database.transact(add_and_execute, *statements)
    await database.transact(add, "after")
    assert await database.transact(count) == 1


async def test_a_statement_has_two_seconds_and_a_pause_five(database: Database) -> None:
    def read(connection: Connection, name: str) -> str:
        return str(connection.execute(text(f"SHOW {name}")).scalar_one())

    assert await database.transact(read, "statement_timeout") == "2s"
    assert await database.transact(read, "idle_in_transaction_session_timeout") == "5s"


async def test_a_statement_that_takes_too_long_is_cancelled(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.TIMEOUTS, "statement_timeout", 20)
    database = open_database(url)
    with pytest.raises(StoreUnavailableError, match="QueryCanceled"):
        await database.transact(add_and_execute, "SELECT pg_sleep(3600)")
    assert await database.transact(count) == 0
    await database.close()


async def test_a_process_that_freezes_in_a_transaction_loses_its_session(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the account's gate would stay locked for as long as it is frozen."""
    monkeypatch.setitem(module.TIMEOUTS, "idle_in_transaction_session_timeout", 20)

    def freeze(connection: Connection) -> None:
        add(connection)
        pid = find_pid(connection)
        ended = "SELECT count(*) = 0, pg_sleep(0.01) FROM pg_stat_activity WHERE pid = %s"
        looks = (other.execute(ended, [pid]).fetchone() for _ in range(300))
        assert any(look is not None and look[0] for look in looks)
        add(connection, "b")

    database = open_database(url)
    with connect(url) as other, pytest.raises(StoreUnavailableError):
        await database.transact(freeze)
    assert await database.transact(count) == 0
    await database.close()


async def test_a_session_that_ended_between_transactions_is_not_noticed(
    database: Database, url: str
) -> None:
    pid = await database.transact(find_pid)
    with connect(url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    await database.transact(add)
    assert await database.transact(count) == 1
    assert await database.transact(find_pid) != pid


async def test_a_server_that_has_become_a_standby_is_not_asked_again(database: Database) -> None:
    pid = await database.transact(find_pid)
    with pytest.raises(StoreUnavailableError):
        await database.transact(lambda connection: connection.execute(text(READ_ONLY)))
    assert await database.transact(find_pid) != pid  # elsewhere there may be a primary


async def test_a_database_that_is_not_there_is_named_by_the_server(url: str) -> None:
    database = open_database(url.replace("test_", "no_such_"))
    with pytest.raises(StoreUnavailableError, match=r'database "no_such_\d+" does not exist'):
        await database.transact(count)
    await database.close()


# A commit whose answer never came.


@pytest.mark.parametrize("commits", [True, False])
async def test_a_connection_cut_while_committing_leaves_a_doubt(
    postgres: Postgres, url: str, commits: bool
) -> None:
    async with open_proxy(postgres.folder) as proxy:
        database = open_database(proxy.url(url.partition("?")[0].rpartition("/")[2]))
        await database.transact(count)
        proxy.cut_commit_after("INSERT INTO gates", lets_commit_through=commits)
        with pytest.raises(CommitInDoubtError):
            await database.transact(add)
        assert proxy.cuts == 1
        assert await database.transact(count) == int(commits)
        await database.close()


async def test_a_connection_lost_before_the_commit_leaves_none(database: Database) -> None:
    def end_other(connection: Connection) -> None:
        add(connection)
        pid = find_pid(connection)
        with connect(str(url_of(database))) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        count(connection)

    with pytest.raises(StoreUnavailableError):
        await database.transact(end_other)
    assert await database.transact(count) == 0


def url_of(database: Database) -> str:
    assert isinstance(database, PostgresDatabase)
    return database.engine.url.render_as_string(hide_password=False)


# Bugs, which come through, without what people wrote.


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT * FROM nowhere", ProgrammingError),
        ("INSERT INTO gates (account) VALUES (NULL)", IntegrityError),
        ("SELECT 1 / 0", DataError),
    ],
)
async def test_a_statement_that_is_wrong_comes_through(
    database: Database, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await database.transact(add_and_execute, statement)
    assert await database.transact(count) == 0


async def test_what_people_write_is_in_no_error(database: Database) -> None:
    """Postgres repeats the key of a row that is there already."""
    await database.transact(add, "private")
    with pytest.raises(IntegrityError) as caught:
        await database.transact(add, "private")
    assert "private" not in str(caught.value) + str(caught.value.orig)
    assert "duplicate key" in str(caught.value)


# More transactions than connections.


@pytest.fixture
async def narrow(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database with one connection."""
    monkeypatch.setattr(module, "CONNECTIONS", 1)
    opened = open_database(url)
    yield opened
    await opened.close()


async def keep_busy(database: Database) -> tuple[asyncio.Task[None], threading.Event]:
    """Start a transaction that lasts until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    holding = asyncio.create_task(database.transact(hold))
    assert await asyncio.to_thread(begun.wait, 10)
    return holding, go_on


async def test_who_gets_no_connection_in_time_is_told_that_nothing_was_stored(
    narrow: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_WITHIN", 0.05)
    holding, go_on = await keep_busy(narrow)
    with pytest.raises(StoreUnavailableError, match=r"no connection was free for 0\.05 s"):
        await narrow.transact(add)
    go_on.set()
    await holding
    assert await narrow.transact(count) == 0


async def test_connections_are_given_out_first_come_first_served(narrow: Database) -> None:
    """The pool's own queue was not fair: under load some waited for a second, and gave up."""
    holding, go_on = await keep_busy(narrow)
    begun: list[int] = []

    def begin(_: Connection, number: int) -> None:
        begun.append(number)

    waiting = [asyncio.create_task(narrow.transact(begin, number)) for number in range(20)]
    await asyncio.sleep(0)
    waiting[3].cancel()  # who gave up keeps nobody else waiting
    go_on.set()
    await asyncio.gather(holding, *waiting, return_exceptions=True)
    assert begun == [number for number in range(20) if number != 3]


async def test_a_server_that_froze_does_not_hold_up_the_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went on acknowledging packets, so that no timeout of the network ended the wait."""
    monkeypatch.setattr(module, "END_WITHIN", 0.1)
    database, frozen = open_database(url), threading.Event()

    def freeze(connection: Connection) -> int:
        session = find_pid(connection)
        os.kill(session, signal.SIGSTOP)
        frozen.set()
        try:
            return count(connection)
        finally:
            os.kill(session, signal.SIGCONT)

    stuck = asyncio.create_task(database.transact(freeze))
    assert await asyncio.to_thread(frozen.wait, 10)
    async with asyncio.timeout(10):
        await database.close()
    with pytest.raises(StoreUnavailableError):
        await stuck
