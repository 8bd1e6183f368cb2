"""What stands in the inputs of a view, in the shape of `state.values` (facts 1.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.elements import STATEFUL, TEXT_INPUTS, list_options
from bot.sandbox.slack.people import Person

Json = dict[str, Any]
Values = dict[str, dict[str, Json]]

SINGLE = {
    "static_select": "option",
    "external_select": "option",
    "radio_buttons": "option",
    "users_select": "user",
    "conversations_select": "conversation",
    "channels_select": "channel",
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "date_time",
}
MANY = {
    "multi_static_select": "options",
    "multi_external_select": "options",
    "checkboxes": "options",
    "multi_users_select": "users",
    "multi_conversations_select": "conversations",
    "multi_channels_select": "channels",
}


def find_inputs(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield (block, element) for everything that keeps a value."""
    for block in blocks:
        candidates = [block.get("element"), block.get("accessory")]
        if block["type"] == "actions":
            candidates += block["elements"]
        for element in candidates:
            if element and element["type"] in STATEFUL:
                yield block, element


def build_values(blocks: list[Json], kept: Values | None = None) -> Values:
    """Build the state: what was kept for the same block and action, else what was initial."""
    values: Values = {}
    for block, element in find_inputs(blocks):
        name, action = block["block_id"], element["action_id"]
        entry = ((kept or {}).get(name) or {}).get(action)
        if entry is None or entry["type"] != element["type"]:
            entry = _build_initial(element)
        values.setdefault(name, {})[action] = entry
    return values


def _build_initial(element: Json) -> Json:
    kind = element["type"]
    if kind in SINGLE:
        initial = element.get(f"initial_{SINGLE[kind]}")
        return {"type": kind, f"selected_{SINGLE[kind]}": initial}
    if kind in MANY:
        initial = element.get(f"initial_{MANY[kind]}", [])
        return {"type": kind, f"selected_{MANY[kind]}": list(initial)}
    if kind == "file_input":
        return {"type": kind, "files": []}
    key = "rich_text_value" if kind == "rich_text_input" else "value"
    return {"type": kind, key: element.get("initial_value")}


def build_entry(element: Json, value: Any, suggested: list[Json]) -> Json:
    """Build the state of one element after a person put `value` there."""
    kind = element["type"]
    if kind in SINGLE:
        picked = None if value is None else _pick(element, value, suggested)
        return {"type": kind, f"selected_{SINGLE[kind]}": picked}
    if kind in MANY:
        picks = [_pick(element, one, suggested) for one in value or []]
        most = element.get("max_selected_items")
        if most is not None and len(picks) > most:
            raise ValueError(f"Slack lets nobody pick more than {most} in {element['action_id']}")
        return {"type": kind, f"selected_{MANY[kind]}": picks}
    if kind in TEXT_INPUTS:
        return {"type": kind, "value": _type(element, value)}
    key = "files" if kind == "file_input" else "rich_text_value"
    return {"type": kind, key: value}


def _pick(element: Json, value: Any, suggested: list[Json]) -> Any:
    if isinstance(value, Person):
        return value.id
    if "option" not in (SINGLE | MANY)[element["type"]]:
        return getattr(value, "id", value)
    if isinstance(value, dict):
        value = value["value"]
    for option in [*list_options(element), *suggested]:
        if value in (option["value"], option["text"]["text"]):
            return {"text": option["text"], "value": option["value"]}
    raise LookupError(f"{element['action_id']} offers no {value!r}")


def _type(element: Json, value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = str(value)
    most = element.get("max_length", 3000)
    if len(text) > most:
        raise ValueError(f"Slack lets nobody type more than {most} in {element['action_id']}")
    return text


def is_empty(entry: Json) -> bool:
    return all(value in (None, [], "") for key, value in entry.items() if key != "type")


def find_missing(blocks: list[Json], values: Values) -> list[str]:
    """Return the required inputs that are empty: Slack's client does not submit then."""
    return [
        block["block_id"]
        for block, element in find_inputs(blocks)
        if block["type"] == "input"
        and not block.get("optional")
        and is_empty(values[block["block_id"]][element["action_id"]])
    ]
