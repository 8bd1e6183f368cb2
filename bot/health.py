"""Signs of life for the host: `/healthz` is the process, `/readyz` is whether it can work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from bot.errors import StoreError
from bot.store.database import Database

ANSWER_WITHIN = 2.0


class Health:
    """The two routes."""

    def __init__(self, database: Database, is_connected: Callable[[], bool]) -> None:
        self._database = database
        self._is_connected = is_connected

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/healthz", self.answer_alive)
        app.router.add_get("/readyz", self.answer_ready)

    async def answer_alive(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def answer_ready(self, _request: web.Request) -> web.Response:
        """Answer 200 when both the database and Slack are there, else 503; say which is not."""
        state = {"database": await self._has_database(), "slack": self._is_connected()}
        return web.json_response(state, status=200 if all(state.values()) else 503)

    async def _has_database(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._database.read_clock()
        except (StoreError, TimeoutError):
            return False
        return True
