"""A pooler in transaction mode, as hosts put before PostgreSQL: a session a transaction.

The messages: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import asyncio
import struct
from contextlib import suppress
from pathlib import Path

READY = b"Z"
IDLE = b"I"
TERMINATE = b"X"
ENDS_A_BATCH = (b"Q", b"S")
PROTOCOL = 196_608


class Session:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def start(self, database: str) -> bytes:
        """Log in, and return what the server said: a client gets the same."""
        words = f"user\0postgres\0database\0{database}\0\0".encode()
        self.writer.write(struct.pack("!ii", len(words) + 8, PROTOCOL) + words)
        said, is_ready = b"", False
        while not is_ready:
            kind, message = await read_message(self.reader)
            said, is_ready = said + message, kind == READY
        return said


class Pooler:
    """Gives every transaction to the session that has rested longest; `turns` counts them."""

    def __init__(self, folder: Path, database: str, sessions: int = 3) -> None:
        self._socket = folder / ".s.PGSQL.5432"
        self._database = database
        self._count = sessions
        self._resting: asyncio.Queue[Session] = asyncio.Queue()
        self._clients: set[asyncio.Task[None]] = set()
        self._sessions: list[Session] = []
        self.turns = 0

    async def start(self) -> None:
        for _ in range(self._count):
            session = Session(*await asyncio.open_unix_connection(str(self._socket)))
            self._greeting = await session.start(self._database)
            self._sessions.append(session)
            self._resting.put_nowait(session)
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"postgres://postgres@127.0.0.1:{port}/{self._database}?sslmode=disable"

    async def stop(self) -> None:
        self._server.close()
        for client in self._clients:
            client.cancel()
        if self._clients:
            await asyncio.wait(self._clients)
        for session in self._sessions:
            await close(session.writer)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                (length,) = struct.unpack("!i", await reader.readexactly(4))
                await reader.readexactly(length - 4)
                writer.write(self._greeting)
                while await self._run_transaction(reader, writer):
                    self.turns += 1
        finally:
            await close(writer)

    async def _run_transaction(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Lend a session for one transaction; False when the client is gone."""
        kind, message = await read_message(reader)
        if kind == TERMINATE:
            return False
        session = await self._resting.get()
        while True:
            session.writer.write(message)
            if kind in ENDS_A_BATCH and await answer(session, writer) == IDLE:
                self._resting.put_nowait(session)
                return True
            kind, message = await read_message(reader)


async def answer(session: Session, writer: asyncio.StreamWriter) -> bytes:
    """Pass on all answers to a batch; return the state of the transaction."""
    while True:
        kind, message = await read_message(session.reader)
        writer.write(message)
        if kind == READY:
            return message[-1:]


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return a message's kind, and all of it."""
    head = await reader.readexactly(5)
    kind, length = struct.unpack("!ci", head)
    return kind, head + await reader.readexactly(length - 4)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()
