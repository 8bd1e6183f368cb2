"""A Slack message turned into plain text.

`from_message` never raises and always returns text that can be encoded, whatever JSON it is given.
The shapes: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.plaintext.emoji import find_emoji, from_code_points
from bot.plaintext.mrkdwn import (
    Names,
    find_labels,
    from_mrkdwn,
    from_plain_text,
    from_typed,
    name_link,
    name_mention,
    name_moment,
)

Element = Mapping[str, Any]

_USER_ID = re.compile(r"[UW][A-Z0-9]+")
_MENTION = re.compile(rf"<@({_USER_ID.pattern})(?:\|[^<>]*)?>")
_GROUP_ID = re.compile(r"S[A-Z0-9]+")
_GROUP = re.compile(rf"<!subteam\^({_GROUP_ID.pattern})(?:\|[^<>]*)?>")

_READABLE = {
    "section": ("text", "fields"),
    "header": ("text",),
    "context": ("elements",),
    "image": ("title", "alt_text"),
    "video": ("title", "description"),
    "markdown": ("text",),
}
"""Where blocks keep words of the message; what buttons and menus say is none of it."""

MOST_INDENT = 8
MOST_OFFSET = 9_999


def from_message(message: Mapping[str, Any], names: Names) -> str:
    """Return what a message says: its blocks, else its text, its attachments, its files' names."""
    if not isinstance(message, Mapping):
        return ""
    names = {**find_labels(_string(message.get("text"))), **names}
    readers: list[Callable[[], str]] = [
        lambda: _read_blocks(message.get("blocks"), names),
        lambda: from_mrkdwn(_string(message.get("text")), names),
        lambda: _join(_read_attachment(each, names) for each in _dicts(message.get("attachments"))),
        lambda: _join(_name_file(each) for each in _dicts(message.get("files"))),
    ]
    text = next((text for read in readers if (text := read()).strip()), "")
    return _without_surrogates(text).strip("\r\n").rstrip()


def mentioned_users(message_or_text: Any) -> frozenset[str]:
    """Return the ids of the users whose names a message or a text needs."""
    return frozenset(_find_ids(message_or_text, _MENTION, "user", _USER_ID))


