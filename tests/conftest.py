from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from bot.migrations.run import upgrade
from bot.store.database import Database, open_database
from tests.clock import FrozenClock
from tests.postgres import Postgres, running_postgres
from tests.store import Store

ON_BOTH = {
    "test_buttons",
    "test_claims",
    "test_confirmation",
    "test_debts",
    "test_drafts",
    "test_forgetting",
    "test_gate",
    "test_gauges",
    "test_kill",
    "test_kill_rounds",
    "test_moves",
    "test_notify",
    "test_overview",
    "test_people_store",
    "test_query_plans",
    "test_reports",
    "test_resolutions",
    "test_retention",
    "test_rounds",
    "test_stateful",
}
"""Modules whose tests run on SQLite and on Postgres; the others are about one, or neither."""


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy, so that each test does not migrate anew."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with running_postgres(tmp_path_factory.mktemp("postgres") / "data") as server:
        yield server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        on_both = metafunc.module.__name__.rpartition(".")[2] in ON_BOTH
        metafunc.parametrize("backend", ["sqlite", "postgres"] if on_both else ["sqlite"])


@pytest.fixture
def database_url(
    backend: str, empty_database: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> str:
    if backend == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        return server.create()
    path = tmp_path / "bot.db"
    copyfile(empty_database, path)
    return f"sqlite:///{path}"


@pytest.fixture
async def database(database_url: str, clock: FrozenClock) -> AsyncIterator[Database]:
    """A migrated database whose clock is the test's."""
    opened = open_database(database_url, now=clock.time)
    yield opened
    await opened.close()


@pytest.fixture
async def store(database: Database) -> Store:
    """The store's parts as one process has them, with the slots of its account."""
    store = Store(database)
    await store.gate.prepare()
    return store
