"""How a fault looks on the wire: refusals, silence, a cut connection, nonsense."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.sandbox.slack.faults import HOOKS, Faults

Answer = Callable[[], web.Response]


class Outages:
    """Stands between a request and its answer."""

    def __init__(self, faults: Faults, tell: Callable[[], Awaitable[None]]) -> None:
        self._faults = faults
        self._tell = tell

    async def serve(self, request: web.Request, method: str, answer: Answer) -> web.StreamResponse:
        """Return the answer, or what the fault that is switched on makes of it."""
        fault = self._faults.take(method)
        await self._faults.pause()
        if fault is None:
            return answer()
        if fault in ("hang_after", "reset_after"):
            answer()
            await self._tell()
        if fault in ("hang", "hang_after"):
            await self._faults.hang()
            return answer() if fault == "hang" else _cut(request)
        if fault in ("reset", "reset_after"):
            return _cut(request)
        return _refuse(fault, method)


def _refuse(fault: str | int, method: str) -> web.Response:
    if isinstance(fault, int):
        return web.Response(status=fault, text="upstream trouble")
    name, _, seconds = fault.partition(":")
    if name == "ratelimited":
        body = {"ok": False, "error": "ratelimited"}
        return web.json_response(body, status=429, headers={"Retry-After": seconds or "1"})
    if name == "garbage":
        return web.Response(text="<html>Bad day</html>", content_type="text/html")
    if method == HOOKS:
        return web.Response(status=404, text=name)
    return web.json_response({"ok": False, "error": name})


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
