"""How answers leave the stand-in, whole or broken on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import zlib
from collections.abc import Iterator

from aiohttp import web

from bot.sandbox.leadsquared.answers import Answer

CHUNK = 1 << 16
PADDING = 40 << 20
"""More than a reader of anything, the roster included, should take in."""


def build_response(answer: Answer) -> web.Response:
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


def build_bomb(body: bytes) -> bytes:
    """Return `body` and megabytes of blanks, in a few kilobytes of gzip; it is still good JSON."""
    packer = zlib.compressobj(level=1, wbits=31)
    packed = [packer.compress(piece) for piece in _pad(body)]
    return b"".join([*packed, packer.flush()])


def _pad(body: bytes) -> Iterator[bytes]:
    yield body
    for _ in range(PADDING // CHUNK):
        yield b" " * CHUNK


def disconnect(request: web.Request, *, reset: bool) -> web.Response:
    """Close the connection without an answer: politely, or with a reset."""
    transport = request.transport
    if transport is not None:
        if reset:
            linger = struct.pack("ii", 1, 0)
            raw: socket.socket = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response(status=500)  # has nowhere to go any more


async def send_cut(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Promise the whole body, send half of it and close."""
    response = _start(answer)
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def send_slowly(
    request: web.Request, answer: Answer, pause: float, stopped: asyncio.Event
) -> web.StreamResponse:
    """Send a byte at a time, `pause` seconds apart."""
    response = _start(answer)
    response.content_length = len(answer.body)
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        for at in range(len(answer.body)):
            await response.write(answer.body[at : at + 1])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stopped.wait()
                    break
    return response


async def send_padded(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Send the body and then blanks for as long as somebody reads."""
    response = _start(answer)
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        for piece in _pad(answer.body):
            await response.write(piece)
    return response


async def send_bomb(answer: Answer) -> web.StreamResponse:
    packed = await asyncio.to_thread(build_bomb, answer.body)
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    return build_response(Answer(answer.status, packed, answer.content_type, headers))


def _start(answer: Answer) -> web.StreamResponse:
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return web.StreamResponse(status=answer.status, headers=headers)
