"""Block Kit elements and composition objects: what Slack takes (facts 2.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

SELECTS = {
    f"{many}{source}_select"
    for many in ("", "multi_")
    for source in ("static", "external", "users", "conversations", "channels")
}
TEXT_INPUTS = {"plain_text_input", "url_text_input", "email_text_input", "number_input"}
PICKERS = {"datepicker", "timepicker", "datetimepicker"}
CHOICES = {"radio_buttons", "checkboxes"}
STATEFUL = SELECTS | TEXT_INPUTS | PICKERS | CHOICES | {"rich_text_input", "file_input"}

ALLOWED = {
    "section": SELECTS
    | CHOICES
    | {"button", "datepicker", "timepicker", "image", "overflow", "workflow_button"},
    "actions": SELECTS
    | CHOICES
    | PICKERS
    | {"button", "overflow", "rich_text_input", "workflow_button"},
    "input": STATEFUL,
    "context": {"image", "mrkdwn", "plain_text"},
}
MOST_OPTIONS = {"radio_buttons": 10, "checkboxes": 10, "overflow": 5}

COMMON = {"type", "action_id", "confirm"}
KEYS: dict[str, set[str]] = {
    "button": {"text", "value", "url", "style", "accessibility_label"},
    "overflow": {"options"},
    "radio_buttons": {"options", "initial_option", "focus_on_load"},
    "checkboxes": {"options", "initial_options", "focus_on_load"},
    "datepicker": {"placeholder", "initial_date", "focus_on_load"},
    "timepicker": {"placeholder", "initial_time", "focus_on_load", "timezone"},
    "datetimepicker": {"initial_date_time", "focus_on_load"},
    "image": {"image_url", "alt_text", "slack_file"},
}
TEXT_KEYS = {
    "placeholder",
    "initial_value",
    "focus_on_load",
    "dispatch_action_config",
    "min_length",
    "max_length",
}
NUMBER_KEYS = {"is_decimal_allowed", "min_value", "max_value"}
SELECT_KEYS = {"placeholder", "focus_on_load", "max_selected_items", "min_query_length"} | {
    "options",
    "option_groups",
    "initial_option",
    "initial_options",
    "initial_user",
    "initial_users",
    "initial_conversation",
    "initial_conversations",
    "initial_channel",
    "initial_channels",
    "default_to_current_conversation",
    "response_url_enabled",
    "filter",
}


def check_text(
    text: Any, where: str, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")
) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"{where}: must be a text object of type {' or '.join(kinds)}"
        return
    value = text.get("text")
    if not isinstance(value, str) or not value:
        yield f"{where}: must be more than 0 characters"
    elif len(value) > most:
        yield f"{where}: must be less than {most + 1} characters, not {len(value)}"
    own = {"emoji"} if text["type"] == "plain_text" else {"verbatim"}
    yield from check_keys(text, {"type", "text"} | own, where)


def check_plain(text: Any, where: str, most: int) -> Iterator[str]:
    yield from check_text(text, where, most, ("plain_text",))


def check_string(node: Json, key: str, most: int, where: str, least: int = 0) -> Iterator[str]:
    value = node.get(key)
    if value is not None and not (isinstance(value, str) and least <= len(value) <= most):
        yield f"{where}/{key}: must be a string of {least} to {most} characters"


def check_keys(node: Json, known: set[str], where: str) -> Iterator[str]:
    for key in sorted(set(node) - known):
        yield f"{where}: invalid additional property: {key}"


def check_element(element: Any, block_type: str, where: str) -> Iterator[str]:
    """Yield what is wrong with one element in a block of this type."""
    kind = str(element.get("type")) if isinstance(element, dict) else "nothing"
    if kind not in ALLOWED[block_type]:
        yield f"{where}: {kind} is not allowed in {block_type}"
        return
    if kind in ("mrkdwn", "plain_text"):
        yield from check_text(element, where, 3000)
        return
    if kind != "rich_text_input" and kind != "file_input" and kind != "workflow_button":
        yield from check_keys(element, COMMON | _find_keys(kind), where)
    if kind == "image":
        yield from check_image(element, where)
        return
    yield from check_string(element, "action_id", 255, where, 1)
    if "confirm" in element:
        yield from _check_confirm(element["confirm"], f"{where}/confirm")
    if "placeholder" in element:
        yield from check_plain(element["placeholder"], f"{where}/placeholder", 150)
    yield from _check_kind(element, kind, where)


def _find_keys(kind: str) -> set[str]:
    if kind in SELECTS:
        return SELECT_KEYS
    if kind in TEXT_INPUTS:
        return TEXT_KEYS | {
            "plain_text_input": {"multiline"},
            "number_input": NUMBER_KEYS,
        }.get(kind, set())
    return KEYS[kind]


def _check_kind(element: Json, kind: str, where: str) -> Iterator[str]:
    if kind == "button":
        yield from _check_button(element, where)
    elif kind in MOST_OPTIONS:
        yield from _check_options(element.get("options"), where, MOST_OPTIONS[kind], kind)
    elif kind in ("static_select", "multi_static_select"):
        yield from _check_static(element, where)
    elif kind in TEXT_INPUTS:
        yield from _check_text_input(element, where)
    elif kind.startswith("multi_") and "initial_option" in element:
        yield f"{where}: initial_option in a multi select"
    if kind == "number_input" and "is_decimal_allowed" not in element:
        yield f"{where}: missing is_decimal_allowed"


def _check_button(element: Json, where: str) -> Iterator[str]:
    yield from check_plain(element.get("text"), f"{where}/text", 75)
    yield from check_string(element, "value", 2000, where)
    yield from check_string(element, "url", 3000, where, 1)
    if element.get("style", "primary") not in ("primary", "danger"):
        yield f"{where}/style: must be primary or danger"


def _check_static(element: Json, where: str) -> Iterator[str]:
    if ("options" in element) == ("option_groups" in element):
        yield f"{where}: needs options or option_groups, not both"
        return
    problems = list(check_offer(element, where, least=1))
    yield from problems
    initial = element.get("initial_options") or [element.get("initial_option")]
    if not problems and any(one not in [None, *list_options(element)] for one in initial):
        yield f"{where}: initial option is not among the options"


def check_offer(offer: Json, where: str, least: int = 0) -> Iterator[str]:
    """Check `options` or `option_groups`, of a select or of a suggestion's answer."""
    if "option_groups" not in offer:
        yield from _check_options(offer.get("options"), where, 100, "select", least)
        return
    groups = offer["option_groups"]
    if not isinstance(groups, list) or len(groups) > 100:
        yield f"{where}: needs at most 100 option groups"
        return
    for number, group in enumerate(groups):
        yield from check_plain(group.get("label"), f"{where}/option_groups/{number}/label", 75)
        yield from _check_options(group.get("options"), f"{where}/option_groups/{number}", 100, "")


