"""A small app for the stand-in Slack to talk to: it says what it is told to, and records."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import StandInSlack


@dataclass
class Clock:
    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class App:
    """Answers with `answer` (text, JSON, a status or None: silence)."""

    answer: str | int | dict[str, Any] | list[Any] | None = ""
    answer_headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((await request.read(), dict(request.headers)))
        if self.answer is None:
            await self.let_go.wait()
            return web.Response()
        if isinstance(self.answer, int):
            return web.Response(status=self.answer, headers=self.answer_headers)
        if isinstance(self.answer, str):
            return web.Response(text=self.answer)
        return web.json_response(self.answer)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.requests[-1][0].decode(), keep_blank_values=True))

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.form["payload"])
        return payload


@dataclass
class Stage:
    slack: StandInSlack
    app: App
    clock: Clock
    client: AsyncWebClient
    session: aiohttp.ClientSession

    async def respond(self, url: str, **body: Any) -> tuple[int, str]:
        async with self.session.post(url, json=body) as response:
            return response.status, await response.text()

    async def call(self, method: str, **args: Any) -> dict[str, Any]:
        """Call the Web API as JSON with the right token; return the answer, be it an error."""
        headers = {"Authorization": f"Bearer {self.slack.bot_token}"}
        url = self.slack.api_url + method
        async with self.session.post(url, json=args, headers=headers) as response:
            body: dict[str, Any] = await response.json()
            return body


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    app, clock = App(), Clock()
    slack = StandInSlack(clock=clock)
    runner = await _serve(app)
    await slack.start()
    slack.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session)
        client.proxy = None  # the SDK heeds proxy variables, but not NO_PROXY
        yield Stage(slack, app, clock, client, session)
    app.let_go.set()
    await slack.stop()
    await runner.cleanup()


async def _serve(app: App) -> web.AppRunner:
    application = web.Application()
    application.router.add_post("/slack/events", app.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), **more}


def actions(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def field_block(block_id: str, kind: str, **more: Any) -> dict[str, Any]:
    """Build an input block; `optional` and `dispatch_action` go to the block."""
    outer: dict[str, Any] = {
        key: more.pop(key) for key in ("optional", "dispatch_action") if key in more
    }
    element = {"type": kind, "action_id": f"{block_id}_a", **more}
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(block_id),
        "element": element,
        **outer,
    }


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": plain("A modal"),
        "submit": plain("Send"),
        "callback_id": "cb",
        "blocks": list(blocks),
        **more,
    }


def option(value: str) -> dict[str, Any]:
    return {"text": plain(f"Option {value}"), "value": value}
