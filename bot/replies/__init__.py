"""Every word and block a person reads in Slack; pure: data in, text and blocks out."""

from __future__ import annotations

from bot.replies.ids import BlockId, CallbackId
from bot.replies.message import Message

__all__ = ["BlockId", "CallbackId", "Message"]
