"""Buttons pressed and choices made, as `actions` of a payload (facts 1.6)."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.elements import STATEFUL
from bot.sandbox.slack.inputs import build_entry
from bot.sandbox.slack.messages import find_actions

Json = dict[str, Any]


def find_element(blocks: list[Json], action_id: str, value: Any) -> Json:
    """Return the element, with its `block_id`; of several buttons, the one with this value."""
    found = [one for one in find_actions(blocks) if one["action_id"] == action_id]
    if len(found) > 1:
        found = [one for one in found if one.get("value") == value]
    if not found:
        there = [one["action_id"] for one in find_actions(blocks)]
        raise LookupError(f"nothing to press with action_id {action_id!r}, only {there}")
    inputs = {block["block_id"]: block for block in blocks if block["type"] == "input"}
    block = inputs.get(found[0]["block_id"])
    if block is not None and not block.get("dispatch_action"):
        raise LookupError(f"{action_id} is an input and sends nothing without dispatch_action")
    return found[0]


def build_action(element: Json, value: Any, suggested: list[Json], ts: str) -> Json:
    action: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": element["block_id"],
        "action_ts": ts,
    }
    if element["type"] in STATEFUL:
        placeholder = {key: element[key] for key in ("placeholder",) if key in element}
        return action | build_entry(element, value, suggested) | placeholder
    if element["type"] == "overflow":
        option = next((one for one in element["options"] if one.get("value") == value), None)
        if option is None:
            raise LookupError(f"{element['action_id']} offers no {value!r}")
        return action | {"selected_option": option}
    kept = {key: element[key] for key in ("text", "value", "url", "style") if key in element}
    return action | kept
