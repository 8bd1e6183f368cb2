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

from bot.store import faults, moves
from bot.store.database import Clock, Database, P, T, Work, open_anew_after_trouble

# clock_timestamp(), as now() stands still; in a SELECT, as a volatile function serves no index.
NOW = "(SELECT extract(epoch from clock_timestamp())::double precision)"

TIMEOUTS = {"statement_timeout": 2_000, "idle_in_transaction_session_timeout": 5_000}
"""Milliseconds; the second so that a process that froze does not keep the account's gate."""

POOL_TIMEOUT = 1.0
"""Seconds for a free connection: so that Slack can be told in time that nothing was stored."""

END_WITHIN = 3.0
"""Seconds at the end for transactions under way; the server gives each up after two."""

THREADS = 16
"""More than connections, so that who waits for one is told by the pool when it takes too long."""


class PostgresDatabase(Database):
    """A small pool; nothing outlives a transaction, so that poolers do no harm."""

    def __init__(self, url: str, now: Clock | None) -> None:
        from sqlalchemy.dialects import postgresql

        super().__init__(literal_column(NOW) if now is None else now)
        self._dialect = postgresql
        self.engine = create_engine(
            url,
            pool_size=3,
            max_overflow=2,
            pool_pre_ping=True,
            pool_timeout=POOL_TIMEOUT,
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
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="postgres")

    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(self._run, work, *args, **kwargs))

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
        with faults.named(), self.engine.connect() as connection:
            noted = moves.begin_notes(connection)
            connection.execute(self._set_timeouts)
            done = work(connection, *args, **kwargs)
            with faults.named(committing=True):
                connection.commit()
            self.observer.moved(noted)
            return done


def _hang_up(connection: Any) -> None:
    """End a psycopg connection under the thread that waits on it: that ends with an error."""
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
