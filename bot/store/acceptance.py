"""One notification on its way in, and how a draft keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from bot.notification import KeyOwner, Notification, Place, Recipient, SlackUser


@dataclass(frozen=True)
class Acceptance:
    """What somebody wants sent; `key` names the Slack interaction that asked for it."""

    key: str
    sender_id: str
    sender_name: str
    notification: Notification
    recipients: Sequence[Recipient]
    place: Place

    @cached_property
    def fingerprint(self) -> str:
        """Tell whether somebody sends the same to the same people again."""
        people = sorted(_name(recipient) for recipient in self.recipients)
        what = [self.sender_id, people, asdict(self.notification)]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _name(recipient: Recipient) -> str:
    return recipient.user_id if isinstance(recipient, SlackUser) else ""


def dump(acceptance: Acceptance) -> str:
    fields: dict[str, Any] = asdict(acceptance)
    fields["recipients"] = [_name(recipient) for recipient in acceptance.recipients]
    return json.dumps(fields)


def load(text: str) -> Acceptance:
    fields = json.loads(text)
    return Acceptance(
        key=fields["key"],
        sender_id=fields["sender_id"],
        sender_name=fields["sender_name"],
        notification=Notification(**fields["notification"]),
        recipients=[SlackUser(name) if name else KeyOwner() for name in fields["recipients"]],
        place=Place(**fields["place"]),
    )
