"""The way in: a notification, its deliveries and the reply owed for it, in one commit."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, func, insert, select

from bot.errors import CommitInDoubtError, UserError
from bot.notification import KEY_OWNER, KeyOwner, Notification, Place, Recipient, State
from bot.store.database import Database
from bot.store.gate import Limits
from bot.store.tables import IS_CLAIMABLE, deliveries, notifications, replies

COMMIT_WITHIN = 2.0
"""Seconds given to the commit, out of the three that Slack waits for an acknowledgement."""

MOST_COUNTED = 20_000
"""Deliveries counted for an estimate: an hour's worth at the default pace, and cheap."""

HOUR = 3600.0


@dataclass(frozen=True)
class Acceptance:
    """One notification on its way in; `key` names the Slack interaction that asked for it."""

    key: str
    sender_id: str
    sender_name: str
    notification: Notification
    recipients: Sequence[Recipient]
    place: Place


@dataclass(frozen=True)
class Receipt:
    """What was stored, and the seconds until the last recipient's turn, about."""

    notification_id: str
    recipients: int
    seconds: float
    is_new: bool = True


class Outbox:
    """Accepts notifications."""

    def __init__(
        self, database: Database, limits: Limits, *, deliver_within: float, hourly_limit: int
    ) -> None:
        self._database = database
        self._limits = limits
        self._deliver_within = deliver_within
        self._hourly_limit = hourly_limit
        self._commits: set[asyncio.Task[Receipt]] = set()
        # Built once: composing a statement takes longer than running it.
        now = database.now
        add = database.insert(notifications).values(accepted_at=now)
        self._add_notification = add.on_conflict_do_nothing(index_elements=["key"])
        self._add_deliveries = insert(deliveries).values(
            state=State.PENDING, due_at=now, expires_at=now + deliver_within
        )
        self._add_reply = insert(replies).values(asked_at=now, due_at=now)
        ahead = (
            select(deliveries.c.id)
            .where(IS_CLAIMABLE, deliveries.c.position < bindparam("count"))
            .limit(MOST_COUNTED)
        )
        self._count_ahead = select(func.count()).select_from(ahead.subquery())
        self._count_recent = (
            select(func.count())
            .select_from(deliveries.join(notifications))
            .where(
                notifications.c.sender_id == bindparam("sender_id"),
                notifications.c.accepted_at > now - HOUR,
            )
        )

    async def accept(self, acceptance: Acceptance) -> Receipt:
        """Commit one notification with all its deliveries and the reply owed for it.

        Raises CommitInDoubtError if the commit is not back in time; it goes on nevertheless.
        """
        commit = asyncio.create_task(
            self._database.transact(self._accept, acceptance), name="accept"
        )
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        done, _ = await asyncio.wait({commit}, timeout=COMMIT_WITHIN)
        if not done:
            commit.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise CommitInDoubtError(f"no commit within {COMMIT_WITHIN:g} s")
        return commit.result()

    async def drain(self) -> None:
        """Wait for the commits that were not back in time."""
        if self._commits:
            await asyncio.wait(self._commits)

    def _accept(self, connection: Connection, acceptance: Acceptance) -> Receipt:
        notification_id = secrets.token_hex(4)
        count = len(acceptance.recipients)
        if not self._insert_notification(connection, notification_id, acceptance):
            return self._find_receipt(connection, acceptance.key)
        # Served before the last of ours: lower positions first.
        ahead = connection.execute(self._count_ahead, {"count": count}).scalar_one()
        seconds = self._limits.estimate(ahead + count)
        if seconds > self._deliver_within:
            raise UserError(too_slow(count, seconds, self._deliver_within))
        self._check_hourly_limit(connection, acceptance)
        self._insert_deliveries(connection, notification_id, acceptance.recipients)
        self._insert_reply(connection, notification_id, acceptance)
        return Receipt(notification_id, count, seconds)

    def _insert_notification(
        self, connection: Connection, notification_id: str, acceptance: Acceptance
    ) -> bool:
        row = {
            "id": notification_id,
            "key": acceptance.key,
            "sender_id": acceptance.sender_id,
            "sender_name": acceptance.sender_name,
            "title": acceptance.notification.title,
            "content": acceptance.notification.content,
            "click_url": acceptance.notification.click_url,
            "icon_url": acceptance.notification.icon_url,
        }
        return bool(connection.execute(self._add_notification, row).rowcount)

    def _find_receipt(self, connection: Connection, key: str) -> Receipt:
        query = (
            select(notifications.c.id, func.count())
            .join(deliveries, deliveries.c.notification_id == notifications.c.id)
            .where(notifications.c.key == key)
            .group_by(notifications.c.id)
        )
        found = connection.execute(query).one()
        return Receipt(found[0], found[1], 0.0, is_new=False)

    def _check_hourly_limit(self, connection: Connection, acceptance: Acceptance) -> None:
        if not self._hourly_limit:
            return
        sender = {"sender_id": acceptance.sender_id}
        used = int(connection.execute(self._count_recent, sender).scalar_one())
        wanted = len(acceptance.recipients)
        if used + wanted > self._hourly_limit:
            raise UserError(
                f"You may notify {self._hourly_limit} recipients an hour; you have used {used}, "
                f"and this would be {wanted} more. Nothing was sent. Try again later, or ask an "
                "admin to raise HOURLY_LIMIT."
            )

    def _insert_deliveries(
        self, connection: Connection, notification_id: str, recipients: Sequence[Recipient]
    ) -> None:
        rows = [
            {"notification_id": notification_id, "position": position, **_target(recipient)}
            for position, recipient in enumerate(recipients)
        ]
        connection.execute(self._add_deliveries, rows)

    def _insert_reply(
        self, connection: Connection, notification_id: str, acceptance: Acceptance
    ) -> None:
        row = {"notification_id": notification_id, "asked_by": acceptance.sender_id}
        connection.execute(self._add_reply, row | asdict(acceptance.place))


def _target(recipient: Recipient) -> dict[str, str | None]:
    if isinstance(recipient, KeyOwner):
        return {"slack_user_id": None, "crm_user_id": KEY_OWNER}
    return {"slack_user_id": recipient.user_id, "crm_user_id": None}


def too_slow(count: int, seconds: float, within: float) -> str:
    """Say why a send that would outlive its usefulness is not taken."""
    return (
        f"{count} recipients would take about {seconds / 60:.0f} minutes at LeadSquared's limit, "
        f"and notifications older than {within / 60:.0f} minutes are not sent. Nothing was sent. "
        "Choose fewer people."
    )