def mentioned_groups(message: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of the user groups whose names a message needs and does not tell."""
    told = find_labels(_string(message.get("text")))
    return frozenset(_find_ids(message, _GROUP, "usergroup", _GROUP_ID)) - told.keys()


def _find_ids(
    given: Any, token: re.Pattern[str], kind: str, shape: re.Pattern[str]
) -> Iterator[str]:
    """Yield the ids in tokens, and in elements of rich text of this kind."""
    pending = [given]
    while pending:  # a loop, because JSON may be nested deeper than calls may be
        match pending.pop():
            case str(text):
                yield from token.findall(text)
            case Mapping() as each:
                found = _string(each.get(f"{kind}_id"))
                if each.get("type") == kind and shape.fullmatch(found):
                    yield found
                pending.extend(each.values())
            case list(each):
                pending.extend(each)


def _read_blocks(blocks: Any, names: Names) -> str:
    return _join(_read_block(block, names) for block in _dicts(blocks))


def _read_block(block: Element, names: Names) -> str:
    kind = _string(block.get("type"))
    if kind == "rich_text":
        parts = [_read_rich_text(each, names) for each in _dicts(block.get("elements"))]
        return "\n".join(parts)
    if kind == "table":
        rows = [_list(row) for row in _list(block.get("rows"))]
        return _join(" | ".join(_read_object(cell, names) for cell in row) for row in rows)
    parts = [
        _read_object(part, names)
        for key in _READABLE.get(kind, ())
        for part in _list(block.get(key))
    ]
    return _join(dict.fromkeys(parts))  # an image's title and description are often the same


def _read_object(part: Any, names: Names) -> str:
    """Read a text object, or what stands where one may stand."""
    if not isinstance(part, Mapping):
        return _string(part)
    kind, text = _string(part.get("type")), _string(part.get("text"))
    if kind == "mrkdwn":
        return from_mrkdwn(text, names)
    if kind == "rich_text":  # a cell of a table; a block of any other kind has no place here
        return _read_block(part, names)
    return from_plain_text(text) if kind in ("plain_text", "raw_text") else ""


def _read_rich_text(element: Element, names: Names) -> str:
    kind = _string(element.get("type"))
    if kind == "rich_text_list":
        return _read_list(element, names)
    text = _read_inline(element, names)
    if kind == "rich_text_preformatted":
        return text
    text = text.removesuffix("\n")  # Slack ends a section so before a list; the list is a new line
    return text if kind != "rich_text_quote" else "> " + text.replace("\n", "\n> ")


def _read_list(element: Element, names: Names) -> str:
    indent = "  " * _count(element.get("indent"), MOST_INDENT)
    first = _count(element.get("offset"), MOST_OFFSET) + 1
    lines = []
    for number, item in enumerate(_dicts(element.get("elements")), first):
        marker = f"{number}. " if element.get("style") == "ordered" else "• "
        text = _read_inline(item, names).removesuffix("\n")
        lines.append(indent + marker + text.replace("\n", "\n" + indent + " " * len(marker)))
    return "\n".join(lines)


def _read_inline(element: Element, names: Names) -> str:
    parts = []
    for each in _dicts(element.get("elements")):
        read = _INLINE.get(_string(each.get("type")))
        parts.append(read(each, names) if read else _string(each.get("text")))
    return "".join(parts)


def _read_emoji(element: Element, _names: Names) -> str:
    name, tone = _string(element.get("name")), element.get("skin_tone")
    return (
        from_code_points(_string(element.get("unicode")))
        or find_emoji(name, str(tone) if isinstance(tone, int) and 2 <= tone <= 6 else "")
        or (f":{name}:" if name else "")
    )


def _read_date(element: Element, _names: Names) -> str:
    timestamp = element.get("timestamp")
    return _string(element.get("fallback")) or name_moment(
        timestamp if isinstance(timestamp, str | int | float) else ""
    )


def _read_mention(key: str, sign: str, otherwise: str) -> Callable[[Element, Names], str]:
    return lambda element, names: name_mention(
        sign, names.get(_string(element.get(key))), otherwise
    )


_INLINE: dict[str, Callable[[Element, Names], str]] = {
    "user": _read_mention("user_id", "@", "someone"),
    "usergroup": _read_mention("usergroup_id", "@", "group"),
    "channel": _read_mention("channel_id", "#", "channel"),
    "team": _read_mention("team_id", "@", "team"),
    "broadcast": lambda element, _: name_mention("@", _string(element.get("range")), "everyone"),
    "link": lambda element, _: name_link(_string(element.get("url")), _string(element.get("text"))),
    "emoji": _read_emoji,
    "date": _read_date,
    "color": lambda element, _: _string(element.get("value")),
}
"""How inline elements are read; of any other, `text` included, the text. No entities here."""


def _read_attachment(attachment: Element, names: Names) -> str:
    parts = [
        from_mrkdwn(_string(attachment.get("pretext")), names),
        from_typed(_string(attachment.get("title")), names),
        _read_blocks(attachment.get("blocks"), names)
        or from_mrkdwn(_string(attachment.get("text")), names),
        *(_read_field(field, names) for field in _dicts(attachment.get("fields"))),
    ]
    return _join(parts) or from_typed(_string(attachment.get("fallback")), names)


def _read_field(field: Element, names: Names) -> str:
    title = from_typed(_string(field.get("title")), names)
    value = from_mrkdwn(_string(field.get("value")), names)
    return f"{title}: {value}" if title and value else title or value


def _name_file(file: Element) -> str:
    return _string(file.get("name")) or _string(file.get("title"))


def _join(parts: Any) -> str:
    return "\n".join(part for part in parts if part.strip())


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _dicts(value: Any) -> list[Element]:
    return [each for each in _list(value) if isinstance(each, Mapping)]


def _count(value: Any, most: int) -> int:
    return value if isinstance(value, int) and 0 <= value <= most else 0


def _without_surrogates(text: str) -> str:
    """Return text that can be encoded; JSON may hold half of a pair."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
