"""Slack's mrkdwn turned into what a person reads: tokens, the three entities, marks.

The format: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.characters import untwist
from bot.plaintext.emoji import to_unicode

Names = Mapping[str, str]
"""What to call the ids in a text: users, and channels and groups where they are known."""

TOKEN = r"<(?:[@#!]|[A-Za-z][A-Za-z0-9+.-]*:)[^<>]*>"  # noqa: S105  # Slack's word, no secret
"""`<@U1>`, `<#C1|sales>`, `<!here>`, `<https://x|label>`: a bar inside belongs to the token."""

ECHO_MOST = 60

_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ENTITY = re.compile("|".join(_ENTITIES))
_TOKEN_OR_ENTITY = re.compile(f"{TOKEN}|{_ENTITY.pattern}")
_LABELLED = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]+)\|([^<>|]+)>")
# A token in code is taken whole or not at all, so there is one way to read it and no backtracking.
# (A possessive group would say so, but goes wrong before Python 3.11.5:
# https://github.com/python/cpython/issues/106052)
_CODE_OR_TOKEN = re.compile(
    rf"```((?:{TOKEN}|(?!{TOKEN}|```).)+)```"
    rf"|(?<!`)`((?:{TOKEN}|(?!{TOKEN})[^`\n])+)`(?!`)"
    rf"|{TOKEN}",
    re.DOTALL,
)

_MARKS = [  # a mark holds to its words on the inside and stands free of any on the outside
    re.compile(rf"(?<![^\W_])(?<!{m}){m}(?=[^\s{m}])([^{m}\n]*)(?<=\S){m}(?!{m})(?![^\W_])")
    for m in (r"\*", "_", "~")
]

_HELD = "\ufdd0"
"""Stands for code and tokens while marks are taken off: a code point that no text may use."""


def escape(text: str) -> str:
    """Return text that Slack shows as it is: no token, no mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Decode the three entities, once."""
    return _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)


def echo(text: str) -> str:
    """Return the beginning of what was typed, on one line, so that it pings nobody."""
    readable = " ".join(untwist(from_typed(text, {})).split())
    return escape(readable if len(readable) <= ECHO_MOST else readable[: ECHO_MOST - 1] + "…")


def from_typed(text: str, names: Names) -> str:
    """Turn tokens into readable text and decode entities once; everything else stays as typed."""
    return _TOKEN_OR_ENTITY.sub(
        lambda found: _ENTITIES.get(found[0]) or _read_token(found[0][1:-1], names), text
    )


def from_mrkdwn(text: str, names: Names) -> str:
    """Turn `*bold*` into bold and `:tada:` into 🎉 as well, except in code."""
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        code = (found[1] or "").strip("\n") or found[2]
        held.append(from_typed(code or found[0], names))
        return _HELD

    text = _CODE_OR_TOKEN.sub(hold, text.replace(_HELD, "\ufffd"))
    for mark in _MARKS:
        text = mark.sub(r"\1", text)
    kept = iter(held)
    return re.sub(_HELD, lambda _: next(kept), unescape(to_unicode(text)))


def from_plain_text(text: str) -> str:
    """Turn a `plain_text` object's text, in which Slack knows emoji and entities, into Unicode."""
    return unescape(to_unicode(text))


def find_labels(text: str) -> dict[str, str]:
    """Return the names a text itself gives for its ids."""
    return {found[1]: unescape(found[2]) for found in _LABELLED.finditer(text)}


def name_mention(sign: str, name: str | None, otherwise: str) -> str:
    """Return `@Priya`, or `@someone` where the name is not known."""
    return sign + ((name or "").strip().lstrip(sign) or otherwise)


def name_link(url: str, label: str = "") -> str:
    """Return an address, with its label in front unless that is the address once more."""
    address = url
    if url.lower().startswith("mailto:"):
        address = url[len("mailto:") :].partition("?")[0]
    elif url.lower().startswith("tel:"):
        address = url[len("tel:") :]
    label = label.strip()
    if not label or not address or _bare(label) == _bare(address):
        return address or label
    return f"{label} ({address})"


def name_moment(timestamp: str | float) -> str:
    """Return a date that came without words of its own."""
    try:
        return f"{datetime.fromtimestamp(float(timestamp), UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "a date"


def _bare(address: str) -> str:
    return address.casefold().removeprefix("https://").removeprefix("http://").rstrip("/")


def _read_token(body: str, names: Names) -> str:
    target, _, label = body.partition("|")
    label, rest = unescape(label), target[1:]
    match target[0]:
        case "@":
            return name_mention("@", names.get(rest) or label, "someone")
        case "#":
            return name_mention("#", names.get(rest) or label, "channel")
        case "!":
            return _read_special(rest, label, names)
        case _:
            return name_link(unescape(target), label)


def _read_special(body: str, label: str, names: Names) -> str:
    word, _, argument = body.partition("^")
    if word == "subteam":
        return name_mention("@", names.get(argument) or label, "group")
    if word == "date":
        return label or name_moment(argument.partition("^")[0])
    if word in ("here", "channel", "everyone"):
        return f"@{word}"
    return label or f"@{word}"
