"""What the steps of the state machine share: the store, the model, and what always holds."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Connection, delete, select

from bot.store.claims import Claim
from bot.store.database import Database
from bot.store.gate import Limits
from bot.store.postgres import PostgresDatabase
from bot.store.tables import (
    deliveries,
    drafts,
    gates,
    interactions,
    notifications,
    replies,
    slots,
)
from tests.clock import FrozenClock
from tests.model import Model
from tests.store import Store

T = TypeVar("T")

LIMITS = Limits(limit=4, period=1.0, reserved=1, timeout=10.0)
DELIVER_WITHIN = 60.0
EMPTIED = (notifications, drafts, interactions, gates, slots)
SEQUENCES = ("deliveries_id_seq", "replies_id_seq")


class StoreMachineBase(RuleBasedStateMachine):
    """Every step is done to the store and to the model; the database is emptied for each run."""

    runner: asyncio.Runner
    database: Database
    clock: FrozenClock

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(self.database, LIMITS, deliver_within=DELIVER_WITHIN)
        self.model = Model(self.clock, LIMITS, DELIVER_WITHIN)
        self.claims: list[Claim] = []
        self.run(self.database.transact(self._empty))
        self.run(self.store.gate.prepare())

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(step)

    def _empty(self, connection: Connection) -> None:
        """Leave nothing of the run before; numbers begin at 1 again."""
        for table in EMPTIED:
            connection.execute(delete(table))
        if isinstance(self.database, PostgresDatabase):
            for sequence in SEQUENCES:
                connection.exec_driver_sql(f"ALTER SEQUENCE {sequence} RESTART")

    @rule(seconds=st.sampled_from([0.5, 4.0, LIMITS.lease, DELIVER_WITHIN]))
    def forward(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        self.run(self.database.transact(self._compare))

    def _compare(self, connection: Connection) -> None:
        assert {
            row.id: (
                (row.notification_id, row.position, row.slack_user_id or ""),
                (row.state, row.code, row.attempt, row.repeats, row.crm_user_id, row.twin_of),
            )
            for row in connection.execute(select(deliveries))
        } == {
            number: (
                (each.notification, each.position, each.user),
                (each.state, each.code, each.attempt, each.repeats, each.crm, each.twin_of),
            )
            for number, each in self.model.deliveries.items()
        }
        assert {
            row.id: (row.notification_id, row.asked_by, row.paid_at is not None)
            for row in connection.execute(select(replies))
        } == {
            number: (each.notification, each.asked_by, each.is_paid)
            for number, each in self.model.replies.items()
        }
        held = select(slots.c.free_at, slots.c.permit).order_by(slots.c.number)
        assert [tuple(row) for row in connection.execute(held)] == self.model.gate.slots
        gate, mine = connection.execute(select(gates)).one(), self.model.gate
        assert (gate.closed_until, gate.probing) == (mine.closed_until, mine.is_probing)
        assert (gate.probe_permit, gate.probe_until) == (mine.probe_permit, mine.probe_until)

    @invariant()
    def nobody_is_called_twice_in_a_round(self) -> None:
        calls: dict[tuple[str, str | None], int] = {}
        for each in self.model.deliveries.values():
            key = (each.notification, each.crm)
            calls[key] = calls.get(key, 0) + each.pushes
        assert all(number <= 1 for number in calls.values())
