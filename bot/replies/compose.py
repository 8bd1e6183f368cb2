"""The modal in which a notification is written: its blocks, and what it remembers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from bot.notification import Place
from bot.replies.ids import BlockId, CallbackId

CONTENT_MOST = 3_000
"""Characters of an input: https://docs.slack.dev/reference/block-kit/block-elements"""

TITLE_MOST = 1_000


@dataclass(frozen=True)
class Prefill:
    """What the modal starts with."""

    title: str = ""
    content: str = ""
    link: str = ""


def modal(place: Place, prefill: Prefill | None = None) -> dict[str, Any]:
    """Build the modal; it carries the place, as a submission knows nothing of where it began."""
    start = prefill or Prefill()
    return {
        "type": "modal",
        "callback_id": CallbackId.COMPOSE,
        "title": plain("Notify in LeadSquared"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "private_metadata": json.dumps(asdict(place)),
        "blocks": [
            _input(
                BlockId.RECIPIENTS,
                "To",
                {"type": "multi_users_select", "placeholder": plain("Choose people")},
                hint="They are found in LeadSquared by their Slack e-mail address.",
            ),
            _input(
                BlockId.TITLE,
                "Title",
                {"type": "plain_text_input", "max_length": TITLE_MOST},
                value=start.title,
                optional=True,
                hint="Browsers show about 35 characters. Empty: “Message from” and your name.",
            ),
            _input(
                BlockId.CONTENT,
                "Text",
                {"type": "plain_text_input", "multiline": True, "max_length": CONTENT_MOST},
                value=start.content,
                hint="Browsers show about 80 characters; the first 40 matter most.",
            ),
            _input(
                BlockId.LINK,
                "Link",
                {"type": "url_text_input"},
                value=start.link,
                optional=True,
                hint="A click on the notification opens it. It must begin with https://",
            ),
            _input(
                BlockId.ICON,
                "Icon",
                {"type": "url_text_input"},
                optional=True,
                hint="The address of a small picture, beginning with https://",
            ),
        ],
    }


def notice_modal(text: str) -> dict[str, Any]:
    """Build the modal that says why the one before it led to nothing."""
    return {
        "type": "modal",
        "title": plain("Notify in LeadSquared"),
        "close": plain("Close"),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}],
    }


def read_place(private_metadata: object) -> Place:
    """Return the place a modal carries; nowhere if it carries none."""
    try:
        place = Place(**json.loads(str(private_metadata)))
    except (ValueError, TypeError, RecursionError):
        return Place()
    return place


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _input(
    block: BlockId,
    label: str,
    element: dict[str, Any],
    *,
    hint: str,
    value: str = "",
    optional: bool = False,
) -> dict[str, Any]:
    started = {"initial_value": value} if value else {}
    return {
        "type": "input",
        "block_id": block,
        "label": plain(label),
        "hint": plain(hint),
        "optional": optional,
        "element": {**element, "action_id": block, **started},
    }
