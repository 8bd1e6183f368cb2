"""The preview in the modal: the notification as browsers show it, and what a click does."""

from __future__ import annotations

from typing import Any

from bot.preview import Look, Preview
from bot.replies.message import SECTION_MOST, echo, mrkdwn

Block = dict[str, Any]

HEADER_MOST = 150
"""Characters of a header: https://docs.slack.dev/reference/block-kit/blocks/header-block"""


def build_blocks(preview: Preview) -> list[Block]:
    """Build what stands under the form; nothing in it keeps a value or can be pressed."""
    blocks: list[Block] = [{"type": "divider"}]
    if preview.mistakes:
        listed = "\n".join(f"• {mistake}" for mistake in preview.mistakes)
        blocks.append(_section(f"⚠️ *This cannot be sent yet*\n{listed}"))
    for look in preview.looks:
        blocks += _build_look(look, preview.icon_url)
    return [*blocks, _context(" · ".join(_describe(preview)))]


def _build_look(look: Look, icon_url: str | None) -> list[Block]:
    browsers = " and ".join(look.browsers)
    text = {"type": "section", "text": _exact(look.text or "(no text)", SECTION_MOST)}
    if icon_url:
        text["accessory"] = {"type": "image", "image_url": icon_url, "alt_text": "icon"}
    shown = _context(f"*Preview*: about this much is seen in {browsers} on Windows")
    return [shown, {"type": "header", "text": _exact(look.title, HEADER_MOST)}, text]


def _describe(preview: Preview) -> list[str]:
    link = preview.click_url
    lines = [f"A click opens {echo(link)}" if link else "A click opens no page"]
    if preview.opens_lead:
        lines = ["A click opens the lead's page"]
    if preview.icon_failed:
        lines.append("Slack could not load the icon; browsers may not show it either")
    size = f"{preview.size:,} of {preview.max_bytes:,} bytes"
    return [*lines, f"{size}. Nothing is sent before you press Send."]


def _section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text)]}


def _exact(text: str, most: int) -> Block:
    """Return a text in which Slack reads no marks and turns no `:tada:` into a picture."""
    return {"type": "plain_text", "text": _fit(text, most), "emoji": False}


def _fit(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
