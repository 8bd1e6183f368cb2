"""A message: blocks, and the text that notifications and screen readers use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bot.characters import untwist
from bot.plaintext import escape, shorten
from bot.replies.ids import ActionId

SECTION_MOST = 3_000
"""Characters of a text object: https://docs.slack.dev/reference/block-kit/blocks/section-block"""

ECHO_BYTES = 240
"""Bytes of a title or a name shown back; the rest is an ellipsis that can be seen."""


@dataclass(frozen=True)
class Button:
    """One button; `value` comes back with the press."""

    action: ActionId
    label: str
    value: str
    number: int | None = None
    """Tells buttons for the same action apart; Slack wants their action ids to differ."""

    @property
    def element(self) -> dict[str, Any]:
        return {
            "type": "button",
            "action_id": self.action if self.number is None else f"{self.action}_{self.number}",
            "text": {"type": "plain_text", "text": self.label},
            "value": self.value,
        }


@dataclass(frozen=True)
class Message:
    """What to post; `text` and the context lines are mrkdwn, escaped where they echo."""

    text: str
    context: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()

    @property
    def blocks(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = [{"type": "section", "text": mrkdwn(self.text)}]
        if self.context:
            elements = [mrkdwn(line) for line in self.context]
            blocks.append({"type": "context", "elements": elements})
        if self.buttons:
            pressable = [button.element for button in self.buttons]
            blocks.append({"type": "actions", "elements": pressable})
        return blocks

    def with_context(self, line: str) -> Message:
        return replace(self, context=(*self.context, line))

    def without_buttons(self) -> Message:
        return replace(self, buttons=())


def mrkdwn(text: str) -> dict[str, Any]:
    """Build a text object in which Slack links nothing by itself; a cut can be seen."""
    return {"type": "mrkdwn", "text": cut(text, SECTION_MOST), "verbatim": True}


def cut(text: str, most: int) -> str:
    """Return at most `most` characters of mrkdwn; no entity and no token is cut in two."""
    if len(text) <= most:
        return text
    begun = text[: most - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        last = begun.rfind(opening)
        if last >= 0 and closing not in begun[last:]:
            begun = begun[:last]
    return begun.rstrip() + "…"


def echo(text: str) -> str:
    """Return what a person typed so that it pings nobody, turns nothing around, and fits."""
    return escape(shorten(" ".join(untwist(text).split()), ECHO_BYTES))


def fit(text: str, most: int) -> str:
    """Return text of at most `most` characters, counted as UTF-16 does; a cut can be seen."""
    while len(text.encode("utf-16-le")) > 2 * most:
        text = text[:most].removesuffix("…")[:-1].rstrip() + "…"
    return text


def join_names(names: list[str], most: int = 10, *, others: int = 0) -> str:
    """Return names in bold, and how many more there are; `others` have no name."""
    if not names:
        return count_people(others)
    shown = ", ".join(f"*{name}*" for name in names[:most])
    more = max(0, len(names) - most) + others
    return f"{shown} and {more} more" if more else shown


def count_people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def duration(seconds: float) -> str:
    """Return a span as people say it, rounded up."""
    whole = max(1, round(seconds))
    if whole < 100:
        return f"{whole} s"
    return f"{-(-whole // 60)} min"
