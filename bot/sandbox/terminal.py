"""Lines from a keyboard or a pipe; what is printed meanwhile leaves the line being typed whole."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CLEAR_LINE = "\r\x1b[K"


class Terminal:
    """Standard input and output; on a keyboard with history and editing where Python has them."""

    def __init__(self) -> None:
        self._is_keyboard = sys.stdin.isatty() and sys.stdout.isatty()
        self._editor = _find_editor() if self._is_keyboard else None
        self._prompt: str | None = None
        # A file of our own: a thread that waits on sys.stdin would stop Python from ending.
        self._input = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115

    def write(self, text: str) -> None:
        """Print above the line that is being typed, if there is one."""
        if self._prompt is None:
            print(text, flush=True)  # noqa: T201  # the sandbox is a part of the command line
        else:
            typed = self._editor.get_line_buffer() if self._editor else ""
            print(CLEAR_LINE + text, self._prompt + typed, sep="\n", end="", flush=True)  # noqa: T201

    async def read_line(self, prompt: str) -> str | None:
        """Return the next line, None at the end."""
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[str | None] = loop.create_future()

        def read() -> None:
            line = self._read(prompt)
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(deliver, line)

        def deliver(line: str | None) -> None:
            if not coming.done():
                coming.set_result(line)

        self._prompt = prompt if self._is_keyboard else None
        # Not the loop's own threads: their end would be waited for, and this one may never come.
        threading.Thread(target=read, name="input", daemon=True).start()
        try:
            line = await coming
        except asyncio.CancelledError:
            if self._is_keyboard:
                print()  # noqa: T201  # the next thing printed is not a part of the line
            raise
        finally:
            self._prompt = None
        if line is not None and not self._is_keyboard:
            self.write(prompt + line)
        return line

    def _read(self, prompt: str) -> str | None:
        if self._is_keyboard:
            try:
                return input(prompt)
            except EOFError:
                return None
        line = self._input.readline()
        return line.rstrip("\r\n") if line else None

    @contextmanager
    def kept_in_shape(self) -> Iterator[None]:
        """Leave the terminal as it was, also when a line was being typed."""
        if not self._is_keyboard:
            yield
            return
        termios: Any = importlib.import_module("termios")
        shape = termios.tcgetattr(0)
        try:
            yield
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, shape)


def _find_editor() -> Any:
    """Return the module that gives `input` history and editing, where there is one."""
    try:
        editor: Any = importlib.import_module("readline")
    except ImportError:
        return None
    editor.parse_and_bind("set enable-bracketed-paste off")  # it would stay on after a Ctrl-C
    return editor
