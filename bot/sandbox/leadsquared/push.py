"""What is wrong with the body of a push; pure."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

FIELDS = {"UserId", "Title", "Content", "ClickURL", "IconURL"}
SHOWN = ("Title", "Content")
MAX_BYTES = 2048
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def find_mistakes(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the mistakes of shape (answered 400) and those of sense (answered 500)."""
    shape = [f"unknown field {name}" for name in sorted(set(body) - FIELDS)]
    shape += [
        f"{name} is not a string"
        for name in sorted(FIELDS & set(body))
        if not isinstance(body[name], str)
    ]
    return (shape, []) if shape else ([], _find_senseless(body))


def _find_senseless(body: dict[str, str]) -> list[str]:
    found = [f"{name} is missing" for name in SHOWN if name not in body]
    size = sum(len(body.get(name, "").encode(errors="surrogatepass")) for name in SHOWN)
    if size == 0:
        found.append("Title and Content are empty")
    if size > MAX_BYTES:
        found.append(f"Title and Content are {size} bytes, more than {MAX_BYTES}")
    found += [
        f"{name} is not an https address"
        for name in ("ClickURL", "IconURL")
        if body.get(name) and not _is_https(body[name])
    ]
    if "UserId" in body and not GUID.fullmatch(body["UserId"]):
        found.append("UserId is not a GUID")
    return found


def _is_https(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False
