import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from shutil import copyfile

import pytest

from bot.sandbox.leadsquared import Counting, StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from tests.processes.storage import SqliteStorage, Storage, open_storage
from tests.processes.world import (
    ACCESS_KEY,
    APP_TOKEN,
    BOT_TOKEN,
    PERIOD,
    SECRET_KEY,
    SIGNING_SECRET,
    World,
)

OpenWorld = Callable[..., Awaitable[World]]


@pytest.fixture
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An SQLite file, not yet there; for tests that use `database_url` what that one made."""
    if "database_url" in request.fixturenames:
        return open_storage(request.getfixturevalue("database_url"))
    return SqliteStorage(tmp_path / "bot.db")


@pytest.fixture
async def open_world(storage: Storage) -> AsyncIterator[OpenWorld]:
    """Start both stand-ins, with a limit of the test's choice, beside an empty database."""
    worlds: list[World] = []

    async def open_one(
        limit: int = 25,
        period: float = PERIOD,
        jitter: float = 0.0,
        counting: Counting = Counting.SLIDING,
        beside: Storage = storage,
    ) -> World:
        slack = StandInSlack(SIGNING_SECRET, BOT_TOKEN, app_token=APP_TOKEN)
        crm = StandInLeadSquared(ACCESS_KEY, SECRET_KEY, limit=limit, period=period, jitter=jitter)
        crm.meter.counting = counting
        world = World(slack, crm, beside)
        worlds.append(world)
        await slack.start()
        await crm.start()
        return world

    yield open_one
    ended = await asyncio.gather(*(world.end() for world in worlds), return_exceptions=True)
    for trouble in filter(None, ended):
        raise trouble


@pytest.fixture
def migrated(empty_database: Path, storage: Storage) -> None:
    """Spare a test the migration of its database."""
    if isinstance(storage, SqliteStorage):
        copyfile(empty_database, storage.path)


@pytest.fixture
async def world(open_world: OpenWorld, migrated: None) -> World:
    return await open_world()
