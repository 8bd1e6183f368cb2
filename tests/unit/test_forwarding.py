from typing import Any

import pytest

from bot.forwarding import build_place, build_prefill, people_in, permalink
from bot.leadsquared.models import count_bytes
from bot.notification import Place

MESSAGE = {"user": "UBOB", "ts": "1717999999.000100", "text": "See <@UEVE> &amp; go"}


def shortcut(message: dict[str, Any] | None = None, name: str = "sales") -> dict[str, Any]:
    return {
        "team": {"id": "T1", "domain": "acme"},
        "channel": {"id": "C1", "name": name},
        "message_ts": "1717999999.000100",
        "response_url": "https://hooks.slack.com/app/1",
        "message": {**MESSAGE, **(message or {})},
    }


def test_a_message_becomes_title_text_and_link() -> None:
    prefill = build_prefill(shortcut(), {"UBOB": "Bob", "UEVE": "Eve"}, max_bytes=2048)
    assert prefill.title == "Bob in #sales"
    assert prefill.content == "See @Eve & go"
    assert prefill.link == "https://acme.slack.com/archives/C1/p1717999999000100"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("sales", "Bob in #sales"),
        ("directmessage", "Bob in a direct message"),
        ("privategroup", "Bob in a private channel"),
        ("mpdm-alice--bob-1", "Bob in a group message"),
        ("", "Bob in Slack"),
    ],
)
def test_the_title_says_where(name: str, where: str) -> None:
    assert build_prefill(shortcut(name=name), {"UBOB": "Bob"}, max_bytes=2048).title == where


@pytest.mark.parametrize(
    ("message", "author"),
    [
        ({"user": "U?"}, "Somebody"),
        ({"user": None, "username": "Webhook"}, "Webhook"),
        ({"user": None, "bot_profile": {"name": "Deploy\nbot"}}, "Deploy bot"),
    ],
)
def test_authors_without_a_known_name(message: dict[str, Any], author: str) -> None:
    assert build_prefill(shortcut(message), {}, max_bytes=2048).title == f"{author} in #sales"


def test_a_long_text_is_cut_to_what_fits_and_shows_it() -> None:
    prefill = build_prefill(shortcut({"text": "word " * 2000}), {"UBOB": "Bob"}, max_bytes=500)
    assert prefill.content.endswith("…")
    assert count_bytes(prefill.title, prefill.content) <= 500


def test_a_message_in_a_thread_is_answered_in_its_thread() -> None:
    threaded = shortcut({"thread_ts": "1717990000.000900"})
    assert build_place(threaded) == Place(
        "C1", "1717990000.000900", "https://hooks.slack.com/app/1"
    )
    assert permalink(threaded).endswith("p1717999999000100?thread_ts=1717990000.000900&cid=C1")


def test_a_message_outside_threads_starts_one() -> None:
    assert build_place(shortcut()).thread_ts == "1717999999.000100"


def test_without_a_domain_there_is_no_link() -> None:
    assert permalink({**shortcut(), "team": None}) == ""


def test_names_are_needed_for_the_author_and_the_mentioned() -> None:
    assert people_in(MESSAGE) == {"UBOB", "UEVE"}
    assert people_in({"text": "nobody"}) == frozenset()
