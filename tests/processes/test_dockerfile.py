"""The Dockerfile, line by line: a fresh copy, the packages it names, another user, Postgres."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.processes.bot_process import ROOT, BotProcess
from tests.processes.conftest import OpenWorld
from tests.processes.image import Image, find_python
from tests.processes.storage import PostgresStorage
from tests.processes.world import World
from tests.proxy import Proxy

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="stands for an image of Linux"),
]

TYPED = "@priya Callback due | Asha asked for 3 pm"


class Container(BotProcess):
    """The image's command, as the image's user if this is root: who else is not root already."""

    def __init__(self, settings: dict[str, str], image: Image) -> None:
        super().__init__(settings)
        self.environment |= image.environment
        self.folder = image.workdir
        self.user = image.user if os.getuid() == 0 else None
        self._command = image.command

    def build_command(self) -> Sequence[str]:
        return ("/usr/bin/env", *self._command)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    version = (ROOT / ".python-version").read_text(encoding="ascii").strip()
    python = find_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    folder = Path(tempfile.mkdtemp(prefix="image-"))  # pytest's own folders are for one user only
    folder.chmod(0o755)
    image = Image(folder, python)
    try:
        image.build(ROOT)
        yield image
    finally:
        for each in (folder, *folder.rglob("*")):
            if each.is_dir() and not each.is_symlink():
                each.chmod(0o755)
        shutil.rmtree(folder)


@pytest.fixture
async def storage(postgres: Postgres) -> AsyncIterator[PostgresStorage]:
    """An empty database behind a port, as hosts attach it."""
    name = f"attached_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE DATABASE {name}")
    proxy = Proxy(postgres.folder)
    await proxy.start()
    yield PostgresStorage(proxy.url(name))
    await proxy.stop()


def find_owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


async def start(world: World, container: Container) -> None:
    await container.start()
    world.processes.append(container)
    world.slack.bot_url = container.slack_url


async def test_what_the_image_holds_sends_and_ends_in_order_as_a_user_who_is_not_root(
    image: Image, open_world: OpenWorld
) -> None:
    world = await open_world()
    container = Container(world.build_settings(), image)
    await start(world, container)
    await container.logs("bot.ready")
    assert container.has_logged("schema.migrating")
    assert find_owner(container.pid) == (container.user or os.getuid()) != 0
    await world.person("alice").command("/notify", TYPED)
    [card] = await world.sees_cards(1)
    assert "Sent to LeadSquared for *Priya Nair*" in card
    assert await container.stop() == 0
    assert container.errors == ""


async def test_an_image_without_a_database_does_not_keep_anything_in_the_container(
    image: Image, open_world: OpenWorld
) -> None:
    world = await open_world()
    container = Container(world.build_settings(DATABASE_URL=""), image)
    await start(world, container)
    reason = f"DATABASE_URL: the folder {image.workdir} cannot be written to"
    await container.logs("bot.waiting", reason=reason)
    assert (await container.get("/healthz"), await container.get("/readyz")) == (200, 503)


def test_the_image_holds_what_the_bot_needs_and_nothing_else(image: Image) -> None:
    held = {path.name for path in image.workdir.iterdir()}
    assert held == {"bot", "handlers", "manifest.yaml", "requirements.txt"}
    packages = image.root / "lib"
    assert list(packages.rglob("slack_bolt/__init__.py"))
    assert not list(packages.rglob("pytest/__init__.py"))


def test_commands_work_wherever_the_console_of_a_host_begins(image: Image) -> None:
    asked = subprocess.run(  # a fixed command
        ["/usr/bin/env", "python", "-m", "bot", "--help"],
        cwd="/",
        env=image.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "migrate" in asked.stdout
