"""A wire between a bot and a PostgreSQL server that a test can cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

CHUNK = 65_536


class Proxy:
    """Forwards to a server's socket; one COMMIT, of a transaction that a test names, is cut off.

    `lets_commit_through`: whether the server still sees it; the client never sees its answer.
    """

    def __init__(self, folder: Path) -> None:
        self._socket = folder / ".s.PGSQL.5432"
        self._word: bytes | None = None
        self._lets_commit_through = False
        self._connections: set[asyncio.Task[None]] = set()
        self.cuts = 0

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def url(self, name: str, port: int | None = None) -> str:
        """Return the address of a database; `port` is where it will start."""
        at = f"127.0.0.1:{port or self.port}"
        return f"postgresql+psycopg://postgres@{at}/{name}?sslmode=disable"

    def cut_commit_after(self, word: str, *, lets_commit_through: bool) -> None:
        """Cut the connection at the COMMIT of the next transaction whose statements have `word`."""
        self._word = word.encode()
        self._lets_commit_through = lets_commit_through

    def _take(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._forward(client, to_client))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _forward(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(str(self._socket))
        answers = asyncio.create_task(_pump(server, to_client))
        try:
            with suppress(ConnectionError):
                await self._send(client, to_server, server, answers)
        finally:
            answers.cancel()
            for writer in (to_client, to_server):
                writer.transport.abort()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def _send(
        self,
        client: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        answers: asyncio.Task[None],
    ) -> None:
        is_named = False
        while chunk := await client.read(CHUNK):
            is_named = is_named or (self._word is not None and self._word in chunk)
            if is_named and b"COMMIT" in chunk:
                self._word = None
                self.cuts += 1
                answers.cancel()
                await asyncio.wait({answers})
                if self._lets_commit_through:
                    to_server.write(chunk)
                    await server.read(CHUNK)
                return
            to_server.write(chunk)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
    writer.transport.abort()


@asynccontextmanager
async def open_proxy(folder: Path) -> AsyncIterator[Proxy]:
    proxy = Proxy(folder)
    await proxy.start()
    yield proxy
    await proxy.stop()
