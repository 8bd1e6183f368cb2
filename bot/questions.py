"""What must be asked before anything is sent; each question holds drafts, of which one may be sent.

Pure: `replies` has the words.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.notification import State


@dataclass(frozen=True)
class SecondEnter:
    """The same went to the same people a moment ago; the draft sends it once more."""

    draft_id: str
    notification_id: str
    seconds_ago: float
    states: frozenset[State]
    """Of the earlier one's recipients."""


@dataclass(frozen=True)
class ManyRecipients:
    """The draft goes to a group or to many people; nothing is sent before somebody says so."""

    draft_id: str
    recipients: int
    groups: tuple[str, ...]
    """The handles of the groups among them; empty where Slack did not tell one."""
    unlinked: tuple[str, ...]
    """Names of some who are known to have no CRM user."""
    unlinked_count: int
    """How many are known to have none."""
    seconds: float
    """Until the last one's turn, about."""
    title: str


@dataclass(frozen=True)
class LeadChoice:
    """One of the leads that fit, as its draft would be about it; texts are as the CRM has them."""

    draft_id: str
    name: str
    contact: str
    owner: str


@dataclass(frozen=True)
class WhichLead:
    """More than one lead fits what was named."""

    choices: tuple[LeadChoice, ...]
    more: int = 0
    """Leads that fit, and are not among the choices."""
    ownerless: int = 0
    """Leads that cannot be chosen, because a notification for their owner would reach nobody."""


Question = SecondEnter | ManyRecipients | WhichLead
