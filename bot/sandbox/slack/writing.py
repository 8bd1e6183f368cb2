"""What people write: names and links to tokens, and to the rich text of real messages."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox.slack.typed import decode_entities
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]

SPLIT = re.compile(r"(<[^<>]*>)")


def find_token(workspace: Workspace, kind: str, name: str, *, labels: bool = False) -> str | None:
    """Return the token of @name or #channel, None if nothing is called that."""
    if kind == "channel":
        channel = workspace.channels.get(name)
        if channel is None or channel.kind not in ("public", "private"):
            return None
        return f"<#{channel.id}|{channel.name if channel.kind == 'public' else ''}>"
    group, person = workspace.groups.get(name), workspace.people.get(name)
    if person is not None:
        return f"<@{person.id}|{person.name}>" if labels else person.mention
    return f"<!subteam^{group.id}|@{group.handle}>" if group else None


def build_rich_text(text: str) -> list[Json]:
    """Build the block of a person's message from its text (facts 1.2, 5.2)."""
    elements = [_build_inline(part) for part in SPLIT.split(text) if part]
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "bRT", "elements": [section]}]


def _build_inline(part: str) -> Json:
    if not (part.startswith("<") and part.endswith(">")):
        return {"type": "text", "text": decode_entities(part)}
    target, _, label = part[1:-1].partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
    if target.startswith("!"):
        return {"type": "broadcast", "range": target[1:]}
    return {"type": "link", "url": target} | ({"text": label} if label else {})
