import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfile
from urllib.parse import quote

from bot.sandbox.child import find_free_port
from tests.postgres import running_postgres
from tests.processes.bot_process import BotProcess
from tests.processes.storage import SqliteStorage
from tests.processes.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"


async def notify(world: World) -> int:
    """Type a command, and return the status that Slack was answered with."""
    return (await world.person("alice").command("/notify", TYPED)).status


async def check_alive_but_not_ready(bot: BotProcess) -> None:
    assert (await bot.get("/healthz"), await bot.get("/readyz")) == (200, 503)


async def test_it_waits_for_slack_with_its_port_bound_and_works_once_slack_comes(
    world: World,
) -> None:
    port = int(world.slack.api_url.split(":")[2].split("/")[0])
    await world.slack.stop()
    bot = await world.launch()
    await bot.logs("bot.waiting", what="slack")
    await check_alive_but_not_ready(bot)
    await world.slack.start(port)
    await bot.logs("bot.ready")
    assert await bot.get("/readyz") == 200
    assert await notify(world) == 200
    await world.sees_cards(1)


async def test_a_command_before_slack_is_known_is_refused_and_not_half_taken(world: World) -> None:
    world.slack.faults.fail("auth.test", 503)
    bot = await world.launch()
    await bot.logs("bot.waiting", what="slack")
    assert await notify(world) == 503
    world.slack.faults.clear()
    await bot.logs("bot.ready")
    assert await notify(world) == 200
    await world.sees_cards(1)
    assert len(world.states()) == 1
    world.expected_violations = ["/notify " + TYPED + ": answered with status 503"]


async def test_it_waits_for_the_folder_of_its_database(world: World) -> None:
    template, volume = world.database, world.database.parent / "volume"
    world.storage = SqliteStorage(volume / "bot.db")
    bot = await world.launch()
    reason = f"DATABASE_URL: the folder {world.database.parent} does not exist"
    await bot.logs("bot.waiting", what="database", reason=reason)
    await check_alive_but_not_ready(bot)
    assert await notify(world) == 503
    volume.mkdir()
    copyfile(template, world.database)
    await bot.logs("bot.ready")
    assert await notify(world) == 200
    await world.sees_cards(1)
    world.expected_violations = ["/notify " + TYPED + ": answered with status 503"]


async def test_a_database_server_that_refuses_connections_is_waited_for(world: World) -> None:
    url = f"postgres://nobody:pa55w0rd@127.0.0.1:{find_free_port()}/notifier"
    bot = await world.launch(DATABASE_URL=url)
    await bot.logs("bot.waiting", what="database", tries=2)
    await check_alive_but_not_ready(bot)
    assert await notify(world) == 503
    assert await bot.stop() == 0
    assert "pa55w0rd" not in repr(bot.events) + bot.errors
    world.expected_violations = ["/notify " + TYPED + ": answered with status 503"]


async def test_a_database_server_that_comes_later_is_connected_to_and_migrated(
    world: World,
) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as later:
        folder = Path(name) / "pg"  # pytest's own paths are too long for a socket
        url = f"postgres://postgres@/postgres?host={quote(str(folder))}"
        bot = await world.launch(DATABASE_URL=url)
        await bot.logs("bot.waiting", what="database")
        await check_alive_but_not_ready(bot)
        await asyncio.to_thread(later.enter_context, running_postgres(folder))
        await bot.logs("bot.ready", within=40)
        assert bot.has_logged("schema.migrating")
        assert await bot.get("/readyz") == 200
        assert await notify(world) == 200
        await world.sees_cards(1)
        assert await bot.stop() == 0
        assert bot.errors == ""