def list_options(offer: Json) -> list[Json]:
    """Return the options with the groups opened."""
    options: list[Json] = list(offer.get("options") or [])
    for group in offer.get("option_groups") or []:
        options += group["options"]
    return options


def _check_options(options: Any, where: str, most: int, kind: str, least: int = 1) -> Iterator[str]:
    if not isinstance(options, list) or not least <= len(options) <= most:
        yield f"{where}/options: must be {least} to {most} options"
        return
    plain = ("plain_text", "mrkdwn") if kind in ("radio_buttons", "checkboxes") else ("plain_text",)
    for number, option in enumerate(options):
        here = f"{where}/options/{number}"
        if not isinstance(option, dict):
            yield f"{here}: must be an option"
            continue
        yield from check_text(option.get("text"), f"{here}/text", 75, plain)
        if kind != "overflow" and "value" not in option:
            yield f"{here}: missing value"
        # the SDK's model takes 150, older documentation 75; who stays below both is right
        yield from check_string(option, "value", 75, here, 1)
        if "description" in option:
            yield from check_text(option["description"], f"{here}/description", 75, plain)
        yield from check_keys(option, {"text", "value", "description", "url"}, here)


def _check_text_input(element: Json, where: str) -> Iterator[str]:
    most = element.get("max_length")
    if most is not None and not (isinstance(most, int) and 1 <= most <= 3000):
        yield f"{where}/max_length: must be 1 to 3000"
    initial = element.get("initial_value")
    if initial is not None and not isinstance(initial, str):
        yield f"{where}/initial_value: must be a string"
    elif initial is not None and len(initial) > (most if isinstance(most, int) else 3000):
        yield f"{where}/initial_value: longer than max_length"


def check_image(node: Json, where: str) -> Iterator[str]:
    if ("image_url" in node) == ("slack_file" in node):
        yield f"{where}: needs image_url or slack_file"
    yield from check_string(node, "image_url", 3000, where, 1)
    if not node.get("alt_text"):
        yield f"{where}: missing alt_text"
    yield from check_string(node, "alt_text", 2000, where, 1)


def _check_confirm(confirm: Any, where: str) -> Iterator[str]:
    if not isinstance(confirm, dict):
        yield f"{where}: must be an object"
        return
    yield from check_plain(confirm.get("title"), f"{where}/title", 100)
    yield from check_text(confirm.get("text"), f"{where}/text", 300)
    yield from check_plain(confirm.get("confirm"), f"{where}/confirm", 30)
    yield from check_plain(confirm.get("deny"), f"{where}/deny", 30)
    yield from check_keys(confirm, {"title", "text", "confirm", "deny", "style"}, where)
