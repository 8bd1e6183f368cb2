"""The compose modal's submission; mistakes are shown at the field, and the text stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.acceptor import Acceptor, Request
from bot.directory import Directory
from bot.errors import UserError
from bot.notification import SlackUser
from bot.replies import BlockId, CallbackId
from bot.replies.compose import read_place


@dataclass(frozen=True)
class ComposeModal:
    """Accepts what was written in the modal."""

    acceptor: Acceptor
    directory: Directory

    def register(self, app: AsyncApp) -> None:
        app.view(CallbackId.COMPOSE)(self.submit)

    async def submit(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        sender = await self.directory.get_sender(body["user"]["id"])
        recipients = _read(view, BlockId.RECIPIENTS, "selected_users") or []
        if not recipients:
            raise UserError("Choose at least one person.", field=BlockId.RECIPIENTS)
        await self.acceptor.accept(
            Request(
                key=view["id"],
                sender=sender,
                recipients=[SlackUser(user_id) for user_id in dict.fromkeys(recipients)],
                place=read_place(view.get("private_metadata")),
                title=_read(view, BlockId.TITLE),
                content=_read(view, BlockId.CONTENT) or "",
                link=_read(view, BlockId.LINK),
                icon=_read(view, BlockId.ICON),
            )
        )
        await ack()


def _read(view: dict[str, Any], block: BlockId, key: str = "value") -> Any:
    """Return what an input holds; None for one that is missing or was left alone."""
    values = (view.get("state") or {}).get("values") or {}
    return ((values.get(block) or {}).get(block) or {}).get(key)
