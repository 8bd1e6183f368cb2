"""`python -m bot serve` as a host runs it: an environment, signals, an exit code, and its log."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]

KEPT = ("PATH", "SYSTEMROOT", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""All that a process here knows of the machine it runs on."""


class BotProcess:
    """One process; its log is read as it comes, so that a test can wait for an event in it."""

    folder = ROOT
    user: int | None = None
    """Whose process it is; None for whoever runs the tests."""

    def __init__(self, settings: dict[str, str], command: str = "serve", name: str = "bot") -> None:
        self.name = name
        machine = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment = {**machine, "PYTHONWARNINGS": "error", **settings}
        self.command = command
        self.url = f"http://127.0.0.1:{settings['PORT']}"
        self.slack_url = f"{self.url}/slack/events"
        self.events: list[dict[str, Any]] = []
        self.errors = ""
        self._log_ended = False
        self._changed = asyncio.Condition()

    async def start(self) -> None:
        self._child = await asyncio.create_subprocess_exec(
            *self.build_command(),
            cwd=self.folder,
            user=self.user,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.gather(self._read_log(), self._read_errors())

    def build_command(self) -> Sequence[str]:
        return (sys.executable, "-m", "bot", self.command)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child.returncode is None

    def send(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    async def ends(self, within: float = 20.0) -> int:
        """Wait for the end, and for the rest of its log; return the exit code."""
        try:
            async with asyncio.timeout(within):
                await self._child.wait()
        except TimeoutError:
            self._child.kill()
            raise AssertionError(f"not ended within {within:g} s: {self.events}") from None
        finally:
            await self._reading
        return await self._child.wait()

    async def stop(self) -> int:
        """End it as a host does."""
        if self.is_running:
            self.send(signal.SIGTERM)
        return await self.ends()

    async def kill(self) -> None:
        """End it as a power cut does."""
        self.send(signal.SIGKILL)
        assert await self.ends() == -signal.SIGKILL

    async def logs(self, event: str, within: float = 20.0, **values: Any) -> None:
        """Wait until this event, with these values, is in the log."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(
                    lambda: self.has_logged(event, **values) or self._log_ended
                )
        assert self.has_logged(event, **values), f"no {event} in {self.events}"

    async def ready_or_dead(self) -> bool:
        """Wait until it answers Slack, or has ended; return whether it answers."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: self.has_logged("bot.ready") or self._log_ended)
        return self.is_running

    def has_logged(self, event: str, **values: Any) -> bool:
        wanted = {"event": event, **values}
        return any(wanted.items() <= found.items() for found in self.events)

    def count_logged(self, event: str) -> int:
        return sum(found["event"] == event for found in self.events)

    async def get(self, path: str) -> int:
        """Return the status of a page."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return response.status

    def find_children_time(self) -> float:
        """Return the CPU seconds of child processes that have ended (Linux)."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        user, system = stat.rsplit(")", 1)[1].split()[13:15]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def read_line(self, line: bytes) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(line)
        return event

    async def _read_log(self) -> None:
        assert self._child.stdout is not None
        async for line in self._child.stdout:
            async with self._changed:
                self.events.append(self.read_line(line))
                self._changed.notify_all()
        async with self._changed:
            self._log_ended = True
            self._changed.notify_all()

    async def _read_errors(self) -> None:
        assert self._child.stderr is not None
        self.errors = (await self._child.stderr.read()).decode()
