"""Both stand-ins, one database, and any number of bot processes, one after the other or at once."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.sandbox.child import find_free_port
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import Person, StandInSlack
from tests.processes.bot_process import BotProcess
from tests.processes.storage import SqliteStorage, Storage

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
BOT_TOKEN = "xoxb-1-process"
APP_TOKEN = "xapp-1-process"
ACCESS_KEY = "u$r0123456789"
SECRET_KEY = "s3cret-0123456789"
SECRETS = (SIGNING_SECRET, BOT_TOKEN, APP_TOKEN, ACCESS_KEY, SECRET_KEY)

SOCKET_MODE = {"SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": ""}
"""What to give `launch`, so that the bot connects to Slack."""

PERIOD = 0.5
TIMEOUT = 1.0
"""Seconds; small, so that the lease of a dead process runs out soon."""


@dataclass
class World:
    """What a test touches; `expected_violations` are what it makes Slack complain about."""

    slack: StandInSlack
    crm: StandInLeadSquared
    storage: Storage
    processes: list[BotProcess] = field(default_factory=list)
    expected_violations: list[str] = field(default_factory=list)

    def build_settings(self, **changes: str) -> dict[str, str]:
        """Return a whole environment; an empty value leaves a setting out."""
        settings = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "LEADSQUARED_URL": self.crm.url,
            "LEADSQUARED_ACCESS_KEY": ACCESS_KEY,
            "LEADSQUARED_SECRET_KEY": SECRET_KEY,
            "LEADSQUARED_RATE_LIMIT": str(self.crm.meter.limit),
            "LEADSQUARED_RATE_PERIOD": str(self.crm.meter.period),
            "LEADSQUARED_TIMEOUT": str(TIMEOUT),
            "HOURLY_LIMIT": "0",
            "CONFIRM_ABOVE": "0",
            "DATABASE_URL": self.storage.url,
            "PORT": str(find_free_port()),
            **changes,
        }
        return {name: value for name, value in settings.items() if value}

    async def launch(self, command: str = "serve", **changes: str) -> BotProcess:
        """Start a bot, and let Slack deliver to it; it may take a while to be ready."""
        name = f"bot {len(self.processes) + 1}"
        self.slack.uses_sockets = bool(changes.get("SLACK_APP_TOKEN"))
        bot = BotProcess(self.build_settings(PGAPPNAME=name, **changes), command, name)
        await bot.start()
        self.processes.append(bot)
        self.slack.bot_url = bot.slack_url
        return bot

    async def start_bot(self, **changes: str) -> BotProcess:
        bot = await self.launch(**changes)
        await bot.logs("bot.ready")
        return bot

    async def kill(self, bot: BotProcess) -> set[int]:
        """End a bot as a power cut does; return the ids of the deliveries it was sending."""
        await bot.kill()
        await self.storage.forgets(bot.name)
        return {row[0] for row in self.run_sql("SELECT id FROM deliveries WHERE state = 'sending'")}

    async def end(self) -> None:
        """Stop everything, and check what holds for every process whatever happened to it."""
        ended = await asyncio.gather(
            *(bot.stop() for bot in self.processes if bot.is_running), return_exceptions=True
        )
        await self.slack.stop()
        await self.crm.stop()
        assert not any(ended), ended
        for bot in self.processes:
            said = bot.errors + repr(bot.events)
            assert not [secret for secret in SECRETS if secret in said]
        assert self.slack.violations == self.expected_violations
        assert self.crm.violations == []

    def person(self, name: str) -> Person:
        return self.slack.people[name]

    def pushed(self) -> list[str]:
        """Return who was sent to, in order; the key owner by their own id."""
        return [push.user_id for push in self.crm.pushes]

    def crm_id(self, email: str) -> str:
        return next(user.id for user in self.crm.users if user.email == email)

    def count_pushes_begun(self) -> int:
        """Count the push calls that reached the CRM, answered or not."""
        return sum(call.endpoint == "push" for call in self.crm.calls)

    async def pushes_begin(self, count: int) -> None:
        await self.crm.until(lambda: self.count_pushes_begun() >= count)

    def states(self) -> list[str]:
        """Return the states of all deliveries, in the order they were accepted."""
        return [str(row[0]) for row in self.run_sql("SELECT state FROM deliveries ORDER BY id")]

    def run_sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Read or change the database from outside, as an operator might."""
        return self.storage.run(statement)

    def let_a_minute_pass(self) -> None:
        """Let the leases run out that dead processes hold on replies."""
        self.run_sql("UPDATE replies SET lease_until = lease_until - 60")

    @property
    def database(self) -> Path:
        """The file, of a world on SQLite."""
        assert isinstance(self.storage, SqliteStorage)
        return self.storage.path

    def cards(self) -> list[str]:
        """Return the text of every outcome that the bot posted, not of what is on its way."""
        posted = ("chat.postMessage", "response_url")
        texts = [message.text for message in self.slack.messages if message.via in posted]
        return [text for text in texts if not text.startswith("⏳")]

    async def sees_cards(self, count: int, within: float = 20.0) -> list[str]:
        await self.slack.until(lambda _: len(self.cards()) >= count, timeout=within)
        return self.cards()
