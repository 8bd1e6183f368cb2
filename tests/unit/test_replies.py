from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notification import Delivery, Notification, Place, Report, State
from bot.people import Description, Link, Person, Standing
from bot.replies import ActionId, answers, cards, compose, reasons
from bot.replies.compose import Prefill, modal, read_place
from bot.replies.message import duration, join_names

CODES = [*reasons.SHORT, None, "something new"]


def delivery(
    name: str | None = "Priya Nair",
    state: State = State.SENT,
    code: str | None = None,
    detail: str | None = None,
    position: int = 0,
    twin: int | None = None,
) -> Delivery:
    return Delivery(position, "U1", name, state, code, detail, twin)


def report(*deliveries: Delivery, title: str = "Callback due") -> Report:
    notification = Notification(title, "Asha asked", "https://x.io/?a=1&b=2")
    return Report("ab12cd34", "UA", "Alice Rao", notification, deliveries, 1_800_000_000.0, 12.2)


def test_one_that_was_sent() -> None:
    message = cards.outcome(report(delivery()))
    assert message.text == "✅ Sent to LeadSquared for *Priya Nair*: “Callback due”."
    assert message.context == ("From Alice Rao · `/notify status ab12cd34`",)


def test_the_key_owner_is_called_so() -> None:
    owner = Delivery(0, None, None, State.SENT)
    assert "*the owner of the API keys*" in cards.outcome(report(owner)).text


def test_a_rejection_carries_the_crms_words_and_the_browser_steps() -> None:
    rejected = delivery(state=State.REJECTED, code="rejected", detail="No <b>such</b> user")
    text = cards.outcome(report(rejected)).text
    assert "LeadSquared rejected it for *Priya Nair*: “No &lt;b&gt;such&lt;/b&gt; user”." in text
    assert "chrome://settings/content/notifications" in text


def test_a_look_up_that_was_rejected_blames_no_browser() -> None:
    failed = delivery(state=State.UNAVAILABLE, code="rejected", detail="Invalid Input!")
    assert reasons.sentence_of(failed) == (
        "LeadSquared could not tell us who *Priya Nair* is, so nothing was sent. Press Retry later."
    )
    assert reasons.words_of(failed) == "LeadSquared could not be asked"


def test_a_lead_behind_the_click_is_named_where_something_was_sent() -> None:
    def about_asha(*deliveries: Delivery) -> Report:
        given = report(*deliveries)
        known = replace(given.notification, lead_name="Asha <Rao>", click_url=url)
        return replace(given, notification=known)

    url: str | None = "https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID=1"
    opens = "Opens lead *Asha &lt;Rao&gt;*."
    sent, failed = delivery("A"), delivery("B", State.UNLINKED, "not_in_crm")
    assert cards.outcome(about_asha(sent)).text.endswith(f"“Callback due”. {opens}")
    assert f"“Callback due”. {opens}" in cards.outcome(about_asha(sent, failed)).text
    assert opens not in cards.outcome(about_asha(failed, failed)).text
    url = None
    nothing = (
        "A click opens nothing: LeadSquared did not tell where lead *Asha &lt;Rao&gt;* has its"
    )
    assert nothing in cards.outcome(about_asha(sent)).text
    assert nothing not in cards.outcome(about_asha(failed)).text


def test_a_crm_user_without_a_slack_user_is_called_by_name() -> None:
    owner = Delivery(0, None, "Olga Owner", State.SENT)
    assert "*Olga Owner*" in cards.outcome(report(owner)).text


def test_a_full_stop_of_leadsquareds_own_is_enough() -> None:
    for code in ("rejected", "access_401", "untyped"):
        told = reasons.sentence_of(delivery(state=State.REJECTED, code=code, detail="No, 7."))
        assert ": “No, 7.”" in told
        assert "”." not in told
        told = reasons.sentence_of(delivery(state=State.REJECTED, code=code, detail="No, 7"))
        assert ": “No, 7”." in told


