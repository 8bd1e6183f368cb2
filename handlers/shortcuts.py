"""The global and the message shortcut: both open the modal, the latter with the message in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.acceptor import Acceptor, Request
from bot.composer import Wording
from bot.directory import Directory
from bot.errors import StoreError
from bot.forms import Forms, View
from bot.forwarding import build_place, build_prefill, people_in
from bot.group_list import GroupList
from bot.notification import Place
from bot.people import Person
from bot.plaintext import mentioned_groups
from bot.preview import Preview
from bot.replies import CallbackId, compose
from bot.replies.compose import Prefill
from handlers.patience import LISTEN_WITHIN


@dataclass(frozen=True)
class Shortcuts:
    """Opens the modal; the submission does the rest."""

    acceptor: Acceptor
    directory: Directory
    groups: GroupList
    forms: Forms

    def register(self, app: AsyncApp) -> None:
        app.global_shortcut(CallbackId.NOTIFY_GLOBAL)(self.compose)
        app.message_shortcut(CallbackId.NOTIFY_MESSAGE)(self.forward)

    async def compose(self, ack: AsyncAck, shortcut: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(shortcut["user"]["id"])
            self.acceptor.check_place(Place())
            await self.acceptor.check_sender(sender)
            await self.forms.open(shortcut["trigger_id"], compose.modal(Place()))
        await ack()

    async def forward(self, ack: AsyncAck, shortcut: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(shortcut["user"]["id"])
            self.acceptor.check_place(build_place(shortcut))
            await self.acceptor.check_sender(sender)
            names, is_complete = await self._find_names(shortcut["message"])
            if is_complete:
                view = await self._build_form(shortcut, sender, names)
                await self.forms.open(shortcut["trigger_id"], view)
            else:
                build = partial(self._build_later, shortcut, sender, names)
                await self.forms.open_soon(shortcut["trigger_id"], build)
        await ack()

    async def _find_names(self, message: dict[str, Any]) -> tuple[dict[str, str], bool]:
        """Return the names we know already, and whether these are all."""
        people, groups = people_in(message), mentioned_groups(message)
        names = await self.directory.find_names(people) | self.groups.find_names(groups)
        return names, (people | groups) <= names.keys()

    async def _build_later(
        self, shortcut: dict[str, Any], sender: Person, known: Mapping[str, str]
    ) -> View:
        """Build the form once Slack has told the names, or with those known if it does not."""
        message, names = shortcut["message"], dict(known)
        with contextlib.suppress(StoreError):
            names |= await self.directory.fetch_names(people_in(message))
        names |= await self.groups.fetch_names(mentioned_groups(message))
        return await self._build_form(shortcut, sender, names)

    async def _build_form(
        self, shortcut: dict[str, Any], sender: Person, names: Mapping[str, str]
    ) -> View:
        room = self.acceptor.composer.room(sender.name)
        prefill = build_prefill(shortcut, names, max_bytes=room)
        place = build_place(shortcut)
        return compose.modal(place, prefill, await self._preview(sender, place, prefill))

    async def _preview(self, sender: Person, place: Place, prefill: Prefill) -> Preview | None:
        """Return how the message would look, if there is anything to read in it."""
        if not prefill.content:
            return None
        return await self.acceptor.preview(
            Request(
                key="",
                sender=sender,
                recipients=(),
                place=place,
                wording=Wording(prefill.content, prefill.title, prefill.link),
            )
        )
