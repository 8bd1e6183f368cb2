from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from bot.config import Settings
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from tests.clock import ShiftClock
from tests.scenarios.world import ACCESS_KEY, BOT_TOKEN, SECRET_KEY, SIGNING_SECRET, World

OpenWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def open_world(database_url: str) -> AsyncIterator[OpenWorld]:
    """Start both stand-ins and the bot, with settings of the test's choice."""
    worlds: list[World] = []

    async def open_one(*, limiter: AsyncLimiter | None = None, **changes: Any) -> World:
        shift = ShiftClock()
        slack = StandInSlack(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, clock=shift.time)
        crm = StandInLeadSquared(access_key=ACCESS_KEY, secret_key=SECRET_KEY, clock=shift.time)
        await slack.start()
        await crm.start()
        defaults: dict[str, Any] = {
            "slack_bot_token": SecretStr(BOT_TOKEN),
            "slack_signing_secret": SecretStr(SIGNING_SECRET),
            "slack_api_url": slack.api_url,
            "leadsquared_url": crm.url,
            "leadsquared_access_key": SecretStr(ACCESS_KEY),
            "leadsquared_secret_key": SecretStr(SECRET_KEY),
            "database_url": database_url,
            "confirm_above": 0,  # most scenarios are about something else
        }
        world = World(slack, crm, shift, Settings(**(defaults | changes)), limiter)
        worlds.append(world)
        await world.start_bot()
        return world

    yield open_one
    for world in worlds:
        await world.stop_bot()
        await world.slack.stop()
        await world.crm.stop()
        assert world.slack.violations == world.expected_violations
        assert world.crm.violations == []


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    return await open_world()
