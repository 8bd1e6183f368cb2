"""`python -m bot sandbox`: the stand-ins, the bot between them, and the lines that come in."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from bot.sandbox.child import BotProcess
from bot.sandbox.console import Console
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack

SIGNING_SECRET = "sandbox0123456789sandbox01234567"
BOT_TOKEN = "xoxb-1-sandbox"


def run() -> int:
    """Run until the input ends; return the exit code."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run())
    return 0


async def _run() -> None:
    slack = StandInSlack(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
    crm = StandInLeadSquared()
    await slack.start()
    await crm.start()
    settings = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.api_url,
        "LEADSQUARED_URL": crm.url,
        "LEADSQUARED_ACCESS_KEY": crm.access_key,
        "LEADSQUARED_SECRET_KEY": crm.secret_key,
    }
    with tempfile.TemporaryDirectory(prefix="notifier-sandbox-") as folder:
        bot = BotProcess(settings, Path(folder))
        try:
            await bot.start()
            slack.bot_url = f"{bot.url}/slack/events"
            _write(f"Slack stand-in        {slack.api_url}")
            _write(f"LeadSquared stand-in  {crm.url}")
            _write(f"The bot               {bot.url} (its log: {bot.log_path})")
            _write("Type /help for what can be typed here; Ctrl-D ends it.\n")
            await _read(Console(slack, crm, _write))
        finally:
            await bot.stop()
            await slack.stop()
            await crm.stop()


async def _read(console: Console) -> None:
    _write(console.prompt, end="")
    async for line in _lines():
        if not sys.stdin.isatty():
            _write(line)
        if line.strip() in ("/quit", "/exit"):
            break
        await console.carry_out(line)
        _write(console.prompt, end="")
    _write("")
    await console.finish()


async def _lines() -> AsyncIterator[str]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line.rstrip("\n")


def _write(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)  # noqa: T201  # the sandbox is a part of the command line
