import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.notification import State
from bot.questions import LeadChoice, ManyRecipients, SecondEnter, WhichLead
from bot.replies import ActionId, CallbackId, questions
from bot.sandbox.slack.blocks import check_blocks
from bot.sandbox.slack.views import check_view


@pytest.mark.parametrize(
    ("states", "fate"),
    [
        ({State.SENT}, "it was sent"),
        ({State.SENT, State.PENDING}, "it is still on its way"),
        ({State.SENDING}, "it is still on its way"),
        ({State.UNKNOWN, State.SENT}, "it may or may not have arrived"),
        ({State.REJECTED, State.SENT}, "it was sent to some of them"),
    ],
)
def test_the_second_enter_tells_what_became_of_the_first(states: set[State], fate: str) -> None:
    question = SecondEnter("d1", "ab12", 8.2, frozenset(states))
    message, view = questions.ask(question), questions.modal(question)
    assert message.text.startswith("You sent this 8 s ago, and ")
    assert fate in message.text
    assert [(button.action, button.value) for button in message.buttons] == [
        (ActionId.SEND_DRAFT, "d1")
    ]
    assert (view["callback_id"], view["private_metadata"]) == (CallbackId.CONFIRM, "d1")
    assert fate in str(view["blocks"])


MANY = ManyRecipients("d2", 57, ("sales-team",), (), 0, 12.2, "Callback due")


def told(**changes: Any) -> str:
    """Return all that is read in the answer and, as it is the same, in the modal."""
    question = replace(MANY, **changes)
    message, view = questions.ask(question), questions.modal(question)
    assert view["blocks"] == message.without_buttons().blocks
    return "\n".join([message.text, *message.context])


def test_a_send_to_many_says_what_would_go_to_whom_and_that_nothing_is_sent_yet() -> None:
    assert told() == (
        "Nothing is sent yet. “Callback due” would go to *57 people*, with everybody in "
        "*@sales-team*, in about 12 s."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"groups": ()}, "to *57 people*, in about"),
        ({"groups": (), "seconds": 0.0}, "to *57 people*."),
        ({"seconds": 2.0}, "*@sales-team*."),
        ({"seconds": 326.0}, "in about 6 min."),
        ({"recipients": 1}, "to *1 person*, with"),
        ({"recipients": 1500}, "to *1500 people*"),
        ({"groups": ("",)}, "with everybody in that group,"),
        ({"groups": ("", "")}, "with everybody in those groups,"),
        ({"groups": ("a", "")}, "with everybody in *@a* and 1 more,"),
        ({"groups": tuple("abcdefg")}, "*@d*, *@e* and 2 more,"),
        ({"unlinked": ("Gus",), "unlinked_count": 1}, "*Gus* is not linked to LeadSquared"),
        ({"unlinked": ("Gus", "Ro"), "unlinked_count": 2}, "*Gus*, *Ro* are not linked"),
        ({"unlinked": tuple("abcde"), "unlinked_count": 9}, "*e* and 4 more are not linked"),
        ({"title": "<!channel> & *all*"}, "“&lt;!channel&gt; &amp; *all*”"),
        ({"unlinked": ("<@U1>",), "unlinked_count": 1}, "*&lt;@U1&gt;*"),
    ],
)
def test_the_question_fits_what_is_known(changes: dict[str, Any], words: str) -> None:
    assert words in told(**changes)


def test_the_button_says_to_how_many() -> None:
    message, view = questions.ask(MANY), questions.modal(MANY)
    [button] = message.buttons
    assert (button.action, button.label, button.value) == (
        ActionId.SEND_DRAFT,
        "Send to 57",
        "d2",
    )
    assert view["submit"]["text"] == "Send to 57"
    assert (view["callback_id"], view["private_metadata"]) == (CallbackId.CONFIRM, "d2")


NAMES = st.text(max_size=500) | st.sampled_from(["&" * 500, "<" * 500, "👩‍👩‍👧‍👦" * 60, " ", ""])


@given(
    st.builds(
        ManyRecipients,
        draft_id=st.text("0123456789abcdef", min_size=16, max_size=16),
        recipients=st.integers(1, 10**9),
        groups=st.lists(NAMES, max_size=12).map(tuple),
        unlinked=st.lists(NAMES, max_size=5).map(tuple),
        unlinked_count=st.integers(5, 10**9),
        seconds=st.floats(0, 3600),
        title=NAMES,
    )
)
@settings(deadline=None)
@example(
    ManyRecipients("d", 10**9, ("&" * 99,) * 12, ("&" * 99,) * 5, 10**9, 3600.0, "&" * 999),
)
def test_a_question_fits_into_slacks_limits_whatever_it_is_about(question: ManyRecipients) -> None:
    message = questions.ask(question)
    assert check_blocks(message.blocks, "message") == []
    assert check_view(questions.modal(question), "modal") == []
    read = message.blocks[0]["text"]["text"]
    assert read == message.text  # nothing was cut
    assert not re.search("<[@!#]", str(message.blocks))


ASHA_RAO = LeadChoice("d1", "Asha <Rao>", "asha@example.com · +91-9000000001", "Priya Nair")
ASHA_MENON = LeadChoice("d2", "Asha Menon", "", "")


def test_each_lead_that_fits_is_described_and_has_a_button_of_its_own() -> None:
    message = questions.ask(WhichLead((ASHA_RAO, ASHA_MENON)))
    assert message.text.split("\n") == [
        "2 leads fit. Nothing was sent yet. Which one do you mean?",
        "1. *Asha &lt;Rao&gt;* · asha@example.com · +91-9000000001 · owner Priya Nair",
        "2. *Asha Menon*",
    ]
    assert message.context == ()
    assert [button.element for button in message.buttons] == [
        {
            "type": "button",
            "action_id": f"send_draft_{number}",
            "text": {"type": "plain_text", "text": label},
            "value": draft_id,
        }
        for number, label, draft_id in [(1, "1. Asha <Rao>", "d1"), (2, "2. Asha Menon", "d2")]
    ]


def test_the_leads_that_are_left_out_are_counted() -> None:
    question = WhichLead((ASHA_RAO, ASHA_MENON), more=3, ownerless=1)
    message = questions.ask(question)
    assert message.text.startswith("6 leads fit. Nothing was sent yet.")
    assert message.context == (
        "And 3 more: name it more exactly.",
        "1 of them cannot be chosen: no owner in LeadSquared.",
    )
    assert "6 leads fit. Nothing was sent yet." in str(questions.modal(question)["blocks"])


WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=100)
LONG = st.sampled_from(["&" * 200, "अ" * 200, "😀" * 200, "x" * 3_000])
CHOICES = st.lists(
    st.builds(
        LeadChoice, st.just("0" * 16), (WORDS | LONG).filter(bool), WORDS | LONG, WORDS | LONG
    ),
    min_size=1,
    max_size=10,
)


@given(CHOICES)
def test_slack_takes_the_question_whatever_leads_are_called(choices: list[LeadChoice]) -> None:
    message = questions.ask(WhichLead(tuple(choices), more=90, ownerless=9))
    assert list(check_blocks(message.blocks, "message")) == []
    actions = [element["action_id"] for element in message.blocks[-1]["elements"]]
    assert len(set(actions)) == len(choices)
    for element in message.blocks[-1]["elements"]:
        assert len(element["text"]["text"].encode("utf-16-le")) <= 2 * 75
