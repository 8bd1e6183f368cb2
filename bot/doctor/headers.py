"""What the headers of every answer tell besides: Slack's scopes, and what time it is elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp

SCOPES = "x-oauth-scopes"


class HeaderWatch:
    """Listens to one HTTP session; what the last answer said is what counts."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.skew: float | None = None
        """Seconds by which this machine is behind, at least; less than 0 if ahead."""
        self.scopes: frozenset[str] | None = None

    def build_trace(self) -> aiohttp.TraceConfig:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._begin)
        trace.on_request_end.append(self._end)
        return trace

    async def _begin(
        self,
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        _params: aiohttp.TraceRequestStartParams,
    ) -> None:
        context.begun = self._now()

    async def _end(
        self,
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        headers = params.response.headers
        if SCOPES in headers:
            self.scopes = frozenset(filter(None, map(str.strip, headers[SCOPES].split(","))))
        if (told := read_date(headers.get("Date", ""))) is not None:
            self.skew = find_skew(told, context.begun, self._now())


def read_date(header: str) -> float | None:
    """Return a `Date` header in seconds since the epoch."""
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError:
        return None


def find_skew(told: float, begun: float, ended: float) -> float:
    """Return by how much this clock must be off, as `told` was read in the call, a second cut off.

    Slow calls prove nothing: whatever fits between their beginning and their end is 0.
    """
    if told > ended:
        return told - ended
    return min(0.0, told + 1.0 - begun)
