"""What waits and what ends the process: trouble with the database waits, a bug ends it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.sandbox.leadsquared import FaultKind
from tests.processes.bot_process import BotProcess
from tests.processes.storage import SqliteStorage
from tests.processes.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"
EX_CONFIG = 78
PAGE = 4096


def find_failure(bot: BotProcess) -> str:
    """Return the one exception that ended the process."""
    [failure] = [event for event in bot.events if event["event"] == "process.failed"]
    return str(failure["exception"])


# A bug.


async def test_a_background_task_that_dies_ends_the_process(world: World) -> None:
    """A state that this code does not know cannot be reported, now or later."""
    bot = await world.start_bot()
    world.slack.faults.fail("response_url", 503, times=1)
    await world.person("alice").command("/notify", TYPED)
    await bot.logs("reply.put_off")
    world.run_sql("UPDATE deliveries SET state = 'nonsense'")
    assert await bot.ends() == 1
    assert "'nonsense' is not a valid State" in find_failure(bot)
    assert bot.has_logged("server.stopping")


async def test_a_delivery_that_dies_ends_the_process_once_the_others_are_stored(
    world: World,
) -> None:
    world.run_sql(
        "CREATE TRIGGER bug BEFORE UPDATE OF state ON deliveries WHEN NEW.state = 'sent' AND "
        "OLD.position = 0 BEGIN SELECT RAISE(ABORT, 'a bug of ours'); END"
    )
    world.crm.faults.always("push", FaultKind.HANG)
    first = await world.start_bot()
    await world.person("alice").command("/notify", "@lee @priya Callback due | 3 pm")
    await world.pushes_begin(2)
    world.crm.release()
    assert await first.ends() == 1
    assert find_failure(first).count("(sqlite3.IntegrityError) a bug of ours") == 1
    assert "Callback" not in find_failure(first)
    assert world.states() == ["sending", "sent"]
    world.run_sql("DROP TRIGGER bug")
    await world.start_bot()
    [card] = await world.sees_cards(1)
    assert "1 of 2 sent" in card
    assert "1 uncertain, not repeated: *Lee Wong*" in card
    assert world.count_pushes_begun() == 2


async def test_a_query_that_is_wrong_ends_the_process(world: World) -> None:
    bot = await world.start_bot()
    world.run_sql("ALTER TABLE deliveries RENAME TO elsewhere")
    assert await bot.ends() == 1
    assert "no such table: deliveries" in find_failure(bot)


async def test_a_query_that_is_wrong_in_a_listener_is_answered_with_a_reference(
    world: World,
) -> None:
    bot = await world.start_bot()
    world.run_sql("ALTER TABLE links RENAME COLUMN crm_name TO elsewhere")  # listeners read it
    reply = await world.person("alice").command("/notify", "whoami")
    await bot.logs("request.failed")
    [failure] = [event for event in bot.events if event["event"] == "request.failed"]
    assert failure["reference"] in reply.text
    assert "no such column: links.crm_name" in failure["exception"]
    assert await bot.get("/readyz") == 200


# A lock.


@contextmanager
def locked(world: World) -> Iterator[sqlite3.Connection]:
    """Hold the write lock of the file, as a backup may; ROLLBACK gives it back."""
    with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_a_long_lock_leaves_a_doubt_within_slacks_patience_and_then_the_result_appears(
    world: World,
) -> None:
    bot = await world.start_bot()
    await world.person("alice").command("/notify", TYPED)
    await world.sees_cards(1)
    with locked(world) as other:
        await bot.logs("worker.store_missed")  # and the other workers wait for their turn
        reply = await world.person("alice").command("/notify", "@lee Another | one")
        assert reply.text.startswith("I could not confirm that this was stored. If it was, the")
        other.execute("ROLLBACK")
    await bot.logs("acceptance.stored_late")
    await world.person("alice").sees("“Another”")
    assert len(world.pushed()) == 2


# A file that is broken, or not where it was.


def damage(path: Path) -> None:
    """Write over every page but the first two, as a failing disk may."""
    with path.open("r+b") as file:
        for page in range(2, path.stat().st_size // PAGE):
            file.seek(page * PAGE)
            file.write(b"\xff" * 100)


def move_away(path: Path) -> Path:
    """Move the file with what belongs to it; return where it is then."""
    moved = path.with_name("moved.db")
    for part in ("", "-wal", "-shm"):
        Path(f"{path}{part}").rename(f"{moved}{part}")
    return moved


async def check_refused(world: World, command: str = "serve") -> None:
    bot = await world.launch(command)
    assert await bot.ends() == EX_CONFIG
    [line] = bot.errors.splitlines()
    assert line.startswith(f"DATABASE_URL: {world.database} ")
    assert line.endswith("Restore it from a backup, or move it away to begin with an empty one.")


@pytest.mark.parametrize("command", ["serve", "migrate"])
async def test_a_file_that_is_no_database_is_refused_and_left_alone(
    world: World, command: str
) -> None:
    notes = b"These are the notes of our last meeting.\n" * 200
    world.database.write_bytes(notes)
    await check_refused(world, command)
    assert world.database.read_bytes() == notes


async def test_a_file_that_breaks_ends_the_process_and_is_refused_by_the_next(
    world: World,
) -> None:
    bot = await world.start_bot()
    world.run_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(world.database)
    world.run_sql("PRAGMA user_version = 7")  # so that the bot reads its pages anew
    assert await bot.ends() == 1
    assert f"{world.database} cannot be used: database disk image is mal" in find_failure(bot)
    await check_refused(world)


async def test_a_file_that_is_moved_away_ends_the_process_and_nothing_is_lost(
    world: World,
) -> None:
    bot = await world.start_bot()
    await world.crm.refuse_connections()
    await world.person("alice").command("/notify", TYPED)
    moved = move_away(world.database)
    assert await bot.ends() == 1
    assert f"{world.database} was moved or replaced while it was open" in find_failure(bot)
    assert not world.database.exists()
    world.storage = SqliteStorage(moved)
    await world.crm.accept_connections()
    await world.start_bot()
    await world.sees_cards(1)
    assert len(world.pushed()) == 1
