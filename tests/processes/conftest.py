from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from shutil import copyfile

import pytest

from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from tests.processes.world import ACCESS_KEY, BOT_TOKEN, PERIOD, SECRET_KEY, SIGNING_SECRET, World

OpenWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def open_world(tmp_path: Path) -> AsyncIterator[OpenWorld]:
    """Start both stand-ins, with a limit of the test's choice, beside an empty database."""
    worlds: list[World] = []

    async def open_one(limit: int = 25, period: float = PERIOD, jitter: float = 0.0) -> World:
        slack = StandInSlack(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
        crm = StandInLeadSquared(ACCESS_KEY, SECRET_KEY, limit=limit, period=period, jitter=jitter)
        world = World(slack, crm, tmp_path / "bot.db")
        worlds.append(world)
        await slack.start()
        await crm.start()
        return world

    yield open_one
    for world in worlds:
        await world.end()


@pytest.fixture
def migrated(empty_database: Path, tmp_path: Path) -> None:
    """Spare a test the migration of its database."""
    copyfile(empty_database, tmp_path / "bot.db")


@pytest.fixture
async def world(open_world: OpenWorld, migrated: None) -> World:
    return await open_world()
