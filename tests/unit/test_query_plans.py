import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event

from bot.store.database import Database, SqliteDatabase
from bot.store.resolutions import Match
from tests.store import Store

Step = Callable[[Store], Awaitable[object]]


class Plans:
    """What SQLite says, for each statement, about how it goes through the tables."""

    def __init__(self, database: Database) -> None:
        assert isinstance(database, SqliteDatabase)
        self.steps: list[str] = []
        event.listen(database.engine, "before_cursor_execute", self._explain)

    def _explain(
        self, _: Any, cursor: Any, statement: str, parameters: Any, __: Any, many: bool
    ) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked = cursor.connection.execute(
                f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters
            )
            self.steps += [row[3] for row in asked.fetchall()]

    @property
    def indexes(self) -> set[str]:
        return {name for step in self.steps for name in re.findall(r"INDEX ((?:ix|uq)_\w+)", step)}

    @property
    def full_scans(self) -> list[str]:
        """Return the steps that go through the whole of a table that grows."""
        growing = r"^SCAN (deliveries|notifications|replies|beside|twin|primary_delivery)\b"
        return [step for step in self.steps if re.match(growing, step) and "INDEX" not in step]

    @property
    def sorts(self) -> list[str]:
        return [step for step in self.steps if "TEMP B-TREE" in step]


@pytest.fixture
async def store(database: Database) -> Store:
    store = Store(database)
    await store.gate.prepare()
    await store.accept("UA", "UB", "UC", key="k1")
    await store.resolve(UA="a", UB="b")
    return store


@pytest.fixture
def plans(store: Store) -> Plans:
    return Plans(store.database)


async def record(store: Store) -> None:
    found = await store.resolutions.find_unresolved(10)
    await store.resolutions.record([(each, Match("a", "Lee")) for each in found])


@pytest.mark.parametrize(
    ("step", "index"),
    [
        (lambda store: store.claims.sweep(), "ix_deliveries_expires"),
        (lambda store: store.claims.sweep(), "ix_deliveries_lease"),
        (lambda store: store.resolutions.find_unresolved(10), "ix_deliveries_unresolved"),
        (record, "ix_deliveries_twins"),
        (lambda store: store.debts.take(), "ix_replies_owed"),
        (lambda store: store.reports.find_latest("UALICE"), "ix_notifications_sender"),
    ],
    ids=[
        "sweep-age",
        "sweep-lease",
        "unresolved",
        "record",
        "owed",
        "latest",
    ],
)
async def test_what_runs_all_the_time_goes_by_its_index(
    store: Store, plans: Plans, step: Step, index: str
) -> None:
    await step(store)
    assert index in plans.indexes
    assert plans.full_scans == []
    assert plans.sorts == []


async def test_forgetting_asks_an_index_what_is_owed(store: Store, plans: Plans) -> None:
    await store.debts.forget(keep_days=30)
    assert "ix_replies_notification_id" in plans.indexes
