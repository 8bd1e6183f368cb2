"""What an admin wants to know of the whole bot; pure: `replies` has the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LastError:
    """The newest refusal or silence of the CRM; `code` is one that `replies` has words for."""

    code: str
    detail: str | None
    at: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class Overview:
    """Counts end at a bound of the store's; who counts more has `MOST_COUNTED` or more."""

    members: int
    """People of this workspace that the bot has read from Slack."""
    linked: int
    not_linked: Sequence[str]
    """Names of a few of the others."""
    pending: int
    oldest: float
    """Seconds that the oldest pending delivery has waited."""
    limit: int
    """Calls per `period` that are in force."""
    period: float
    is_learned: bool
    """A refusal of the CRM taught less than the settings say."""
    closed: float
    """Seconds until the gate opens again; 0 while it is open."""
    last_error: LastError | None


MOST_COUNTED = 5_000
"""People and deliveries beyond which nobody counts on."""
