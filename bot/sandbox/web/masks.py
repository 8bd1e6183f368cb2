"""What went over a wire, made readable, with the secrets masked; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

Json = Any

MASK = "•••"
SECRET_HEADERS = {"authorization", "x-lsq-accesskey", "x-lsq-secretkey", "x-slack-signature"}
SECRET_FIELDS = {"token", "trigger_id"}
SHOWN_HEADERS = SECRET_HEADERS | {
    "content-type",
    "location",
    "retry-after",
    "user-agent",
    "x-slack-no-retry",
    "x-slack-request-timestamp",
    "x-slack-retry-num",
    "x-slack-retry-reason",
}
HOOK = re.compile(r"(/(?:commands|app|actions)/T\w+/)[^\s\"?]+")
"""A response_url: whoever knows the rest of it may post."""

QUERY_KEY = re.compile(r"([?&](?:access|secret)key=)[^&\s]*", re.IGNORECASE)
TOKEN = re.compile(r"\b(xox[a-z]-|xapp-)[\w-]+")
SHOWN_MOST = 20_000
"""Characters of a body; of what is longer the beginning is shown."""


def mask_text(text: str) -> str:
    """Return the text without the secrets that can be told by their shape."""
    text = HOOK.sub(rf"\g<1>{MASK}", text)
    return TOKEN.sub(rf"\g<1>{MASK}", QUERY_KEY.sub(rf"\g<1>{MASK}", text))


def show_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that tell something."""
    return {
        name: _mask_header(name.lower(), value)
        for name, value in headers.items()
        if name.lower() in SHOWN_HEADERS
    }


def _mask_header(name: str, value: str) -> str:
    if name == "authorization":
        scheme, _, _ = value.partition(" ")
        return f"{scheme} {MASK}"
    if name == "x-slack-signature":
        return f"{value[:6]}{MASK}"
    return MASK if name in SECRET_HEADERS else mask_text(value)


def show_body(body: bytes, content_type: str) -> str:
    """Return a body as people read it: JSON indented, forms opened, the rest as it is."""
    text = body.decode(errors="replace")
    if "form-urlencoded" in content_type:
        shown = json.dumps(_mask(_open_form(text)), indent=2, ensure_ascii=False)
    else:
        found = _read_json(text)
        shown = text if found is None else json.dumps(_mask(found), indent=2, ensure_ascii=False)
    shown = mask_text(shown)
    return shown if len(shown) <= SHOWN_MOST else shown[:SHOWN_MOST] + "\n… and so on"


def _open_form(text: str) -> dict[str, Json]:
    fields: dict[str, Json] = dict(parse_qsl(text, keep_blank_values=True))
    return {name: _open_field(value) for name, value in fields.items()}


def _open_field(value: str) -> Json:
    found = _read_json(value) if value[:1] in ("{", "[") else None
    return value if found is None else found


def _read_json(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _mask(node: Json) -> Json:
    if isinstance(node, dict):
        return {
            key: MASK if key in SECRET_FIELDS and isinstance(value, str) else _mask(value)
            for key, value in node.items()
        }
    return [_mask(one) for one in node] if isinstance(node, list) else node
