"""The tables, and the indexes that keep a claim cheap at any queue length."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

from bot.notification import State

SCHEMA_REVISION = "0001"
"""The migration this code needs; a test compares it with Alembic's head."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # the Slack interaction that made it
    Column("sender_id", Text, nullable=False),
    Column("sender_name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("click_url", Text),
    Column("icon_url", Text),
    Column("lead_name", Text),  # whose page a click opens
    Column("fingerprint", Text, nullable=False),  # of sender, recipients and text
    Column("accepted_at", Double, nullable=False),
    Index("ix_notifications_accepted_at", "accepted_at"),
    Index("ix_notifications_sender", "sender_id", "accepted_at"),
    Index("ix_notifications_fingerprint", "fingerprint", "accepted_at"),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # the Slack interaction, and which choice
    Column("sender_id", Text, nullable=False),
    Column("acceptance", Text, nullable=False),  # JSON
    Column("made_at", Double, nullable=False),
)

interactions = Table(
    "interactions",
    metadata,
    Column("key", Text, primary_key=True),  # what has had its effect: a press, a link
    Column("at", Double, nullable=False),
)

_PENDING = f"state = '{State.PENDING}'"
_OPEN = f"state IN ('{State.PENDING}', '{State.SENDING}')"


_SENDING = f"state = '{State.SENDING}'"
_CLAIMABLE = f"{_PENDING} AND crm_user_id IS NOT NULL AND twin_of IS NULL"
_FRESH = f"{_CLAIMABLE} AND repeats = 0"
_REPEATED = f"{_CLAIMABLE} AND repeats > 0"
_UNRESOLVED = f"{_PENDING} AND crm_user_id IS NULL"
_SHOWABLE = "show_at IS NOT NULL AND paid_at IS NULL"
_QUEUED = f"{_PENDING} AND twin_of IS NULL AND position >= 0"  # always: no claim may go by it

# The planner uses a partial index only for the very same words, so queries take them from here.
IS_PENDING = text(_PENDING)
IS_SENDING = text(_SENDING)
IS_OPEN = text(_OPEN)
IS_CLAIMABLE = text(_CLAIMABLE)
IS_FRESH = text(_FRESH)
IS_REPEATED = text(_REPEATED)
IS_UNRESOLVED = text(_UNRESOLVED)
IS_SHOWABLE = text(_SHOWABLE)
IS_QUEUED = text(_QUEUED)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )


deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "notification_id",
        Text,
        ForeignKey("notifications.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("position", Integer, nullable=False),
    Column("slack_user_id", Text),  # null: the key owner, named explicitly
    Column("name", Text),  # of the person, once known
    Column("crm_user_id", Text),  # a GUID or KEY_OWNER; null until resolved
    Column("twin_of", Integer, ForeignKey("deliveries.id", ondelete="CASCADE")),
    Column("state", Text, nullable=False),
    Column("code", Text),  # why it is in this state
    Column("detail", Text),  # LeadSquared's own words
    Column("attempt", Integer, nullable=False, server_default="0"),  # fences late results
    Column("repeats", Integer, nullable=False, server_default="0"),
    Column("due_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("lease_until", Double),
    Column("settled_at", Double),
    Index("uq_deliveries_position", "notification_id", "position", unique=True),
    _partial(
        "uq_deliveries_one_call",
        "notification_id",
        "crm_user_id",
        where="crm_user_id IS NOT NULL AND twin_of IS NULL",
        unique=True,
    ),
    _partial("ix_deliveries_next", "position", "id", where=_FRESH),
    _partial("ix_deliveries_repeated", "due_at", where=_REPEATED),
    _partial("ix_deliveries_unresolved", "due_at", "id", where=_UNRESOLVED),
    _partial("ix_deliveries_queued", "position", where=_QUEUED),
    _partial("ix_deliveries_expires", "expires_at", where=_PENDING),
    _partial("ix_deliveries_lease", "lease_until", where=_SENDING),
    _partial("ix_deliveries_open", "notification_id", "state", where=_OPEN),
    _partial("ix_deliveries_twins", "twin_of", where="twin_of IS NOT NULL"),
)

replies = Table(
    "replies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "notification_id",
        Text,
        ForeignKey("notifications.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("asked_by", Text, nullable=False),
    Column("channel_id", Text),
    Column("thread_ts", Text),
    Column("response_url", Text),
    Column("private", Boolean, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("recipients", Integer, nullable=False),  # of this round; they count for HOURLY_LIMIT
    Column("expected_at", Double),  # when the last outcome should be there; null: not estimated
    Column("show_at", Double),  # when to show progress next; null: never
    Column("shown_at", Double),  # when progress was shown last
    Column("card_channel", Text),  # the card that was posted, with its ts
    Column("card_ts", Text),
    Column("uses", Integer, nullable=False, server_default="0"),  # of the response_url
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", Double, nullable=False),
    Column("lease_until", Double),
    Column("paid_at", Double),
    _partial("ix_replies_owed", "due_at", where="paid_at IS NULL"),
    _partial("ix_replies_show", "show_at", where=_SHOWABLE),
    _partial("ix_replies_shown", "shown_at", where="shown_at IS NOT NULL"),
    Index("ix_replies_notification_id", "notification_id"),
    Index("ix_replies_asked_by", "asked_by", "asked_at"),
)

people = Table(
    "people",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("standing", Text, nullable=False),  # directory.Standing: member, guest, bot, ...
    Column("is_admin", Boolean, nullable=False),
    Column("read_at", Double, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("crm_user_id", Text, nullable=False),
    Column("crm_name", Text, nullable=False),
    Column("crm_email", Text),
    Column("linked_by", Text),  # an admin's Slack id; null: matched by e-mail
    Column("linked_at", Double, nullable=False),
)

gates = Table(
    "gates",
    metadata,
    Column("account", Text, primary_key=True),
    Column("closed_until", Double, nullable=False, server_default="0"),
    Column("probing", Boolean, nullable=False, server_default=text("false")),
    Column("probe_permit", Text),  # the permit whose success reopens the gate
    Column("probe_until", Double, nullable=False, server_default="0"),
    Column("learned_limit", Integer),
    Column("learned_period", Double),
    Column("learned_at", Double),
    Column("learned_under", Text),  # the settings it was learned under; others forget it
)

slots = Table(
    "slots",
    metadata,
    Column("account", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("free_at", Double, nullable=False, server_default="0"),
    Column("permit", Text),  # who holds it
)
