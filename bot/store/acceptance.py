"""One notification on its way in, and how a draft keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from bot.notification import (
    CrmRecipient,
    KeyOwner,
    Notification,
    Place,
    Recipient,
    SlackUser,
)


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
        people = sorted(json.dumps(_dump_recipient(each)) for each in self.recipients)
        what = [self.sender_id, people, asdict(self.notification)]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def dump(acceptance: Acceptance) -> str:
    fields: dict[str, Any] = asdict(acceptance)
    fields["recipients"] = [_dump_recipient(each) for each in acceptance.recipients]
    return json.dumps(fields)


def load(text: str) -> Acceptance:
    fields = json.loads(text)
    return Acceptance(
        key=fields["key"],
        sender_id=fields["sender_id"],
        sender_name=fields["sender_name"],
        notification=Notification(**fields["notification"]),
        recipients=[_load_recipient(each) for each in fields["recipients"]],
        place=Place(**fields["place"]),
    )


def _dump_recipient(recipient: Recipient) -> list[str]:
    match recipient:
        case SlackUser(user_id):
            return [user_id]
        case CrmRecipient(user_id, name):
            return [user_id, name]
        case KeyOwner():
            return []


def _load_recipient(fields: list[str]) -> Recipient:
    match fields:
        case [user_id, name]:
            return CrmRecipient(user_id, name)
        case [user_id]:
            return SlackUser(user_id)
        case _:
            return KeyOwner()
