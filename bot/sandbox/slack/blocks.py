"""Block Kit blocks: what Slack takes in a message, a modal and the Home tab (facts 2.5)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from bot.sandbox.slack.elements import (
    check_element,
    check_image,
    check_keys,
    check_plain,
    check_string,
    check_text,
)

Json = dict[str, Any]

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
EVERYWHERE = {
    "section",
    "divider",
    "image",
    "actions",
    "context",
    "header",
    "input",
    "rich_text",
    "video",
}
ALLOWED = {
    "message": EVERYWHERE | {"markdown", "table", "file"},
    "modal": EVERYWHERE,
    "home": EVERYWHERE,
}
INLINE = {
    "text",
    "link",
    "user",
    "usergroup",
    "channel",
    "emoji",
    "broadcast",
    "date",
    "color",
    "team",
}
RICH = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}


def check_blocks(blocks: Any, surface: str) -> list[str]:
    """Return what Slack would not take, each with its place."""
    if not isinstance(blocks, list):
        return ["/blocks: must be a list"]
    problems = []
    if len(blocks) > MOST_BLOCKS[surface]:
        problems.append(f"/blocks: no more than {MOST_BLOCKS[surface]} items allowed")
    for number, block in enumerate(blocks):
        problems += _check_block(block, surface, f"/blocks/{number}")
    return [*problems, *_check_ids(blocks), *_check_markdown(blocks), *_check_focus(blocks)]


def _check_block(block: Any, surface: str, where: str) -> Iterator[str]:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind not in ALLOWED[surface]:
        yield f"{where}: unsupported type {kind} in {surface}"
        return
    yield from check_string(block, "block_id", 255, where, 1)
    if kind in CHECKS:
        yield from CHECKS[kind](block, where)


def _check_section(block: Json, where: str) -> Iterator[str]:
    yield from check_keys(
        block, {"type", "block_id", "text", "fields", "accessory", "expand"}, where
    )
    fields = block.get("fields")
    if "text" not in block and not fields:
        yield f"{where}: needs text or fields"
    if "text" in block:
        yield from check_text(block["text"], f"{where}/text", 3000)
    if fields is not None:
        if not isinstance(fields, list) or not 1 <= len(fields) <= 10:
            yield f"{where}/fields: must be 1 to 10"
            return
        for number, text in enumerate(fields):
            yield from check_text(text, f"{where}/fields/{number}", 2000)
    if "accessory" in block:
        yield from check_element(block["accessory"], "section", f"{where}/accessory")


def _check_header(block: Json, where: str) -> Iterator[str]:
    yield from check_keys(block, {"type", "block_id", "text"}, where)
    yield from check_plain(block.get("text"), f"{where}/text", 150)


def _check_divider(block: Json, where: str) -> Iterator[str]:
    yield from check_keys(block, {"type", "block_id"}, where)


def _check_image(block: Json, where: str) -> Iterator[str]:
    known = {"type", "block_id", "image_url", "slack_file", "alt_text", "title"}
    yield from check_keys(block, known, where)
    yield from check_image(block, where)
    if "title" in block:
        yield from check_plain(block["title"], f"{where}/title", 2000)


def _check_elements(block: Json, where: str, most: int) -> Iterator[str]:
    yield from check_keys(block, {"type", "block_id", "elements"}, where)
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        yield f"{where}/elements: must be 1 to {most}"
        return
    for number, element in enumerate(elements):
        yield from check_element(element, block["type"], f"{where}/elements/{number}")
    names = [one["action_id"] for one in elements if isinstance(one, dict) and "action_id" in one]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{where}: action_id {name} is there twice"


def _check_actions(block: Json, where: str) -> Iterator[str]:
    yield from _check_elements(block, where, 25)


def _check_context(block: Json, where: str) -> Iterator[str]:
    yield from _check_elements(block, where, 10)


def _check_input(block: Json, where: str) -> Iterator[str]:
    known = {"type", "block_id", "label", "element", "hint", "optional", "dispatch_action"}
    yield from check_keys(block, known, where)
    yield from check_plain(block.get("label"), f"{where}/label", 2000)
    if "hint" in block:
        yield from check_plain(block["hint"], f"{where}/hint", 2000)
    yield from check_element(block.get("element"), "input", f"{where}/element")


def _check_rich_text(block: Json, where: str) -> Iterator[str]:
    yield from check_keys(block, {"type", "block_id", "elements"}, where)
    for number, element in enumerate(block.get("elements") or [{}]):
        here = f"{where}/elements/{number}"
        if element.get("type") not in RICH:
            yield f"{here}: unsupported type {element.get('type')}"
            continue
        allowed = {"rich_text_section"} if element["type"] == "rich_text_list" else INLINE
        for inner in element.get("elements", []):
            if inner.get("type") not in allowed:
                yield f"{here}: unsupported type {inner.get('type')}"


def _check_table(block: Json, where: str) -> Iterator[str]:
    rows = block.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= 100:
        yield f"{where}/rows: must be 1 to 100"
    elif any(len(row) > 20 for row in rows):
        yield f"{where}/rows: no more than 20 cells a row"


CHECKS: dict[str, Callable[[Json, str], Iterator[str]]] = {
    "section": _check_section,
    "header": _check_header,
    "divider": _check_divider,
    "image": _check_image,
    "actions": _check_actions,
    "context": _check_context,
    "input": _check_input,
    "rich_text": _check_rich_text,
    "table": _check_table,
}


def _check_ids(blocks: list[Any]) -> Iterator[str]:
    names = [one["block_id"] for one in blocks if isinstance(one, dict) and "block_id" in one]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"/blocks: block_id {name} is there twice"


def _check_markdown(blocks: list[Any]) -> Iterator[str]:
    texts = [
        one.get("text") for one in blocks if isinstance(one, dict) and one.get("type") == "markdown"
    ]
    if not all(isinstance(text, str) and text for text in texts):
        yield "/blocks: a markdown block without text"
    elif sum(len(text or "") for text in texts) > 12_000:
        yield "/blocks: more than 12000 characters of markdown"


def _check_focus(blocks: list[Any]) -> Iterator[str]:
    inputs = [
        one["element"]
        for one in blocks
        if isinstance(one, dict) and isinstance(one.get("element"), dict)
    ]
    if sum(bool(element.get("focus_on_load")) for element in inputs) > 1:
        yield "/blocks: more than one focus_on_load"


def complete_blocks(blocks: list[Json], next_id: Callable[[], str]) -> list[Json]:
    """Return a copy with the ids that Slack makes where none were given."""
    completed = copy.deepcopy(blocks)
    for block in completed:
        block.setdefault("block_id", next_id())
        inner = [block.get("accessory"), block.get("element")]
        if block["type"] == "actions":
            inner += block["elements"]
        for element in inner:
            if element and element["type"] != "image":
                element.setdefault("action_id", next_id())
    return completed
