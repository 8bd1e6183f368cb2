"""One request of Slack's, by whichever way it came: an id in every line it causes, and its time.

What a request leaves behind (a task that outlives it, a commit that comes late) keeps its id, as
tasks inherit the context they were started in.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from structlog.contextvars import bound_contextvars, get_contextvars

from bot.observer import Observer

KINDS = {
    "block_actions",
    "block_suggestion",
    "message_action",
    "shortcut",
    "view_closed",
    "view_submission",
}
"""What a payload says of itself: https://docs.slack.dev/interactivity/handling-user-interaction"""


class FollowedApp(AsyncApp):
    """Bolt, with every request followed to its acknowledgement."""

    def __init__(self, *, observer: Observer, **options: Any) -> None:
        super().__init__(**options)
        self._observer = observer

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        begun = time.perf_counter()
        with bound_contextvars(request=secrets.token_hex(4)):
            response = await super().async_dispatch(req)
        self._observer.answered(find_kind(req.body), time.perf_counter() - begun)
        return response


def find_reference() -> str:
    """Return the id of the request that is being answered; a new one outside of any."""
    return str(get_contextvars().get("request") or secrets.token_hex(4))


def find_kind(body: Mapping[str, Any]) -> str:
    """Return what a request is, as one of a few words."""
    if "command" in body:
        return "command"
    said = body.get("type")
    if said == "event_callback":
        return "event"
    return said if isinstance(said, str) and said in KINDS else "other"
