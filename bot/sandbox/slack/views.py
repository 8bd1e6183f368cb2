"""Modals and Home tabs: what Slack takes as a view, and what stands in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.blocks import check_blocks, complete_blocks
from bot.sandbox.slack.elements import check_keys, check_plain, check_string
from bot.sandbox.slack.inputs import Values, build_values
from bot.sandbox.slack.messages import find_actions, show_blocks
from bot.sandbox.slack.people import APP_ID, BOT_ID, TEAM_ID, Person

Json = dict[str, Any]

MOST_BYTES = 250_000
STACK = 3
SHARED = {"type", "blocks", "private_metadata", "callback_id", "external_id"}
MODAL = SHARED | {
    "title",
    "submit",
    "close",
    "clear_on_close",
    "notify_on_close",
    "submit_disabled",
}


@dataclass(eq=False)
class View:
    """One open modal or one Home tab, with what the person typed into it."""

    id: str
    person: Person
    given: Json
    """As the app gave it, with the block and action ids that Slack adds."""
    hash: str
    root_id: str
    previous_id: str | None = None
    values: Values = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """Red text under inputs; under "" when Slack had trouble connecting."""
    suggested: dict[str, list[Json]] = field(default_factory=dict)
    """Options an external select was given, by action id."""
    is_open: bool = True
    read: Callable[[str], str] = field(default=str, repr=False)

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.given["blocks"]
        return blocks

    @property
    def title(self) -> str:
        return str(self.given["title"]["text"]) if "title" in self.given else ""

    @property
    def callback_id(self) -> str:
        return str(self.given.get("callback_id", ""))

    @property
    def external_id(self) -> str:
        return str(self.given.get("external_id", ""))

    @property
    def private_metadata(self) -> str:
        return str(self.given.get("private_metadata", ""))

    @property
    def shown(self) -> str:
        """What a person reads in it."""
        lines = [self.title] if self.title else []
        return self.read("\n".join([*lines, *show_blocks(self.blocks)]))

    @property
    def action_ids(self) -> list[str]:
        return [element["action_id"] for element in find_actions(self.blocks)]

    def replace(self, given: Json, hash_: str, next_id: Callable[[], str]) -> None:
        """Take a new content; inputs of the same ids keep what was typed."""
        blocks = complete_blocks(given["blocks"], next_id)
        self.given, self.hash, self.errors = given | {"blocks": blocks}, hash_, {}
        self.values = build_values(blocks, self.values)

    def build_payload(self, values: Values | None = None) -> Json:
        """Build the view as Slack's answers and payloads carry it (facts 1.4)."""
        payload: Json = {
            "id": self.id,
            "team_id": TEAM_ID,
            "type": self.given["type"],
            "blocks": self.blocks,
            "private_metadata": self.private_metadata,
            "callback_id": self.callback_id,
            "state": {"values": self.values if values is None else values},
            "hash": self.hash,
            "clear_on_close": bool(self.given.get("clear_on_close", False)),
            "notify_on_close": bool(self.given.get("notify_on_close", False)),
            "previous_view_id": self.previous_id,
            "root_view_id": self.root_id,
            "app_id": APP_ID,
            "external_id": self.external_id,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
        }
        texts = {key: self.given.get(key) for key in ("title", "submit", "close")}
        return payload | (texts if self.given["type"] == "modal" else {})


def check_view(view: Any, kind: str) -> list[str]:
    """Return what Slack would not take; `kind` is modal or home."""
    if not isinstance(view, dict):
        return ["/view: must be an object"]
    if view.get("type") != kind:
        return [f"/view: type must be {kind}"]
    if "blocks" not in view:
        return ["/view: missing blocks"]
    return [*_check_fields(view, kind), *check_blocks(view["blocks"], kind)]


def _check_fields(view: Json, kind: str) -> Iterator[str]:
    yield from check_keys(view, MODAL if kind == "modal" else SHARED, "/view")
    yield from check_string(view, "private_metadata", 3000, "/view")
    yield from check_string(view, "callback_id", 255, "/view")
    yield from check_string(view, "external_id", 255, "/view")
    if kind == "home":
        return
    yield from check_plain(view.get("title"), "/view/title", 24)
    for key in ("submit", "close"):
        if view.get(key) is not None:
            yield from check_plain(view[key], f"/view/{key}", 24)
    blocks = view["blocks"] if isinstance(view["blocks"], list) else []
    if view.get("submit") is None and any(
        isinstance(block, dict) and block.get("type") == "input" for block in blocks
    ):
        yield "/view: submit is required with input blocks"


def is_too_large(view: Json) -> bool:
    return len(json.dumps(view, ensure_ascii=False).encode()) > MOST_BYTES
