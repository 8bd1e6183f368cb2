"""The words of the domain: what is sent, to whom, from where, and the states it passes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

KEY_OWNER = "KEY_OWNER"
"""The recipient that leaves `UserId` out of a push: the owner of the API keys, by explicit wish."""


class State(StrEnum):
    """Where a delivery is; all but the first two are final until a person presses a button."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"
    UNLINKED = "unlinked"
    CANCELLED = "cancelled"


FINAL = tuple(state for state in State if state not in (State.PENDING, State.SENDING))


@dataclass(frozen=True)
class SlackUser:
    """A recipient named by Slack id; their CRM user is found out after acceptance."""

    user_id: str


@dataclass(frozen=True)
class KeyOwner:
    """The owner of the API keys, named explicitly."""


@dataclass(frozen=True)
class CrmRecipient:
    """A CRM user whom LeadSquared itself named, such as the owner of a lead."""

    user_id: str
    name: str


@dataclass(frozen=True)
class LeadOwner:
    """The owner of the lead that is named too; becomes a CrmRecipient before acceptance."""


Recipient = SlackUser | KeyOwner | CrmRecipient
Addressee = Recipient | LeadOwner
"""A recipient who may depend on the lead that is named."""


@dataclass(frozen=True)
class SlackGroup:
    """A user group named by Slack id; who is in it is found out before acceptance."""

    group_id: str


Named = Addressee | SlackGroup
"""What a person can write in the place of a recipient."""


@dataclass(frozen=True)
class Notification:
    """What LeadSquared will show, already checked."""

    title: str
    content: str
    click_url: str | None = None
    icon_url: str | None = None
    lead_name: str | None = None
    """Whose page `click_url` opens, if it is a lead's."""


@dataclass(frozen=True)
class Place:
    """Where the outcome belongs; no channel means a direct message to the sender."""

    channel_id: str | None = None
    thread_ts: str | None = None
    response_url: str | None = None
    private: bool = False


@dataclass(frozen=True)
class Card:
    """A message that Slack took from us, by channel and `ts`; it may be updated."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Outcome:
    """What a try led to: a state, a code that `replies` has words for, and LeadSquared's own."""

    state: State
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Delivery:
    """One recipient of a notification, as a reader sees it."""

    position: int
    slack_user_id: str | None
    name: str | None
    state: State
    code: str | None = None
    detail: str | None = None
    twin_position: int | None = None
    repeats: int = 0
    """Tries that failed so far, of the look-up or of the push."""
    email: str | None = None
    """In Slack; for the eyes of the sender and of admins."""


@dataclass(frozen=True)
class Report:
    """A notification with all its deliveries."""

    notification_id: str
    sender_id: str
    sender_name: str
    notification: Notification
    deliveries: tuple[Delivery, ...]
    accepted_at: float
    seconds: float
    """From acceptance to the last outcome, or until now where something is still open."""
    api_host: str | None = None
    """The CRM account's, where it matters and could be learned."""

    @property
    def is_open(self) -> bool:
        """Tell whether an outcome is still missing."""
        return any(each.state not in FINAL for each in self.deliveries)


@dataclass(frozen=True)
class Summary:
    """A notification in a list: its recipients are counted, and only the first are named."""

    notification_id: str
    title: str
    accepted_at: float
    """Seconds since the epoch."""
    counts: Mapping[tuple[State, str | None], int]
    """Recipients by state and code."""
    first: tuple[Delivery, ...]

    @property
    def recipients(self) -> int:
        return sum(self.counts.values())

    def count(self, *states: State, but_not: Collection[str | None] = ()) -> int:
        """Return how many recipients are in any of `states`, without those whose code is named."""
        return sum(
            count
            for (state, code), count in self.counts.items()
            if state in states and code not in but_not
        )

    @property
    def is_open(self) -> bool:
        """Tell whether an outcome is still missing."""
        return self.count(State.PENDING, State.SENDING) > 0
