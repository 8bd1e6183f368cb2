"""The way in: a notification, its deliveries and the reply owed for it, in one commit."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection, bindparam, func, insert, select

from bot.errors import CommitInDoubtError, StoreError, UserError
from bot.notification import KEY_OWNER, CrmRecipient, KeyOwner, Recipient, SlackUser, State
from bot.questions import ManyRecipients, SecondEnter
from bot.store.acceptance import Acceptance
from bot.store.confirmation import Confirmation
from bot.store.database import Database, P, Work, in_batches
from bot.store.debts import build_insert, owed_row
from bot.store.drafts import Drafts
from bot.store.estimate import Estimate
from bot.store.gate import GateStore
from bot.store.moves import note
from bot.store.people import PeopleStore
from bot.store.quota import Quota
from bot.store.tables import deliveries, notifications

log = structlog.get_logger()

COMMIT_WITHIN = 2.0
"""Seconds given to the commit, out of the three that Slack waits for an acknowledgement."""

SECOND_ENTER = 60.0
"""Seconds in which the same text to the same people is taken for a slip."""

TOO_OLD = "This question is too old to be answered, so nothing was sent. Write it again."

ASKED_BEFORE = (
    "This was asked about before, so nothing was sent this time. Answer the question, or write it "
    "again."
)

ALIVE = (State.PENDING, State.SENDING, State.SENT, State.UNKNOWN)
"""States in which sending the same again would reach somebody twice."""


@dataclass(frozen=True)
class Receipt:
    """What was stored, and the seconds until the last recipient's turn, about."""

    notification_id: str
    recipients: int
    seconds: float
    unresolved: int = 0
    """Recipients whose CRM user is still to be found."""
    is_new: bool = True
    earlier: SecondEnter | None = None
    """Nothing was accepted: this went out a moment ago, and somebody must say that it is meant."""


