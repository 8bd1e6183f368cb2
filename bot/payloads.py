"""Whether a signed body has the shape that Slack documents, in what the bot and Bolt read of it.

Pure. Bolt and the listeners index into bodies; what stands there becomes ids in the database and
addresses to post to. So a body of another shape is refused as a whole, before anything reads it.
The shapes: https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

_ID = re.compile(r"[!-~]{1,255}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_URL = re.compile(r"https?://[!-~]{1,2000}")


def is_well_formed(body: Mapping[str, Any]) -> bool:
    """Tell whether a body can be given to Bolt; one that is not for us may be well-formed too."""
    if not _COMMON(body):
        return False
    if "command" in body:
        return _COMMAND(body)
    kind = _KINDS.get(body.get("type"))
    return kind is None or kind(body)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _is_url(value: object) -> bool:
    return isinstance(value, str) and bool(_URL.fullmatch(value))


def _is_text(value: object) -> bool:
    """Tell whether it is a text that every database takes: no NUL, no half of a character."""
    return _is_typed(value) and "\0" not in str(value)


def _is_typed(value: object) -> bool:
    """Tell whether it is a text that can be encoded."""
    return isinstance(value, str) and not _SURROGATE.search(value)


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _maybe(check: Check) -> Check:
    """Take what is missing or null as well."""
    return lambda value: value is None or check(value)


def _either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


def _has(**fields: Check) -> Check:
    """Take an object whose fields fit; it may have others."""

    def check(value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            fits(value.get(name)) for name, fits in fields.items()
        )

    return check


def _list_of(check: Check, *, at_least: int = 0) -> Check:
    return lambda value: (
        isinstance(value, list) and len(value) >= at_least and all(map(check, value))
    )


_SOMEBODY = _maybe(_either(_is_id, _has(id=_maybe(_is_id))))
_USER = _has(id=_is_id)
_CHANNEL = _has(id=_is_id, name=_maybe(_is_typed))
_VIEW = _has(
    id=_is_id,
    type=_maybe(_is_id),
    callback_id=_maybe(_is_typed),
    private_metadata=_maybe(_is_text),
)
_HASH = _has(hash=_is_id)
_MESSAGE = _has(
    ts=_maybe(_is_id),
    thread_ts=_maybe(_is_id),
    user=_SOMEBODY,
    bot_profile=_maybe(_is_object),
)
_ACTION = _has(
    type=_is_id,
    action_id=_is_id,
    block_id=_maybe(_is_id),
    value=_maybe(_is_text),
)
_EVENT = _has(type=_is_id, subtype=_maybe(_is_id), user=_SOMEBODY, bot_id=_maybe(_is_id))
_HOME_OPENED = _has(user=_is_id, tab=_maybe(_is_id))

_COMMON = _has(
    type=_maybe(_is_id),
    callback_id=_maybe(_is_typed),
    team=_SOMEBODY,
    user=_SOMEBODY,
    event=_maybe(_EVENT),
    view=_maybe(_is_object),
    authorizations=_maybe(_list_of(_is_object)),
)
_COMMAND = _has(
    command=_is_id,
    user_id=_is_id,
    text=_maybe(_is_typed),
    channel_id=_maybe(_is_id),
    trigger_id=_maybe(_is_id),
    response_url=_maybe(_is_url),
)


def _is_press(body: Mapping[str, Any]) -> bool:
    """Tell whether somebody pressed something, on a message or on a view."""
    has_place = body.get("channel") is not None or body.get("view") is not None
    return has_place and _PRESS(body)


_PRESS = _has(
    user=_USER,
    trigger_id=_is_id,
    actions=_list_of(_ACTION, at_least=1),
    response_url=_maybe(_is_url),
    channel=_maybe(_CHANNEL),
    container=_maybe(_is_object),
    message=_maybe(_MESSAGE),
    view=_maybe(lambda view: _VIEW(view) and _HASH(view)),
)

_KINDS: dict[str | None, Check] = {
    "block_actions": _is_press,
    "block_suggestion": _has(
        user=_USER, action_id=_is_id, block_id=_is_id, value=_is_typed, view=_VIEW
    ),
    "event_callback": lambda body: (
        isinstance(body.get("event"), Mapping)
        and (body["event"]["type"] != "app_home_opened" or _HOME_OPENED(body["event"]))
    ),
    "message_action": _has(
        user=_USER,
        callback_id=_is_typed,
        trigger_id=_is_id,
        response_url=_maybe(_is_url),
        channel=_CHANNEL,
        message=_MESSAGE,
        message_ts=_maybe(_is_id),
        team=_maybe(_has(domain=_maybe(_is_id))),
    ),
    "shortcut": _has(user=_USER, callback_id=_is_typed, trigger_id=_is_id),
    "view_submission": _has(user=_USER, view=_VIEW, response_urls=_maybe(_list_of(_is_object))),
    "view_closed": _has(user=_USER, view=_VIEW),
}