def test_a_refusal_without_a_type_carries_the_words_and_blames_no_browser() -> None:
    refused = delivery(state=State.REJECTED, code="untyped", detail="Bad Request")
    assert reasons.sentence_of(refused) == (
        "LeadSquared refused it: “Bad Request”. Nothing was sent. If it stays so, an admin should "
        "look into the log."
    )


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("state", State)
def test_nobody_without_a_name_is_called_somebody(state: State, code: str | None) -> None:
    nameless = delivery(None, state, code)
    assert "somebody*" not in reasons.sentence_of(nameless)
    for card in (cards.outcome(report(nameless, nameless)), cards.progress(report(nameless), 0)):
        assert "somebody" not in card.text


def test_people_without_a_name_are_counted() -> None:
    away = delivery(None, State.UNAVAILABLE, "slack_away")
    unknown = delivery(None, State.UNLINKED, "unknown_person")
    named = delivery("Omar", State.UNLINKED, "unknown_person")
    assert cards.outcome(report(away, away, unknown, unknown)).text.split("\n")[1:] == [
        "2 not linked: 2 people Slack does not know.",
        "2 failed: 2 people (Slack did not answer).",
    ]
    text = cards.outcome(report(named, unknown, unknown)).text
    assert text.endswith("3 not linked: *Omar* and 2 more (unknown to Slack).")


def test_an_email_address_is_for_whoever_asked_alone() -> None:
    omar = replace(delivery("Omar`s", State.UNLINKED, "not_in_crm"), email="omar@acme.com")
    link = "An admin can run `/notify link @Omar's &lt;their LeadSquared e-mail&gt;`."
    told = "nobody there has {}. Nothing was sent to them. " + link
    assert told.format("their e-mail address") in cards.outcome(report(omar)).text
    assert told.format("omar@acme.com") in cards.outcome(report(omar), alone=True).text
    assert told.format("omar@acme.com") in cards.status(report(omar)).text
    assert "@acme" not in cards.outcome(report(omar, omar), alone=True).text
    assert "no LeadSquared user with omar@acme.com" in cards.status(report(omar, omar)).text


@pytest.mark.parametrize(
    ("open_one", "line"),
    [
        (delivery("A", State.PENDING), "waiting"),
        (delivery("A", State.SENDING), "being sent"),
        (delivery("A", State.PENDING, "rate_limited"), "waiting: LeadSquared was at its limit"),
        (
            replace(delivery("A", State.PENDING, "busy"), repeats=1),
            "waiting: LeadSquared was busy; tried 1 time",
        ),
        (
            replace(delivery("A", State.PENDING), repeats=2),
            "waiting: they could not be looked up; tried 2 times",
        ),
        (delivery("A", State.CANCELLED), "taken back"),
    ],
)
def test_a_status_says_what_is_known_of_each(open_one: Delivery, line: str) -> None:
    assert f"*A*: {line}\n" in cards.status(report(open_one, delivery("B"))).text


def test_a_look_up_that_fails_is_told_of_in_the_progress() -> None:
    waiting = replace(delivery("A", State.PENDING), repeats=1)
    assert cards.progress(report(waiting), 0.0).text == (
        "⏳ On its way to *A*: “Callback due”.\n"
        "Looking up who this goes to has failed so far; it is tried again."
    )


def test_what_may_have_arrived_is_not_called_unsent() -> None:
    unknown = delivery(state=State.UNKNOWN, code="uncertain")
    text = cards.outcome(report(unknown, delivery(state=State.CANCELLED))).text
    assert text.startswith("⚠️ None of 2 sent for certain: “Callback due”.")


def test_a_status_offers_what_its_sentences_name_once_all_has_ended() -> None:
    failed, waits = delivery(state=State.UNAVAILABLE, code="busy"), delivery(state=State.PENDING)
    assert [each.label for each in cards.status(report(failed)).buttons] == ["Retry"]
    assert cards.status(report(failed, waits)).buttons == ()


