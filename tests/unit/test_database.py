import asyncio
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from bot.errors import StoreUnavailableError
from bot.migrations.run import build_config, upgrade
from bot.store.database import Database, open_database
from bot.store.postgres import PostgresDatabase
from bot.store.schema import bring_up
from bot.store.sqlite import SqliteDatabase
from bot.store.tables import SCHEMA_REVISION, metadata
from tests.clock import FrozenClock

ADD = "INSERT INTO gates (account) VALUES (:account)"


def add(connection: Connection, account: str) -> None:
    connection.execute(text(ADD), {"account": account})


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM gates")).scalar_one())


# Transactions.


async def test_a_transaction_stores_all_or_nothing(database: Database) -> None:
    def add_two(connection: Connection) -> None:
        add(connection, "a")
        add(connection, "a")

    with pytest.raises(IntegrityError):
        await database.transact(add_two)
    assert await database.transact(count) == 0
    await database.transact(add, "a")
    assert await database.transact(count) == 1


async def test_an_error_of_the_work_itself_comes_through_and_stores_nothing(
    database: Database,
) -> None:
    def add_and_fail(connection: Connection) -> None:
        add(connection, "a")
        raise LookupError

    with pytest.raises(LookupError):
        await database.transact(add_and_fail)
    assert await database.transact(count) == 0


async def test_a_transaction_whose_caller_is_cancelled_ends_all_the_same(
    database: Database,
) -> None:
    caller = asyncio.create_task(database.transact(add, "a"))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait({caller})
    assert caller.cancelled()
    assert await database.transact(count) == 1


async def test_the_clock_is_that_of_the_test(database: Database, clock: FrozenClock) -> None:
    assert await database.read_clock() == clock.time()
    clock.forward(1.5)
    assert await database.read_clock() == clock.time()


async def test_without_a_test_the_clock_is_that_of_the_machine(database_url: str) -> None:
    database = open_database(database_url)
    before = time.time()
    assert before - 0.01 < await database.read_clock() < time.time() + 0.01
    await database.close()


async def test_what_is_stored_survives_power_loss_and_others_wait_a_second(
    database: Database,
) -> None:
    def read(connection: Connection, name: str) -> object:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    found = {
        name: await database.transact(read, name)
        for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
    }
    full = 2
    assert found == {
        "journal_mode": "wal",
        "synchronous": full,
        "busy_timeout": 1000,
        "foreign_keys": 1,
    }


# Postgres, as far as it needs no server: the rest is in the tests that have one.


def test_the_address_decides_which_database_it_is() -> None:
    assert isinstance(open_database("sqlite:///x.db"), SqliteDatabase)
    assert isinstance(open_database("postgresql+psycopg://u:p@127.0.0.1:1/n"), PostgresDatabase)


async def test_a_server_that_is_away_means_that_nothing_was_stored() -> None:
    database = open_database("postgresql+psycopg://u:p@127.0.0.1:1/n")
    with pytest.raises(StoreUnavailableError) as caught:
        await database.transact(count)
    assert isinstance(caught.value.__cause__, OperationalError)
    await database.close()


# The schema.


def test_the_code_needs_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(build_config())
    assert scripts.get_heads() == [SCHEMA_REVISION]


def test_the_migrations_make_the_tables_that_the_code_has(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    upgrade(url)
    upgrade(url)
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


async def test_a_new_database_is_brought_up_by_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    database = open_database(url)
    await bring_up(database)
    await database.transact(add, "a")
    await database.close()


async def test_a_schema_that_fits_or_is_newer_needs_no_child(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "nothing that a child could use")
    await bring_up(database)
    set_version = text("UPDATE alembic_version SET version_num = '9999'")
    await database.transact(lambda connection: connection.execute(set_version))
    await bring_up(database)


@pytest.mark.parametrize("version", ["'0000'", "NULL"])
async def test_a_migration_that_fails_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    def write_version(connection: Connection) -> None:
        connection.exec_driver_sql(f"CREATE TABLE alembic_version AS SELECT {version} version_num")

    monkeypatch.setenv("DATABASE_URL", "oracle://nothing")
    database = open_database(f"sqlite:///{tmp_path / 'old.db'}")
    await database.transact(write_version)
    with pytest.raises(StoreUnavailableError, match="migrate ended with 78"):
        await bring_up(database)
    await database.close()
