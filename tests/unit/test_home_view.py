from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notification import Delivery, Notification, Report, State, Summary
from bot.overview import MOST_COUNTED, LastError, Overview
from bot.people import Description, Link, Person, Standing
from bot.replies import home, reasons
from bot.replies.home import Home
from bot.sandbox.slack.messages import find_markup, show_blocks
from bot.sandbox.slack.views import check_view, is_too_large

ALICE = Person("UA", "Alice Rao", "alice@acme.com", Standing.MEMBER, is_admin=True)
LINKED = Description(ALICE, Link("UA", "g1", "Alice R", "alice@acme.com", None, 1_800_000_000.0))
FINE = Overview(
    members=2,
    linked=2,
    not_linked=[],
    pending=0,
    oldest=0.0,
    limit=25,
    period=5.0,
    is_learned=False,
    closed=0.0,
    last_error=None,
)


def summary(*deliveries: Delivery, title: str = "Callback due") -> Summary:
    counts: dict[tuple[State, str | None], int] = {}
    for each in deliveries:
        counts[each.state, each.code] = counts.get((each.state, each.code), 0) + 1
    return Summary("ab12cd34", title, 1_800_000_000.0, counts, deliveries[:3])


def delivery(state: State = State.SENT, code: str | None = None, name: str = "Priya") -> Delivery:
    return Delivery(0, "U1", name, state, code)


def read(view: dict[str, Any]) -> str:
    assert check_view(view, view["type"]) == []
    return "\n".join(show_blocks(view["blocks"]))


def read_home(*recent: Summary, **changes: Any) -> str:
    return read(home.build_view(replace(Home(ALICE, LINKED, recent), **changes)))


def test_it_says_who_one_is_as_whoami_does() -> None:
    text = read_home()
    assert "*Alice Rao* in Slack (alice@acme.com) is *Alice R* (alice@acme.com) in LeadSqu" in text
    assert "matched by e-mail <!date^1800000000^" in text
    assert "[Send a notification]" in text
    not_linked = read_home(description=Description(ALICE, None, "not_in_crm"))
    assert "is not linked to a LeadSquared user: " in not_linked


def test_who_one_is_may_still_be_asked() -> None:
    assert "*Alice Rao* in Slack; LeadSquared is still being asked." in read_home(description=None)


def test_an_empty_tab_says_how_to_begin() -> None:
    text = read_home()
    assert "You have sent nothing yet." in text
    assert "`/notify test`" in text
    assert "`/notify @priya Callback due | Asha asked for 3 pm`" in text
    assert "nothing yet" not in read_home(summary(delivery()))


def test_where_nothing_may_be_sent_from_there_is_no_button_for_it() -> None:
    text = read_home(closed="Only from <#C1>. Try it there.")
    assert "Only from <#C1>" in text
    assert "Send a notification" not in text


@pytest.mark.parametrize(
    ("one", "line", "fate", "buttons"),
    [
        (delivery(), "✅ “Callback due” to *Priya* · ", "Sent to LeadSquared", ""),
        (delivery(State.SENDING), "⏳ ", "Still open", "[Cancel what is still waiting] "),
        (
            delivery(State.REJECTED, "busy"),
            "❌ ",
            "Failed: LeadSquared was busy",
            "[Retry] ",
        ),
        (
            delivery(State.UNLINKED, "not_in_crm"),
            "❌ ",
            "Not linked: no LeadSquared user",
            "[Retry] ",
        ),
        (
            delivery(State.UNKNOWN, "lease"),
            "⚠️ ",
            "Uncertain, not repeated: the bot stopped while sending",
            "[Send again] ",
        ),
        (delivery(State.CANCELLED), "❌ ", "Taken back", ""),
    ],
)
def test_one_recipient_has_their_own_line(
    one: Delivery, line: str, fate: str, buttons: str
) -> None:
    shown = read_home(summary(one)).splitlines()
    assert shown[-3].startswith(line)
    assert shown[-2:] == [fate, f"{buttons}[Details]"]


def test_many_recipients_are_counted() -> None:
    many = summary(
        *[delivery(name=name) for name in ("Priya", "Lee", "Dev")],
        delivery(State.UNKNOWN, "uncertain"),
        delivery(State.UNLINKED, "guest"),
        delivery(State.REJECTED, "rejected"),
    )
    shown = read_home(many).splitlines()
    assert shown[-3].startswith("⚠️ “Callback due” to *Priya*, *Lee*, *Dev* and 3 more · <!date^")
    assert shown[-2] == "3 of 6 sent · 1 not linked · 1 uncertain, not repeated · 1 failed"
    assert shown[-1] == "[Retry 1] [Send again 1] [Details]"


