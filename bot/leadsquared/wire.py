"""The CRM's protocol without any I/O: calls become requests, answers become values.

`decode_push` is the table of design.md section 3. Every answer, whatever its status, headers and
bytes, fits exactly one row, and nothing in here raises because of what the CRM said.
"""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from bot.errors import (
    CrmAccessError,
    CrmBusyError,
    CrmError,
    CrmRateLimitedError,
    CrmRejectedError,
    CrmUnavailableError,
    CrmUncertainError,
)
from bot.leadsquared.models import BrowserPush, CrmUser, KeyOwnerIdentity, check_crm_user_id
from bot.notification import KEY_OWNER

T = TypeVar("T")

PUSH_MAX_BYTES = 64 * 1024
SEARCH_MAX_BYTES = 1024 * 1024
ROSTER_MAX_BYTES = 32 * 1024 * 1024
"""How much of an answer is read; more is an error, never a shorter list."""

DETAIL_LENGTH = 300
MAX_LEARNED_LIMIT = 10_000
MAX_LEARNED_PERIOD = 60.0
"""A longer period is a daily quota; learning it would stretch every later send over hours."""

# "API calls exceeded the limit of 25 in 5 second(s)": https://apidocs.leadsquared.com/rate-limits/
# Seen with 429, 403 and 200.
_RATE_LIMIT = re.compile(
    r"exceeded the limit of ([0-9]+) in ([0-9]+(?:\.[0-9]+)?) second", re.IGNORECASE
)
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_MARKUP = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """One call, without host and keys."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str] | None = None
    max_bytes: int = SEARCH_MAX_BYTES
    mutates: bool = False

    @property
    def body(self) -> bytes | None:
        """The JSON as UTF-8, which is never longer than its escaped form."""
        if self.json is None:
            return None
        return jsonlib.dumps(self.json, ensure_ascii=False).encode()


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


def key_owner_request() -> Request:
    """https://apidocs.leadsquared.com/user-authentication/ (answers on the host of any region)"""
    return Request("GET", "/v2/Authentication.svc/UserByAccessKey.Get")


def users_request() -> Request:
    """https://apidocs.leadsquared.com/get-users (everybody in one answer; no paging documented)"""
    return Request("GET", "/v2/UserManagement.svc/Users.Get", max_bytes=ROSTER_MAX_BYTES)


def user_by_email_request(email: str) -> Request:
    """https://apidocs.leadsquared.com/get-user-by-email-id/"""
    path = "/v2/UserManagement.svc/User/Retrieve/ByEmailAddress"
    return Request("GET", path, {"emailAddress": email.strip().lower()})


def user_by_id_request(user_id: str) -> Request:
    """https://apidocs.leadsquared.com/get-user-by-id/"""
    path = "/v2/UserManagement.svc/User/Retrieve/ByUserId"
    return Request("GET", path, {"userId": check_crm_user_id(user_id)})


def decode_push(status: int, headers: Mapping[str, str], body: bytes) -> Sent | CrmError:
    """Say what became of a push; the first row of the table that fits counts."""
    answer = _Answer.read(body)
    refusal = _find_refusal(status, headers, answer)
    if refusal:
        return refusal
    if 200 <= status < 300 and answer.status == "success":
        return Sent()
    if status == 503:
        return CrmBusyError(answer.detail)
    if 300 <= status < 500:
        return CrmRejectedError(answer.detail)
    return CrmUncertainError(answer.detail)


def decode_lookup(status: int, headers: Mapping[str, str], body: bytes) -> object:
    """Return the JSON of a successful look-up, or the `CrmError` it ended in."""
    answer = _Answer.read(body)
    refusal = _find_refusal(status, headers, answer)
    if refusal:
        return refusal
    if not 200 <= status < 300 or not answer.is_json or answer.is_error:
        return CrmUnavailableError(answer.detail)
    return answer.json


def parse_users(answer: object) -> list[CrmUser] | CrmError:
    """Read an array of users; a malformed one is left out, but not all of them."""
    if not isinstance(answer, list):
        return CrmUnavailableError()
    users = [user for user in map(_try(CrmUser.from_wire), answer) if user]
    # "Nobody" must be what the CRM said, or a person would be called unlinked.
    return CrmUnavailableError() if answer and not users else users


