"""What of Slack's side can be seen by how requests arrive, or do not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.doctor.findings import Finding, Mark, doubt, fine, span

KINDS = {
    "commands": (),
    "shortcuts": ("shortcut", "message_action"),
    "buttons and forms": ("block_actions", "view_submission", "view_closed"),
    "searches in the lead menu": ("block_suggestion",),
    "Home visits": ("event_callback",),
}
"""What arrives, and the types that Slack gives it; commands have none."""

LATELY = 3_600.0
"""Seconds for which a refused request is worth a line."""

COMPARE = (
    "If somebody has used one of these since, compare the app in Slack with what `python -m bot "
    "manifest` prints: Interactivity, Event Subscriptions, App Home"
)
_TOKEN = re.compile(r"<(?:[@#!]|https?://|mailto:)[^<>]*>")
_PLAIN = re.compile(r"(?<![\w@.])@[\w.-]+|https?://")


@dataclass
class Arrivals:
    """Moments in seconds since the epoch."""

    since: float
    seen: dict[str, float] = field(default_factory=dict)
    escaped_at: float | None = None
    """When a command came with a mention or link as Slack hands them over with `should_escape`."""
    plain_at: float | None = None
    """When one came with a name or an address as typed."""
    refused_at: float | None = None
    """When a request was not signed as Slack signs."""

    def note(self, body: Mapping[str, Any], now: float) -> None:
        if (kind := kind_of(body)) is not None:
            self.seen[kind] = now
        if kind == "commands":
            self._note_text(str(body.get("text") or ""), now)

    def _note_text(self, text: str, now: float) -> None:
        if _TOKEN.search(text):
            self.escaped_at = now
        elif _PLAIN.search(text):
            self.plain_at = now


def kind_of(body: Mapping[str, Any]) -> str | None:
    if "command" in body:
        return "commands"
    told = body.get("type")
    return next((kind for kind, types in KINDS.items() if told in types), None)


def judge(arrivals: Arrivals, now: float) -> list[Finding]:
    found = [_judge_kinds(arrivals, now), _judge_mentions(arrivals, now)]
    refused_at = arrivals.refused_at
    if refused_at is not None and now - refused_at < LATELY:
        what = f"a request was refused {span(now - refused_at)} ago, as it was not signed by Slack"
        step = (
            "If people see errors, copy SLACK_SIGNING_SECRET again; else somebody else knows the "
            "address, which does no harm"
        )
        found.append(doubt("Signatures", what, step))
    return found


def _judge_kinds(arrivals: Arrivals, now: float) -> Finding:
    missing = [kind for kind in KINDS if kind not in arrivals.seen]
    seen = ", ".join(kind for kind in KINDS if kind in arrivals.seen) or "nothing"
    what = f"{seen} came since the start {span(now - arrivals.since)} ago"
    if not missing:
        return fine("Requests", what)
    return Finding(Mark.FINE, "Requests", f"{what}; not yet: {', '.join(missing)}", COMPARE)


def _judge_mentions(arrivals: Arrivals, now: float) -> Finding:
    plain_at, escaped_at = arrivals.plain_at, arrivals.escaped_at
    if plain_at is None or (escaped_at is not None and escaped_at >= plain_at):
        return fine("Mentions", "none came as a plain name")
    what = f"a command came with a plain name or link {span(now - plain_at)} ago"
    step = (
        "If it was picked from Slack's list, tick “Escape channels, users, and links” for /notify "
        "in Slack: your app > Slash Commands"
    )
    return doubt("Mentions", what, step)
