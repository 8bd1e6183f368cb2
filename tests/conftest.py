from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copyfile

import pytest

from bot.migrations.run import upgrade
from bot.store.database import Database, open_database
from tests.clock import FrozenClock


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy, so that each test does not migrate anew."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def database_url(empty_database: Path, tmp_path: Path) -> str:
    path = tmp_path / "bot.db"
    copyfile(empty_database, path)
    return f"sqlite:///{path}"


@pytest.fixture
async def database(database_url: str, clock: FrozenClock) -> AsyncIterator[Database]:
    """A migrated database whose clock is the test's."""
    opened = open_database(database_url, now=clock.time)
    yield opened
    await opened.close()
