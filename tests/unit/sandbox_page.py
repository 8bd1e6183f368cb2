"""The sandbox's page with real stand-ins and a bot that is not there, for tests of its server."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from bot.sandbox.web import Page
from bot.sandbox.web.stage import Stage
from bot.sandbox.wiretap import Wiretap
from tests.unit.sandbox_slack_app import App, modal, open_stage

Json = dict[str, Any]
ALICE, PRIYA, OMAR, GUS = "U0ALICE01", "U0PRIYA01", "U0OMAR001", "U0GUS0001"
SALES, RANDOM, PRIVATE = "C0SALES01", "C0RANDOM1", "C0LEADS01"


@dataclass
class NoBot:
    """Notes what is done to it."""

    url: str = "http://127.0.0.1:9"
    state: str = "running"
    starts: int = 1
    done: list[str] = field(default_factory=list)

    async def start(self) -> None:
        self.done.append("start")

    async def kill(self) -> None:
        self.done.append("kill")


@dataclass
class Visit:
    """A browser's side of the page, as far as its server can tell; `app` answers as the bot."""

    page: Page
    slack: StandInSlack
    crm: StandInLeadSquared
    bot: NoBot
    app: App
    session: aiohttp.ClientSession

    async def post(
        self,
        action: str,
        /,
        *,
        raw: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> tuple[int, Json]:
        """Return the status and the answer; `raw` goes as it is, if given."""
        body = json.dumps(fields) if raw is None else raw
        given = {"Content-Type": "application/json", **(headers or {})}
        url = f"{self.page.url}/do/{action}"
        async with self.session.post(url, data=body, headers=given) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else {}

    async def get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> aiohttp.ClientResponse:
        """Return the answer, read."""
        async with self.session.get(self.page.url + path, headers=headers) as response:
            await response.read()
            return response

    async def see(self) -> Json:
        """Return what a page that opens now is told first."""
        async with self.session.ws_connect(f"{self.page.url}/feed") as socket:
            told: Json = await socket.receive_json(timeout=5)
            return told

    async def open_form(self, *blocks: Json) -> str:
        """Let the app open a form before Alice; return its id."""
        alice = self.slack.people["alice"]
        await alice.use_shortcut("notify_global")
        trigger = next(reversed(self.slack.tickets.triggers.values()))
        headers = {"Authorization": f"Bearer {self.slack.bot_token}"}
        body = {"trigger_id": trigger.id, "view": modal(*blocks)}
        url = f"{self.slack.api_url}views.open"
        async with self.session.post(url, json=body, headers=headers) as response:
            answer = await response.json()
        assert answer["ok"], answer
        return alice.view.id


@asynccontextmanager
async def open_visit() -> AsyncIterator[Visit]:
    crm, tap, bot = StandInLeadSquared(), Wiretap(), NoBot()
    crm.middlewares.append(tap.listen("leadsquared"))
    await crm.start()
    async with open_stage() as stage:
        page = Page(Stage(stage.slack, crm, bot, tap))
        await page.start(port=0)
        yield Visit(page, stage.slack, crm, bot, stage.app, stage.session)
        await page.stop()
    await crm.stop()
