"""The options of the form's menu for user groups, while somebody types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.leads.found import MOST_SHOWN
from bot.replies.lead_options import build_option


def build_options(groups: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Build at most a hundred options, each from an id, a handle and a name."""
    return [
        build_option(_describe(handle, name), group_id)
        for group_id, handle, name in groups[:MOST_SHOWN]
    ]


def _describe(handle: str, name: str) -> str:
    is_same = name.casefold() == handle.casefold()
    return f"@{handle}" if is_same or not name else f"@{handle} · {name}"
