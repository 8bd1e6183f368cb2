"""People as the two systems know them, and the links between; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.characters import printable

_USER_ID = re.compile(r"[UW][A-Z0-9]{1,30}")


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


def is_user_id(value: object) -> bool:
    """Tell whether Slack could know somebody by it."""
    return isinstance(value, str) and bool(_USER_ID.fullmatch(value))


def read_person(user: Mapping[str, Any], team_id: str) -> Person:
    """Read a user object: https://docs.slack.dev/reference/objects/user-object"""
    profile = user.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    name = profile.get("real_name") or profile.get("display_name") or user.get("name")
    email = str(profile.get("email") or "").strip().lower()
    return Person(
        user_id=str(user.get("id")),
        name=printable(str(name or "")) or str(user.get("id")),
        email=email or None,
        standing=_standing(user, team_id),
        is_admin=bool(user.get("is_admin") or user.get("is_owner")),
    )


def _standing(user: Mapping[str, Any], team_id: str) -> Standing:
    if user.get("deleted"):
        return Standing.DEACTIVATED
    if user.get("is_bot") or user.get("id") == "USLACKBOT":
        return Standing.BOT
    teams = {
        user.get("team_id", team_id),
        *((user.get("enterprise_user") or {}).get("teams") or []),
    }
    if user.get("is_stranger") or team_id not in teams:
        return Standing.EXTERNAL
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Standing.GUEST
    return Standing.MEMBER
