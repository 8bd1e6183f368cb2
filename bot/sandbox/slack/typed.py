"""What a person types, as Slack sends it with `should_escape: true` (facts 1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable

PART = re.compile(
    r"(?P<url>https?://[^\s<>|]+)"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?<![\w@])@(?P<name>\w+(?:[.-]\w+)*)"
    r"|(?<![\w#])#(?P<channel>[\w-]+)"
)
TRAILING = ".,;:!?)'\"”’"
SPECIAL = ("here", "channel", "everyone")

Resolve = Callable[[str, str], str | None]
"""From (kind, name) to the token; None if nothing has that name."""


def escape_entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def decode_entities(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape_typed(text: str, resolve: Resolve) -> str:
    """Put tokens in the place of names and links, and entities everywhere else."""
    parts, end = [], 0
    for match in PART.finditer(text):
        found = _find_token(match, resolve)
        if found is None:
            continue
        token, length = found
        parts += [escape_entities(text[end : match.start()]), token]
        end = match.start() + length
    return "".join([*parts, escape_entities(text[end:])])


def _find_token(match: re.Match[str], resolve: Resolve) -> tuple[str, int] | None:
    kind, whole = str(match.lastgroup), match[0]
    if kind == "url":
        url = whole.rstrip(TRAILING)
        return f"<{url}>", len(url)
    if kind == "email":
        return f"<mailto:{whole}|{whole}>", len(whole)
    if kind == "name" and match[kind] in SPECIAL:
        return f"<!{match[kind]}>", len(whole)
    token = resolve(kind, match[kind])
    return None if token is None else (token, len(whole))
