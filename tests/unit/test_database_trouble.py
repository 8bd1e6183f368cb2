"""SQLite in trouble for real: each fault is provoked, and nothing of the transaction is kept."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy import Connection, make_url, select, text
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from bot.errors import ConfigError, StoreBrokenError, StoreUnavailableError
from bot.store.database import Database, open_database
from bot.store.schema import bring_up
from bot.store.sqlite import find_problem
from bot.store.tables import gates
from tests.store import make_read_only

PAGE = 4096


def add(connection: Connection, account: str = "a") -> None:
    connection.execute(text("INSERT INTO gates (account) VALUES (:account)"), {"account": account})


def count(connection: Connection) -> int:
    return len(connection.execute(select(gates.c.account)).all())


def execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)


@pytest.fixture
def path(database_url: str) -> Path:
    return Path(str(make_url(database_url).database))


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        yield other


# Trouble, which passes.


async def test_a_full_disk_means_that_nothing_was_stored_until_there_is_room(
    database: Database,
) -> None:
    await database.transact(execute, "PRAGMA max_page_count = 1")  # of this connection alone
    with pytest.raises(StoreUnavailableError, match=r"full \(SQLITE_FULL\)"):
        await database.transact(add, "x" * 100 * PAGE)
    assert await database.transact(count) == 0
    await database.transact(add, "x" * 100 * PAGE)  # on a new connection
    assert await database.transact(count) == 1


async def test_a_connection_that_was_read_only_is_not_used_again(database: Database) -> None:
    await make_read_only(database)
    with pytest.raises(StoreUnavailableError, match="SQLITE_READONLY"):
        await database.transact(add)
    await database.transact(add)
    assert await database.transact(count) == 1


async def test_a_locked_file_keeps_its_connection(database: Database, path: Path) -> None:
    await database.transact(execute, "PRAGMA busy_timeout = 0")
    with connected(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="SQLITE_BUSY"):
            await database.transact(add)
        with pytest.raises(StoreUnavailableError, match="SQLITE_BUSY"):  # again at once
            await database.transact(add)
    await database.transact(add)


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (lambda path: None, "the folder {0}/new does not exist"),
        (lambda path: path.parent.touch(), "the folder {0}/new does not exist"),
        (lambda path: path.mkdir(parents=True), "{0}/new/bot.db is a folder, not a file"),
    ],
)
async def test_a_place_where_no_file_can_be_is_named_and_waited_for(
    tmp_path: Path, prepare: Callable[[Path], None], problem: str
) -> None:
    path = tmp_path / "new" / "bot.db"
    prepare(path)
    database = open_database(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailableError) as caught:
        await bring_up(database)
    assert str(caught.value) == "DATABASE_URL: " + problem.format(tmp_path)
    with pytest.raises(StoreUnavailableError, match="SQLITE_CANTOPEN"):
        await database.transact(count)
    await database.close()


def test_what_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is forbidden to root, as which tests may run, so the system's answer is ours."""
    path = tmp_path / "bot.db"
    path.touch()
    monkeypatch.setattr("os.access", lambda asked, _: asked != path)
    assert find_problem(path) == f"the file {path} cannot be read and written"
    monkeypatch.setattr("os.access", lambda asked, _: asked != tmp_path)
    assert find_problem(path) == f"the folder {tmp_path} cannot be written to"
    monkeypatch.undo()
    assert find_problem(path) is None


# A broken file, which no waiting mends.


def damage(path: Path) -> None:
    """Write over every page but the first two, as a failing disk may."""
    pages = path.stat().st_size // PAGE
    with path.open("r+b") as file:
        for page in range(2, pages):
            file.seek(page * PAGE)
            file.write(b"\xff" * 100)


def damage_last_page(path: Path) -> None:
    """Write over what nothing reads at the start."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - PAGE)
        file.write(b"\xff" * 100)


def cut_off(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(3 * PAGE)


def overwrite(path: Path) -> None:
    path.write_bytes(b"These are the notes of our last meeting.\n" * 100)


@pytest.mark.parametrize("spoil", [damage, damage_last_page, cut_off, overwrite])
async def test_a_file_that_is_broken_is_refused_at_the_start(
    database_url: str, path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(path)
    database = open_database(database_url)
    with pytest.raises(ConfigError) as caught:
        await bring_up(database)
    await database.close()
    [line] = caught.value.lines
    assert line.startswith(f"DATABASE_URL: {path} ")
    assert line.endswith("Restore it from a backup, or move it away to begin with an empty one.")


async def test_a_file_that_breaks_while_it_is_used_is_told_to_whoever_watches(
    database: Database, path: Path
) -> None:
    heard: list[StoreBrokenError] = []
    database.on_broken = heard.append
    await database.transact(add)
    with connected(path) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(path)
    await database.transact(execute, "PRAGMA shrink_memory")
    with pytest.raises(StoreBrokenError, match="SQLITE_CORRUPT") as caught:
        await database.transact(count)
    assert heard == [caught.value]


def move_away(path: Path) -> Path:
    """Move the file with what belongs to it; return where it is then."""
    moved = path.with_name("moved.db")
    for part in ("", "-wal", "-shm"):
        Path(f"{path}{part}").rename(f"{moved}{part}")
    return moved


@pytest.mark.parametrize("replaced", [True, False])
async def test_nothing_is_committed_to_a_file_that_is_no_longer_there(
    database: Database, path: Path, empty_database: Path, replaced: bool
) -> None:
    """SQLite goes on writing into a file that was moved away: what is accepted would be lost."""
    await database.transact(add, "before")
    moved = move_away(path)
    if replaced:
        copyfile(empty_database, path)
    with pytest.raises(StoreBrokenError, match="was moved or replaced while it was open"):
        await database.transact(add, "after")
    with connected(moved) as other:
        assert other.execute("SELECT account FROM gates").fetchall() == [("before",)]


# Bugs, which come through.


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT * FROM nowhere", OperationalError),
        ("SELEC", OperationalError),
        ("INSERT INTO gates (account) VALUES (NULL)", IntegrityError),
    ],
)
async def test_a_statement_that_is_wrong_comes_through(
    database: Database, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await database.transact(execute, statement)
    await database.transact(add)


async def test_a_row_that_is_missing_comes_through(database: Database) -> None:
    with pytest.raises(NoResultFound):
        await database.transact(lambda connection: connection.execute(select(gates)).one())


async def test_what_people_write_is_in_no_error(database: Database) -> None:
    await database.transact(add, "private")
    with pytest.raises(IntegrityError) as caught:
        await database.transact(add, "private")
    assert "private" not in str(caught.value)
