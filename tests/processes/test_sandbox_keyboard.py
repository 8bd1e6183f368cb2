"""The sandbox at a terminal, where the bot's news comes while somebody is typing."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator

import pytest

from tests.processes.bot_process import KEPT, ROOT

termios = pytest.importorskip("termios")

PROMPT = "alice in #sales> "
LAUNCH = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C becomes a signal
os.execv(sys.executable, [sys.executable, "-m", "bot", "sandbox"])
"""


class Keyboard:
    """A terminal with the sandbox in it."""

    def __init__(self) -> None:
        self.screen = ""
        self._ours, self._theirs = os.openpty()
        self._shape = self.read_shape()
        self._changed = asyncio.Event()

    async def start(self) -> None:
        machine = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", LAUNCH),
            cwd=ROOT,
            env={**machine, "TERM": "xterm", "PYTHONWARNINGS": "error", "PYTHONUTF8": "1"},
            start_new_session=True,
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
        )
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    async def shows(self, text: str, within: float = 20.0) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while text not in self.screen:
                    self._changed.clear()
                    await self._changed.wait()
        assert text in self.screen, self.screen

    async def ends(self) -> int:
        async with asyncio.timeout(20):
            return await self.child.wait()

    async def close(self) -> None:
        if self.child.returncode is None:
            self.child.terminate()
            await self.ends()
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def is_in_shape(self) -> bool:
        return self.read_shape() == self._shape

    def read_shape(self) -> object:
        return termios.tcgetattr(self._theirs)

    def _read(self) -> None:
        self.screen += os.read(self._ours, 65_536).decode(errors="replace")
        self._changed.set()


@pytest.fixture
async def keyboard() -> AsyncIterator[Keyboard]:
    keyboard = Keyboard()
    await keyboard.start()
    await keyboard.shows(PROMPT)
    yield keyboard
    await keyboard.close()


async def test_news_leave_the_line_being_typed_whole(keyboard: Keyboard) -> None:
    keyboard.type("/fault rate_limit_429\r")
    keyboard.type("/notify @dev Slow | one\r")
    await keyboard.shows("/notify @dev Slow | one\r\n" + PROMPT)
    keyboard.type("/notify @pri")
    await keyboard.shows("/notify @pri")
    await keyboard.shows("✅ Sent to LeadSquared for *Dev Shah*")
    assert keyboard.screen.index("✅") > keyboard.screen.index("/notify @pri")
    keyboard.type("ya Hi | there\r")
    await keyboard.shows("✅ Sent to LeadSquared for *Priya Nair*: “Hi”.")


async def test_ctrl_c_ends_it_and_leaves_the_terminal_as_it_was(keyboard: Keyboard) -> None:
    keyboard.type("/notify @pri")
    await keyboard.shows("/notify @pri")
    keyboard.type("\x03")
    assert await keyboard.ends() == 0
    assert keyboard.is_in_shape
    assert "Traceback" not in keyboard.screen


async def test_ctrl_d_ends_it(keyboard: Keyboard) -> None:
    keyboard.type("\x04")
    assert await keyboard.ends() == 0
    assert keyboard.is_in_shape


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_end_of_the_bot_is_told(keyboard: Keyboard) -> None:
    pid = keyboard.child.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:  # noqa: ASYNC230
        [bot] = children.read().split()
    os.kill(int(bot), 9)
    await keyboard.shows("The bot has ended by itself. The end of its log:")
    assert await keyboard.ends() == 1
