"""A bot between the two stand-ins, over real sockets, in one process."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import aiohttp
from aiohttp import web
from aiolimiter import AsyncLimiter
from sqlalchemy import Engine, Row, Table, create_engine, select
from sqlalchemy.pool import NullPool

from bot.app import Bot, Foundation
from bot.config import Settings
from bot.listening import build_runner
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from bot.store.tables import deliveries
from bot.worker import Worker
from tests.clock import ShiftClock

Rows = list[Row[Any]]

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
BOT_TOKEN = "xoxb-1-sandbox"
APP_TOKEN = "xapp-1-sandbox"
ACCESS_KEY = "u$r0123456789"
SECRET_KEY = "s3cret-0123456789"


@dataclass
class World:
    """Everything a scenario touches; `expect_*` names what may look wrong on purpose."""

    slack: StandInSlack
    crm: StandInLeadSquared
    clock: ShiftClock
    settings: Settings
    limiter: AsyncLimiter | None = None
    expected_violations: list[str] = field(default_factory=list)

    async def start_bot(self) -> None:
        base = Foundation(
            self.settings, clock=self.clock, now=self.clock.time, limiter=self.limiter
        )
        self.bot = Bot(base)
        self.runner = build_runner(self.bot.build_web(), shutdown_timeout=1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        self.slack.bot_url = f"{self.url}/slack/events"
        self.slack.uses_sockets = self.settings.slack_app_token is not None
        self.working = asyncio.create_task(self.bot.run())
        await self.bot.ready.wait()

    async def stop_bot(self) -> None:
        self.bot.stop()
        await self.runner.cleanup()
        await self.working

    async def get(self, path: str) -> tuple[int, str]:
        """Return the status and text of a page of the bot."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return response.status, await response.text()

    async def forward(self, seconds: float) -> None:
        """Move time on once every worker waits, so that none is in the middle of a look."""
        async with asyncio.timeout(10):
            workers = [each for each in self.bot._crew.workers if isinstance(each, Worker)]
            await self.clock.until_waiting(len(workers))
        self.clock.forward(seconds)

    async def forward_to(self, moment: float) -> None:
        await self.forward(moment - self.clock.time() + 0.001)

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self.settings.database_url, poolclass=NullPool)

    def read(self, table: Table = deliveries) -> Rows:
        """Return the rows of a table, read past the bot."""
        with self._engine.connect() as connection:
            return list(connection.execute(select(table)))

    async def until_stored(
        self, predicate: Callable[[Rows], object], table: Table = deliveries
    ) -> Rows:
        """Wait until the rows of a table fit, and return them."""
        try:
            async with asyncio.timeout(10):
                while True:
                    rests = self.clock.rests  # whoever stores something rests afterwards
                    if predicate(rows := self.read(table)):
                        return rows
                    await rests.wait()
        except TimeoutError:
            raise AssertionError(f"not stored: {rows}\n{self.crm.summary()}") from None

    def pushed(self) -> list[dict[str, Any]]:
        """Return the JSON of every accepted push, in order."""
        return [push.body for push in self.crm.pushes]

    def crm_id(self, email: str) -> str:
        return next(user.id for user in self.crm.users if user.email == email)
