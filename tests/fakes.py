"""LeadSquared and Slack as the background work sees them: scripted answers, calls recorded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.models import BrowserPush, CrmUser, KeyOwnerIdentity
from bot.leadsquared.wire import Sent
from bot.notification import Card
from bot.slack_api import Blocks, SlackApi

PRIYA = "6f0c2a1e-1111-4222-8333-abcdefabcdef"
OMAR = "6f0c2a1e-2222-4222-8333-abcdefabcdef"
LEE = "6f0c2a1e-3333-4222-8333-abcdefabcdef"


class FakeCrm(LeadSquaredClient):
    """Answers with the next of `answers`, then with success; errors are raised."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.pushes: list[BrowserPush] = []
        self.calls: list[str] = []
        self.users: list[CrmUser] = []
        self.by_email: dict[str, CrmUser] = {}
        self.key_owner = KeyOwnerIdentity(id=PRIYA)
        self.before_answer: Callable[[], object] = lambda: None

    async def push(self, push: BrowserPush) -> Sent:
        self.pushes.append(push)
        self._answer()
        return Sent()

    async def get_key_owner(self, *, interactive: bool = False) -> KeyOwnerIdentity:
        self._record("key owner", interactive)
        return self.key_owner

    async def fetch_users(self, *, interactive: bool = False) -> list[CrmUser]:
        self._record("everybody", interactive)
        return self.users

    async def find_user_by_email(self, email: str, *, interactive: bool = False) -> CrmUser | None:
        self._record(email, interactive)
        return self.by_email.get(email)

    async def find_user_by_id(self, user_id: str, *, interactive: bool = False) -> CrmUser | None:
        raise AssertionError("nobody asks for this")

    def _record(self, call: str, interactive: bool) -> None:
        assert interactive, "somebody waits for every look-up"
        self.calls.append(call)
        self._answer()

    def _answer(self) -> None:
        self.before_answer()
        if self.answers and (answer := self.answers.pop(0)) is not None:
            raise answer


@dataclass(frozen=True)
class Posted:
    """A message that Slack was asked to take."""

    where: str
    text: str
    blocks: Blocks
    thread_ts: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    updates: Card | None = None


class FakeSlack(SlackApi):
    """Takes what it is not told to refuse; `errors` are by place: a channel, user or URL."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, list[Exception]] = {}
        self.tried: list[str] = []
        self.posted: list[Posted] = []
        self.homes: list[tuple[str, dict[str, Any]]] = []
        self.slow: str | None = None
        self.is_waited_for, self.goes_on = asyncio.Event(), asyncio.Event()

    def keep_waiting(self, where: str) -> None:
        """Answer a post there only when `goes_on` is set."""
        self.slow = where

    def refuse(self, where: str, *errors: Exception) -> None:
        self.errors[where] = list(errors)

    async def fetch_user(self, user_id: str) -> dict[str, Any]:
        self._try(user_id)
        return self.users[user_id]

    async def fetch_user_pages(self) -> AsyncIterator[list[dict[str, Any]]]:
        self._try("everybody")
        everybody = list(self.users.values())
        yield everybody[:5]
        yield everybody[5:]

    async def post(
        self, channel: str, text: str, blocks: Blocks, *, thread_ts: str | None = None
    ) -> Card:
        self._try(channel)
        if channel == self.slow:
            self.is_waited_for.set()
            await self.goes_on.wait()
        self.posted.append(Posted(channel, text, blocks, thread_ts))
        return Card(channel, f"1700000000.{len(self.posted):06}")

    async def publish_view(self, user_id: str, view: dict[str, Any]) -> None:
        self._try(user_id)
        self.homes.append((user_id, view))

    async def update(self, card: Card, text: str, blocks: Blocks) -> None:
        self._try(f"{card.channel} {card.ts}")
        self.posted.append(Posted(card.channel, text, blocks, updates=card))

    async def respond(self, response_url: str, body: dict[str, Any]) -> None:
        self._try(response_url)
        self.posted.append(Posted(response_url, body["text"], body["blocks"], body=body))

    def _try(self, where: str) -> None:
        self.tried.append(where)
        if errors := self.errors.get(where):
            raise errors.pop(0)
