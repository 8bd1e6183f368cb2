"""Slack's text turned into plain text, and plain text into what Slack shows as it is; pure."""

from __future__ import annotations

from bot.plaintext.length import clip, shorten
from bot.plaintext.message import from_message, mentioned_groups, mentioned_users
from bot.plaintext.mrkdwn import TOKEN, echo, escape, from_mrkdwn, from_typed, unescape

__all__ = [
    "TOKEN",
    "clip",
    "echo",
    "escape",
    "from_message",
    "from_mrkdwn",
    "from_typed",
    "mentioned_groups",
    "mentioned_users",
    "shorten",
    "unescape",
]
