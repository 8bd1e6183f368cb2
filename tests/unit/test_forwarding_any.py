"""Whatever JSON Slack calls a message, the shortcut opens a form that Slack takes."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.composer import Composer, Wording
from bot.forwarding import build_place, build_prefill, people_in
from bot.leadsquared.models import count_bytes
from bot.replies.compose import modal
from bot.sandbox.slack.views import check_view, is_too_large

COMPOSER = Composer(2048, sign=True)
ROOM = COMPOSER.room("Alice Rao")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("user", "username", "bot_profile", "text", "blocks", "files", "name")
LONG = st.builds(lambda piece: piece * 1500, st.text(min_size=1, max_size=4))
NAMES = st.dictionaries(st.sampled_from(["U0BOB0001", "U0EVE0001"]), st.text(max_size=200) | LONG)


def anything(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    values = JSON | LONG | st.sampled_from(["U0BOB0001", "Ask <@U0EVE0001>"])
    return st.dictionaries(st.sampled_from(keys), values | st.fixed_dictionaries({"name": values}))


@settings(deadline=None)
@given(
    anything(*KEYS) | st.dictionaries(st.sampled_from(["ts", "thread_ts"]), JSON),
    anything("name"),
    anything("domain") | SCALARS,
    JSON,
    NAMES,
)
@example({"bot_profile": "x", "user": ["U0BOB0001"]}, {"name": 7}, "acme", None, {})
@example({"username": {}, "text": "\ud800", "ts": 1.5}, {"name": "\udfff"}, {"domain": 5}, 7, {})
def test_any_message_opens_a_form(
    message: dict[str, Any],
    channel: dict[str, Any],
    team: Any,
    url: Any,
    names: dict[str, str],
) -> None:
    shortcut = {
        "message": message,
        "message_ts": "1.2",
        "channel": {"id": "C1"} | channel,
        "team": team,
        "response_url": url if isinstance(url, str) else None,
    }
    assert people_in(message) <= {"U0BOB0001", "U0EVE0001"}
    prefill = build_prefill(shortcut, names, max_bytes=ROOM)
    assert count_bytes(prefill.title, prefill.content) <= ROOM
    wording = Wording(prefill.content, prefill.title, prefill.link)
    attempt = COMPOSER.attempt(wording, "Alice Rao")
    view = modal(build_place(shortcut), prefill, attempt.preview(COMPOSER.max_bytes))
    assert check_view(view, "modal") == []
    assert not is_too_large(view)
