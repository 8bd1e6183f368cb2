"""Socket Mode: one-time URLs, WebSockets, one acknowledgement per envelope (facts 2.4, 9.4)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from bot.sandbox.slack.envelopes import Envelope, find_fault, wrap
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.people import APP_ID
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]

LINK = "link"
"""The name under which `faults.fail` takes what goes wrong with WebSockets: a status, or `hang`."""

MOST_CONNECTIONS = 10
LEAVE_WITHIN = 10.0
"""Seconds that a connection stays open once the app was asked to make another."""

METHOD = "apps.connections.open"


class Connection:
    """One WebSocket that has said hello."""

    def __init__(self, number: int, ws: web.WebSocketResponse, request: web.Request) -> None:
        self.number = number
        self.ws = ws
        self.unanswered: set[Envelope] = set()
        self.received = 0
        """Envelopes sent over it."""
        self.pings = 0
        self.is_mute = False
        """It answers no ping any more, like one that a router on the way has forgotten."""
        self.unusable = asyncio.Event()
        """Set when no more envelopes are sent over it; they are while it only has to leave."""
        self.time_is_up = asyncio.Event()
        """Ends the patience with a connection that has to leave."""
        self.gone = asyncio.Event()
        self._request = request

    async def send(self, frame: str) -> None:
        with contextlib.suppress(ConnectionError):  # it is seen to be gone where it is read
            await self.ws.send_str(frame)

    def cut(self) -> None:
        """Lose it as a failing network does."""
        if self._request.transport is not None:
            self._request.transport.abort()


class Sockets:
    """The connections of the app, and what it does wrong with them."""

    def __init__(self, workspace: Workspace, faults: Faults, app_token: str) -> None:
        self.app_token = app_token
        self.app_scopes = {"connections:write"}
        self.is_enabled = False
        """The switch in the app's settings; with it on, nothing is posted to its address."""
        self.base = ""
        self.leave_within = LEAVE_WITHIN
        self.most = MOST_CONNECTIONS
        self.is_shy = False
        """It accepts WebSockets, and says nothing over them."""
        self.connections: list[Connection] = []
        """Those that are open, the oldest first."""
        self.opened = 0
        """WebSockets that said hello so far."""
        self.sent: list[Envelope] = []
        self._workspace = workspace
        self._faults = faults
        self._tickets: set[str] = set()
        self._turns = itertools.count()
        self._leaving: set[asyncio.Task[None]] = set()

    def issue_url(self, token: str | None) -> Json:
        """Answer `apps.connections.open`."""
        if not token:
            raise Refusal("not_authed")
        if token.startswith("xox"):
            raise Refusal("not_allowed_token_type")
        if token != self.app_token:
            raise Refusal("invalid_auth")
        if "connections:write" not in self.app_scopes:
            raise Refusal("missing_scope", needed="connections:write", provided="")
        if not self.is_enabled:
            raise Refusal("access_denied")  # the name is a guess: nobody has written it down
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return {"ok": True, "url": f"{self.base}/link/?ticket={ticket}&app_id={APP_ID}"}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket until it closes."""
        fault = self._faults.take(LINK)
        is_good = self._use_ticket(request)
        if isinstance(fault, int):
            return web.Response(status=fault)
        if fault is not None:
            await self._faults.hang()
        if not is_good:
            self._workspace.complain("a WebSocket's address that was used or never given")
            return web.Response(status=401)
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        if len(self.connections) >= self.most:
            await ws.send_str(_build_disconnect("too_many_websockets"))
            await ws.close()
        elif self.is_shy:
            await ws.receive()
        else:
            await self._serve(Connection(self.opened + 1, ws, request))
        return ws

    def _use_ticket(self, request: web.Request) -> bool:
        """Tell whether this ticket is good; it no longer is afterwards, whatever comes of it."""
        ticket = request.query.get("ticket", "")
        is_good = ticket in self._tickets and request.query.get("app_id") == APP_ID
        self._tickets.discard(ticket)
        return is_good

    async def _serve(self, connection: Connection) -> None:
        self.opened += 1
        await connection.send(_build_hello(len(self.connections) + 1))
        self.connections.append(connection)
        await self._workspace.changed()
        try:
            async for message in connection.ws:
                await self._take(connection, message)
        finally:
            self.connections.remove(connection)
            connection.gone.set()
            connection.time_is_up.set()
            for envelope in connection.unanswered:
                envelope.over.set()
            await self._workspace.changed()

    async def _take(self, connection: Connection, message: WSMessage) -> None:
        if message.type is WSMsgType.PING:
            connection.pings += 1
            if not connection.is_mute:
                await connection.ws.pong(message.data)
        elif message.type is WSMsgType.TEXT:
            self._take_ack(connection, message.data)
        await self._workspace.changed()

    def _take_ack(self, connection: Connection, text: str) -> None:
        frame = _decode(text)
        if frame is None:
            self._workspace.complain("socket: a frame that is no JSON object")
            return
        envelope = next((one for one in self.sent if one.id == frame.get("envelope_id")), None)
        if fault := find_fault(envelope, frame, connection.number):
            self._workspace.complain(f"socket: {fault}")
        if envelope is not None and envelope.ack is None:
            envelope.ack = frame
            envelope.over.set()

    async def deliver(self, body: bytes, headers: Mapping[str, str], within: float) -> Json | str:
        """Send one payload over the connection whose turn it is; return its ack, or the error."""
        envelope = wrap(self._workspace.next_id("env"), body, headers)
        usable = [one for one in self.connections if not one.unusable.is_set()]
        if not usable:
            return "dispatch_failed"
        connection = usable[next(self._turns) % len(usable)]
        envelope.sent_to = connection.number
        self.sent.append(envelope)
        connection.received += 1
        connection.unanswered.add(envelope)
        await connection.send(envelope.build_frame())
        await self._workspace.changed()
        try:
            async with asyncio.timeout(within):
                await envelope.over.wait()
        except TimeoutError:
            return "operation_timeout"
        finally:
            connection.unanswered.discard(envelope)
            envelope.over.set()
        return envelope.ack or "dispatch_failed"

    async def ask_to_leave(self, reason: str = "refresh_requested") -> Connection:
        """Tell the oldest connection that it will be closed, and close it `leave_within` later."""
        connection = self.connections[0]
        await connection.send(_build_disconnect(reason))
        leaving = asyncio.create_task(self._close_soon(connection), name="leave")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        return connection

    async def _close_soon(self, connection: Connection) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.leave_within):
                await connection.time_is_up.wait()
        connection.unusable.set()
        for envelope in tuple(connection.unanswered):
            await envelope.over.wait()
        await connection.ws.close()

    async def disable(self) -> None:
        """Turn Socket Mode off in the app's settings."""
        self.is_enabled = False
        for connection in tuple(self.connections):
            connection.unusable.set()
            await connection.send(_build_disconnect("link_disabled"))
            await connection.ws.close()

    async def stop(self) -> None:
        """Close everything."""
        for task in self._leaving:
            task.cancel()
        for connection in tuple(self.connections):
            await connection.ws.close()


def _build_disconnect(reason: str) -> str:
    frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
    return json.dumps(frame)


def _build_hello(connections: int) -> str:
    info = {"host": "applink-1", "build_number": 10, "approximate_connection_time": 18060}
    return json.dumps(
        {
            "type": "hello",
            "num_connections": connections,
            "connection_info": {"app_id": APP_ID},
            "debug_info": info,
        }
    )


def _decode(text: str) -> Json | None:
    try:
        frame = json.loads(text)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) else None
