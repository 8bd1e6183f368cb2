"""One database, its clock, and transactions whose failures say whether anything was stored.

The store's queries are plain functions of a connection. A whole transaction runs in a thread in one
go; statement by statement through an async driver it takes 2.5 times as long on SQLite, and 3.5
times on Postgres.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Table, bindparam, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.sql.elements import ColumnElement

from bot.errors import StoreBrokenError
from bot.observer import UNOBSERVED, Observer
from bot.store import faults

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]
Clock = ColumnElement[float]
"""The time in queries, in seconds since 1970."""


class Database(ABC):
    """Runs transactions; `now` is the clock of its queries (seconds since the epoch)."""

    def __init__(self, now: Clock) -> None:
        self.now = now
        self.observer: Observer = UNOBSERVED
        self.on_broken: Callable[[StoreBrokenError], None] = _do_nothing

    @abstractmethod
    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction: commit what it did, or nothing of it happened.

        Raises StoreUnavailableError when nothing was stored, and CommitInDoubtError when the
        connection broke while committing. StoreBrokenError goes to `on_broken` as well. A bug
        comes through as what it is. If the caller is cancelled, it may still happen.
        """

    @abstractmethod
    async def check(self) -> None:
        """Look at what can be found out before the first transaction.

        Raises StoreUnavailableError for what may come, and StoreBrokenError for what is damaged.
        """

    @abstractmethod
    def insert(self, table: Table) -> Any:
        """Return the dialect's INSERT, which knows ON CONFLICT."""

    @abstractmethod
    def serialize(self, connection: Connection, name: str) -> None:
        """Let the other transactions that name the same wait until this one has ended."""

    @abstractmethod
    async def close(self) -> None: ...

    async def read_clock(self) -> float:
        """Return the time the queries see."""
        return await self.transact(lambda connection: connection.scalars(select(self.now)).one())


def open_database(url: str, *, now: Callable[[], float] | None = None) -> Database:
    """Build the database for `url`; `now` replaces its clock in tests."""
    clock: Clock | None = None if now is None else bindparam("now", callable_=now)
    if url.startswith("sqlite"):
        from bot.store.sqlite import SqliteDatabase

        return SqliteDatabase(url, clock)
    from bot.store.postgres import PostgresDatabase

    return PostgresDatabase(url, clock)


def open_anew_after_trouble(context: ExceptionContext) -> None:
    """Give up a connection that cannot be trusted any more; hears of every error."""
    if faults.must_reopen(context.original_exception):
        context.is_disconnect = True


def in_batches(rows: Sequence[T], most: int = 500) -> Iterator[Sequence[T]]:
    """Yield some at a time.

    A driver keeps the answers to all rows of a statement, and a statement has a bound number of
    parameters: 65,535 in Postgres (https://www.postgresql.org/docs/current/limits.html), and
    32,766 in SQLite unless it was built otherwise (https://www.sqlite.org/limits.html).
    """
    for first in range(0, len(rows), most):
        yield rows[first : first + most]


def _do_nothing(_: StoreBrokenError) -> None: ...
