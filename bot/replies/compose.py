"""The modal in which a notification is written: its blocks, and what it remembers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from bot.notification import Place
from bot.presets import Preset
from bot.preview import Preview
from bot.replies.ids import ActionId, BlockId, CallbackId
from bot.replies.message import mrkdwn
from bot.replies.preview import build_blocks

CONTENT_MOST = 3_000
"""Characters of an input: https://docs.slack.dev/reference/block-kit/block-elements"""

TITLE_MOST = 1_000

LOADING = (
    "⏳ Reading the message… If this is still here in ten seconds, close it and use the shortcut "
    "again."
)

MOST_GROUPS = 10
"""Groups in one send: each is a call, and Slack allows twenty such calls a minute."""

LEAD_LEAST = 3
"""Characters from which leads are searched."""


@dataclass(frozen=True)
class Prefill:
    """What the modal starts with."""

    title: str = ""
    content: str = ""
    link: str = ""
    icon: str = ""
    recipients: tuple[str, ...] = ()
    """Slack user ids."""
    preset: Preset | None = None


def modal(
    place: Place, prefill: Prefill | None = None, preview: Preview | None = None
) -> dict[str, Any]:
    """Build the modal; it carries the place, as a submission knows nothing of where it began."""
    return {
        "type": "modal",
        "callback_id": CallbackId.COMPOSE,
        "title": plain("Notify in LeadSquared"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "private_metadata": json.dumps(asdict(place)),
        "blocks": [
            *_build_inputs(prefill or Prefill()),
            {"type": "actions", "elements": [_preview_button()]},
            *(build_blocks(preview) if preview else ()),
        ],
    }


def _build_inputs(start: Prefill) -> list[dict[str, Any]]:
    return [
        _input(
            BlockId.RECIPIENTS,
            "To",
            {
                "type": "multi_users_select",
                "placeholder": plain("Choose people"),
                **({"initial_users": list(start.recipients)} if start.recipients else {}),
            },
            optional=True,  # the lead's owner may be enough
            hint="They are found in LeadSquared by their Slack e-mail address.",
        ),
        _input(
            BlockId.GROUPS,
            "Groups",
            {
                "type": "multi_external_select",
                "min_query_length": 1,
                "max_selected_items": MOST_GROUPS,
                "placeholder": plain("Type the name of a user group"),
            },
            optional=True,
            hint="Everybody in them. You are asked once more before anything is sent.",
        ),
        _input(
            BlockId.KIND,
            "Kind",
            _build_kinds(start.preset),
            optional=True,
            hint="Gives the title and the icon that you leave empty.",
        ),
        _input(
            BlockId.TITLE,
            "Title",
            {"type": "plain_text_input", "max_length": TITLE_MOST},
            value=start.title,
            optional=True,
            hint="Browsers show about 35 characters. Empty: that of the kind, or “Message from” "
            "and your name.",
        ),
        _input(
            BlockId.CONTENT,
            "Text",
            {"type": "plain_text_input", "multiline": True, "max_length": CONTENT_MOST},
            value=start.content,
            hint="Browsers show about 80 characters; the first 40 matter most.",
        ),
        _input(
            BlockId.LEAD,
            "Lead",
            {
                "type": "external_select",
                "min_query_length": LEAD_LEAST,
                "placeholder": plain("Type a name, an e-mail address or a number"),
            },
            optional=True,
            hint="A click on the notification opens the lead, unless there is a link below.",
        ),
        _input(
            BlockId.OWNER,
            "Owner",
            {
                "type": "checkboxes",
                "options": [{"text": plain("Also notify the lead's owner"), "value": "owner"}],
            },
            optional=True,
            hint="Whoever owns the lead in LeadSquared.",
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
            value=start.icon,
            optional=True,
            hint="The address of a small picture, beginning with https://",
        ),
    ]


def _build_kinds(chosen: Preset | None) -> dict[str, Any]:
    options = {preset: {"text": plain(preset.label), "value": preset} for preset in Preset}
    select = {
        "type": "static_select",
        "placeholder": plain("Choose, if one fits"),
        "options": list(options.values()),
    }
    return select | ({"initial_option": options[chosen]} if chosen else {})


def _preview_button() -> dict[str, Any]:
    return {"type": "button", "action_id": ActionId.PREVIEW, "text": plain("Preview")}


def loading_modal() -> dict[str, Any]:
    """Build what stands there until the form is known; nothing can be typed into it."""
    return {
        "type": "modal",
        "title": plain("Notify in LeadSquared"),
        "close": plain("Cancel"),
        "blocks": [{"type": "section", "text": plain(LOADING)}],
    }


def notice_modal(text: str) -> dict[str, Any]:
    """Build the modal that says why the one before it led to nothing."""
    return {
        "type": "modal",
        "title": plain("Notify in LeadSquared"),
        "close": plain("Close"),
        "blocks": [{"type": "section", "text": mrkdwn(text)}],
    }


def read_place(private_metadata: object) -> Place:
    """Return the place a modal carries; nowhere if it carries none."""
    try:
        place = Place(**json.loads(str(private_metadata)))
    except (ValueError, TypeError, RecursionError):
        return Place()
    named = (place.channel_id, place.thread_ts, place.response_url)
    is_sound = all(each is None or (isinstance(each, str) and each.isascii()) for each in named)
    return place if is_sound and isinstance(place.private, bool) else Place()


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
    fits = 0 < len(value) <= element.get("max_length", CONTENT_MOST)
    started = {"initial_value": value} if fits else {}
    return {
        "type": "input",
        "block_id": block,
        "label": plain(label),
        "hint": plain(hint),
        "optional": optional,
        "element": {**element, "action_id": block, **started},
    }