def test_many_add_up_and_each_reason_is_said_once() -> None:
    people = [
        delivery("A"),
        delivery("B", State.UNLINKED, "not_in_crm"),
        delivery("C", State.UNLINKED, "not_in_crm"),
        delivery("D", State.UNLINKED, "guest"),
        delivery("E", State.UNKNOWN, "uncertain"),
        delivery("F", State.UNAVAILABLE, "connect"),
        delivery("G", State.CANCELLED),
        delivery("H", State.PENDING),
    ]
    assert cards.outcome(report(*people)).text.split("\n") == [
        "⚠️ 1 of 8 sent in 12 s: “Callback due”.",
        "3 not linked: *B*, *C* (no LeadSquared user); *D* (a guest here).",
        "1 uncertain, not repeated: *E* (no clear answer from LeadSquared).",
        "1 failed: *F* (LeadSquared could not be reached).",
        "1 taken back: *G*.",
        "1 still open: *H* (waiting).",
    ]


def test_the_progress_of_many_counts_and_names_who_is_left_out_already() -> None:
    people = [
        *(delivery(str(n)) for n in range(3)),
        delivery("B", State.UNLINKED, "not_in_crm"),
        delivery("C", State.SENDING),
        delivery("D", State.PENDING, "rate_limited"),
    ]
    message = cards.progress(report(*people), 18.4)
    assert message.text.split("\n") == [
        "⏳ 3 of 6 sent in 12 s, about 18 s left: “Callback due”.",
        "1 not linked: *B* (no LeadSquared user).",
        "LeadSquared is at its limit, so this waits for its turn.",
    ]
    assert [button.action for button in message.buttons] == [ActionId.CANCEL, ActionId.DETAILS]
    assert message.context == ("From Alice Rao · `/notify status ab12cd34`",)


def test_progress_without_an_estimate_promises_none() -> None:
    message = cards.progress(report(delivery("A"), delivery("B", State.PENDING)), 0.0)
    assert message.text == "⏳ 1 of 2 sent in 12 s: “Callback due”."


def test_the_progress_of_one_says_why_it_waits() -> None:
    message = cards.progress(report(delivery("A", State.PENDING, "connect")), 0.0)
    assert message.text == (
        "⏳ On its way to *A*: “Callback due”.\n"
        "LeadSquared cannot be reached at the moment; it is tried again."
    )


def test_refused_keys_are_explained_once_for_all() -> None:
    people = [delivery(str(n), State.REJECTED, "access_401") for n in range(3)]
    text = cards.outcome(report(*people)).text
    assert text.startswith("❌ None of 3 sent: “Callback due”.")
    assert text.count("LEADSQUARED_ACCESS_KEY") == 1


def test_two_who_are_one_crm_user_are_named() -> None:
    message = cards.outcome(report(delivery("A"), delivery("B", position=1, twin=0)))
    assert message.context[1] == "One LeadSquared user, notified once: B and A."


def test_long_lists_of_names_end_in_a_count() -> None:
    assert join_names([str(n) for n in range(12)], most=2) == "*0*, *1* and 10 more"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (12.2, "12 s"), (99, "99 s"), (100, "2 min")]
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("state", State)
def test_every_state_and_code_has_a_sentence(state: State, code: str | None) -> None:
    told = reasons.sentence_of(delivery(state=state, code=code))
    assert "{" not in told
    assert told.endswith(".")


def test_every_code_has_both_a_few_words_and_a_sentence() -> None:
    assert set(reasons.SENTENCES) | {"rejected"} == set(reasons.SHORT)


@given(st.text(max_size=3000), st.text(max_size=200))
def test_what_was_typed_is_given_back_without_pinging(typed: str, hint: str) -> None:
    given = answers.refusal(hint, typed + "<!channel><@U1>```")
    assert "<!channel>" not in given
    assert "<@U1>" not in given


def test_an_empty_command_is_not_given_back() -> None:
    assert answers.refusal("Hint.", " ") == "Hint."


def person(name: str = "Priya Nair") -> Person:
    return Person("U1", name, "priya@acme.com", Standing.MEMBER, is_admin=False)


