"""The stand-in on a loopback port: it counts every call at arrival and keeps a record of all."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.sandbox.dates import redate
from bot.sandbox.leadsquared.account import Account, CrmUser, Lead, Push
from bot.sandbox.leadsquared.answers import Answer, build_refusal
from bot.sandbox.leadsquared.api import KEY_PARAMETERS, Api, Incoming
from bot.sandbox.leadsquared.faults import CANNED, RATE_LIMITS, Endpoint, Fault, FaultKind, Faults
from bot.sandbox.leadsquared.meter import Meter, Refusal, find_busiest
from bot.sandbox.leadsquared.wire import (
    build_response,
    disconnect,
    send_bomb,
    send_cut,
    send_padded,
    send_slowly,
)

HOST = "127.0.0.1"
MAX_REQUEST = 16 << 20
SETTLE_TURNS = 10
"""Turns of the loop in which a client in it learns that its idle connection is gone."""


@dataclass
class Call:
    """One call: `status` is what it was answered, None while (or because) it never was."""

    method: str
    path: str
    endpoint: Endpoint | None
    query: dict[str, str]
    at: float
    counted: bool
    """It took a place in the window; False means that it was refused for rate."""
    status: int | None = None
    fault: FaultKind | None = None


class StandInLeadSquared:
    """A LeadSquared account of its own, strict and with switches; see `faults` and `violations`."""

    def __init__(
        self,
        access_key: str = "u$r0stand0in",
        secret_key: str = "0123456789abcdef",  # noqa: S107  # opens nothing but the stand-in
        *,
        limit: int = 25,
        period: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        jitter: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.account = Account()
        self.api = Api(self.account, access_key, secret_key)
        self.meter = Meter(limit, period)
        self.refusal = Refusal()
        self.faults = Faults()
        self.clock = clock
        self.jitter = jitter
        self.latency = 0.0
        self.trickle = 0.3
        self.date_shift: float | None = 0.0
        """Seconds by which the `Date` of every answer is off; None leaves it out."""
        self.calls: list[Call] = []
        self.refusals: list[Call] = []
        self.middlewares: list[Middleware] = []
        self._random = random.Random(seed)  # noqa: S311  # network jitter, nothing secret
        self._changed = asyncio.Condition()
        self._released = asyncio.Event()
        self._stopped = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0
        self._busy: set[object] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def access_key(self) -> str:
        return self.api.access_key

    @property
    def secret_key(self) -> str:
        return self.api.secret_key

    @property
    def users(self) -> list[CrmUser]:
        return self.account.users

    @property
    def leads(self) -> list[Lead]:
        return self.account.leads

    @property
    def pushes(self) -> list[Push]:
        return self.account.pushes

    @property
    def violations(self) -> list[str]:
        return self.api.violations

    def add_users(self, count: int) -> list[CrmUser]:
        """Add u001@acme.com and so on; returns the new ones."""
        return self.account.add_users(count)

    def find_busiest(self) -> int:
        """Return the most calls, refused ones included, that any one period saw arrive."""
        return find_busiest((call.at for call in self.calls), self.meter.period)

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=MAX_REQUEST, middlewares=self.middlewares)
        app.on_response_prepare.append(self._date)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        self._stopped.clear()
        self._released = asyncio.Event()
        await self._listen(port)

    async def stop(self) -> None:
        """Stop, cutting what still hangs; a second call does nothing."""
        self._stopped.set()
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = self._site = None

    async def refuse_connections(self) -> None:
        """Close the listening socket and idle connections; calls under way end as usual."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        if self._runner is None or self._runner.server is None:
            return
        for connection in self._runner.server.connections:
            if connection not in self._busy:
                connection.force_close()
        for _ in range(SETTLE_TURNS):
            await asyncio.sleep(0)

    async def accept_connections(self) -> None:
        """Listen again on the port of before."""
        if self._site is None:
            await self._listen(self._port)

    async def _listen(self, port: int) -> None:
        if self._runner is None:
            raise RuntimeError("start the stand-in first")
        self._site = web.TCPSite(self._runner, HOST, port)
        await self._site.start()
        self._port = int(self._runner.addresses[0][1])
        self.api.own_host = f"{HOST}:{self._port}"

    def release(self) -> None:
        """Let the calls that hang now go on to the answer they would have had."""
        self._released.set()
        self._released = asyncio.Event()

    async def until(
        self,
        predicate: Callable[[], bool],
        timeout: float = 10.0,  # noqa: ASYNC109  # it ends in an assertion with a summary
    ) -> None:
        """Wait for something to become true; it is looked at after every change here."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(predicate)
        except TimeoutError:
            raise AssertionError(f"not within {timeout:g} s; {self.summary()}") from None

    async def follow(self, tell: Callable[[], None]) -> None:
        """Call `tell` after every change, for ever."""
        async with self._changed:
            while True:
                await self._changed.wait()
                tell()

    def summary(self) -> str:
        """Return what happened so far, for a failing test."""
        lines = [
            f"{len(self.calls)} calls, {len(self.pushes)} pushes, "
            f"{len(self.refusals)} refused for rate, {len(self.violations)} violations"
        ]
        lines += [
            f"  {call.at:.3f} {call.method} {call.path} -> {call.status}"
            + (f" ({call.fault})" if call.fault else "")
            for call in self.calls[-10:]
        ]
        return "\n".join([*lines, *(f"  violation: {text}" for text in self.violations)])

    async def _date(self, _request: web.Request, response: web.StreamResponse) -> None:
        redate(response, self.date_shift)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._busy.add(request.protocol)
        try:
            return await self._serve(request)
        finally:
            self._busy.discard(request.protocol)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        incoming, call = await self._arrive(request)
        fault = None
        if call.counted:
            fault = self.faults.take(call.endpoint, self.api.find_target(incoming))
        if fault is not None:
            call.fault = fault.kind
            return await self._break(request, incoming, call, fault)
        if not call.counted:
            return await self._finish(call, self._refuse(call))
        return await self._finish(call, self.api.answer(incoming))

    async def _arrive(self, request: web.Request) -> tuple[Incoming, Call]:
        raw = await request.read()
        if self.jitter:
            await asyncio.sleep(self._random.uniform(0, self.jitter))
        at = self.clock()
        query = {name.lower(): value for name, value in request.query.items()}
        incoming = Incoming(request.method, request.path, query, request.headers, raw, at)
        shown = {name: text for name, text in query.items() if name not in KEY_PARAMETERS}
        endpoint = self.api.find_endpoint(request.path)
        counted = self.meter.admit(at)
        call = Call(request.method, request.path, endpoint, shown, at, counted)
        self.calls.append(call)
        await self._tell()
        return incoming, call

    def _refuse(self, call: Call, status: int | None = None) -> Answer:
        self.refusals.append(call)
        style = self.refusal if status is None else replace(self.refusal, status=status)
        return build_refusal(style, self.meter.limit, self.meter.period)

    async def _finish(self, call: Call, answer: Answer) -> web.Response:
        await self._answered(call, answer)
        return build_response(answer)

    async def _answered(self, call: Call, answer: Answer) -> None:
        if self.latency:
            await self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.latency):
                    await self._stopped.wait()
        call.status = answer.status
        await self._tell()

    async def _break(
        self, request: web.Request, incoming: Incoming, call: Call, fault: Fault
    ) -> web.StreamResponse:
        kind = fault.kind
        real = self.api.answer(incoming) if fault.accepts else None
        if kind in RATE_LIMITS:
            return await self._finish(call, self._refuse(call, RATE_LIMITS[kind]))
        if kind in CANNED:
            return await self._finish(call, CANNED[kind])
        if kind in (FaultKind.HANG, FaultKind.HANG_AFTER):
            return await self._hang(request, incoming, call, real)
        if kind in (FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER, FaultKind.CLOSE_AFTER):
            await self._tell()
            return disconnect(request, reset=kind is not FaultKind.CLOSE_AFTER)
        return await self._distort(request, call, kind, real or self.api.answer(incoming))

    async def _hang(
        self, request: web.Request, incoming: Incoming, call: Call, real: Answer | None
    ) -> web.StreamResponse:
        await self._tell()
        await self._released.wait()
        if self._stopped.is_set():
            return disconnect(request, reset=False)
        return await self._finish(call, real or self.api.answer(incoming))

    async def _distort(
        self, request: web.Request, call: Call, kind: FaultKind, answer: Answer
    ) -> web.StreamResponse:
        await self._answered(call, answer)
        if kind is FaultKind.CUT_BODY:
            return await send_cut(request, answer)
        if kind is FaultKind.TRICKLE:
            return await send_slowly(request, answer, self.trickle, self._stopped)
        if kind is FaultKind.HUGE_BODY:
            return await send_padded(request, answer)
        return await send_bomb(answer)
