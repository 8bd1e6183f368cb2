"""The page's own server: its files, its feed and its actions, on loopback alone."""

from __future__ import annotations

import asyncio
import re
import socket
from importlib.resources import files

import aiohttp
from aiohttp import web

from bot.sandbox.web.doing import SlackActions
from bot.sandbox.web.feed import Feed
from bot.sandbox.web.guard import guard
from bot.sandbox.web.reading import BadRequestError, Wanted
from bot.sandbox.web.snapshot import Snapshot
from bot.sandbox.web.stage import Stage
from bot.sandbox.web.switches import Switches
from bot.sandbox.web.wires import Wires

HOST = "127.0.0.1"
PORT = 8421
"""Where the page is looked for first; if something else is there, anywhere."""

MOST_BODY = 1 << 19
TYPES = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "png": "image/png",
    "svg": "image/svg+xml",
}
FILE = re.compile(r"(?:[\w-]+/)*[\w-]+\.(?:" + "|".join(TYPES) + ")")
ICON = re.compile(r"[\w-]+\.png")


class Page:
    """Serves the page for one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        switches = Switches(stage)
        self._actions = {**SlackActions(stage).table, **switches.table}
        self._feed = Feed(Snapshot(stage, switches).build)
        self._wires = Wires(stage)
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._port = 0
        stage.tell = self._feed.wake

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    async def start(self, port: int = PORT) -> None:
        """Listen on `port`, or on another if it is taken."""
        listening = bind(port)
        self._port = int(listening.getsockname()[1])
        app = web.Application(client_max_size=MOST_BODY, middlewares=[guard])
        app.router.add_get("/", self._get_index)
        app.router.add_get("/static/{path:.+}", self._get_file)
        app.router.add_get("/icons/{name}", self._get_icon)
        app.router.add_get("/feed", self._feed.serve)
        app.router.add_get("/wires/{line}", self._get_wire)
        app.router.add_post("/do/{action}", self._act)
        app.on_shutdown.append(self._close_feed)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()
        self._tasks = [
            asyncio.create_task(self._feed.run(), name="feed"),
            asyncio.create_task(self._stage.slack.workspace.follow(self._feed.wake), name="slack"),
            asyncio.create_task(self._stage.crm.follow(self._feed.wake), name="crm"),
        ]

    async def watch(self) -> None:
        """Wait for ever, or raise what went wrong in the page's own work."""
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Stop; a second call does nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _close_feed(self, _: web.Application) -> None:
        await self._feed.close()

    async def _get_index(self, _: web.Request) -> web.Response:
        return _serve_file("index.html")

    async def _get_file(self, request: web.Request) -> web.Response:
        return _serve_file(request.match_info["path"])

    async def _get_icon(self, request: web.Request) -> web.Response:
        """Pass on one of the bot's own pictures, which the page could not load from it."""
        name = request.match_info["name"]
        if not ICON.fullmatch(name):
            raise web.HTTPNotFound
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self._stage.bot.url}/icons/{name}") as response,
            ):
                if response.status != 200:
                    raise web.HTTPNotFound
                return web.Response(body=await response.read(), content_type="image/png")
        except aiohttp.ClientError:
            raise web.HTTPNotFound from None

    async def _get_wire(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(self._wires.show(request.match_info["line"]))
        except LookupError as exc:
            return _refuse(404, exc)

    async def _act(self, request: web.Request) -> web.Response:
        """Carry out an action; 400 for nonsense, 404 for what is not there, 409 for too early."""
        action = self._actions.get(request.match_info["action"])
        if action is None:
            return _refuse(404, "there is no such action")
        if request.content_type != "application/json":
            return _refuse(415, "the body must be JSON")
        try:
            answer = await action(Wanted(self._stage, await request.read()))
        except BadRequestError as exc:
            return _refuse(400, exc)
        except LookupError as exc:
            return _refuse(404, exc)
        except (ValueError, RuntimeError) as exc:
            return _refuse(409, exc)
        finally:
            self._stage.tell()
        return web.json_response(answer)


def bind(port: int) -> socket.socket:
    """Return a socket that listens on this port, or on a free one if it is taken."""
    try:
        return socket.create_server((HOST, port))
    except OSError:
        return socket.create_server((HOST, 0))


def _serve_file(path: str) -> web.Response:
    if not FILE.fullmatch(path):
        raise web.HTTPNotFound
    file = files(__package__).joinpath("static", *path.split("/"))
    if not file.is_file():
        raise web.HTTPNotFound
    kind = TYPES[path.rpartition(".")[2]]
    charset = None if kind == "image/png" else "utf-8"
    return web.Response(body=file.read_bytes(), content_type=kind, charset=charset)


def _refuse(status: int, why: object) -> web.Response:
    text = why if isinstance(why, str) else str(why.args[0]) if isinstance(why, Exception) else ""
    return web.json_response({"why": text}, status=status)
