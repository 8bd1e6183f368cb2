"""The stand-in on a loopback port: Web API, response_urls, and everything to look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.sandbox.dates import redate
from bot.sandbox.slack.delivery import Delivery, Reply
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.hooks import HookPost, Hooks
from bot.sandbox.slack.interactions import Interactions
from bot.sandbox.slack.messages import Channel, Message
from bot.sandbox.slack.people import Group, Person
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.view_methods import ViewMethods
from bot.sandbox.slack.views import View
from bot.sandbox.slack.web_api import Call, WebApi
from bot.sandbox.slack.workspace import DEFAULT_SCOPES, Workspace

HOST = "127.0.0.1"
MAX_REQUEST = 4 << 20


class StandInSlack(Interactions):
    """A Slack workspace of its own, strict and with switches; see `faults` and `violations`."""

    def __init__(
        self,
        signing_secret: str = "8f742231b10e8888abcd99yyyzzz85a5",  # noqa: S107  # Slack's example
        bot_token: str = "xoxb-stand-in",  # noqa: S107  # opens nothing but the stand-in
        *,
        app_token: str = "xapp-stand-in",  # noqa: S107  # likewise
        clock: Callable[[], float] = time.time,
        scopes: Iterable[str] = DEFAULT_SCOPES,
    ) -> None:
        workspace = Workspace(clock, scopes)
        tickets = Tickets(clock)
        self.faults = Faults()
        self.sockets = Sockets(workspace, self.faults, app_token)
        super().__init__(workspace, tickets, Delivery(signing_secret, clock, self.sockets))
        self.view_methods = ViewMethods(workspace, self._modals, tickets)
        self.api = WebApi(workspace, self.view_methods, self.faults, bot_token, self.sockets)
        self.hooks = Hooks(workspace, tickets, self.faults)
        self.date_shift: float | None = 0.0
        """Seconds by which the `Date` of every answer is off; None leaves it out."""
        self.middlewares: list[Middleware] = []
        self._runner: web.AppRunner | None = None

    @property
    def api_url(self) -> str:
        return f"{self._base}/api/"

    @property
    def bot_url(self) -> str | None:
        """Where requests are delivered."""
        return self.delivery.url

    @bot_url.setter
    def bot_url(self, url: str | None) -> None:
        self.delivery.url = url

    @property
    def uses_sockets(self) -> bool:
        """Whether Socket Mode is on for the app; then nothing is posted to `bot_url`."""
        return self.sockets.is_enabled

    @uses_sockets.setter
    def uses_sockets(self, on: bool) -> None:
        self.sockets.is_enabled = on

    @property
    def bot_token(self) -> str:
        return self.api.bot_token

    @property
    def signing_secret(self) -> str:
        return self.delivery.signing_secret

    @property
    def bot(self) -> Person:
        return self.workspace.bot

    @property
    def people(self) -> dict[str, Person]:
        return self.workspace.people

    @property
    def channels(self) -> dict[str, Channel]:
        return self.workspace.channels

    @property
    def groups(self) -> dict[str, Group]:
        return self.workspace.groups

    @property
    def scopes(self) -> set[str]:
        return self.workspace.scopes

    @scopes.setter
    def scopes(self, scopes: Iterable[str]) -> None:
        self.workspace.scopes = set(scopes)

    @property
    def messages(self) -> list[Message]:
        return self.workspace.messages

    @property
    def homes(self) -> dict[Person, View]:
        return self.workspace.homes

    @property
    def violations(self) -> list[str]:
        return self.workspace.violations

    @property
    def calls(self) -> list[Call]:
        return self.api.calls

    @property
    def hook_posts(self) -> list[HookPost]:
        return self.hooks.posts

    def add_people(self, count: int) -> list[Person]:
        """Add u001@acme.com and so on to #sales; returns the new ones."""
        added = self.workspace.add_people(count)
        for person in added:
            person.join(self)
        return added

    def find_person(self, user_id: str) -> Person | None:
        return self.workspace.find_person(user_id)

    def find_channel(self, channel_id: str) -> Channel | None:
        return self.workspace.find_channel(channel_id)

    def get_channel(self, place: str | Channel) -> Channel:
        """Return the conversation of this name or id."""
        return self.workspace.get_channel(place)

    def visible_to(self, person: Person, channel: str | Channel | None = None) -> list[Message]:
        return self.workspace.visible_to(person, channel)

    def transcript(self) -> str:
        return self.workspace.transcript()

    def sign(
        self, body: bytes, timestamp: float | None = None, signature: str | None = None
    ) -> dict[str, str]:
        """Return the headers that prove it is Slack, for `post`."""
        return self.delivery.sign(body, timestamp, signature)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send these very bytes and headers to the app; nothing is signed or checked."""
        return await self.delivery.post(body, headers)

    async def until(
        self,
        predicate: Callable[[StandInSlack], bool],
        timeout: float = 10.0,  # noqa: ASYNC109  # it ends in an assertion with the transcript
    ) -> None:
        """Wait for something to become true; it is looked at after every change here."""
        await self.workspace.wait_for(lambda: predicate(self), timeout)

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=MAX_REQUEST, middlewares=self.middlewares)
        app.on_response_prepare.append(self._date)
        app.router.add_route("*", "/api/{method}", self.api.handle)
        for kind in ("commands", "app", "actions"):
            app.router.add_post(f"/{kind}/{{rest:.*}}", self.hooks.handle)
        app.router.add_get("/link/", self.sockets.handle)
        app.router.add_route("*", "/{path:.*}", self._handle_stray)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port).start()
        self._base = f"http://{HOST}:{self._runner.addresses[0][1]}"
        self.sockets.base = self._base.replace("http", "ws", 1)
        self.delivery.session = aiohttp.ClientSession()

    async def stop(self) -> None:
        """Stop, letting go what still hangs; a second call does nothing."""
        self.faults.clear()
        await self.sockets.stop()
        if self.delivery.session is not None:
            await self.delivery.session.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.delivery.session = self._runner = None

    async def _date(self, _request: web.Request, response: web.StreamResponse) -> None:
        redate(response, self.date_shift)

    async def _handle_stray(self, request: web.Request) -> web.Response:
        self.workspace.complain(f"nothing is at {request.method} {request.path}")
        await self.workspace.changed()
        return web.Response(status=404, text="no_service")
