"""Every word and block a person reads in Slack; pure: data in, text and blocks out."""

from __future__ import annotations

from bot.replies.ids import ActionId, BlockId, CallbackId
from bot.replies.message import Button, Message

__all__ = ["ActionId", "BlockId", "Button", "CallbackId", "Message"]
