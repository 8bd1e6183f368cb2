import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.leads.found import Found, Hint
from bot.leadsquared.models import Lead
from bot.replies.lead_options import HINTS, NOT_A_LEAD, OPTION_MOST, build_options
from bot.sandbox.slack.elements import check_offer

ASHA = "2b9d1c3e-1111-4222-8333-abcdefabcdef"

WORDS = st.text(st.characters(exclude_categories=["C"]), max_size=100)
LONG = st.sampled_from(["&" * 200, "अ" * 200, "😀" * 200, "👩‍👩‍👧" * 50, "x" * 3_000])
TEXTS = WORDS | LONG
LEADS = st.lists(
    st.builds(
        Lead,
        id=st.just(ASHA),
        name=TEXTS,
        email=st.none() | TEXTS,
        phones=st.lists(TEXTS, max_size=2).map(tuple),
        company=TEXTS,
    ),
    max_size=3,
).map(tuple)


def texts(found: Found) -> list[str]:
    return [option["text"]["text"] for option in build_options(found)]


def test_an_option_tells_leads_of_one_name_apart() -> None:
    asha = Lead(id=ASHA, name="Asha Rao", email="asha@x.com", phones=("+91-9", "+91-8"))
    assert build_options(Found((asha,)))[0]["value"] == ASHA
    assert texts(Found((asha,))) == ["Asha Rao · asha@x.com · +91-9 · +91-8"]
    assert texts(Found((Lead(id=ASHA),))) == ["a lead without a name"]


@pytest.mark.parametrize("hint", Hint)
def test_a_hint_is_an_option_that_is_no_lead_or_nothing_at_all(hint: Hint) -> None:
    options = build_options(Found(hint=hint))
    assert [option["value"] for option in options] == [NOT_A_LEAD] * (hint in HINTS)
    assert all(len(words) <= OPTION_MOST for words in HINTS.values())


def test_a_hundred_leads_leave_no_room_for_the_hint_unless_there_are_more() -> None:
    leads = (Lead(id=ASHA, name="Asha"),) * 100
    assert len(build_options(Found(leads))) == 100
    cut = texts(Found(leads, Hint.MORE))
    assert len(cut) == 100
    assert cut[-1] == HINTS[Hint.MORE]


@given(LEADS, st.none() | st.sampled_from(Hint))
def test_slack_takes_the_options_whatever_leads_are_called(
    leads: tuple[Lead, ...], hint: Hint | None
) -> None:
    options = build_options(Found(leads, hint))
    assert list(check_offer({"options": options}, "block_suggestion")) == []
    for option in options:
        assert len(option["text"]["text"].encode("utf-16-le")) <= 2 * OPTION_MOST
