"""What became known of accepted recipients: their CRM user, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Double,
    ScalarSelect,
    Update,
    bindparam,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from bot.notification import FINAL, KEY_OWNER, Outcome
from bot.store.database import Database
from bot.store.moves import note
from bot.store.tables import IS_UNRESOLVED, deliveries, notifications

Updates = list[dict[str, Any]]


@dataclass(frozen=True)
class Unresolved:
    """A delivery whose CRM user is not known yet."""

    id: int
    notification_id: str
    slack_user_id: str
    repeats: int
    beside_key_owner: bool
    """The notification also goes to the key owner, who may be the same person."""


@dataclass(frozen=True)
class Match:
    """The CRM user behind a Slack user."""

    crm_user_id: str
    name: str


@dataclass(frozen=True)
class NoMatch:
    """A recipient that will not be sent to, and why."""

    outcome: Outcome
    name: str | None = None


@dataclass(frozen=True)
class AskAgain:
    """The look-up failed; it is repeated in `seconds`."""

    seconds: float


Resolution = Match | NoMatch | AskAgain


class Resolutions:
    """Reads who is unresolved and writes what was found, a batch at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Built once: composing a statement takes longer than running it.
        beside = deliveries.alias("beside")
        key_owner = (  # not EXISTS: Postgres would read the whole table to hash it
            select(true())
            .where(
                beside.c.notification_id == deliveries.c.notification_id,
                beside.c.crm_user_id == KEY_OWNER,
                beside.c.twin_of.is_(None),
            )
            .limit(1)
            .scalar_subquery()
        )
        self._find_unresolved = (
            select(
                deliveries.c.id,
                deliveries.c.notification_id,
                deliveries.c.slack_user_id,
                deliveries.c.repeats,
                func.coalesce(key_owner, false()).label("beside_key_owner"),
            )
            .where(
                IS_UNRESOLVED,
                deliveries.c.due_at <= database.now,
                or_(
                    deliveries.c.repeats > 0,
                    deliveries.c.due_at <= database.now - bindparam("left", type_=Double),
                ),
            )
            .order_by(deliveries.c.due_at, deliveries.c.id)
            .limit(bindparam("most"))
        )

    async def find_unresolved(self, most: int, *, left: float = 0.0) -> list[Unresolved]:
        """Return the deliveries without a CRM user whose look-up is due longest.

        What was accepted less than `left` seconds ago is left to the process that accepted it.
        """
        bound = {"most": most, "left": left}
        return await self._database.transact(
            lambda connection: [
                Unresolved(*row) for row in connection.execute(self._find_unresolved, bound)
            ]
        )

    async def record(self, found: Sequence[tuple[Unresolved, Resolution]]) -> None:
        """Store what was found; two recipients that are one CRM user become one call."""
        if found:
            await self._database.transact(self._record, found)

    def _record(
        self, connection: Connection, found: Sequence[tuple[Unresolved, Resolution]]
    ) -> None:
        ids = {delivery.notification_id for delivery, _ in found}
        primaries = self._lock_primaries(connection, ids)
        matched: Updates = []
        twins: Updates = []
        settled: Updates = []
        again: Updates = []
        for delivery, resolution in found:
            match resolution:
                case Match():
                    key = (delivery.notification_id, resolution.crm_user_id)
                    row = {"key": delivery.id, **vars(resolution)}
                    if key in primaries:
                        twins.append({**row, "twin_of": primaries[key]})
                    else:
                        primaries[key] = delivery.id
                        matched.append(row)
                case NoMatch(outcome, name):
                    settled.append({"key": delivery.id, "name": name, **vars(outcome)})
                case AskAgain(seconds):
                    again.append({"key": delivery.id, "seconds": seconds})
        self._assign(connection, matched, twins)
        self._settle(connection, settled)
        self._postpone(connection, again)

    def _lock_primaries(
        self, connection: Connection, notification_ids: set[str]
    ) -> dict[tuple[str, str], int]:
        """Return the deliveries that make the calls, by notification and CRM user."""
        lock = select(notifications.c.id).where(notifications.c.id.in_(notification_ids))
        connection.execute(lock.order_by(notifications.c.id).with_for_update())
        query = (
            select(deliveries.c.notification_id, deliveries.c.crm_user_id, deliveries.c.id)
            .where(
                deliveries.c.notification_id.in_(notification_ids),
                deliveries.c.crm_user_id.is_not(None),
                deliveries.c.twin_of.is_(None),
            )
            .with_for_update()
        )  # or one that is settled right now would not see its new twin
        return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def _assign(self, connection: Connection, matched: Updates, twins: Updates) -> None:
        values: dict[str, BindParameter[Any] | int] = {
            "crm_user_id": bindparam("crm_user_id"),
            "name": bindparam("name"),
            "repeats": 0,  # those of the look-up are not those of the push
        }
        if matched:
            connection.execute(self._update().values(**values), matched)
        if not twins:
            return
        connection.execute(self._update().values(twin_of=bindparam("twin_of"), **values), twins)
        share_outcomes(connection, [twin["twin_of"] for twin in twins])

    def _settle(self, connection: Connection, settled: Updates) -> None:
        if settled:
            change = self._update().values(
                state=bindparam("state"),
                code=bindparam("code"),
                detail=bindparam("detail"),
                name=bindparam("name"),
                settled_at=self._database.now,
            )
            for state in {row["state"] for row in settled}:
                alike = [row for row in settled if row["state"] == state]
                note(connection, state, connection.execute(change, alike).rowcount)

    def _postpone(self, connection: Connection, again: Updates) -> None:
        if not again:
            return
        # One moment for all, or a look in between would split them into two look-ups from then on.
        now = connection.scalar(select(self._database.now))
        change = self._update().values(
            due_at=literal(now, Double) + bindparam("seconds", type_=Double),
            repeats=deliveries.c.repeats + 1,
        )
        connection.execute(change, again)

    def _update(self) -> Update:
        return update(deliveries).where(deliveries.c.id == bindparam("key"), IS_UNRESOLVED)


def _build_share() -> ReturningUpdate[str]:
    primary = deliveries.alias("primary_delivery")
    primary_ids: BindParameter[Any] = bindparam("primary_ids", expanding=True)

    def of_primary(column: str) -> ScalarSelect[Any]:
        query = select(primary.c[column]).where(primary.c.id == deliveries.c.twin_of)
        return query.scalar_subquery()

    ended = select(primary.c.id).where(
        primary.c.id.in_(primary_ids),  # or all that ever ended would be listed each time
        primary.c.state.in_(FINAL),
    )
    return (
        update(deliveries)
        .where(
            deliveries.c.twin_of.in_(primary_ids),
            deliveries.c.twin_of.in_(ended),
            or_(  # or those that have it already would come into it again
                deliveries.c.state != of_primary("state"),
                deliveries.c.settled_at.is_distinct_from(of_primary("settled_at")),
            ),
        )
        .values({name: of_primary(name) for name in ("state", "code", "detail", "settled_at")})
        .returning(deliveries.c.state)
    )


_SHARE = _build_share()  # once: composing this one takes three times as long as running it


def share_outcomes(connection: Connection, primary_ids: Sequence[int]) -> None:
    """Give recipients that make no call of their own the outcome of the one that made it."""
    for state in connection.scalars(_SHARE, {"primary_ids": primary_ids}).all():
        note(connection, state)
