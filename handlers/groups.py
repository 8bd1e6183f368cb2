"""The typeahead for user groups in the form."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.directory import Directory
from bot.group_list import GroupList
from bot.replies import BlockId
from bot.replies.group_options import build_options
from handlers.patience import SUGGEST_WITHIN


@dataclass(frozen=True)
class GroupOptions:
    """Offers groups to those who may send."""

    groups: GroupList
    directory: Directory

    def register(self, app: AsyncApp) -> None:
        app.options(BlockId.GROUPS)(self.suggest)

    async def suggest(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        async with asyncio.timeout(SUGGEST_WITHIN):
            await self.directory.get_sender(body["user"]["id"])
            found = await self.groups.search(body["value"])
        options = build_options([(each.group_id, each.handle, each.name) for each in found])
        await ack(options=options)
