"""Whatever people and LeadSquared call things, Slack takes every reply, and it pings nobody.

The stand-in's own rules are the judge.
"""

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.leads.found import Found, Hint
from bot.notification import Delivery, Notification, Report, State
from bot.people import Description, Link, Person, Standing
from bot.questions import SecondEnter
from bot.replies import (
    answers,
    cards,
    compose,
    group_options,
    home,
    lead_options,
    questions,
    reasons,
)
from bot.replies.message import Message
from bot.sandbox.slack.blocks import check_blocks
from bot.sandbox.slack.elements import check_offer
from bot.sandbox.slack.messages import find_markup
from bot.sandbox.slack.views import check_view, is_too_large

Json = dict[str, Any]

MESSAGE_TEXT_MOST = 40_000
"""Characters of a message's text, beyond which Slack cuts it."""

BAD_TOKEN = re.compile(r"<(?!!date\^|#C1>)")
HALF_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")

HOSTILE = st.sampled_from(
    [
        "&",
        "<",
        "<!channel>",
        "<@U1>",
        "&amp;",
        "```",
        "`",
        "*",
        "|",
        "\n",
        "😀",
        "क्ष",
        "\u202e",
        "{}",
    ]
)
LONG = st.builds(lambda piece, times: piece * times, HOSTILE, st.integers(1, 1_000))
TEXT = st.text(max_size=300) | LONG
WORD = TEXT.map(lambda text: "x" + text)
DETAIL = st.none() | TEXT
CODES = st.none() | st.sampled_from([*reasons.SHORT, "access_401", "something new"]) | WORD


@st.composite
def report_of(draw: st.DrawFn, most: int = 12) -> Report:
    """Build a notification with recipients of any state, some of whom share one CRM user."""
    one = st.builds(
        Delivery,
        position=st.just(0),
        slack_user_id=st.none() | st.just("U1"),
        name=DETAIL,
        state=st.sampled_from(State),
        code=CODES,
        detail=DETAIL,
        twin_position=st.none() | st.just(0),
        repeats=st.integers(0, 10**9),
        email=DETAIL,
    )
    people = draw(st.lists(one, min_size=1, max_size=most))
    notification = Notification(draw(WORD), draw(TEXT), draw(DETAIL), None, draw(DETAIL))
    span = draw(st.floats(0, 1e9))
    return Report("ab12cd34", "UA", draw(WORD), notification, tuple(people), 1.8e9, span)


def check_markup(node: Any) -> None:
    for markup in find_markup(node):
        assert not BAD_TOKEN.search(markup), markup
        assert not HALF_ENTITY.search(markup), markup


def check_message(message: Message) -> None:
    assert 0 < len(message.text) <= MESSAGE_TEXT_MOST
    check_markup({"type": "mrkdwn", "text": message.text})
    assert check_blocks(message.blocks, "message") == []
    check_markup(message.blocks)


def check_text(text: str) -> None:
    """Check what stands as the text of a message, or as that of a notice."""
    assert 0 < len(text) <= answers.TEXT_MOST
    check_message(Message(text))
    check_shown(compose.notice_modal(text))


def check_shown(view: Json) -> None:
    assert check_view(view, view["type"]) == []
    assert not is_too_large(view)
    check_markup(view)


@settings(deadline=None)
@given(report_of(), st.booleans(), st.floats(0, 1e9))
def test_cards_fit(report: Report, alone: bool, seconds: float) -> None:
    check_message(cards.outcome(report, alone=alone))
    check_message(cards.outcome(report, alone=alone).with_context(answers.not_in_place("C1")))
    check_message(cards.progress(report, seconds))
    check_message(cards.status(report))
    check_shown(home.build_details(report))


PERSON = st.builds(
    Person,
    user_id=st.just("U1"),
    name=WORD,
    email=DETAIL,
    standing=st.sampled_from(Standing),
    is_admin=st.booleans(),
)
LINK = st.builds(Link, st.just("U1"), WORD, TEXT, DETAIL, st.none() | st.just("UA"), st.just(1.8e9))


@settings(deadline=None)
@given(st.builds(Description, PERSON, st.none() | LINK, CODES), LINK)
def test_answers_about_people_fit(known: Description, link: Link) -> None:
    check_text(answers.described(known))
    check_text(answers.linked(known.person.name, link))
    check_text(answers.unlinked(known.person.name, was_linked=known.link is not None))
    check_text(answers.reopened(known.person.name))


@settings(deadline=None)
@given(WORD, st.integers(0, 10**9), st.floats(0, 1e9))
def test_other_answers_fit(typed: str, count: int, seconds: float) -> None:
    check_text(answers.no_such_notification(typed))
    check_text(answers.cancelled(count))
    check_text(answers.unexpected("0123abcd"))
    check_message(answers.queued("ab12cd34", count, seconds))


@pytest.mark.parametrize("name", [name for name in vars(answers) if name.isupper()])
def test_what_is_always_the_same_fits(name: str) -> None:
    said = getattr(answers, name)
    if isinstance(said, str):
        check_text(said)


@settings(deadline=None)
@given(
    st.builds(
        SecondEnter,
        draft_id=st.just("0" * 16),
        notification_id=st.just("ab12cd34"),
        seconds_ago=st.floats(0, 1e9),
        states=st.frozensets(st.sampled_from(State), min_size=1),
    )
)
def test_the_second_enter_fits(question: SecondEnter) -> None:
    check_message(questions.ask(question))
    check_shown(questions.modal(question))


@settings(deadline=None)
@given(WORD.map(lambda text: text.replace("&", "+").replace("<", "(")))
def test_a_notice_of_any_length_fits(text: str) -> None:
    check_shown(compose.notice_modal(text))
    check_shown(home.build_notice(text))


def test_the_notice_while_a_form_is_built_fits() -> None:
    check_shown(compose.loading_modal())


@settings(deadline=None)
@given(st.lists(st.tuples(st.just("S0SALES01"), WORD, TEXT), max_size=120))
def test_the_menu_of_groups_fits(groups: list[tuple[str, str, str]]) -> None:
    assert list(check_offer({"options": group_options.build_options(groups)}, "/")) == []


@settings(deadline=None)
@given(WORD)
def test_a_hint_in_the_lead_menu_fits(text: str) -> None:
    assert list(check_offer({"options": [lead_options.hint_option(text)]}, "/")) == []
    for hint in Hint:
        options = lead_options.build_options(Found((), hint))
        assert list(check_offer({"options": options}, "/")) == []


@settings(deadline=None)
@given(WORD.map(lambda text: text.replace("&", "+").replace("<", "(")), TEXT)
@example("x" * 5_000, "")
@example("x" * 5_000, "y" * 8_000)
@example("x" * 10, "&" * 8_000)
def test_a_refusal_gives_back_all_that_was_typed(hint: str, typed: str) -> None:
    blocks = answers.refusal_blocks(hint, typed)
    if not blocks:
        check_text(answers.refusal(hint, typed))
        return
    assert check_blocks(blocks, "message") == []
    check_markup(blocks)
