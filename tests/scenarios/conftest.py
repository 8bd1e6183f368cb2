from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from bot.config import Settings
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from tests.clock import ShiftClock
from tests.scenarios.world import (
    ACCESS_KEY,
    APP_TOKEN,
    BOT_TOKEN,
    SECRET_KEY,
    SIGNING_SECRET,
    World,
)

OpenWorld = Callable[..., Awaitable[World]]

WAYS_IN: dict[str, dict[str, Any]] = {
    "http": {"slack_signing_secret": SecretStr(SIGNING_SECRET)},
    "socket": {"slack_app_token": SecretStr(APP_TOKEN)},
}
BOTH_WAYS = {
    "test_buttons",
    "test_groups",
    "test_home",
    "test_lead_menu",
    "test_listener_contract",
    "test_modal",
    "test_notify",
    "test_preview",
    "test_shortcuts",
    "test_subcommands",
}
"""Modules whose tests always run over HTTP and in Socket Mode; the others are about what comes
after, and run in Socket Mode with `make test-long`."""

SOCKET_ONLY = {"test_socket_mode", "test_socket_mode_trouble"}
HTTP_ONLY = {"test_intake"}


def find_ways_in(module: str) -> list[Any]:
    if module in SOCKET_ONLY:
        return ["socket"]
    if module in HTTP_ONLY:
        return ["http"]
    if module in BOTH_WAYS:
        return list(WAYS_IN)
    return ["http", pytest.param("socket", marks=pytest.mark.long)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "way_in" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        metafunc.parametrize("way_in", find_ways_in(module))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out Socket Mode on Postgres: the way in ends before the store begins."""
    items[:] = [item for item in items if not _is_socket_on_postgres(item)]


def _is_socket_on_postgres(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return params.get("way_in") == "socket" and params.get("backend") == "postgres"


@pytest.fixture
async def open_world(database_url: str, way_in: str) -> AsyncIterator[OpenWorld]:
    """Start both stand-ins and the bot, with settings of the test's choice."""
    worlds: list[World] = []

    async def open_one(*, limiter: AsyncLimiter | None = None, **changes: Any) -> World:
        shift = ShiftClock()
        slack = StandInSlack(SIGNING_SECRET, BOT_TOKEN, app_token=APP_TOKEN, clock=shift.time)
        crm = StandInLeadSquared(access_key=ACCESS_KEY, secret_key=SECRET_KEY, clock=shift.time)
        await slack.start()
        await crm.start()
        defaults: dict[str, Any] = {
            "slack_bot_token": SecretStr(BOT_TOKEN),
            **WAYS_IN[way_in],
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
