"""The account's gate and slots: 25 rows that hold the rate across processes and restarts.

A slot is leased for a call and reopens one period after its *response*: counting from the start
lets 49 calls through in the first period (design, promise 3). Every transaction here locks the
gate row first, which keeps the order exact and cannot deadlock.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Row,
    Select,
    bindparam,
    insert,
    null,
    select,
    true,
    update,
)

from bot.errors import CrmConnectError, CrmError, CrmRateLimitedError
from bot.store.database import Database
from bot.store.tables import gates, slots

INTERACTIVE_RECIPIENTS = 20
"""The first recipients of a notification may use the reserved slots."""

BEGIN_WITHIN = 2.0
"""Seconds from a claim to the start of its push; later, both are handed back."""

REOPEN_MARGIN = 0.002
"""Seconds added to a period: SQLite's clock counts whole milliseconds and rounds down."""

MOST_CLOSED = 60.0
"""Seconds of `Retry-After` that we believe."""

REMEMBER = 24 * 3600.0
"""Seconds after which a learned limit is forgotten."""


@dataclass(frozen=True)
class Limits:
    """The account's limit as configured: `limit` calls per `period` seconds."""

    limit: int
    period: float
    reserved: int
    timeout: float

    @property
    def lease(self) -> float:
        """Seconds after which the slot and the claim of a dead process are given up."""
        return BEGIN_WITHIN + self.timeout + self.period

    def estimate(self, calls: int, *, bulk: bool = False) -> float:
        """Return the seconds until the last of `calls` begins, with every slot free at first."""
        pace = self.limit - self.reserved if bulk else self.limit
        return max(0, (calls - 1) // pace) * self.period

    @property
    def name(self) -> str:
        return f"{self.limit}/{self.period:g}"


@dataclass(frozen=True)
class Permit:
    """The right to make one call; the success of a probe reopens a gate that was closed."""

    id: str
    is_probe: bool = False


@dataclass(frozen=True)
class Wait:
    """No slot now; ask again in `seconds`.

    `for_all`: nobody gets one before, neither bulk nor interactive work.
    """

    seconds: float
    for_all: bool = True


def limits_in_force(gate: Row[Any], limits: Limits, now: float) -> Limits:
    """Return the configured limits, narrowed by what a refusal taught us."""
    learned = (
        gate.learned_at is not None
        and gate.learned_under == limits.name
        and now - gate.learned_at < REMEMBER
    )
    if not learned:
        return limits
    limit = max(1, min(limits.limit, gate.learned_limit or limits.limit))
    period = max(limits.period, gate.learned_period or 0.0)
    return Limits(limit, period, min(limits.reserved, limit - 1), limits.timeout)


def choose_slot(
    free_at: Sequence[tuple[int, float]], limits: Limits, *, interactive: bool, now: float
) -> int | Wait:
    """Return a free slot's number, or how long until one may be taken.

    Bulk work takes a slot only if more than the reserve is free.
    """
    busy = sorted(moment for _, moment in free_at if moment > now)
    needed = 1 if interactive else limits.reserved + 1
    missing = needed - (limits.limit - len(busy))
    if missing > 0:
        return Wait(busy[missing - 1] - now, for_all=interactive)
    return min(number for number, moment in free_at if moment <= now and number < limits.limit)


class GateStore:
    """The rows; its methods that take a connection join the caller's transaction."""

    def __init__(self, database: Database, limits: Limits, account: str) -> None:
        self.database = database
        self.limits = limits
        self.account = account
        self._mine = gates.c.account == account
        # Built once: composing a statement takes longer than running it.
        self._look_at_gate = select(gates, database.now.label("now")).where(self._mine)
        self._lock_gate = self._look_at_gate.with_for_update()
        self._read_clock = select(database.now)
        columns = (slots.c.number, slots.c.free_at, database.now.label("now"))
        self._read_slots = select(*columns).where(slots.c.account == account)
        in_seconds = database.now + bindparam("seconds", type_=Double)
        self._lease_slot = (
            update(slots)
            .where(slots.c.account == account, slots.c.number == bindparam("slot"))
            .values(free_at=in_seconds, permit=bindparam("holder"))
        )
        self._free_slot = (
            update(slots)
            .where(slots.c.account == account, slots.c.permit == bindparam("holder"))
            .values(free_at=in_seconds, permit=null())
        )

    async def prepare(self) -> None:
        """Create the rows this account needs; any number of processes may do so at once."""
        await self.database.transact(self._prepare)

    def _prepare(self, connection: Connection) -> None:
        add_gate = self.database.insert(gates).values(account=self.account)
        connection.execute(add_gate.on_conflict_do_nothing())
        self.lock(connection)
        have = set(connection.scalars(self._slot_numbers()))
        missing = [n for n in range(self.limits.limit) if n not in have]
        if missing:
            rows = [{"account": self.account, "number": n} for n in missing]
            connection.execute(insert(slots), rows)

    async def take_alone(self, *, interactive: bool) -> Permit | Wait:
        """Take a slot in a transaction of its own, for a look-up."""

        def take(connection: Connection) -> Permit | Wait:
            return self.take(connection, self.lock(connection), interactive=interactive)

        return await self.database.transact(take)

    async def give_back_alone(self, permit: Permit, error: CrmError | None, *, used: bool) -> None:
        """Return the slot of a look-up."""
        await self.database.transact(self.give_back, permit, error, used=used)

    def take(self, connection: Connection, gate: Row[Any], *, interactive: bool) -> Permit | Wait:
        """Lease a slot of the locked `gate`, or say how long to wait."""
        rows = connection.execute(self._read_slots).all()
        now = float(rows[0].now)
        limits = limits_in_force(gate, self.limits, now)
        if wait := self._closed_for(connection, gate, limits, now):
            return Wait(wait)
        free_at = [(row.number, row.free_at) for row in rows]
        if any(moment > now + limits.lease + 1 for _, moment in free_at):
            free_at = self._clamp_slots(connection, limits, now, free_at)
        chosen = choose_slot(free_at, limits, interactive=interactive or gate.probing, now=now)
        if isinstance(chosen, Wait):
            return chosen
        return self._lease(connection, chosen, limits, probing=gate.probing)

    def give_back(
        self, connection: Connection, permit: Permit, error: CrmError | None, *, used: bool
    ) -> None:
        """Return the slot: open at once if no call was made, else one period after now."""
        gate = self.lock(connection)
        limits = limits_in_force(gate, self.limits, gate.now)
        pause = limits.period + REOPEN_MARGIN if used else 0.0
        connection.execute(self._free_slot, {"holder": permit.id, "seconds": pause})
        if isinstance(error, CrmRateLimitedError):
            self._close(connection, gate, limits, error)
        elif gate.probe_permit == permit.id:
            proven = used and not isinstance(error, CrmConnectError)
            self._end_probe(connection, proven=proven)

    async def read(self) -> tuple[Limits, float]:
        """Return the limits in force and the seconds the gate stays closed."""
        return await self.database.transact(self.look)

    def look(self, connection: Connection) -> tuple[Limits, float]:
        """Do the same as `read` in the caller's transaction, which need not wait for the gate."""
        return self.describe(connection.execute(self._look_at_gate).one())

    def look_beside(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Return the query of `look` with more columns; `describe` reads its row."""
        return self._look_at_gate.add_columns(*columns)

    def describe(self, gate: Row[Any]) -> tuple[Limits, float]:
        """Return the limits in force and the seconds the gate stays closed, from its row."""
        return limits_in_force(gate, self.limits, gate.now), max(0.0, gate.closed_until - gate.now)

    def lock(self, connection: Connection) -> Row[Any]:
        """Lock the account's gate for the rest of the transaction, and return it."""
        return connection.execute(self._lock_gate).one()

    def _slot_numbers(self) -> Any:
        return select(slots.c.number).where(slots.c.account == self.account)

    def _closed_for(
        self, connection: Connection, gate: Row[Any], limits: Limits, now: float
    ) -> float:
        """Return the seconds until anything may be taken; 0 when the gate is open to one."""
        most = max(limits.period, MOST_CLOSED)
        if gate.closed_until > now + most + 1:  # the clock went back
            self._set(connection, closed_until=now + limits.period)
            return limits.period
        closed = max(gate.closed_until, gate.probe_until if gate.probing else 0.0) - now
        if gate.probing and gate.probe_until > now + limits.lease + 1:
            self._set(connection, probe_until=now)
            return 0.0
        return max(0.0, float(closed))

    def _clamp_slots(
        self,
        connection: Connection,
        limits: Limits,
        now: float,
        free_at: Sequence[tuple[int, float]],
    ) -> list[tuple[int, float]]:
        """Bring in what lies further ahead than a lease can: the clock went back."""
        latest = now + limits.lease
        connection.execute(
            update(slots)
            .where(slots.c.account == self.account, slots.c.free_at > latest)
            .values(free_at=now + limits.period)
        )
        return [(n, now + limits.period if at > latest else at) for n, at in free_at]

    def _lease(
        self, connection: Connection, number: int, limits: Limits, *, probing: bool
    ) -> Permit:
        permit = Permit(secrets.token_hex(8), is_probe=probing)
        slot = {"slot": number, "seconds": limits.lease, "holder": permit.id}
        connection.execute(self._lease_slot, slot)
        if probing:
            lease_until = self.database.now + limits.lease
            self._set(connection, probe_permit=permit.id, probe_until=lease_until)
        return permit

    def _close(
        self,
        connection: Connection,
        gate: Row[Any],
        limits: Limits,
        error: CrmRateLimitedError,
    ) -> None:
        delay = max(limits.period, error.period or 0.0, min(error.retry_after, MOST_CLOSED))
        now = connection.scalars(self._read_clock).one()  # that of the gate is from before its lock
        self._set(
            connection,
            closed_until=max(gate.closed_until, now + delay + REOPEN_MARGIN),
            probing=true(),
            probe_permit=null(),
            probe_until=0.0,
        )
        if error.limit is not None:
            self._set(
                connection,
                learned_limit=max(1, error.limit),
                learned_period=error.period,
                learned_at=gate.now,
                learned_under=self.limits.name,
            )

    def _end_probe(self, connection: Connection, *, proven: bool) -> None:
        self._set(connection, probing=not proven, probe_permit=null(), probe_until=0.0)

    def _set(self, connection: Connection, **values: Any) -> None:
        connection.execute(update(gates).where(self._mine).values(**values))
