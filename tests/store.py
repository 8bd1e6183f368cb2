"""The store's parts over one database, as a process has them, with short ways to use them."""

from collections.abc import Mapping

from sqlalchemy import Connection, Row, Select, select, text

from bot.notification import KeyOwner, Notification, Outcome, Place, SlackUser, State
from bot.store import store
from bot.store.acceptance import Acceptance
from bot.store.claims import Claim
from bot.store.database import Database
from bot.store.debts import Debt
from bot.store.gate import Limits
from bot.store.resolutions import Match, Resolution
from bot.store.tables import deliveries

LIMITS = Limits(limit=3, period=5.0, reserved=1, timeout=10.0)
ACCOUNT = "https://api.example.com"
DELIVER_WITHIN = 3600.0
KEY_OWNER_ONLY = ("",)
SENT = Outcome(State.SENT)


class Store(store.Store):
    """One process's view; `KeyOwner` is written as an empty Slack id."""

    def __init__(
        self,
        database: Database,
        limits: Limits = LIMITS,
        *,
        deliver_within: float = DELIVER_WITHIN,
        hourly_limit: int = 0,
    ) -> None:
        super().__init__(
            database, limits, ACCOUNT, deliver_within=deliver_within, hourly_limit=hourly_limit
        )

    async def accept(
        self,
        *users: str,
        key: str = "k1",
        place: Place | None = None,
        sender: str = "UALICE",
        content: str = "",
    ) -> str:
        receipt = await self.outbox.accept(
            acceptance(*users, key=key, place=place, sender=sender, content=content)
        )
        return receipt.notification_id

    async def resolve(self, **crm: str | Resolution) -> None:
        """Record what is given by Slack id: a CRM user id, or any resolution."""
        found = await self.resolutions.find_unresolved(10_000)
        await self.resolutions.record(
            [
                (each, _resolution(crm[each.slack_user_id], each.slack_user_id))
                for each in found
                if each.slack_user_id in crm
            ]
        )

    async def claim(self) -> Claim:
        claim = await self.claims.claim()
        assert isinstance(claim, Claim)
        return claim

    async def settle(self, outcome: Outcome = SENT) -> None:
        """Claim the delivery that is next, and let it end so."""
        await self.claims.settle(await self.claim(), outcome, None)

    async def rows(self) -> list[Row[tuple[object, ...]]]:
        """Return all deliveries as they are stored, in the order they were accepted."""
        everything = select(deliveries).order_by(deliveries.c.id)
        return await self.database.transact(lambda connection: _fetch_all(connection, everything))

    async def states(self) -> list[str]:
        return [str(row.state) for row in await self.rows()]

    async def take_debt(self) -> Debt:
        debt = await self.debts.take()
        assert debt is not None
        return debt

    async def execute(self, statement: str, values: Mapping[str, object] | None = None) -> None:
        await self.database.transact(_execute, statement, values or {})


async def make_read_only(database: Database) -> None:
    """Have SQLite refuse the next transaction, as a disk does that is mounted read-only."""
    await database.transact(_execute, "PRAGMA query_only = ON", {})


def acceptance(
    *users: str,
    key: str = "k1",
    place: Place | None = None,
    sender: str = "UALICE",
    content: str = "",
) -> Acceptance:
    return Acceptance(
        key,
        sender,
        "Alice",
        Notification("Title", content or f"Content {key}"),
        [SlackUser(user) if user else KeyOwner() for user in users],
        place or Place("C1"),
    )


def _fetch_all(
    connection: Connection, query: Select[tuple[object, ...]]
) -> list[Row[tuple[object, ...]]]:
    return list(connection.execute(query))


def _execute(connection: Connection, statement: str, values: Mapping[str, object]) -> None:
    connection.execute(text(statement), values)


def _resolution(found: str | Resolution, name: str) -> Resolution:
    return Match(found, name) if isinstance(found, str) else found
