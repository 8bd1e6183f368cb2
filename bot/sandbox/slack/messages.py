"""Channels and the messages in them, with what a person reads in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Blocks = list[Json]

TOKEN = re.compile(r"<([^<>]*)>")
PING = re.compile(r"<!(here|channel|everyone|subteam\^[^>]*)(\|[^>]*)?>")
MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


INLINE_TOKENS = {
    "user": ("user_id", "<@{}>"),
    "channel": ("channel_id", "<#{}>"),
    "usergroup": ("usergroup_id", "<!subteam^{}>"),
    "broadcast": ("range", "<!{}>"),
}


@dataclass
class Channel:
    """A conversation; `members` are user ids."""

    id: str
    name: str
    kind: str
    """public, private, im or mpim."""
    members: set[str] = field(default_factory=set)
    is_archived: bool = False

    @property
    def wire_name(self) -> str:
        """The name as payloads give it (facts 1.1)."""
        return {"im": "directmessage", "private": "privategroup"}.get(self.kind, self.name)

    def __str__(self) -> str:
        return self.name if self.kind in ("im", "mpim") else f"#{self.name}"


@dataclass
class Message:
    """One message as it is now; `history` has its earlier texts."""

    channel: str
    ts: str
    author: str
    text: str
    blocks: Blocks
    via: str
    """chat.postMessage, chat.postEphemeral, response_url, ack, say or slackbot."""
    thread_ts: str | None = None
    ephemeral_to: str | None = None
    edited: bool = False
    deleted: bool = False
    unfurls: bool = True
    extra: Json = field(default_factory=dict)
    """What else its payload carries: attachments, files, bot_id, subtype."""
    history: list[tuple[str, Blocks]] = field(default_factory=list)
    read: Callable[[str], str] = field(default=str, repr=False)
    """How people see the tokens in it."""

    @property
    def shown(self) -> str:
        """What a person reads: the blocks if there are any, for then `text` is a fallback."""
        lines = list(show_blocks(self.blocks)) if self.blocks else [self.text]
        return self.read("\n".join(lines))

    @property
    def mentions(self) -> set[str]:
        """The user ids that this message pings."""
        return set(MENTION.findall("\n".join([self.text, *find_markup(self.blocks)])))

    @property
    def action_ids(self) -> list[str]:
        return [element["action_id"] for element in find_actions(self.blocks)]

    def edit(self, text: str, blocks: Blocks) -> None:
        self.history.append((self.text, self.blocks))
        self.text, self.blocks, self.edited = text, blocks, True


def show_blocks(blocks: Blocks) -> Iterator[str]:
    """Yield the lines a person reads; buttons in square brackets."""
    for block in blocks:
        yield from _show_block(block)


def _show_block(block: Json) -> Iterator[str]:
    for key in ("text", "label", "title"):
        if key in block:
            yield _show_text(block[key])
    if "element" in block:
        yield from _show_element(block["element"])
    if "hint" in block:
        yield _show_text(block["hint"])
    for text in block.get("fields", []):
        yield _show_text(text)
    if block.get("elements"):
        yield from _show_elements(block)
    if "accessory" in block:
        yield from _show_element(block["accessory"])


def _show_elements(block: Json) -> Iterator[str]:
    if block["type"] == "rich_text":
        for section in block["elements"]:
            yield "".join(_show_inline(section))
        return
    yield " ".join(part for element in block["elements"] for part in _show_element(element))


def _show_inline(element: Json) -> Iterator[str]:
    for inner in element.get("elements", []):
        yield from _show_inline(inner)
    kind = element["type"]
    if kind == "text":
        yield _escape(element["text"])
    elif kind == "link":
        yield _escape(element.get("text") or element["url"])
    elif kind == "emoji":
        yield f":{element['name']}:"
    else:
        yield from find_markup(element, deep=False)


def _show_element(element: Json) -> Iterator[str]:
    kind = element["type"]
    if kind in ("mrkdwn", "plain_text"):
        yield _show_text(element)
    elif kind == "button":
        yield f"[{_show_text(element['text'])}]"
    elif kind == "image":
        yield _escape(element["alt_text"])
    elif "initial_value" in element:
        yield _escape(str(element["initial_value"]))
    for option in element.get("options", []):
        yield f"({_show_text(option['text'])})"


def _show_text(text: Any) -> str:
    if isinstance(text, str):
        return text  # a markdown block
    return str(text["text"]) if text["type"] == "mrkdwn" else _escape(str(text["text"]))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def find_markup(node: Any, *, deep: bool = True) -> Iterator[str]:
    """Yield every text in which Slack looks for tokens, and the tokens of rich text."""
    if isinstance(node, dict):
        kind = node.get("type")
        if kind in ("mrkdwn", "markdown") and isinstance(node.get("text"), str):
            yield node["text"]
        elif kind in INLINE_TOKENS:
            key, form = INLINE_TOKENS[kind]
            yield form.format(node.get(key))
        node = list(node.values())
    if deep and isinstance(node, list):
        for item in node:
            yield from find_markup(item)


def find_actions(blocks: Blocks) -> Iterator[Json]:
    """Yield the elements that can be pressed or picked, each with its `block_id`."""
    for block in blocks:
        candidates = [block.get("accessory"), block.get("element")]
        if block["type"] in ("actions", "context_actions"):
            candidates += block["elements"]
        for element in candidates:
            if element and "action_id" in element:
                yield element | {"block_id": block["block_id"]}