def test_whoami_tells_how_a_person_was_matched() -> None:
    link = Link("U1", "guid", "Priya N", "p@crm.com", linked_by=None, linked_at=1_800_000_000.0)
    told = answers.described(Description(person(), link))
    assert "*Priya Nair* in Slack (priya@acme.com) is *Priya N* (p@crm.com) in LeadSquared" in told
    assert "matched by e-mail <!date^1800000000^" in told
    by_admin = Link("U1", "guid", "Priya N", None, linked_by="UA")
    assert "linked by an admin" in answers.described(Description(person(), by_admin))


def test_whoami_tells_why_a_person_has_no_match() -> None:
    told = answers.described(Description(person(), None, "not_in_crm"))
    assert told == (
        "*Priya Nair* in Slack (priya@acme.com) is not linked to a LeadSquared user: nobody there "
        "has this e-mail address. "
        "An admin can run `/notify link @Priya Nair &lt;their LeadSquared e-mail&gt;`."
    )


def test_whoami_claims_nothing_that_could_not_be_asked() -> None:
    assert answers.described(Description(person(), None, "unavailable")) == (
        "*Priya Nair* in Slack (priya@acme.com): LeadSquared could not be asked just now who they "
        "are there. Try again."
    )


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("bot", "a bot."),
        ("external", "from another workspace."),
    ],
)
def test_whoami_offers_no_link_where_it_helps_nobody(problem: str, told: str) -> None:
    answer = answers.described(Description(person(), None, problem))
    assert answer.endswith(f"is not linked to a LeadSquared user: {told}")


def test_queues_say_how_many_and_how_long() -> None:
    message = answers.queued("ab12", 60, 10)
    assert "Queued for 60 people, about 10 s" in message.text
    assert [button.value for button in message.buttons] == ["ab12", "ab12"]
    assert "Queued for 1 person" in answers.queued("ab12", 1, 3).text


@pytest.mark.parametrize(
    ("people", "labels"),
    [
        ([delivery()], []),
        ([delivery(), delivery()], ["Details"]),
        ([delivery(state=State.REJECTED)], ["Retry"]),
        ([delivery(state=State.UNKNOWN)], ["Send again"]),
        ([delivery(state=State.UNLINKED)] * 2, ["Retry 2", "Details"]),
        *(([delivery(state=State.UNLINKED, code=code)], []) for code in cards.HOPELESS),
        (
            [delivery(state=State.UNLINKED, code=code) for code in ("bot", "inactive", "guest")],
            ["Retry 1", "Details"],
        ),
        (
            [delivery(state=State.UNAVAILABLE), delivery(state=State.UNKNOWN), delivery()],
            ["Retry 1", "Send again 1", "Details"],
        ),
    ],
)
def test_cards_offer_what_can_be_done(people: list[Delivery], labels: list[str]) -> None:
    message = cards.outcome(report(*people))
    assert [button.label for button in message.buttons] == labels
    assert all(button.value == "ab12cd34" for button in message.buttons)
    assert message.without_buttons().blocks == message.blocks[:2]


@pytest.mark.parametrize(
    "place",
    [Place(), Place("C1", "1.2", "https://hooks.slack.com/1", private=True)],
)
def test_the_modal_carries_its_place(place: Place) -> None:
    assert read_place(modal(place)["private_metadata"]) == place


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        "",
        "[]",
        "{}",
        '{"x": 1}',
        "[" * 100_000,
        7,
        '{"channel_id": 5}',
        '{"thread_ts": []}',
        '{"response_url": {}}',
        '{"response_url": "\\ud800"}',
        '{"channel_id": "C1", "private": "yes"}',
    ],
)
def test_strange_metadata_is_no_place(metadata: Any) -> None:
    assert read_place(metadata) == Place()


def test_a_prefilled_modal_shows_it() -> None:
    view = modal(Place(), Prefill("T", "C", "https://x.io"))
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    values = {block["block_id"]: block["element"].get("initial_value") for block in inputs}
    assert values == {
        "recipients": None,
        "groups": None,
        "kind": None,
        "title": "T",
        "content": "C",
        "lead": None,
        "owner": None,
        "link": "https://x.io",
        "icon": None,
    }
    assert compose.CONTENT_MOST == 3000
