"""Every request that a stand-in takes, and its answer, as they went over the wire."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

KEPT = 400
"""Exchanges remembered; older ones are forgotten."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Exchange:
    """One request of the bot; `status` is None while (or because) it was never answered."""

    number: int
    receiver: str
    """slack or leadsquared."""
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    """Seconds since 1970."""
    status: int | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    answer: bytes = b""
    seconds: float | None = None

    @property
    def is_cut(self) -> bool:
        """It was dealt with, but the answer never left."""
        return self.status is None and self.seconds is not None


class Wiretap:
    """Listens to both stand-ins, once they have its middlewares."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._clock = clock
        self._count = 0

    def listen(self, receiver: str) -> Middleware:
        """Return what records the requests to `receiver`."""

        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            if hdrs.UPGRADE in request.headers:
                return await handler(request)  # a WebSocket is no request with an answer
            exchange = self._open(receiver, request, await request.read())
            started = time.perf_counter()
            response = await handler(request)
            exchange.seconds = time.perf_counter() - started
            if request.transport is None or request.transport.is_closing():
                return response  # a connection cut on purpose has taken no answer
            exchange.status, exchange.answer_headers = response.status, dict(response.headers)
            if isinstance(response, web.Response) and isinstance(response.body, bytes):
                exchange.answer = response.body
            return response

        return record

    def _open(self, receiver: str, request: web.Request, body: bytes) -> Exchange:
        self._count += 1
        exchange = Exchange(
            self._count,
            receiver,
            request.method,
            request.path_qs,
            dict(request.headers),
            body,
            self._clock(),
        )
        self.exchanges.append(exchange)
        return exchange
