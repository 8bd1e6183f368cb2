"""The typeahead for leads in the form."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.directory import Directory
from bot.leads.finder import Leads
from bot.replies import BlockId
from bot.replies.lead_options import build_options
from handlers.patience import SUGGEST_WITHIN


@dataclass(frozen=True)
class LeadOptions:
    """Offers leads to those who may send: they are customers, and not for guests to read."""

    leads: Leads
    directory: Directory

    def register(self, app: AsyncApp) -> None:
        app.options(BlockId.LEAD)(self.suggest)

    async def suggest(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        async with asyncio.timeout(SUGGEST_WITHIN):
            await self.directory.get_sender(body["user"]["id"])
            found = await self.leads.search(body["view"]["id"], body["value"])
        await ack(options=build_options(found))
