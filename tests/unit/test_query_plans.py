"""Every statement that runs all the time, explained by the database beside many other rows."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import Connection, event

from bot.notification import Outcome, State
from bot.store.database import Database, open_database
from bot.store.postgres import PostgresDatabase
from bot.store.resolutions import Match
from bot.store.sqlite import SqliteDatabase
from tests.crowd import Rows, fill
from tests.store import Store, acceptance

Step = Callable[[Store], Awaitable[object]]

GROWING = {
    "deliveries",
    "notifications",
    "replies",
    "beside",
    "others",
    "twin",
    "primary_delivery",
}
"""Tables that grow, and their aliases."""

WALKED = {"ix_deliveries_next", "ix_deliveries_lease", "ix_replies_shown"}
"""Indexes without a condition of their own: the first row is enough, or they are short."""

CROWD = [
    Rows(20_000, 1, State.SENT),
    Rows(5_000, 100),
    Rows(5_000, 100, repeats=1, due_in=1e5),
    Rows(5_000, 100, resolved=False),
    Rows(5_000, 100, resolved=False, repeats=1, due_in=1e5),
    Rows(25, 25, State.SENDING),
]

keys = count()


@dataclass(frozen=True)
class Visit:
    """How a plan goes to one table; `condition`: by an index, and to a part of it only."""

    table: str
    index: str | None
    condition: bool


class Plans:
    """What the database says, for each statement, about how it goes through the tables."""

    def __init__(self, database: Database) -> None:
        self.visits: list[Visit] = []
        self.sorts = 0
        assert isinstance(database, SqliteDatabase | PostgresDatabase)
        is_sqlite = isinstance(database, SqliteDatabase)
        self._explain = self._explain_sqlite if is_sqlite else self._explain_postgres
        self._engine = database.engine
        event.listen(self._engine, "before_cursor_execute", self._look)

    def stop(self) -> None:
        event.remove(self._engine, "before_cursor_execute", self._look)

    def _look(
        self, connection: Connection, _: Any, statement: str, parameters: Any, __: Any, many: bool
    ) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            cursor = connection.connection.cursor()
            self._explain(cursor, statement, parameters[0] if many else parameters)
            cursor.close()

    def _explain_sqlite(self, cursor: Any, statement: str, parameters: Any) -> None:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        for _, _, _, step in cursor.fetchall():
            self.sorts += "TEMP B-TREE" in step
            if found := re.match(r"(SCAN|SEARCH) (\w+)(?:.*(?:INDEX|PRIMARY) (\w+))?", step):
                self.visits.append(Visit(found[2], found[3], found[1] == "SEARCH"))

    def _explain_postgres(self, cursor: Any, statement: str, parameters: Any) -> None:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        (found,) = cursor.fetchone()
        self._read(found if isinstance(found, list) else json.loads(found))

    def _read(self, plans: list[dict[str, Any]]) -> None:
        for plan in plans:
            node = plan.get("Plan", plan)
            if "Index Name" in node or node["Node Type"] == "Seq Scan":
                index = node.get("Index Name")
                self.visits.append(Visit(node.get("Alias", ""), index, "Index Cond" in node))
            self._read(node.get("Plans", []))

    @property
    def indexes(self) -> set[str]:
        """Return the indexes that were gone into at the right place."""
        return {each.index for each in self.visits if each.index and each.condition}

    @property
    def walked(self) -> set[str]:
        """Return the indexes that are gone through from their beginning."""
        return {each.index for each in self.visits if each.index and not each.condition}

    @property
    def full_scans(self) -> list[Visit]:
        """Return where the whole of a table that grows is read."""
        return [
            each
            for each in self.visits
            if each.index is None and re.sub(r"_\d+$", "", each.table) in GROWING
        ]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of a crowded database, by backend: filled once, as it takes seconds."""
    return {}


