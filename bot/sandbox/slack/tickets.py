"""Trigger ids and response_urls: what an interaction hands out, and when it stops working."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.messages import Channel, Message
from bot.sandbox.slack.people import TEAM_ID, Person

TRIGGER_LIFE = 3.0
URL_LIFE = 30 * 60.0
URL_USES = 5

Clock = Callable[[], float]


@dataclass
class Trigger:
    """One use within 3 s, counted from when Slack made it (facts 2.1)."""

    id: str
    person: Person
    at: float
    used: bool = False


@dataclass
class ResponseUrl:
    """Five uses within 30 minutes (facts 2.1)."""

    url: str
    person: Person
    channel: Channel
    at: float
    original: Message | None = None
    """The message that held the button."""
    uses: int = 0

    def find_refusal(self, now: float) -> str | None:
        if now - self.at > URL_LIFE:
            return "expired_url"
        return "used_url" if self.uses >= URL_USES else None


class Tickets:
    """All that were handed out."""

    def __init__(self, clock: Clock) -> None:
        self.triggers: dict[str, Trigger] = {}
        self.urls: dict[str, ResponseUrl] = {}
        self._clock = clock
        self._number = 7000

    def issue_trigger(self, person: Person, trigger_id: str | None = None) -> str:
        """Return a new trigger id, or the given one, which keeps its age and use."""
        self._number += 2
        name = trigger_id or f"{self._number}.{self._number + 1}.{secrets.token_hex(8)}"
        self.triggers.setdefault(name, Trigger(name, person, self._clock()))
        return name

    def use_trigger(self, trigger_id: str) -> tuple[Person | None, str | None]:
        """Return whose it is, or the error."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            return None, "invalid_trigger_id"
        if trigger.used:
            return None, "exchanged_trigger_id"
        if self._clock() - trigger.at > TRIGGER_LIFE:
            return None, "expired_trigger_id"
        trigger.used = True
        return trigger.person, None

    def issue_url(
        self,
        base: str,
        kind: str,
        person: Person,
        channel: Channel,
        original: Message | None = None,
    ) -> str:
        self._number += 1
        path = f"/{kind}/{TEAM_ID}/{self._number}/{secrets.token_urlsafe(12)}"
        self.urls[path] = ResponseUrl(base + path, person, channel, self._clock(), original)
        return base + path
