"""Browser.Push, and the table of design.md section 3: what its answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import (
    CrmBusyError,
    CrmError,
    CrmRedirectedError,
    CrmUncertainError,
    CrmUntypedError,
)
from bot.leadsquared.models import BrowserPush
from bot.leadsquared.wire.answers import Answer, find_refusal
from bot.leadsquared.wire.request import PUSH_MAX_BYTES, Request
from bot.notification import KEY_OWNER


@dataclass(frozen=True)
class Sent:
    """The CRM took the notification; whether anybody saw it, it does not say."""


def build_push(push: BrowserPush) -> dict[str, str]:
    """Return the JSON of a push; `UserId` is missing for the owner of the keys and nobody else.

    https://apidocs.leadsquared.com/push-browser-notifications-to-users/
    """
    fields: dict[str, str] = push.model_dump(by_alias=True, exclude_none=True)
    if push.user_id == KEY_OWNER:
        del fields["UserId"]
    return fields


def push_request(push: BrowserPush) -> Request:
    """https://apidocs.leadsquared.com/push-browser-notifications-to-users/"""
    path = "/v2/Notifier.svc/Browser.Push"
    return Request("POST", path, json=build_push(push), max_bytes=PUSH_MAX_BYTES, mutates=True)


def decode_push(status: int, headers: Mapping[str, str], body: bytes) -> Sent | CrmError:
    """Say what became of a push; the first row of the table that fits counts."""
    answer = Answer.read(body)
    refusal = find_refusal(status, headers, answer)
    if refusal:
        return refusal
    if 200 <= status < 300 and answer.status == "success":
        return Sent()
    if status == 503:
        return CrmBusyError(answer.detail)
    if 300 <= status < 400:
        return CrmRedirectedError(answer.detail)
    if 400 <= status < 500:
        return CrmUntypedError(answer.detail)
    return CrmUncertainError(answer.detail)
