"""People as the two systems know them, and the links between; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What a Slack user is to this workspace; only members send and receive."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    EXTERNAL = "external"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True)
class Person:
    """A Slack user as last read."""

    user_id: str
    name: str
    email: str | None
    standing: Standing
    is_admin: bool


@dataclass(frozen=True)
class Link:
    """A Slack user's CRM user; `linked_by` is the admin who said so, else it was the e-mail."""

    user_id: str
    crm_user_id: str
    crm_name: str
    crm_email: str | None
    linked_by: str | None = None
    linked_at: float = 0.0
    """Seconds since the epoch, by the store's clock, which alone sets it."""


@dataclass(frozen=True)
class Description:
    """What is known of one person; `problem` is a code that `replies` has words for."""

    person: Person
    link: Link | None
    problem: str | None = None
