"""What every answer has in common: errors, told by their body before their status."""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from bot.errors import (
    CrmAccessError,
    CrmError,
    CrmRateLimitedError,
    CrmRejectedError,
    CrmUnavailableError,
)
from bot.leadsquared.wire.request import PUSH_MAX_BYTES, Shrink

T = TypeVar("T")

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


def decode_lookup(
    status: int, headers: Mapping[str, str], body: bytes, shrink: Shrink | None = None
) -> object:
    """Return the JSON of a successful look-up, or the `CrmError` it ended in."""
    answer = Answer.read(body, shrink)
    refusal = find_refusal(status, headers, answer)
    if refusal:
        return refusal
    if not 200 <= status < 300 or not answer.is_json or answer.is_error:
        return CrmUnavailableError(answer.detail)
    return answer.json


def attempt(read: Callable[[object], T]) -> Callable[[object], T | None]:
    """Return `read` with None in place of a ValueError."""

    def try_it(data: object) -> T | None:
        try:
            return read(data)
        except ValueError:
            return None

    return try_it


@dataclass(frozen=True)
class Answer:
    """A body, read as far as it can be."""

    is_json: bool
    json: object
    text: str

    @classmethod
    def read(cls, body: bytes, shrink: Shrink | None = None) -> Answer:
        try:
            parsed = jsonlib.loads(body, parse_constant=_refuse_constant, object_hook=shrink)
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


def find_refusal(status: int, headers: Mapping[str, str], answer: Answer) -> CrmError | None:
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