class Outbox:
    """Accepts notifications."""

    def __init__(
        self, database: Database, gate: GateStore, quota: Quota, *, deliver_within: float
    ) -> None:
        self._database = database
        self._estimate = Estimate(database, gate, deliver_within=deliver_within)
        self._quota = quota
        self._drafts = Drafts(database)
        self._people = PeopleStore(database)
        self._confirmation = Confirmation(self._estimate, quota, self._drafts, self._people)
        self._commits: set[asyncio.Task[Receipt]] = set()
        self.on_stored_late: Callable[[Receipt], None] = lambda _: None
        # Built once: composing a statement takes longer than running it.
        now = database.now
        add = database.insert(notifications).values(accepted_at=now)
        once = add.on_conflict_do_nothing(index_elements=["key"])
        self._add_notification = once.returning(notifications.c.id)
        self._add_deliveries = insert(deliveries).values(
            state=State.PENDING, due_at=now, expires_at=now + deliver_within
        )
        self._add_reply = build_insert(database)
        self._find_receipt = (
            select(notifications.c.id, func.count())
            .join(deliveries)
            .where(notifications.c.key == bindparam("key"))
            .group_by(notifications.c.id)
        )
        self._find_alike = (
            select(
                notifications.c.id,
                notifications.c.key,
                deliveries.c.state,
                (now - notifications.c.accepted_at).label("age"),
            )
            .join(deliveries)
            .where(
                notifications.c.fingerprint == bindparam("same"),
                notifications.c.accepted_at > now - SECOND_ENTER,
            )
            .order_by(notifications.c.accepted_at.desc())
        )

    async def accept(self, acceptance: Acceptance) -> Receipt:
        """Commit one notification with all its deliveries and the reply owed for it.

        Raises CommitInDoubtError if the commit is not back in time; it goes on nevertheless.
        """
        return await self._commit(self._accept_once, acceptance)

    async def accept_draft(self, draft_id: str, sender_id: str) -> Receipt:
        """Turn a draft into a notification, once, in one transaction.

        Raises UserError if it has expired or is somebody else's.
        """
        return await self._commit(self._accept_draft, draft_id, sender_id)

    async def ask(self, choices: Sequence[Acceptance]) -> list[str]:
        """Store drafts of which at most one will be sent; return their ids in the same order."""

        def save(connection: Connection) -> list[str]:
            return [
                self._drafts.save(connection, choice, number)
                for number, choice in enumerate(choices)
            ]

        return await self._database.transact(save)

    async def ask_first(
        self, acceptance: Acceptance, groups: Sequence[str]
    ) -> ManyRecipients | SecondEnter:
        """Store a draft, and say what it would do; `groups` are the handles of those in it.

        Raises UserError for what would be refused if it were sent now.
        """
        return await self._database.transact(self._ask_first, acceptance, groups)

    async def _commit(self, work: Work[P, Receipt], *args: P.args, **kwargs: P.kwargs) -> Receipt:
        commit = asyncio.create_task(self._database.transact(work, *args, **kwargs), name="accept")
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        try:
            done, _ = await asyncio.wait({commit}, timeout=COMMIT_WITHIN)
        except asyncio.CancelledError:
            commit.add_done_callback(self._note_late)
            raise
        if not done:
            commit.add_done_callback(self._note_late)
            raise CommitInDoubtError(f"no commit within {COMMIT_WITHIN:g} s")
        return commit.result()

    def _note_late(self, commit: asyncio.Task[Receipt]) -> None:
        """Tell how a commit ended that was said to be in doubt; nobody waits for it any more."""
        if commit.cancelled():
            return
        error = commit.exception()
        if error is None:
            log.info("acceptance.stored_late", notification=commit.result().notification_id)
            self.on_stored_late(commit.result())
        elif isinstance(error, StoreError | UserError):
            log.warning("acceptance.not_stored", error=type(error).__name__)
        else:
            log.error("acceptance.failed", exc_info=error)

    async def drain(self) -> None:
        """Wait for the commits that were not back in time."""
        if self._commits:
            await asyncio.wait(self._commits)

    def _accept_once(self, connection: Connection, acceptance: Acceptance) -> Receipt:
        """Accept, unless the same went to the same people a moment ago."""
        self._database.serialize(connection, acceptance.fingerprint)
        earlier = self._find_earlier(connection, acceptance)
        if earlier is None:
            if self._drafts.was_asked(connection, acceptance.key):
                raise UserError(ASKED_BEFORE)  # what it led to is for the buttons to say
            return self._accept(connection, acceptance)
        count = len(acceptance.recipients)
        return Receipt(earlier.notification_id, count, 0.0, is_new=False, earlier=earlier)

    def _ask_first(
        self, connection: Connection, acceptance: Acceptance, groups: Sequence[str]
    ) -> ManyRecipients | SecondEnter:
        earlier = self._find_earlier(connection, acceptance)
        return earlier or self._confirmation.build(connection, acceptance, groups)

    def _find_earlier(self, connection: Connection, acceptance: Acceptance) -> SecondEnter | None:
        """Return what was sent a moment ago, with a draft to send it again; None if nothing was."""
        rows = connection.execute(self._find_alike, {"same": acceptance.fingerprint}).all()
        alive = [row for row in rows if row.state in ALIVE]
        if not alive or any(row.key == acceptance.key for row in rows):  # or this very interaction
            return None
        last = alive[0].id
        return SecondEnter(
            self._drafts.save(connection, acceptance),
            last,
            alive[0].age,
            frozenset(State(row.state) for row in rows if row.id == last),
        )

    def _accept_draft(self, connection: Connection, draft_id: str, sender_id: str) -> Receipt:
        found = self._drafts.find(connection, draft_id, sender_id)
        if found is None:
            raise UserError(TOO_OLD)
        draft, is_good = found
        # One key for all choices of a question: whichever is pressed first is sent.
        key = f"draft:{draft.key}"
        if not is_good and connection.execute(self._find_receipt, {"key": key}).first() is None:
            raise UserError(TOO_OLD)
        return self._accept(connection, replace(draft, key=key))

    def _accept(self, connection: Connection, acceptance: Acceptance) -> Receipt:
        notification_id = secrets.token_hex(4)
        count = len(acceptance.recipients)
        if not self._insert_notification(connection, notification_id, acceptance):
            return self._read_receipt(connection, acceptance.key)
        seconds = self._estimate.check(connection, count)
        self._quota.check(connection, acceptance.sender_id, count)
        unresolved = self._insert_deliveries(connection, notification_id, acceptance.recipients)
        self._insert_reply(connection, notification_id, acceptance, seconds)
        return Receipt(notification_id, count, seconds, unresolved)

    def _insert_notification(
        self, connection: Connection, notification_id: str, acceptance: Acceptance
    ) -> bool:
        row = {
            "id": notification_id,
            "key": acceptance.key,
            "sender_id": acceptance.sender_id,
            "sender_name": acceptance.sender_name,
            "fingerprint": acceptance.fingerprint,
            "title": acceptance.notification.title,
            "content": acceptance.notification.content,
            "click_url": acceptance.notification.click_url,
            "icon_url": acceptance.notification.icon_url,
            "lead_name": acceptance.notification.lead_name,
        }
        return connection.execute(self._add_notification, row).first() is not None

    def _read_receipt(self, connection: Connection, key: str) -> Receipt:
        found = connection.execute(self._find_receipt, {"key": key}).one()
        return Receipt(found[0], found[1], 0.0, is_new=False)

    def _insert_deliveries(
        self, connection: Connection, notification_id: str, recipients: Sequence[Recipient]
    ) -> int:
        """Store one delivery per recipient; return how many have no CRM user yet."""
        targets = self._find_targets(connection, recipients)
        rows = [
            {"notification_id": notification_id, "position": position, **target}
            for position, target in enumerate(targets)
        ]
        for some in in_batches(rows):
            connection.execute(self._add_deliveries, some)
        note(connection, State.PENDING, len(rows))
        return sum(target["crm_user_id"] is None for target in targets)

    def _find_targets(
        self, connection: Connection, recipients: Sequence[Recipient]
    ) -> list[dict[str, str | None]]:
        """Fill in the CRM users that are already known; two that are one are the resolver's."""
        if any(isinstance(recipient, KeyOwner) for recipient in recipients):
            return [_target(recipient) for recipient in recipients]
        users = [each.user_id for each in recipients if isinstance(each, SlackUser)]
        matches = self._people.match(connection, users)
        taken = {each.user_id for each in recipients if isinstance(each, CrmRecipient)}
        targets = []
        for recipient in recipients:
            target = _target(recipient)
            match = matches.get(str(target["slack_user_id"]))
            if match is not None and match.crm_user_id not in taken:
                taken.add(match.crm_user_id)
                target |= vars(match)
            targets.append(target)
        return targets

    def _insert_reply(
        self, connection: Connection, notification_id: str, acceptance: Acceptance, seconds: float
    ) -> None:
        row = owed_row(
            notification_id,
            acceptance.sender_id,
            acceptance.place,
            recipients=len(acceptance.recipients),
            seconds=seconds,
        )
        connection.execute(self._add_reply, row)


def _target(recipient: Recipient) -> dict[str, str | None]:
    match recipient:
        case KeyOwner():
            return {"slack_user_id": None, "crm_user_id": KEY_OWNER, "name": None}
        case CrmRecipient(user_id, name):
            return {"slack_user_id": None, "crm_user_id": user_id, "name": name}
        case SlackUser(user_id):
            return {"slack_user_id": user_id, "crm_user_id": None, "name": None}
