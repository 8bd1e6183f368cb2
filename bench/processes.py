"""The processes a measurement needs: the bot and its peers, and what they cost (Linux)."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.requests import SIGNING_SECRET, send
from bot.sandbox.leadsquared import Counting, StandInLeadSquared
from bot.sandbox.leadsquared.meter import Meter
from bot.sandbox.slack import StandInSlack

BOT_TOKEN = "xoxb-1-bench"
BOT = (sys.executable, "-m", "bot", "serve")
STARTS_WITHIN = 30.0
"""Seconds for the first acknowledgement, many starting at once."""


@dataclass(frozen=True)
class Target:
    """A process that answers Slack, and how long it took to its first acknowledgement."""

    url: str
    pid: int
    started_in: float

    def memory(self) -> float:
        """Return the resident memory in MB."""
        return self._read_memory("VmRSS")

    def peak(self) -> float:
        """Return the most resident memory so far, in MB."""
        return self._read_memory("VmHWM")

    def _read_memory(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1000
        raise LookupError(name)

    def cpu(self) -> float:
        """Return the CPU seconds used so far."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class World:
    """The stand-ins that a process lives between."""

    slack: StandInSlack
    crm: StandInLeadSquared

    @property
    def alice(self) -> str:
        """The id of somebody who may send."""
        return self.slack.people["alice"].id

    def build_settings(self, **more: str) -> dict[str, str]:
        """Return the environment of a process between the stand-ins."""
        return {
            "PATH": os.environ["PATH"],
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "LEADSQUARED_URL": self.crm.url,
            "LEADSQUARED_ACCESS_KEY": self.crm.access_key,
            "LEADSQUARED_SECRET_KEY": self.crm.secret_key,
            "HOURLY_LIMIT": "0",
            "CONFIRM_ABOVE": "0",
            "LOG_LEVEL": "warning",
            **more,
        }


@asynccontextmanager
async def open_world(
    counting: Counting = Counting.SLIDING, jitter: float = 0.0
) -> AsyncIterator[World]:
    """Run both stand-ins; the CRM counts 25 calls per 5 s, up to `jitter` seconds after arrival."""
    slack = StandInSlack(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
    crm = StandInLeadSquared(jitter=jitter)
    crm.meter = Meter(crm.meter.limit, crm.meter.period, counting)
    await slack.start()
    await crm.start()
    try:
        yield World(slack, crm)
    finally:
        await slack.stop()
        await crm.stop()


@asynccontextmanager
async def running(
    command: Sequence[str], settings: dict[str, str], session: aiohttp.ClientSession, user_id: str
) -> AsyncIterator[Target]:
    """Start a process, wait for its first acknowledgement, and end it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/slack/events"
    begun = time.perf_counter()
    child = await asyncio.create_subprocess_exec(
        *command, env={**settings, "PORT": str(port)}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await _wait_for_acknowledgement(session, url, user_id)
        yield Target(url, child.pid, time.perf_counter() - begun)
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def _wait_for_acknowledgement(session: aiohttp.ClientSession, url: str, user_id: str) -> None:
    """Ask again and again; raises TimeoutError if no acknowledgement comes."""
    async with asyncio.timeout(STARTS_WITHIN):
        while True:
            try:
                if await send(session, url, user_id) == 200:
                    return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.005)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
