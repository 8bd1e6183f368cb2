"""What waits and what ends the process: trouble with the database waits, a bug ends it."""

import sqlite3
from contextlib import closing

from tests.processes.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"


async def test_a_background_task_that_dies_ends_the_process(world: World) -> None:
    """A state that this code does not know cannot be reported, now or later."""
    bot = await world.start_bot()
    world.slack.faults.fail("response_url", 503, times=1)
    await world.person("alice").command("/notify", TYPED)
    await bot.logs("reply.put_off")
    world.run_sql("UPDATE deliveries SET state = 'nonsense'")
    assert await bot.ends() == 1
    [failure] = [event for event in bot.events if event["event"] == "process.failed"]
    assert "'nonsense' is not a valid State" in failure["exception"]
    assert bot.has_logged("server.stopping")


async def test_a_table_that_is_away_is_waited_for(world: World) -> None:
    bot = await world.start_bot()
    world.run_sql("ALTER TABLE deliveries RENAME TO elsewhere")
    await bot.logs("worker.store_away")
    reply = await world.person("alice").command("/notify", TYPED)
    assert "The bot's database is not available, so nothing was stored or sent." in reply.text
    assert await bot.get("/healthz") == 200
    world.run_sql("ALTER TABLE elsewhere RENAME TO deliveries")
    assert (await world.person("alice").command("/notify", TYPED)).body == ""
    await world.sees_cards(1)


async def test_a_locked_database_is_said_within_slacks_patience(world: World) -> None:
    bot = await world.start_bot()
    with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await bot.logs("worker.store_away")
        reply = await world.person("alice").command("/notify", TYPED)
        assert reply.ok
        assert "nothing was stored" in reply.text or "If it was stored, the result" in reply.text
        other.execute("ROLLBACK")
    assert (await world.person("alice").command("/notify", "@lee Another | one")).body == ""
    await world.person("alice").sees("“Another”")
