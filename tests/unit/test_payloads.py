from typing import Any

import pytest

from bot.payloads import is_well_formed

USER = {"id": "U0ALICE01", "team_id": "T0ACME001"}
TRIGGER = "7002.7003.0123456789abcdef"
VIEW = {"id": "V1", "type": "modal", "callback_id": "compose", "private_metadata": "{}"}
COMMAND = {
    "command": "/notify",
    "user_id": "U0ALICE01",
    "text": "<@U0PRIYA01> नमस्ते \x00 | 😀",
    "channel_id": "C0SALES01",
    "trigger_id": TRIGGER,
    "response_url": "https://hooks.slack.com/commands/T0ACME001/7001/abcDEF",
}
PRESS = {
    "type": "block_actions",
    "user": USER,
    "trigger_id": TRIGGER,
    "team": {"id": "T0ACME001", "domain": "acme"},
    "channel": {"id": "C0SALES01", "name": "sales"},
    "container": {"type": "message"},
    "message": {"ts": "1718000000.123456", "user": "U0BOT0001"},
    "response_url": "https://hooks.slack.com/actions/T0ACME001/7001/abcDEF",
    "actions": [{"type": "button", "action_id": "retry", "block_id": "b1", "value": "1a2b"}],
}
SUBMISSION = {"type": "view_submission", "user": USER, "view": VIEW, "response_urls": []}
TYPING = {
    "type": "block_suggestion",
    "user": USER,
    "action_id": "lead",
    "block_id": "lead",
    "value": "",
    "view": VIEW,
}
SHORTCUT = {"type": "shortcut", "user": USER, "callback_id": "notify", "trigger_id": TRIGGER}
FORWARD = {
    **SHORTCUT,
    "type": "message_action",
    "channel": {"id": "D0ALICE01", "name": "directmessage"},
    "message": {"ts": "1718000000.123456", "thread_ts": None, "bot_profile": {}},
    "message_ts": "1718000000.123456",
}
HOME = {
    "type": "event_callback",
    "event": {"type": "app_home_opened", "user": "U0ALICE01", "tab": "home"},
    "authorizations": [{"team_id": "T0ACME001"}],
}
EVERYTHING = [COMMAND, PRESS, SUBMISSION, TYPING, SHORTCUT, FORWARD, HOME]

WRONG = [5, True, 1.5, [], {}, "", "\x00", "a b", "\ud800", "é", "x" * 256]
"""What is no id, whatever stands there."""


@pytest.mark.parametrize("body", EVERYTHING)
def test_what_slack_sends_is_well_formed(body: dict[str, Any]) -> None:
    assert is_well_formed(body)
    assert is_well_formed(body | {"something": {"new": [1]}, "team": None})


@pytest.mark.parametrize("body", [{}, {"type": "of_next_year", "user": None}, {"a": "b"}])
def test_what_is_not_for_us_is_well_formed_too(body: dict[str, Any]) -> None:
    assert is_well_formed(body)


def replace(body: Any, path: str, value: Any) -> Any:
    """Return a copy with `value` at the end of a path such as `actions.0.value`."""
    step, _, rest = path.partition(".")
    key: Any = int(step) if isinstance(body, list) else step
    inner = replace(body[key], rest, value) if rest else value
    if isinstance(body, list):
        return [inner if index == key else each for index, each in enumerate(body)]
    return {**body, key: inner}


IDS = [
    (COMMAND, "command"),
    (COMMAND, "user_id"),
    (COMMAND, "channel_id"),
    (COMMAND, "trigger_id"),
    (COMMAND, "response_url"),
    (PRESS, "type"),
    (PRESS, "user.id"),
    (PRESS, "trigger_id"),
    (PRESS, "team.id"),
    (PRESS, "channel.id"),
    (PRESS, "response_url"),
    (PRESS, "message.ts"),
    (PRESS, "actions.0.action_id"),
    (PRESS, "actions.0.block_id"),
    (SUBMISSION, "user.id"),
    (SUBMISSION, "view.id"),
    (TYPING, "user.id"),
    (TYPING, "view.id"),
    (TYPING, "action_id"),
    (SHORTCUT, "user.id"),
    (SHORTCUT, "trigger_id"),
    (FORWARD, "channel.id"),
    (FORWARD, "message.ts"),
    (FORWARD, "message.thread_ts"),
    (HOME, "event.type"),
    (HOME, "event.user"),
    (HOME, "event.tab"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=ascii)
@pytest.mark.parametrize(("body", "path"), IDS, ids=[path for _, path in IDS])
def test_an_id_is_a_short_printable_word(body: dict[str, Any], path: str, wrong: Any) -> None:
    assert not is_well_formed(replace(body, path, wrong))


@pytest.mark.parametrize(
    ("body", "path", "wrong"),
    [
        (COMMAND, "text", 5),
        (COMMAND, "text", "\ud800"),
        (COMMAND, "event", "message"),
        (COMMAND, "view", "x"),
        (COMMAND, "response_url", "file:///etc/passwd"),
        (PRESS, "user", None),
        (PRESS, "actions", []),
        (PRESS, "actions", 5),
        (PRESS, "actions", [5]),
        (PRESS, "actions.0.value", 5),
        (PRESS, "actions.0.value", "\x00"),
        (PRESS, "message", "x"),
        (PRESS, "message.user", 5),
        (PRESS, "container", "x"),
        (SUBMISSION, "view", None),
        (SUBMISSION, "view.private_metadata", 5),
        (SUBMISSION, "view.private_metadata", "\x00"),
        (SUBMISSION, "response_urls", [5]),
        (TYPING, "value", 5),
        (TYPING, "value", "\ud800"),
        (FORWARD, "message", None),
        (FORWARD, "channel", None),
        (FORWARD, "message.bot_profile", "x"),
        (FORWARD, "team", {"domain": "a b"}),
        (HOME, "event", 5),
        (HOME, "event", None),
        (HOME, "event.user", {"id": "U1"}),
        (HOME, "authorizations", 5),
        (HOME, "authorizations", [5]),
    ],
)
def test_what_bolt_and_the_listeners_would_trip_over_is_refused(
    body: dict[str, Any], path: str, wrong: Any
) -> None:
    assert not is_well_formed(replace(body, path, wrong))


def test_a_press_is_somewhere() -> None:
    nowhere = {name: value for name, value in PRESS.items() if name != "channel"}
    assert not is_well_formed(nowhere)
    assert is_well_formed(nowhere | {"view": VIEW | {"hash": "1.h"}})
    assert not is_well_formed(nowhere | {"view": VIEW | {"hash": "1.h", "id": 5}})


def test_a_press_on_a_view_names_the_state_it_was_in() -> None:
    assert is_well_formed(PRESS | {"view": VIEW | {"hash": "1.h"}})
    assert not is_well_formed(PRESS | {"view": VIEW})
