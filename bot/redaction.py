"""The last wall before the log: what looks like a secret or an address does not come out.

Log calls name ids and codes only; what gets past that rule is the text of exceptions, ours and
those of libraries. All of it is done on plain strings, before they become JSON, so that a line
stays one.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[redacted]"

LEAST = 4
"""Characters of a secret that is looked for by its value; a shorter one is a part of words."""

LONGEST = 32_000
"""Characters of a text; of a longer one the end is kept, where an exception has its message."""

DEEPEST = 6
MOST_ITEMS = 100
BIGGEST = 2**63

_WORD = r"[^\s\"'<>\\]*"
_KEYS = r"(?:access|secret|api|private)[_-]?key|(?:signing|client)[_-]?secret"
_NAME = rf"(?:x-lsq-\w+|{_KEYS}|passw(?:or)?d)"
_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}"
_PLACE = r"(?-i:(?:commands|actions|app|services|workflows|triggers)/[TE][A-Z0-9]+/)"

_SHAPES = (
    # Slack's tokens, and its addresses that need none: https://docs.slack.dev/messaging
    (("xox", "xapp"), rf"x(?:ox[a-z]|app)(?:\.xox[a-z])?-{_WORD}", HIDDEN),
    (("hooks.",), rf"hooks\.slack[\w.-]{{0,20}}\.com{_WORD}", HIDDEN),
    (("/",), rf"{_PLACE}{_WORD}", HIDDEN),
    # In a URL: the password, and all of the query.
    (("://",), r"(://[^\s:/@\"']{0,100}):[^\s\"'<>]{1,400}@", rf"\1:{HIDDEN}@"),
    (("?",), rf"\?[\w.%-]{{1,64}}={_WORD}", f"?{HIDDEN}"),
    # Headers, parameters and fields: a name, and something between it and its value.
    (
        ("authorization",),
        r"(authorization\W{1,6}(?:(?:bearer|basic)\s+)?)[^\s\"',;)}\]]+",
        rf"\1{HIDDEN}",
    ),
    (
        ("key", "secret", "passw", "x-lsq"),
        rf"({_NAME}[\"']?\s*(?:[:=,]|%3d)\s*b?)(?:'[^']*'|\"[^\"]*\"|[^\s\"'&,;)]+)",
        rf"\1{HIDDEN}",
    ),
    # People: their addresses, and what libraries quote of their input.
    (("@", "%40"), rf"{_LOCAL}(?:@|%40)(?:[\w-]+\.)+[\w-]+", HIDDEN),
    (("input_value=",), r"input_value=.*?(?=, input_type=|$)", f"input_value={HIDDEN}"),
    (("[parameters:",), r"\[parameters:[^\n]*", f"[parameters: {HIDDEN}]"),
    (("detail:",), r"DETAIL:[^\n]*", f"DETAIL: {HIDDEN}"),
)
SHAPES = [
    (needles, re.compile(shape, re.IGNORECASE | re.DOTALL), hidden)
    for needles, shape, hidden in _SHAPES
]
"""What to look for: words without which it is not there, its shape, and what comes in its place."""

PLAIN = re.compile(r"(?!.*x(?:ox|app))[\w.+-]*", re.IGNORECASE)
"""One word, as most values are, which has none of these shapes."""

SECRET_NAME = re.compile(rf"{_NAME}|authorization|response_url|(?:^|_)token$", re.IGNORECASE)
"""Fields that show nothing of their value."""


class Redactor:
    """A structlog processor; it knows the secrets of this process by their value."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for each in secrets if len(each) >= LEAST for form in _spell(each)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._values = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> dict[str, Any]:
        return self._clean_items(event, 0)

    def clean(self, value: object, depth: int = 0) -> Any:
        """Return `value` as JSON can have it; of what is no plain value its type alone."""
        match value:
            case None | bool():
                return value
            case str():
                return self.clean_text(str.__str__(value))  # of an enum: its value
            case int() if abs(value) < BIGGEST:
                return int(value)
            case float():
                return float(value) if math.isfinite(value) else float.__repr__(value)
            case Mapping() if depth < DEEPEST:
                return self._clean_items(value, depth + 1)
            case list() | tuple() | set() | frozenset() if depth < DEEPEST:
                return [self.clean(each, depth + 1) for each in list(value)[:MOST_ITEMS]]
        return f"<{type(value).__name__}>"

    def clean_text(self, text: str) -> str:
        """Return `text` without what nobody should read; its form may be anything."""
        if len(text) > LONGEST:
            text = text[-LONGEST:].partition(" ")[2]  # from the next word: not half a secret
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()  # halves of surrogate pairs
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        if PLAIN.fullmatch(text):
            return text
        low = text.lower()
        for needles, shape, hidden in SHAPES:
            if any(needle in low for needle in needles):
                text = shape.sub(hidden, text)
        return text

    def _clean_items(self, items: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept = list(items.items())[:MOST_ITEMS]
        return {
            str(self.clean(key, DEEPEST)): self._clean_item(key, value, depth)
            for key, value in kept
        }

    def _clean_item(self, key: object, value: object, depth: int) -> Any:
        if isinstance(key, str) and value is not None and _is_secret(key):
            return HIDDEN
        return self.clean(value, depth)


@lru_cache(maxsize=256)
def _is_secret(name: str) -> bool:
    return SECRET_NAME.search(name) is not None


def _spell(secret: str) -> set[str]:
    """Return the ways in which a text may have a secret in it."""
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub(r"%..", lambda found: found[0].lower(), each) for each in quoted}
    escaped = {json.dumps(secret)[1:-1], repr(secret)[1:-1], html.escape(secret)}
    return {secret, *quoted, *lower, *escaped}
