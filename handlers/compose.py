"""The compose modal's submission; mistakes are shown at the field, and the text stays."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.acceptor import Acceptor, Request
from bot.directory import Directory
from bot.errors import UserError
from bot.notification import SlackUser
from bot.people import Person
from bot.replies import BlockId, CallbackId, questions
from bot.replies.compose import read_place
from bot.store.outbox import Receipt
from handlers.patience import LISTEN_WITHIN


@dataclass(frozen=True)
class ComposeModal:
    """Accepts what was written in the modal."""

    acceptor: Acceptor
    directory: Directory

    def register(self, app: AsyncApp) -> None:
        app.view(CallbackId.COMPOSE)(self.submit)
        app.view(CallbackId.CONFIRM)(self.confirm)

    async def submit(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(body["user"]["id"])
            receipt = await self.acceptor.accept(_build_request(view, sender))
        if isinstance(receipt, Receipt):
            await ack()
        else:
            await ack(response_action="update", view=questions.modal(receipt))

    async def confirm(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Send the draft that the question was about."""
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(body["user"]["id"])
            await self.acceptor.accept_draft(view["private_metadata"], sender)
        await ack()


def _build_request(view: dict[str, Any], sender: Person) -> Request:
    recipients = _read_people(view)
    if not recipients:
        raise UserError("Choose at least one person.", field=BlockId.RECIPIENTS)
    return Request(
        key=str(view["id"]),
        sender=sender,
        recipients=recipients,
        place=read_place(view.get("private_metadata")),
        title=_read_text(view, BlockId.TITLE),
        content=_read_text(view, BlockId.CONTENT) or "",
        link=_read_text(view, BlockId.LINK),
        icon=_read_text(view, BlockId.ICON),
    )


def _read_people(view: dict[str, Any]) -> list[SlackUser]:
    chosen = _read(view, BlockId.RECIPIENTS, "selected_users")
    user_ids = (
        [each for each in chosen if isinstance(each, str)] if isinstance(chosen, list) else []
    )
    return [SlackUser(each) for each in dict.fromkeys(user_ids)]


def _read_text(view: dict[str, Any], block: BlockId) -> str | None:
    value = _read(view, block, "value")
    return value if isinstance(value, str) else None


def _read(view: dict[str, Any], block: BlockId, key: str) -> Any:
    """Return what an input holds; None for one that is missing or was left alone."""
    found: Any = view
    for name in ("state", "values", block, block, key):
        found = found.get(name) if isinstance(found, dict) else None
    return found
