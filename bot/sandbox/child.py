"""The bot as a process of its own, which knows nothing but its environment variables."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp

READY_WITHIN = 30.0
STOP_WITHIN = 25.0
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
"""Slack's SDK would send even loopback calls through them."""


class BotProcess:
    """`python -m bot serve` on a free port; its log goes to a file."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        self.port = find_free_port()
        self.log_path = folder / "bot.log"
        inherited = {k: v for k, v in os.environ.items() if k.lower() not in PROXIES}
        self._environment = {
            **inherited,
            "DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
            "ALLOW_EPHEMERAL_SQLITE": "1",
            "PORT": str(self.port),
            **settings,
        }
        self.starts = 0
        self.state = "stopped"
        """starting, running or stopped; this is what was asked for, or what came of it."""
        self.tell: Callable[[], None] = lambda: None
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._is_killed = False
        self._started = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it is ready; RuntimeError with its log if it is not.

        It stays as it is if it runs already.
        """
        async with self._turn:
            if self.state != "stopped":
                return
            self._set("starting")
            is_ready = False
            try:
                await self._start()
                is_ready = True
                self.starts += 1
            finally:
                self._set("running" if is_ready else "stopped")

    async def kill(self) -> None:
        """End it as a power cut does; `wait` takes no notice."""
        async with self._turn:
            if self._child is None or self._child.returncode is not None:
                return
            self._is_killed = True
            self._started.clear()
            self._child.kill()
            await self._child.wait()
            self._set("stopped")

    def _set(self, state: str) -> None:
        self.state = state
        self.tell()

    async def _start(self) -> None:
        with self.log_path.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "serve", env=self._environment, stdout=log, stderr=log
            )
        self._is_killed = False
        self._started.set()
        try:
            async with asyncio.timeout(READY_WITHIN), aiohttp.ClientSession() as session:
                while not await self._is_ready(session):
                    if self._child.returncode is not None:
                        raise RuntimeError(f"the bot ended:\n{self.read_log()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise RuntimeError(f"the bot is not ready:\n{self.read_log()}") from None

    async def wait(self) -> None:
        """Wait until it ends by itself; being killed by us does not count."""
        while self._child is not None:
            await self._child.wait()
            if not self._is_killed:
                return
            await self._started.wait()

    async def stop(self) -> None:
        """End it as a host does: SIGTERM, and SIGKILL for what has not ended by then."""
        if self._child is None or self._child.returncode is not None:
            return
        self._child.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self._child.wait()
        except TimeoutError:
            self._child.kill()
            await self._child.wait()

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    def read_log(self) -> str:
        """Return the end of its log."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")[-4_000:]


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
