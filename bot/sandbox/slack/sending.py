"""How an interaction reaches the app: tickets issued, payload signed, answer checked."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import urlencode

from bot.sandbox.slack.answers import Answers
from bot.sandbox.slack.delivery import FORM, Delivery, Reply
from bot.sandbox.slack.messages import Channel, Message
from bot.sandbox.slack.modals import Modals
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.views import View
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]

SENT_KEPT = 400
"""Requests remembered; older ones are forgotten."""


class Forged(TypedDict, total=False):
    """What a test may put in the place of the real thing; a known trigger_id is a redelivery."""

    trigger_id: str
    timestamp: float
    signature: str
    body: bytes


@dataclass
class Sent:
    """One request to the app; `reply` is None while it is waited for."""

    number: int
    what: str
    body: bytes
    headers: Mapping[str, str]
    at: float
    reply: Reply | None = None


class Sending:
    """What all interactions need."""

    def __init__(self, workspace: Workspace, tickets: Tickets, delivery: Delivery) -> None:
        self.workspace = workspace
        self.tickets = tickets
        self.delivery = delivery
        self._modals = Modals(workspace)
        self._answers = Answers(workspace, self._modals)
        self.sent: deque[Sent] = deque(maxlen=SENT_KEPT)
        self._sent_count = 0
        self._base = ""
        self._urls: dict[str, str] = {}

    @property
    def views(self) -> dict[Person, list[View]]:
        return self.workspace.views

    def _issue_trigger(self, person: Person, forged: Forged) -> str:
        return self.tickets.issue_trigger(person, forged.get("trigger_id"))

    def _issue(
        self,
        kind: str,
        person: Person,
        channel: Channel,
        original: Message | None,
        forged: Forged,
    ) -> tuple[str, str]:
        """Return a trigger and a response_url; the same interaction again has the same two."""
        trigger_id = self._issue_trigger(person, forged)
        if trigger_id not in self._urls:
            url = self.tickets.issue_url(self._base, kind, person, channel, original)
            self._urls[trigger_id] = url
        return trigger_id, self._urls[trigger_id]

    async def _interact(self, what: str, payload: Json, forged: Forged) -> Reply:
        body = urlencode({"payload": json.dumps(payload)}).encode()
        reply = await self._send(what, body, FORM, forged)
        await self.workspace.changed()
        return reply

    async def _send(
        self,
        what: str,
        body: bytes,
        content_type: str,
        forged: Forged,
        more: dict[str, str] | None = None,
    ) -> Reply:
        raw = forged.get("body", body)
        signed = self.delivery.sign(raw, forged.get("timestamp"), forged.get("signature"))
        headers = {"Content-Type": content_type, **signed, **(more or {})}
        self._sent_count += 1
        sent = Sent(self._sent_count, what, raw, headers, self.workspace.clock())
        self.sent.append(sent)
        reply = sent.reply = await self.delivery.post(raw, headers)
        if not {"timestamp", "signature", "body"} & set(forged):
            self._answers.check_ack(what, reply)
        return reply