@pytest.fixture
def crowded_url(
    crowded: dict[str, str], backend: str, empty_database: Path, request: pytest.FixtureRequest
) -> str:
    if backend not in crowded:
        if backend == "postgres":
            crowded[backend] = request.getfixturevalue("postgres").create()
        else:
            path = empty_database.with_name("crowded.db")
            copyfile(empty_database, path)
            crowded[backend] = f"sqlite:///{path}"
        fill(crowded[backend], CROWD)
    return crowded[backend]


@pytest.fixture
async def store(crowded_url: str) -> AsyncIterator[Store]:
    """A store with its own clock: how a database counts time decides what an index is good for."""
    database = open_database(crowded_url)
    store = Store(database, deliver_within=1e9, hourly_limit=100)
    await store.gate.prepare()
    await store.execute("UPDATE slots SET free_at = 0")
    yield store
    await database.close()


@pytest.fixture
def plans(store: Store) -> Iterator[Plans]:
    plans = Plans(store.database)
    yield plans
    plans.stop()


async def record(store: Store) -> None:
    found = await store.resolutions.find_unresolved(10)
    await store.resolutions.record([(each, Match("a", "Lee")) for each in found])


async def settle(store: Store) -> None:
    claim = await store.claim()
    await store.claims.settle(claim, Outcome(State.REJECTED), None, condemns=True)


async def take_debts(store: Store) -> None:
    """Take what is due, until the progress of the rest is looked at."""
    while await store.debts.take() is not None:
        pass


async def accept(store: Store) -> None:
    number = next(keys)
    await store.outbox.accept(acceptance(f"UX{number}", key=f"k{number}", sender=f"UNEW{number}"))


@pytest.mark.parametrize(
    ("step", "indexes"),
    [
        (lambda store: store.claims.peek(), {"ix_deliveries_repeated"}),
        (lambda store: store.claims.claim(), {"ix_deliveries_repeated"}),
        (settle, {"ix_deliveries_twins"}),
        (lambda store: store.claims.sweep(), {"ix_deliveries_expires", "ix_deliveries_lease"}),
        (lambda store: store.resolutions.find_unresolved(10), {"ix_deliveries_unresolved"}),
        (record, {"ix_deliveries_twins"}),
        (take_debts, {"ix_replies_owed", "ix_replies_show", "ix_deliveries_open"}),
        (lambda store: store.reports.find_latest("U0"), {"ix_notifications_sender"}),
        (
            accept,
            {"ix_deliveries_queued", "ix_notifications_fingerprint", "ix_replies_asked_by"},
        ),
    ],
    ids=[
        "peek",
        "claim",
        "settle",
        "sweep",
        "unresolved",
        "record",
        "owed",
        "latest",
        "accept",
    ],
)
async def test_what_runs_all_the_time_goes_by_its_index(
    store: Store, plans: Plans, step: Step, indexes: set[str]
) -> None:
    await step(store)
    assert indexes <= plans.indexes
    assert plans.walked <= WALKED
    assert plans.full_scans == []


async def test_the_home_tab_reads_no_more_than_it_shows(store: Store, plans: Plans) -> None:
    await store.reports.find_recent("U0")
    assert {"ix_notifications_sender", "uq_deliveries_position"} <= plans.indexes
    assert plans.walked == set()
    assert plans.full_scans == []


async def test_the_overview_reads_the_ends_of_what_grows(store: Store, plans: Plans) -> None:
    await store.overview.read()
    assert plans.walked <= {"ix_deliveries_expires", "pk_deliveries"}  # each up to a bound
    assert [each.table for each in plans.full_scans] in ([], ["deliveries"])  # SQLite: by its id


async def test_the_gauges_read_what_is_open_and_no_more(store: Store, plans: Plans) -> None:
    await store.gauges.read()
    assert {"ix_deliveries_open"} <= plans.indexes
    assert plans.walked <= {"ix_deliveries_expires", "ix_deliveries_lease", "ix_replies_owed"}
    assert plans.full_scans == []


async def test_forgetting_starts_from_the_oldest(store: Store, plans: Plans) -> None:
    await store.retention.forget(keep_days=30)
    assert "ix_notifications_accepted_at" in plans.indexes
    assert not any(each.table == "deliveries" for each in plans.full_scans)
