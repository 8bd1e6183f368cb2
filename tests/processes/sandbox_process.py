"""`python -m bot sandbox` with its input in our hands."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from tests.processes.bot_process import KEPT, ROOT


class SandboxProcess:
    """One process; what it prints is read as it comes."""

    def __init__(self, *options: str) -> None:
        self.options = options
        self.output = ""
        self.errors = ""
        self._ended = False
        self._changed = asyncio.Condition()

    async def start(self) -> None:
        machine = {name: os.environ[name] for name in (*KEPT, "TMPDIR") if name in os.environ}
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "sandbox", *self.options),
            cwd=ROOT,
            env={**machine, "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.gather(self._read(), self._read_errors())

    def type(self, *lines: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write("".join(f"{line}\n" for line in lines).encode())

    def end_input(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()

    def send(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    async def prints(self, text: str, within: float = 20.0) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(lambda: text in self.output or self._ended)
        assert text in self.output, self.output + self.errors

    async def ends(self, within: float = 30.0) -> int:
        """Wait for the end; return the exit code."""
        try:
            async with asyncio.timeout(within):
                await self._child.wait()
        except TimeoutError:
            self._child.kill()
            raise AssertionError(f"not ended within {within:g} s: {self.output}") from None
        finally:
            await self._reading
        return await self._child.wait()

    async def stop(self) -> None:
        if self._child.returncode is None:
            self.send(signal.SIGTERM)
            await self.ends()
        self.end_input()

    def find_children(self) -> list[int]:
        """Return the processes it has started (Linux)."""
        pid = self._child.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(each) for each in listed.split()]

    async def _read(self) -> None:
        assert self._child.stdout is not None
        while line := await self._child.stdout.readline():
            async with self._changed:
                self.output += line.decode()
                self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def _read_errors(self) -> None:
        assert self._child.stderr is not None
        self.errors = (await self._child.stderr.read()).decode()
