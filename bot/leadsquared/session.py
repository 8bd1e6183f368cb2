"""The HTTP session for LeadSquared: fresh connections, and the word of how far a request got."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

TURNS_TO_HEAR_OF_A_CLOSE = 3
"""Turns of the event loop until a close that has arrived shows: two for TCP, a third for TLS."""


@dataclass
class Sending:
    """How far a request got, by the word of aiohttp's own hooks."""

    watched: bool = False
    begun: bool = False


async def _on_start(_: aiohttp.ClientSession, ctx: SimpleNamespace, _params: Any) -> None:
    ctx.trace_request_ctx.watched = True


async def _before_headers(_: aiohttp.ClientSession, ctx: SimpleNamespace, _params: Any) -> None:
    """Runs right before the first byte is written."""
    if ctx.trace_request_ctx.begun:  # aiohttp repeats a GET by itself, without a permit
        raise aiohttp.ClientConnectionError
    ctx.trace_request_ctx.begun = True


class _LiveConnector(aiohttp.TCPConnector):
    """Hands out no connection that the server has closed while it was idle."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        try:
            for _ in range(TURNS_TO_HEAR_OF_A_CLOSE):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            connection.close()
            raise
        if not connection.closed:
            return connection
        connection.close()
        return await super().connect(req, traces, timeout)


def open_session(*watchers: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    """Return the one session for all CRM calls; close it at shutdown."""
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(_on_start)
    trace.on_request_headers_sent.append(_before_headers)
    # Idle connections go before the CRM closes them: a push on a dead one would be in doubt.
    connector = _LiveConnector(keepalive_timeout=10)
    jar = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=jar, trace_configs=[trace, *watchers]
    )
