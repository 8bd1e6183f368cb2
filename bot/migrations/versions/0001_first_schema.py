"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.Text(), nullable=False),
        sa.Column("acceptance", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("key", name=op.f("uq_drafts_key")),
    )
    op.create_table(
        "gates",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("closed_until", sa.Double(), server_default="0", nullable=False),
        sa.Column("probing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("probe_permit", sa.Text(), nullable=True),
        sa.Column("probe_until", sa.Double(), server_default="0", nullable=False),
        sa.Column("learned_limit", sa.Integer(), nullable=True),
        sa.Column("learned_period", sa.Double(), nullable=True),
        sa.Column("learned_at", sa.Double(), nullable=True),
        sa.Column("learned_under", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_gates")),
    )
    op.create_table(
        "interactions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_interactions")),
    )
    op.create_table(
        "links",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("crm_user_id", sa.Text(), nullable=False),
        sa.Column("crm_name", sa.Text(), nullable=False),
        sa.Column("crm_email", sa.Text(), nullable=True),
        sa.Column("linked_by", sa.Text(), nullable=True),
        sa.Column("linked_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_links")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.Text(), nullable=False),
        sa.Column("sender_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("click_url", sa.Text(), nullable=True),
        sa.Column("icon_url", sa.Text(), nullable=True),
        sa.Column("lead_name", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("key", name=op.f("uq_notifications_key")),
    )
    op.create_index("ix_notifications_accepted_at", "notifications", ["accepted_at"], unique=False)
    op.create_index(
        "ix_notifications_fingerprint",
        "notifications",
        ["fingerprint", "accepted_at"],
        unique=False,
    )
    op.create_index(
        "ix_notifications_sender", "notifications", ["sender_id", "accepted_at"], unique=False
    )
    op.create_table(
        "people",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_people")),
    )
    op.create_table(
        "slots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("free_at", sa.Double(), server_default="0", nullable=False),
        sa.Column("permit", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account", "number", name=op.f("pk_slots")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notification_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("slack_user_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("crm_user_id", sa.Text(), nullable=True),
        sa.Column("twin_of", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_deliveries_notification_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["twin_of"], ["deliveries.id"], name=op.f("fk_deliveries_twin_of"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_expires",
        "deliveries",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_deliveries_lease",
        "deliveries",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "ix_deliveries_next",
        "deliveries",
        ["position", "id"],
        unique=False,
        sqlite_where=sa.text(
            "state = 'pending' AND crm_user_id IS NOT NULL AND twin_of IS NULL AND repeats = 0"
        ),
        postgresql_where=sa.text(
            "state = 'pending' AND crm_user_id IS NOT NULL AND twin_of IS NULL AND repeats = 0"
        ),
    )
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["notification_id", "state"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'sending')"),
        postgresql_where=sa.text("state IN ('pending', 'sending')"),
    )
    op.create_index(
        "ix_deliveries_queued",
        "deliveries",
        ["position"],
        unique=False,
        sqlite_where=sa.text("state = 'pending' AND twin_of IS NULL AND position >= 0"),
        postgresql_where=sa.text("state = 'pending' AND twin_of IS NULL AND position >= 0"),
    )
    op.create_index(
        "ix_deliveries_repeated",
        "deliveries",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text(
            "state = 'pending' AND crm_user_id IS NOT NULL AND twin_of IS NULL AND repeats > 0"
        ),
        postgresql_where=sa.text(
            "state = 'pending' AND crm_user_id IS NOT NULL AND twin_of IS NULL AND repeats > 0"
        ),
    )
    op.create_index(
        "ix_deliveries_twins",
        "deliveries",
        ["twin_of"],
        unique=False,
        sqlite_where=sa.text("twin_of IS NOT NULL"),
        postgresql_where=sa.text("twin_of IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_unresolved",
        "deliveries",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending' AND crm_user_id IS NULL"),
        postgresql_where=sa.text("state = 'pending' AND crm_user_id IS NULL"),
    )
    op.create_index(
        "uq_deliveries_one_call",
        "deliveries",
        ["notification_id", "crm_user_id"],
        unique=True,
        sqlite_where=sa.text("crm_user_id IS NOT NULL AND twin_of IS NULL"),
        postgresql_where=sa.text("crm_user_id IS NOT NULL AND twin_of IS NULL"),
    )
    op.create_index(
        "uq_deliveries_position", "deliveries", ["notification_id", "position"], unique=True
    )
    op.create_table(
        "replies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notification_id", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("thread_ts", sa.Text(), nullable=True),
        sa.Column("response_url", sa.Text(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("expected_at", sa.Double(), nullable=True),
        sa.Column("show_at", sa.Double(), nullable=True),
        sa.Column("shown_at", sa.Double(), nullable=True),
        sa.Column("card_channel", sa.Text(), nullable=True),
        sa.Column("card_ts", sa.Text(), nullable=True),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("paid_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_replies_notification_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
    )
    op.create_index("ix_replies_asked_by", "replies", ["asked_by", "asked_at"], unique=False)
    op.create_index("ix_replies_notification_id", "replies", ["notification_id"], unique=False)
    op.create_index(
        "ix_replies_owed",
        "replies",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("paid_at IS NULL"),
        postgresql_where=sa.text("paid_at IS NULL"),
    )
    op.create_index(
        "ix_replies_show",
        "replies",
        ["show_at"],
        unique=False,
        sqlite_where=sa.text("show_at IS NOT NULL AND paid_at IS NULL"),
        postgresql_where=sa.text("show_at IS NOT NULL AND paid_at IS NULL"),
    )
    op.create_index(
        "ix_replies_shown",
        "replies",
        ["shown_at"],
        unique=False,
        sqlite_where=sa.text("shown_at IS NOT NULL"),
        postgresql_where=sa.text("shown_at IS NOT NULL"),
    )
