"""A delivery's way from pending to final: peek, claim, settle, and what runs out of time.

A claim and its slot are taken in one transaction, both or neither; an outcome is stored only by
the attempt that earned it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Double,
    Select,
    TextClause,
    Update,
    and_,
    bindparam,
    func,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from bot.errors import CrmError
from bot.notification import Notification, Outcome, State
from bot.store.database import Clock, Database
from bot.store.gate import INTERACTIVE_RECIPIENTS, GateStore, Permit, Wait
from bot.store.moves import note
from bot.store.resolutions import share_outcomes
from bot.store.tables import (
    IS_CLAIMABLE,
    IS_FRESH,
    IS_PENDING,
    IS_REPEATED,
    IS_SENDING,
    deliveries,
    notifications,
    replies,
)

MOST_REPEATS = 500
"""Repeats looked at for the lowest position, longest due first: at 25 calls in 5 s and backoffs
of a minute there are never more than 300."""

TOO_LATE = "too_late"
LEASE_RAN_OUT = "lease"


@dataclass(frozen=True)
class Claim:
    """One delivery that is ours to push, once, under `permit`."""

    delivery_id: int
    notification_id: str
    attempt: int
    repeats: int
    crm_user_id: str
    notification: Notification
    permit: Permit


class Claims:
    """Takes deliveries out of the queue and stores what became of them."""

    def __init__(self, database: Database, gate: GateStore) -> None:
        self._database = database
        self._gate = gate
        # Built once: composing a statement takes longer than running it.
        self._peek = self._select_next()
        self._find_next = (
            select(
                *(deliveries.c[name] for name in ("id", "notification_id", "position")),
                *(deliveries.c[name] for name in ("attempt", "repeats", "crm_user_id")),
                *(notifications.c[name] for name in ("title", "content")),
                *(notifications.c[name] for name in ("click_url", "icon_url")),
            )
            .join(notifications)
            .where(deliveries.c.id == self._peek.scalar_subquery())
        )
        now = database.now
        self._begin = (
            update(deliveries)
            .where(deliveries.c.id == bindparam("key"), IS_CLAIMABLE)  # not cancelled meanwhile
            .values(
                state=State.SENDING,
                attempt=deliveries.c.attempt + 1,
                lease_until=now + gate.limits.lease,
            )
        )
        self._end = _end_attempt(IS_SENDING, now)
        given_up = and_(deliveries.c.state == State.UNKNOWN, deliveries.c.code == LEASE_RAN_OUT)
        self._end_late = _end_attempt(given_up, now)
        self._put_back = _of_attempt(IS_SENDING).values(state=State.PENDING, lease_until=null())
        self._put_off = self._put_back.values(
            code=bindparam("why"),
            due_at=now + bindparam("seconds", type_=Double),
            repeats=bindparam("repeated"),
        )
        late = Outcome(State.UNAVAILABLE, TOO_LATE)
        self._end_expired = self._settle_where(late, IS_PENDING, deliveries.c.expires_at <= now)
        dead = Outcome(State.UNKNOWN, LEASE_RAN_OUT)
        self._end_dead = self._settle_where(dead, IS_SENDING, deliveries.c.lease_until <= now)

    async def peek(self) -> bool:
        """Tell whether anything is due, without taking part in the gate."""
        return await self._database.transact(
            lambda connection: connection.execute(self._peek).first() is not None
        )

    async def claim(self) -> Claim | Wait | None:
        """Take the delivery that is next now together with a slot for it.

        Next is the lowest position in its notification, then the oldest: whoever has been
        served least goes first.
        """
        return await self._database.transact(self._claim)

    def _claim(self, connection: Connection) -> Claim | Wait | None:
        gate = self._gate.lock(connection)
        row = connection.execute(self._find_next).first()
        if row is None:
            return None
        interactive = row.position < INTERACTIVE_RECIPIENTS
        permit = self._gate.take(connection, gate, interactive=interactive)
        if isinstance(permit, Wait):
            return permit
        if not connection.execute(self._begin, {"key": row.id}).rowcount:
            self._gate.give_back(connection, permit, None, used=False)
            return None
        note(connection, State.SENDING)
        return Claim(
            row.id,
            row.notification_id,
            row.attempt + 1,
            row.repeats,
            row.crm_user_id,
            Notification(row.title, row.content, row.click_url, row.icon_url),
            permit,
        )

    async def settle(
        self, claim: Claim, outcome: Outcome, error: CrmError | None, *, condemns: bool = False
    ) -> bool:
        """Store the outcome of an attempt and return its slot; False if it came too late.

        A late result of the same attempt replaces the `unknown` that its lease left behind.
        `condemns`: whatever of this notification still waits would fare alike, so it is settled
        without a call.
        """
        return await self._database.transact(self._settle, claim, outcome, error, condemns=condemns)

    def _settle(
        self,
        connection: Connection,
        claim: Claim,
        outcome: Outcome,
        error: CrmError | None,
        *,
        condemns: bool,
    ) -> bool:
        self._gate.give_back(connection, claim.permit, error, used=True)
        if not _change(connection, self._end, claim, **_bind(outcome)):
            return self._correct(connection, claim, outcome)
        note(connection, outcome.state)
        share_outcomes(connection, [claim.delivery_id])
        if condemns:
            self._condemn(connection, claim.notification_id, outcome)
        return True

    async def repeat(self, claim: Claim, error: CrmError, *, seconds: float, counts: bool) -> bool:
        """Put a delivery back that the CRM definitely did not take; False if it came too late.

        Once its lease ran out we said that it is not repeated, so then it ends as unavailable.
        """
        return await self._database.transact(self._repeat, claim, error, seconds, counts)

    def _repeat(
        self, connection: Connection, claim: Claim, error: CrmError, seconds: float, counts: bool
    ) -> bool:
        self._gate.give_back(connection, claim.permit, error, used=True)
        values = {"why": error.code, "seconds": seconds, "repeated": claim.repeats + int(counts)}
        if _change(connection, self._put_off, claim, **values):
            note(connection, State.PENDING)
            return True
        given_up = Outcome(State.UNAVAILABLE, error.code, error.detail or None)
        return self._correct(connection, claim, given_up)

    async def hand_back(self, claim: Claim) -> None:
        """Undo a claim whose push never began."""
        await self._database.transact(self._hand_back, claim)

    def _hand_back(self, connection: Connection, claim: Claim) -> None:
        self._gate.give_back(connection, claim.permit, None, used=False)
        if _change(connection, self._put_back, claim):
            note(connection, State.PENDING)

    async def sweep(self) -> int:
        """Settle what ran out of time: too old to send, or its process died while sending."""
        return await self._database.transact(self._sweep)

    def _sweep(self, connection: Connection) -> int:
        expired = connection.scalars(self._end_expired).all()
        reaped = connection.scalars(self._end_dead).all()
        note(connection, State.UNAVAILABLE, len(expired))
        note(connection, State.UNKNOWN, len(reaped))
        if reaped:
            share_outcomes(connection, reaped)
        return len(expired) + len(reaped)

    def _select_next(self) -> Select[tuple[int]]:
        """Return the id of the lowest position among the fresh and the repeats that are due.

        Apart, as a claim would otherwise walk over all that wait for their repeat.
        """
        fresh = self._due(IS_FRESH).order_by(deliveries.c.position, deliveries.c.id).limit(1)
        repeated = self._due(IS_REPEATED).order_by(deliveries.c.due_at).limit(MOST_REPEATS)
        both = union_all(*(select(each.subquery()) for each in (fresh, repeated))).subquery()
        return select(both.c.id).order_by(both.c.position, both.c.id).limit(1)

    def _due(self, condition: TextClause) -> Select[tuple[int, int]]:
        now = self._database.now
        return select(deliveries.c.id, deliveries.c.position).where(
            condition, deliveries.c.due_at <= now, deliveries.c.expires_at > now
        )

    def _correct(self, connection: Connection, claim: Claim, outcome: Outcome) -> bool:
        """Replace the `unknown` that the lease of this attempt left, and owe a new card."""
        if not _change(connection, self._end_late, claim, **_bind(outcome)):
            return False
        note(connection, outcome.state)
        share_outcomes(connection, [claim.delivery_id])
        self._owe_correction(connection, claim.notification_id)
        return True

    def _owe_correction(self, connection: Connection, notification_id: str) -> None:
        """Owe the last reply once more: it said unknown, and now we know."""
        last = select(func.max(replies.c.id)).where(replies.c.notification_id == notification_id)
        connection.execute(
            update(replies)
            .where(replies.c.id == last.scalar_subquery())
            .values(paid_at=null(), due_at=self._database.now, lease_until=null())
        )

    def _condemn(self, connection: Connection, notification_id: str, outcome: Outcome) -> None:
        this_one = deliveries.c.notification_id == notification_id
        condemned = connection.scalars(self._settle_where(outcome, IS_PENDING, this_one)).all()
        note(connection, outcome.state, len(condemned))

    def _settle_where(self, outcome: Outcome, *conditions: Any) -> ReturningUpdate[int]:
        return (
            update(deliveries)
            .where(*conditions)
            .values(**vars(outcome), settled_at=self._database.now, lease_until=null())
            .returning(deliveries.c.id)
        )


def _of_attempt(condition: Any) -> Update:
    """Return a change of a delivery as long as one attempt is its last."""
    is_last = deliveries.c.attempt == bindparam("last")
    return update(deliveries).where(deliveries.c.id == bindparam("key"), is_last, condition)


def _end_attempt(condition: Any, now: Clock) -> Update:
    return _of_attempt(condition).values(
        state=bindparam("to"),
        code=bindparam("why"),
        detail=bindparam("words"),
        settled_at=now,
        lease_until=null(),
    )


def _bind(outcome: Outcome) -> dict[str, str | None]:
    return {"to": outcome.state, "why": outcome.code, "words": outcome.detail}


def _change(connection: Connection, change: Update, claim: Claim, **values: Any) -> bool:
    """Run a change for this attempt; False if there has been another one."""
    bound = {"key": claim.delivery_id, "last": claim.attempt, **values}
    return bool(connection.execute(change, bound).rowcount)
