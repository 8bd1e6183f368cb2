"""The global and the message shortcut: both open the modal, the latter with the message in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.acceptor import Acceptor, Request
from bot.directory import Directory
from bot.forwarding import build_place, build_prefill, people_in
from bot.notification import Place
from bot.people import Person
from bot.preview import Preview
from bot.replies import CallbackId, compose
from bot.replies.compose import Prefill
from bot.slack_api import SlackApi
from handlers.patience import LISTEN_WITHIN


@dataclass(frozen=True)
class Shortcuts:
    """Opens the modal; the submission does the rest."""

    acceptor: Acceptor
    directory: Directory
    slack: SlackApi

    def register(self, app: AsyncApp) -> None:
        app.global_shortcut(CallbackId.NOTIFY_GLOBAL)(self.compose)
        app.message_shortcut(CallbackId.NOTIFY_MESSAGE)(self.forward)

    async def compose(self, ack: AsyncAck, shortcut: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(shortcut["user"]["id"])
            self.acceptor.check_place(Place())
            await self.acceptor.check_sender(sender)
            await self.slack.open_view(shortcut["trigger_id"], compose.modal(Place()))
        await ack()

    async def forward(self, ack: AsyncAck, shortcut: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(shortcut["user"]["id"])
            place = build_place(shortcut)
            self.acceptor.check_place(place)
            await self.acceptor.check_sender(sender)
            names = await self.directory.fetch_names(people_in(shortcut["message"]))
            room = self.acceptor.composer.room(sender.name)
            prefill = build_prefill(shortcut, names, max_bytes=room)
            preview = self._preview(sender, place, prefill)
            view = compose.modal(place, prefill, preview)
            await self.slack.open_view(shortcut["trigger_id"], view)
        await ack()

    def _preview(self, sender: Person, place: Place, prefill: Prefill) -> Preview | None:
        """Return how the message would look, if there is anything to read in it."""
        if not prefill.content:
            return None
        return self.acceptor.preview(
            Request(
                key="",
                sender=sender,
                recipients=(),
                place=place,
                title=prefill.title,
                content=prefill.content,
                link=prefill.link,
            )
        )
