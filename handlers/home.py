"""The App Home tab; its other buttons are those of the cards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.acceptor import Acceptor
from bot.directory import Directory
from bot.homes import Homes
from bot.notification import Place
from bot.replies import ActionId, compose
from bot.slack_api import SlackApi
from handlers.patience import LISTEN_WITHIN


@dataclass(frozen=True)
class HomeTab:
    """Has the tab published, and opens the modal from it."""

    acceptor: Acceptor
    directory: Directory
    homes: Homes
    slack: SlackApi

    def register(self, app: AsyncApp) -> None:
        app.event("app_home_opened")(self.show)
        app.action(ActionId.COMPOSE)(self.compose)

    async def show(self, ack: AsyncAck, event: dict[str, Any]) -> None:
        """Publish the tab; twice, if Slack says it twice, does no harm."""
        if event.get("tab") == "home":  # else it is the messages tab
            self.homes.show(event["user"])
        await ack()

    async def compose(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(body["user"]["id"])
            self.acceptor.check_place(Place())
            await self.acceptor.check_sender(sender)
            await self.slack.open_view(body["trigger_id"], compose.modal(Place()))
        await ack()
