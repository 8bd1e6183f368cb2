"""Tells every open page what has changed, soon after it did."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSCloseCode, web

from bot.sandbox.web.snapshot import Sections

TOGETHER = 0.05
"""Seconds in which changes are gathered into one message."""

TAKEN_WITHIN = 2.0
"""Seconds for a page to take a message; one that takes none does not hold up the others."""

Encoded = dict[str, dict[str, str]]


class Feed:
    """Each page gets everything at first, and then what is new, changed or gone."""

    def __init__(self, build: Callable[[], Sections]) -> None:
        self._build = build
        self._readers: set[_Reader] = set()
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Say that something may have changed."""
        self._changed.set()

    async def run(self) -> None:
        """Pass on changes, for ever."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(TOGETHER)
            self._changed.clear()
            if self._readers:
                state = encode(self._build())
                await asyncio.gather(*(reader.tell(state) for reader in [*self._readers]))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Keep one page told until it goes; what it says is ignored."""
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=1024)
        await socket.prepare(request)
        reader = _Reader(socket)
        self._readers.add(reader)
        try:
            await reader.tell(encode(self._build()))
            async for _ in socket:
                pass
        finally:
            self._readers.discard(reader)
        return socket

    async def close(self) -> None:
        for reader in [*self._readers]:
            await reader.close()


class _Reader:
    """One open page, and what it knows."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._known: Encoded = {}
        self._turn = asyncio.Lock()

    async def tell(self, state: Encoded) -> None:
        async with self._turn:
            change = find_change(self._known, state)
            if change is None:
                return
            self._known = state
            with contextlib.suppress(ConnectionError, TimeoutError):  # gone, or about to be
                async with asyncio.timeout(TAKEN_WITHIN):
                    await self._socket.send_str(change)

    async def close(self) -> None:
        await self._socket.close(code=WSCloseCode.GOING_AWAY)


def encode(sections: Sections) -> Encoded:
    return {
        name: {key: _dump(item) for key, item in items.items()} for name, items in sections.items()
    }


def find_change(known: Encoded, state: Encoded) -> str | None:
    """Return the message that makes a page know `state`; None if it does."""
    new, gone = [], {}
    for name, items in state.items():
        old = known.get(name, {})
        fresh = [f"{_dump(key)}:{text}" for key, text in items.items() if old.get(key) != text]
        if fresh:
            new.append(f"{_dump(name)}:{{{','.join(fresh)}}}")
        if lost := [key for key in old if key not in items]:
            gone[name] = lost
    if not new and not gone:
        return None
    return f'{{"now":{time.time():.3f},"set":{{{",".join(new)}}},"gone":{_dump(gone)}}}'


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
