import aiohttp
import pytest

from bot.errors import StoreUnavailableError
from tests.scenarios.world import World


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_a_probe_that_asks_for_the_head_alone_is_answered(world: World, path: str) -> None:
    url = str(world.slack.bot_url).replace("/slack/events", path)
    async with aiohttp.ClientSession() as session, session.head(url) as answer:
        assert (answer.status, await answer.read()) == (200, b"")


async def test_without_the_database_the_head_alone_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(world.bot._base.database, "transact", refuse)
    url = str(world.slack.bot_url).replace("/slack/events", "/readyz")
    async with aiohttp.ClientSession() as session, session.head(url) as answer:
        assert answer.status == 503
