"""One connection of Socket Mode: envelopes in, acknowledgements out, until either side closes it.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
import structlog
from aiohttp import WSMsgType

from bot.errors import SlackUnavailableError
from bot.socket_mode.envelopes import Envelopes, Frame, read_frame

log = structlog.get_logger()

Socket = aiohttp.ClientWebSocketResponse

GREETED_WITHIN = 10.0
"""Seconds for Slack's hello."""

TAKE_WITHIN = 1.0
"""Seconds before closing in which new envelopes are taken, while others are in hand."""

ACKNOWLEDGE_WITHIN = 3.0
"""Seconds after that for those in hand; Slack waits no longer."""

MOST_IN_HAND = 100
"""Envelopes at once; more wait in the socket, and none in hand takes three seconds."""


class Link:
    """A WebSocket of ours."""

    def __init__(self, socket: Socket, envelopes: Envelopes) -> None:
        self.expiring = asyncio.Event()
        """Set when it should be replaced: Slack is about to close it, or it is closed."""
        self.closed = asyncio.Event()
        self._socket = socket
        self._envelopes = envelopes
        self._is_taking = True
        self._in_hand: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(MOST_IN_HAND)

    async def greet(self) -> Frame:
        """Return Slack's hello; raises SlackUnavailableError if it is none."""
        try:
            async with asyncio.timeout(GREETED_WITHIN):
                message = await self._socket.receive()
        except TimeoutError:
            raise SlackUnavailableError("no hello") from None
        frame = read_frame(message.data) if message.type is WSMsgType.TEXT else {}
        if frame.get("type") != "hello":
            raise SlackUnavailableError(f"no hello, but {frame.get('reason', message.type.name)}")
        return frame

    async def run(self) -> None:
        """Take what comes, until it is closed."""
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(read_frame(message.data))
        finally:
            log.info("socket_mode.closed", code=self._socket.close_code)
            self.closed.set()
            self.expiring.set()

    async def close(self) -> None:
        """Acknowledge what is in hand, then close."""
        await self._finish(TAKE_WITHIN)
        self._is_taking = False
        await self._finish(ACKNOWLEDGE_WITHIN)
        for task in self._in_hand:
            task.cancel()
        await self._socket.close()

    async def _take(self, frame: Frame) -> None:
        if frame.get("type") == "disconnect":
            log.info("socket_mode.asked_to_reconnect", reason=frame.get("reason"))
            self.expiring.set()
        elif "envelope_id" in frame and self._is_taking:
            await self._room.acquire()
            task = asyncio.create_task(self._answer(frame), name="envelope")
            self._in_hand.add(task)
            task.add_done_callback(self._let_go)

    async def _answer(self, frame: Frame) -> None:
        ack = await self._envelopes.answer(frame)
        if ack is None:
            return
        try:
            await self._socket.send_str(ack)
        except ConnectionError as exc:
            log.warning("socket_mode.acknowledgement_lost", error=type(exc).__name__)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        """Note how it ended; as over HTTP, a bug fails this envelope and nothing else."""
        self._in_hand.discard(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("envelope.failed", exc_info=error)

    async def _finish(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._in_hand:
                    await asyncio.wait(self._in_hand)
