"""`python -m bot sandbox`: the stand-ins, the bot between them, and the lines that come in."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from bot.sandbox.child import BotProcess
from bot.sandbox.console import Console
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.leadsquared.account import CrmUser, build_lead, make_id
from bot.sandbox.slack import StandInSlack
from bot.sandbox.terminal import Terminal
from bot.sandbox.web import Page
from bot.sandbox.web.stage import Stage
from bot.sandbox.wiretap import Wiretap

SIGNING_SECRET = "5a4db0c05a4db0c05a4db0c05a4db0c0"
BOT_TOKEN = "xoxb-1-sandbox"
APP_TOKEN = "xapp-1-sandbox"

ICONS_AT = "https://notifier.example"
"""What the notifications name as the bot's own address, which must be https; the page knows it."""

HOURLY_LIMIT = 2_000
"""Recipients in an hour: enough to send to the crowd of the page again and again."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(*, socket_mode: bool = False) -> int:
    """Run until the input or a signal ends it; return the exit code."""
    terminal = Terminal()
    with terminal.kept_in_shape():
        return asyncio.run(_run(terminal, socket_mode))


def complete_account(crm: StandInLeadSquared) -> None:
    """Add whom an admin can link Omar to, and a lead that shares its e-mail address with another.

    Only here, as the tests of the stand-ins count their own people and leads.
    """
    crm.users.append(CrmUser(make_id("omar@crm.example"), "Omar", "Aziz", "omar@crm.example"))
    owner = next(user for user in crm.users if user.email == "lee.wong@acme.com")
    twin = build_lead("Max", "Müller", "zoe@example.com", "+49-301234568", "Bäcker", owner)
    crm.leads.append(twin | {"ProspectID": make_id("lead:max")})


async def _run(terminal: Terminal, socket_mode: bool) -> int:
    stopping = asyncio.Event()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    slack = StandInSlack(SIGNING_SECRET, BOT_TOKEN, app_token=APP_TOKEN)
    slack.uses_sockets = socket_mode
    crm = StandInLeadSquared()
    complete_account(crm)
    tap = Wiretap()
    slack.middlewares.append(tap.listen("slack"))
    crm.middlewares.append(tap.listen("leadsquared"))
    await slack.start()
    await crm.start()
    with tempfile.TemporaryDirectory(prefix="notifier-sandbox-") as folder:
        bot = BotProcess(_build_settings(slack, crm), Path(folder))
        stage = Stage(slack, crm, bot, tap)
        page = Page(stage)
        bot.tell = lambda: stage.tell()
        await page.start()
        playing = asyncio.create_task(_play(terminal, stage, bot, page), name="play")
        signalled = asyncio.create_task(stopping.wait(), name="signal")
        watching = asyncio.create_task(page.watch(), name="page")
        running: set[asyncio.Task[Any]] = {playing, signalled, watching}
        try:
            ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if watching in ended:
                await watching  # it never ends but by failing
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.gather(page.stop(), bot.stop(), slack.stop(), crm.stop())
        return 0 if playing.cancelled() else playing.result()


def _build_settings(slack: StandInSlack, crm: StandInLeadSquared) -> dict[str, str]:
    settings = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.api_url,
        "LEADSQUARED_URL": crm.url,
        "LEADSQUARED_ACCESS_KEY": crm.access_key,
        "LEADSQUARED_SECRET_KEY": crm.secret_key,
        "PUBLIC_URL": ICONS_AT,
        "HOURLY_LIMIT": str(HOURLY_LIMIT),
    }
    return settings | ({"SLACK_APP_TOKEN": APP_TOKEN} if slack.uses_sockets else {})


def _is_on_a_screen() -> bool:
    """Tell whether somebody sits at a terminal with a browser at hand."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if sys.platform == "darwin":
        return "TERM_PROGRAM" in os.environ and "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


async def _play(terminal: Terminal, stage: Stage, bot: BotProcess, page: Page) -> int:
    """Start the bot and carry out lines until they end, or the bot does."""
    slack, crm = stage.slack, stage.crm
    terminal.write(f"Open {page.url} to see Slack and LeadSquared side by side.")
    if _is_on_a_screen():
        webbrowser.open(page.url)
    terminal.write("Starting the bot between a stand-in Slack and a stand-in LeadSquared …")
    await bot.start()
    slack.bot_url = f"{bot.url}/slack/events"
    terminal.write(f"Slack stand-in        {slack.api_url}")
    terminal.write(f"LeadSquared stand-in  {crm.url}")
    terminal.write(f"The bot               {bot.url} (its log: {bot.log_path})")
    if slack.uses_sockets:
        terminal.write("Socket Mode           the bot has connected to Slack")
    terminal.write("Try: /notify @priya Callback due | Asha asked for 3 pm")
    terminal.write("/help lists what else can be typed here; Ctrl-D ends it.\n")
    console = Console(slack, crm, terminal.write)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(console.watch(), name="watch")
        ending = tasks.create_task(bot.wait(), name="bot")
        reading = tasks.create_task(_read(terminal, console), name="read")
        await asyncio.wait({ending, reading}, return_when=asyncio.FIRST_COMPLETED)
        for task in (watching, ending, reading):
            task.cancel()
    if reading.cancelled():
        terminal.write(f"The bot has ended by itself. The end of its log:\n{bot.read_log()}")
        return 1
    return 0


async def _read(terminal: Terminal, console: Console) -> None:
    while (line := await terminal.read_line(console.prompt)) is not None:
        if line.strip() in ("/quit", "/exit"):
            break
        await console.carry_out(line)
    else:
        terminal.write("")
    await console.finish()
