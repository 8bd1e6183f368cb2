"""Postgres: a small pool; nothing outlives a transaction, so that poolers do no harm."""

from __future__ import annotations

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Table, create_engine, event, func, literal_column, select, text
from sqlalchemy.exc import DBAPIError

from bot.errors import StoreUnavailableError
from bot.store import faults, moves
from bot.store.database import Clock, Database, P, T, Work, open_anew_after_trouble

# clock_timestamp(), as now() stands still; in a SELECT, as a volatile function serves no index.
NOW = "(SELECT extract(epoch from clock_timestamp())::double precision)"

TIMEOUTS = {"statement_timeout": 2_000, "idle_in_transaction_session_timeout": 5_000}
"""Milliseconds; the second so that a process that froze does not keep the account's gate."""

CONNECTIONS = 5
"""At most, and kept open: a new one is a new process of the server."""

WAIT_WITHIN = 1.0
"""Seconds for a free connection: so that Slack can be told in time that nothing was stored."""

END_WITHIN = 3.0
"""Seconds at the end for transactions under way; the server gives each up after two."""


class PostgresDatabase(Database):
    """A small pool; nothing outlives a transaction, so that poolers do no harm."""

    def __init__(self, url: str, now: Clock | None) -> None:
        from sqlalchemy.dialects import postgresql

        super().__init__(literal_column(NOW) if now is None else now)
        self._dialect = postgresql
        self.engine = create_engine(
            url,
            pool_size=CONNECTIONS,
            max_overflow=0,
            hide_parameters=True,
            connect_args={
                "prepare_threshold": None,
                "connect_timeout": 5,
                "tcp_user_timeout": 10_000,  # milliseconds until a silent network is an error
                "keepalives_idle": 30,
            },
        )
        self._connections: WeakSet[Any] = WeakSet()
        event.listen(self.engine, "connect", self._keep)
        event.listen(self.engine, "handle_error", open_anew_after_trouble)
        names = TIMEOUTS.items()
        self._set_timeouts = select(
            *(func.set_config(name, str(value), literal_column("true")) for name, value in names)
        )
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="postgres")
        self._free = asyncio.Semaphore(CONNECTIONS)  # first come, first served; a pool is not fair

    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        await self._wait_for_connection()
        run = partial(self._run, work, *args, **kwargs)
        done = asyncio.get_running_loop().run_in_executor(self._threads, run)
        done.add_done_callback(lambda _: self._free.release())
        return await done

    async def _wait_for_connection(self) -> None:
        try:
            async with asyncio.timeout(WAIT_WITHIN):
                await self._free.acquire()
        except TimeoutError as exc:
            raise StoreUnavailableError(f"no connection was free for {WAIT_WITHIN:g} s") from exc

    async def check(self) -> None:
        """Nothing to do: its server looks after it."""

    def insert(self, table: Table) -> Any:
        return self._dialect.insert(table)

    def serialize(self, connection: Connection, name: str) -> None:
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        connection.execute(lock, {"name": name})

    async def close(self) -> None:
        """End what runs; a server that froze is hung up on, as it would keep us for ever."""
        ended = asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        if not (await asyncio.wait({ended}, timeout=END_WITHIN))[0]:
            for connection in self._connections:
                _hang_up(connection)
        await ended
        self.engine.dispose()

    def _keep(self, connection: Any, _record: Any) -> None:
        self._connections.add(connection)

    def _run(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with faults.named(), self._begin() as connection:
            noted = moves.begin_notes(connection)
            done = work(connection, *args, **kwargs)
            with faults.named(committing=True):
                connection.commit()
            self.observer.moved(noted)
            return done

    def _begin(self) -> Connection:
        """Open a transaction that has its timeouts; a session that ended meanwhile is replaced."""
        try:
            return self._open()
        except DBAPIError as exc:
            if not exc.connection_invalidated:
                raise
            return self._open()  # the pool has dropped what is older

    def _open(self) -> Connection:
        connection = self.engine.connect()
        try:
            connection.execute(self._set_timeouts)
        except DBAPIError:
            connection.close()
            raise
        return connection


def _hang_up(connection: Any) -> None:
    """End a psycopg connection under the thread that waits on it: that ends with an error."""
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