def test_what_is_open_can_be_taken_back_and_what_failed_meanwhile_retried() -> None:
    shown = read_home(summary(delivery(State.PENDING), delivery(State.REJECTED))).splitlines()
    assert shown[-3].startswith("⏳ ")
    assert shown[-1] == "[Retry 1] [Cancel what is still waiting] [Details]"


def test_admins_alone_read_how_the_bot_is_doing() -> None:
    assert "For admins" not in read_home()
    text = read_home(overview=FINE)
    assert "*Teammates*: 2 of 2 linked" in text
    assert "*Queue*: empty." in text
    assert "*Limit*: 25 calls in 5 s.\n" in text
    assert "*Last LeadSquared error*: none lately." in text
    for step in ("/notify link", "log", "LEADSQUARED_"):
        assert step not in text, "nothing is wrong"


def test_what_is_wrong_comes_with_a_next_step() -> None:
    wrong = replace(
        FINE,
        members=MOST_COUNTED,
        linked=10,
        not_linked=["<Omar>", "Dev"],
        pending=1234,
        oldest=200.0,
        limit=10,
        is_learned=True,
        closed=3.2,
        last_error=LastError("access_401", "Bad & key", 1_800_000_000.0),
    )
    text = read_home(overview=wrong)
    assert "10 of 5,000 or more linked" in text
    assert "Not linked: *&lt;Omar&gt;*, *Dev* and 4,988 more." in text
    assert "`/notify link @them &lt;their LeadSquared e-mail&gt;`" in text
    assert "1,234 waiting, the oldest for 4 min. If it does not become shorter" in text
    assert "10 calls in 5 s, and none for the next 3 s after a refusal." in text
    assert "set LEADSQUARED_RATE_LIMIT" in text
    assert "LeadSquared refused our keys: “Bad &amp; key”. An admin should check LEADSQUAR" in text


def test_details_tell_what_a_status_tells() -> None:
    report = Report(
        "ab12cd34",
        "UA",
        "Alice Rao",
        Notification("Standup", "moved"),
        (delivery(), delivery(State.UNLINKED, "not_in_crm", "Omar")),
        1_800_000_000.0,
        2.0,
    )
    view = home.build_details(report)
    text = read(view)
    assert (view["type"], view["title"]["text"]) == ("modal", "Details")
    assert "*Omar*: no LeadSquared user" in text
    assert "[" not in text, "a modal's buttons would have nowhere to answer"


texts = st.text(max_size=4_000)
states = st.sampled_from(list(State))
codes = st.sampled_from([*reasons.SHORT, None, "something new"])
people = st.builds(delivery, states, codes, texts.filter(bool))
summaries = st.builds(
    lambda deliveries, title: summary(*deliveries, title=title),
    st.lists(people, min_size=1, max_size=5),
    texts,
)
overviews = st.builds(
    Overview,
    members=st.integers(10, MOST_COUNTED),
    linked=st.integers(0, 10),
    not_linked=st.lists(texts, max_size=10),
    pending=st.integers(0, MOST_COUNTED),
    oldest=st.floats(0, 1e6),
    limit=st.integers(1, 100),
    period=st.floats(0.1, 100),
    is_learned=st.booleans(),
    closed=st.floats(0, 60),
    last_error=st.none() | st.builds(LastError, texts, st.none() | texts, st.floats(0, 2e9)),
)


@given(st.lists(summaries, max_size=20), st.none() | overviews, texts, texts)
def test_slack_takes_it_whatever_is_in_it(
    recent: list[Summary], overview: Overview | None, name: str, detail: str
) -> None:
    person = replace(ALICE, name=name)
    link = Link("UA", "g1", detail, detail or None, None, 1.0)
    view = home.build_view(Home(person, Description(person, link), recent, "", overview))
    assert check_view(view, "home") == []
    assert not is_too_large(view)


@given(texts)
def test_nothing_in_it_pings_anybody(text: str) -> None:
    evil = f"<!channel> <@U1> <!subteam^S1> {text}"
    person = replace(ALICE, name=evil)
    overview = replace(
        FINE, members=9, not_linked=[evil], last_error=LastError(evil, evil, 1_800_000_000.0)
    )
    recent = [summary(delivery(State.REJECTED, "rejected", evil), title=evil)]
    link = Link("UA", "g1", evil, evil)
    view = home.build_view(Home(person, Description(person, link), recent, "", overview))
    for markup in find_markup(view["blocks"]):
        for token in ("<!c", "<@", "<!s"):
            assert token not in markup
