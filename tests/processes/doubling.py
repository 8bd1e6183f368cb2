"""A network that delivers every request of Slack to several processes at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

HOST = "127.0.0.1"
HOP_BY_HOP = {"host", "content-length", "transfer-encoding", "connection"}

Answer = tuple[int, bytes]


class Doubling:
    """Passes on the very bytes and headers; Slack gets the answer of the first of `urls`."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = urls
        self.answers: list[list[Answer]] = []
        """For each request what every process said to it."""

    async def _pass_on(self, request: web.Request) -> web.Response:
        raw = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        async with aiohttp.ClientSession() as session:

            async def deliver(url: str) -> Answer:
                async with session.post(url, data=raw, headers=headers) as response:
                    return response.status, await response.read()

            answers = list(await asyncio.gather(*map(deliver, self.urls)))
        self.answers.append(answers)
        status, body = answers[0]
        return web.Response(status=status, body=body)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Yield where to deliver to."""
        app = web.Application()
        app.router.add_post("/", self._pass_on)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        try:
            yield f"http://{HOST}:{runner.addresses[0][1]}/"
        finally:
            await runner.cleanup()
