"""A notification as browsers will show it, before it is sent: cut where they cut; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.characters import UNPRINTABLE
from bot.notification import Notification
from bot.plaintext import clip


@dataclass(frozen=True)
class Browser:
    """How many characters it shows; the least that was seen, as it varies by version."""

    name: str
    title_most: int
    text_most: int


BROWSERS = (Browser("Chrome", 64, 121), Browser("Firefox", 50, 200))
"""Both on Windows; on macOS either shows about 35 of the title and 88 of the text."""


@dataclass(frozen=True)
class Look:
    """What is seen of a notification in these browsers."""

    browsers: tuple[str, ...]
    title: str
    text: str


@dataclass(frozen=True)
class Preview:
    """All that there is to know before sending; `mistakes` are sentences with Slack's marks."""

    looks: tuple[Look, ...]
    click_url: str | None
    icon_url: str | None
    size: int
    max_bytes: int
    mistakes: tuple[str, ...] = ()
    opens_lead: bool = False
    """A click opens the page of the lead that was chosen."""
    icon_failed: bool = False
    """Slack could not load it."""


def build_looks(notification: Notification) -> tuple[Look, ...]:
    """Return what the browsers show; those that show the same share one look."""
    title, text = _show(notification.title), _show(notification.content, "\n\t")
    names: dict[tuple[str, str], list[str]] = {}
    for browser in BROWSERS:
        cut = clip(title, browser.title_most), clip(text, browser.text_most)
        names.setdefault(cut, []).append(browser.name)
    return tuple(Look(tuple(who), *cut) for cut, who in names.items())


def _show(text: str, allowed: Sequence[str] = "") -> str:
    return "".join(
        "\ufffd" if each not in allowed and unicodedata.category(each) in UNPRINTABLE else each
        for each in text
    ).strip()
