"""The processes a measurement needs: the bot, a bare Bolt, and a signed request to either."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
BOT_TOKEN = "xoxb-1-bench"

_triggers = itertools.count(1)


@dataclass(frozen=True)
class Target:
    """A process that answers Slack, and how long it took to its first acknowledgement."""

    url: str
    pid: int
    started_in: float

    def memory(self) -> float:
        """Return the resident memory in MB (Linux)."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
        raise LookupError("VmRSS")

    def cpu(self) -> float:
        """Return the CPU seconds used so far (Linux)."""
        fields = (
            Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(slack: StandInSlack, crm: StandInLeadSquared, **more: str) -> dict[str, str]:
    """Return the settings of a bot between the stand-ins."""
    return {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.api_url,
        "LEADSQUARED_URL": crm.url,
        "LEADSQUARED_ACCESS_KEY": crm.access_key,
        "LEADSQUARED_SECRET_KEY": crm.secret_key,
        "HOURLY_LIMIT": "0",
        "CONFIRM_ABOVE": "0",
        "LOG_LEVEL": "warning",
        **more,
    }


@asynccontextmanager
async def running(
    module: list[str], settings: dict[str, str], session: aiohttp.ClientSession, user_id: str
) -> AsyncIterator[Target]:
    """Start `python -m module`, wait for its first acknowledgement, and end it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/slack/events"
    begun = time.perf_counter()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *module,
        env={**settings, "PORT": str(port)},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        while time.perf_counter() - begun < 20:
            try:
                if await send(session, url, user_id) == 200:
                    break
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.005)
        yield Target(url, child.pid, time.perf_counter() - begun)
    finally:
        child.terminate()
        await child.wait()


async def send(session: aiohttp.ClientSession, url: str, user_id: str, text: str = "") -> int:
    """Post one signed `/notify` and return the status."""
    trigger = next(_triggers)
    fields = {
        "command": "/notify",
        "text": text or f"key-owner Hello | number {trigger}",
        "team_id": "T0ACME001",
        "user_id": user_id,
        "channel_id": "C0SALES01",
        "trigger_id": f"{os.getpid()}.{trigger}.{time.time_ns()}",
    }
    body = urlencode(fields)
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=stamp, body=body)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": str(signature),
    }
    async with session.post(url, data=body, headers=headers) as response:
        await response.read()
        return response.status
