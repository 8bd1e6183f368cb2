"""A disk that fills up under a running bot, and has room again later."""

import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfile

import pytest

from bot.sandbox.leadsquared import FaultKind
from tests.processes.bot_process import BotProcess
from tests.processes.conftest import OpenWorld
from tests.processes.storage import SqliteStorage
from tests.processes.world import World

IS_ROOT = os.geteuid() == 0
EVERYBODY = "@priya @lee @dev key-owner"

Fill = Callable[[], None]
Free = Callable[[], None]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of 2 MB."""
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)  # noqa: S603  # nothing here comes from outside
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "-l", folder], check=True)  # noqa: S603  # the same


def fill_disk(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass


@contextmanager
def kept_open(world: World) -> Iterator[None]:
    """Have the file open elsewhere: else closing it tidies its log away, which makes room."""
    with closing(sqlite3.connect(world.database)) as other:
        other.execute("SELECT count(*) FROM deliveries").fetchall()
        yield


def allow_growth(bot: BotProcess, most: int) -> None:
    """Let the files of a process grow to `most` bytes; beyond, the system refuses to write."""
    _, hard = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (most, hard))


async def check_full_and_free(world: World, bot: BotProcess, fill: Fill, free: Free) -> None:
    """What is on its way and what waits is sent once, what comes meanwhile is refused."""
    alice = world.person("alice")
    assert (await alice.command("/notify", f"{EVERYBODY} Callback due | 3 pm")).ok
    await world.pushes_begin(2)
    fill()
    world.crm.faults.clear()
    world.crm.release()
    await bot.logs("dispatcher.store_missed", error="StoreUnavailableError")
    sent, begun = world.states().count("sent"), world.count_pushes_begun()
    assert sent < begun < 4
    reply = await alice.command("/notify", "@omar Another | one")
    assert "The bot's database is not available, so nothing was stored or sent." in reply.text
    assert await bot.get("/healthz") == 200
    assert (world.states().count("sent"), world.count_pushes_begun()) == (sent, begun)
    free()
    [card] = await world.sees_cards(1)
    assert "4 of 4 sent" in card
    assert (await alice.command("/notify", "@lee Third | one")).ok
    await world.sees_cards(2)
    assert world.states() == ["sent"] * 5
    assert world.count_pushes_begun() == 5
    answered = [e["delivery"] for e in bot.events if e["event"] == "delivery.answered"]
    assert len(answered) == len(set(answered)) == 5


async def open_slow_world(open_world: OpenWorld) -> World:
    """Open a world where two calls hang, and the others wait for them."""
    world = await open_world(limit=2, period=0.5)
    world.crm.faults.always("push", FaultKind.HANG)
    return world


async def test_a_file_that_may_not_grow_is_waited_for(
    open_world: OpenWorld, migrated: None
) -> None:
    world = await open_slow_world(open_world)
    bot = await world.start_bot(LEADSQUARED_TIMEOUT="60")
    await check_full_and_free(
        world,
        bot,
        lambda: allow_growth(bot, 0),
        lambda: allow_growth(bot, resource.RLIM_INFINITY),
    )


@pytest.mark.skipif(not IS_ROOT, reason="only root may mount a disk")
async def test_a_full_disk_is_waited_for(
    open_world: OpenWorld, migrated: None, tmp_path: Path
) -> None:
    world = await open_slow_world(open_world)
    with small_disk(tmp_path / "small") as folder:
        copyfile(world.database, folder / "bot.db")
        world.storage = SqliteStorage(folder / "bot.db")
        bot = await world.start_bot(LEADSQUARED_TIMEOUT="60")
        with kept_open(world):
            await check_full_and_free(
                world, bot, lambda: fill_disk(folder), (folder / "filler").unlink
            )
        await bot.stop()


@pytest.mark.skipif(not IS_ROOT, reason="only root may mount a disk")
async def test_a_disk_that_is_full_at_the_start_is_waited_for(world: World, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as folder:
        world.storage = SqliteStorage(folder / "bot.db")
        fill_disk(folder)
        bot = await world.launch()
        await bot.logs("bot.waiting", what="database", tries=2)
        assert (await bot.get("/healthz"), await bot.get("/readyz")) == (200, 503)
        (folder / "filler").unlink()
        await bot.logs("bot.ready")
        assert (await world.person("alice").command("/notify", "@priya Due | 3 pm")).ok
        await world.sees_cards(1)
        await bot.stop()