def parse_key_owner(answer: object) -> KeyOwnerIdentity | CrmError:
    """Read whose keys these are."""
    return _try(KeyOwnerIdentity.from_wire)(answer) or CrmUnavailableError()


def find_by_email(users: list[CrmUser], email: str) -> CrmUser | None:
    """Return the user with exactly this e-mail, an active one first."""
    matches = [user for user in users if user.email == email.strip().lower()]
    return min(matches, key=lambda user: not user.active, default=None)


def find_by_id(users: list[CrmUser], user_id: str) -> CrmUser | None:
    """Return the user with exactly this id."""
    return next((user for user in users if user.id == user_id.lower()), None)


def _try(read: Callable[[object], T]) -> Callable[[object], T | None]:
    def attempt(data: object) -> T | None:
        try:
            return read(data)
        except ValueError:
            return None

    return attempt


@dataclass(frozen=True)
class _Answer:
    """A body, read as far as it can be."""

    is_json: bool
    json: object
    text: str

    @classmethod
    def read(cls, body: bytes) -> _Answer:
        try:
            parsed = jsonlib.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested to overflow us
            return cls(
                is_json=False, json=None, text=body[:PUSH_MAX_BYTES].decode(errors="replace")
            )
        return cls(is_json=True, json=parsed, text=_find_message(parsed))

    def _get(self, name: str) -> str:
        value = self.json.get(name) if isinstance(self.json, dict) else None
        return value.strip() if isinstance(value, str) else ""

    @property
    def status(self) -> str:
        return self._get("Status").lower()

    @property
    def error_type(self) -> str:
        return self._get("ExceptionType").lower()

    @property
    def is_error(self) -> bool:
        return self.status == "error" or bool(self.error_type)

    @property
    def detail(self) -> str:
        """The CRM's own words on one printable line; never a page of markup."""
        if not self.is_json or _MARKUP.search(self.text):
            return ""
        visible = "".join(c if c.isprintable() else " " for c in self.text)
        line = " ".join(visible.split())
        return line if len(line) <= DETAIL_LENGTH else line[: DETAIL_LENGTH - 1].rstrip() + "…"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _find_message(answer: object) -> str:
    """Return what an answer says; errors say it in `ExceptionMessage`, a success in `Message`.

    https://apidocs.leadsquared.com/error-handling/
    """
    fields: dict[str, Any] = answer if isinstance(answer, dict) else {}
    message = fields.get("Message")
    nested = message.get("Message") if isinstance(message, dict) else None
    candidates = (fields.get("ExceptionMessage"), message, nested, answer)
    return next((text for text in candidates if isinstance(text, str) and text), "")


def _find_refusal(status: int, headers: Mapping[str, str], answer: _Answer) -> CrmError | None:
    """Return the rows that a push and a look-up share: told off for the rate, or for good."""
    # A success may quote what was sent; taking that for a refusal would send it again.
    is_success = answer.status == "success" and not answer.error_type
    told = None if is_success else _RATE_LIMIT.search(answer.text)
    if status == 429 or "ratelimit" in answer.error_type or told:
        return _build_rate_limited(headers, answer.detail, told)
    is_mx = answer.error_type.startswith("mx")
    # A 401 has been seen with MXInvalidAccessDetailsException: still our keys, for every call.
    if status == 401 or (status in (403, 404) and not is_mx):
        return CrmAccessError(answer.detail, status=status)
    return CrmRejectedError(answer.detail) if is_mx else None


def _build_rate_limited(
    headers: Mapping[str, str], detail: str, told: re.Match[str] | None
) -> CrmRateLimitedError:
    limit, period = _read_limit(told) if told else (None, None)
    wait = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    retry_after = float(wait) if _SECONDS.fullmatch(wait := wait.strip()) else 0.0
    return CrmRateLimitedError(detail, retry_after=retry_after, limit=limit, period=period)


def _read_limit(told: re.Match[str]) -> tuple[int | None, float | None]:
    """Return N and M of "N in M second", or neither where they make no sense for pacing."""
    limit, period = float(told[1]), float(told[2])  # int() refuses very long numbers, float() not
    if limit > MAX_LEARNED_LIMIT or not 0 < period <= MAX_LEARNED_PERIOD:
        return None, None
    return max(1, int(limit)), period
