"""From a Slack message to the start of a notification about it; pure.

The payload: https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.characters import untwist
from bot.leadsquared.models import count_bytes
from bot.notification import Place
from bot.plaintext import from_message, mentioned_users, shorten
from bot.replies.compose import CONTENT_MOST, Prefill

TITLE_BYTES = 200

PLACES = {"directmessage": "a direct message", "privategroup": "a private channel"}


def people_in(message: Mapping[str, Any]) -> frozenset[str]:
    """Return the Slack users whose names the text needs: its author and those it mentions."""
    author = {"type": "user", "user_id": message.get("user")}
    return mentioned_users([message, author])


def build_place(shortcut: Mapping[str, Any]) -> Place:
    """Return the thread of the message: the outcome belongs there."""
    message = shortcut["message"]
    return Place(
        channel_id=shortcut["channel"]["id"],
        thread_ts=_string(message.get("thread_ts")) or _find_ts(shortcut),
        response_url=shortcut.get("response_url"),
    )


def build_prefill(
    shortcut: Mapping[str, Any], names: Mapping[str, str], *, max_bytes: int
) -> Prefill:
    """Return title, text and link; the text is cut at a word to fit, where it can be seen."""
    message = shortcut["message"]
    where = _describe_channel(_string(shortcut["channel"].get("name")))
    title = shorten(untwist(f"{_author(message, names)} in {where}"), TITLE_BYTES)
    content = untwist(from_message(message, names)).strip()
    if len(content) > CONTENT_MOST:
        content = shorten(content, len(content[: CONTENT_MOST - 1].encode()))
    content = shorten(content, max_bytes - count_bytes(title, ""))
    return Prefill(title, content, permalink(shortcut))


def permalink(shortcut: Mapping[str, Any]) -> str:
    """Return the message's address, built as Slack builds it, without an API call."""
    message, channel = shortcut["message"], shortcut["channel"]["id"]
    ts = _find_ts(shortcut) or ""
    team = shortcut.get("team")
    domain = _string(team.get("domain")) if isinstance(team, Mapping) else ""
    if not domain:
        return ""
    link = f"https://{domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}"
    thread_ts = _string(message.get("thread_ts"))
    if thread_ts and thread_ts != ts:
        return f"{link}?thread_ts={thread_ts}&cid={channel}"
    return link


def _find_ts(shortcut: Mapping[str, Any]) -> str | None:
    return _string(shortcut["message"].get("ts")) or _string(shortcut.get("message_ts")) or None


def _author(message: Mapping[str, Any], names: Mapping[str, str]) -> str:
    profile = message.get("bot_profile")
    called = profile.get("name") if isinstance(profile, Mapping) else None
    known = names.get(_string(message.get("user")))
    name = known or _string(message.get("username")) or _string(called)
    return " ".join(name.split()) or "Somebody"


def _describe_channel(name: str) -> str:
    if name.startswith("mpdm-"):
        return "a group message"
    return PLACES.get(name, f"#{name}" if name else "Slack")


def _string(value: object) -> str:
    """Return a text that can be encoded; anything else counts as nothing."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""
