import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.backoff import REPLY
from bot.errors import (
    SlackRateLimitedError,
    SlackRefusedError,
    SlackUnavailableError,
    StoreUnavailableError,
)
from bot.notification import Card, Outcome, Place, State
from bot.people import Person, Standing
from bot.reporter import RESPONSE_URL_AGE, RESPONSE_URL_USES, SHOW_EVERY, Reporter
from bot.slack_api import TOKEN_REFUSED
from bot.store.database import Database
from bot.store.debts import LEASE, QUICK
from bot.store.resolutions import NoMatch
from tests.clock import FrozenClock
from tests.fakes import FakeSlack
from tests.store import Store

URL = "https://hooks.test/1"
SENDER = "UALICE"
COMMAND = Place("C1", response_url=URL)
THREAD = Place("C1", "1.5", URL)
PRIVATE = Place("C1", response_url=URL, private=True)
NOWHERE = Place()
REFUSED = SlackRefusedError("not_in_channel")
RANDOM = 0.5


class Desk:
    """A reporter with its store and a scripted Slack, on one clock."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.clock = clock
        self.store = Store(database)
        self.slack = FakeSlack()
        self.reporter = Reporter(self.store.debts, self.slack, clock, lambda: RANDOM)

    async def owe(self, place: Place, *, took: float = 0.0, since: float = 0.0) -> str:
        """Owe a reply for one delivery that was sent after `took` seconds, `since` seconds ago."""
        notification = await self.store.accept("", place=place)
        self.clock.forward(took)
        await self.store.claims.settle(await self.store.claim(), Outcome(State.SENT), None)
        self.clock.forward(since)
        return notification

    @property
    def places(self) -> list[str]:
        return [posted.where for posted in self.slack.posted]


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    desk = Desk(database, clock)
    await desk.store.gate.prepare()
    return desk


async def test_with_nothing_owed_nothing_is_said(desk: Desk) -> None:
    assert not await desk.reporter.step()
    assert desk.slack.tried == []


async def test_a_reply_is_said_once(desk: Desk, clock: FrozenClock) -> None:
    await desk.owe(COMMAND)
    assert await desk.reporter.step()
    clock.forward(2 * LEASE)
    assert not await desk.reporter.step()
    assert desk.places == [URL]


# The ladder: which places are tried, and in which order.

QUICKLY, SLOWLY = QUICK, QUICK + 0.1
OLD = RESPONSE_URL_AGE


@pytest.mark.parametrize(
    ("place", "took", "since", "tried"),
    [
        (COMMAND, QUICKLY, 0, [URL, "C1", SENDER]),
        (COMMAND, SLOWLY, 0, ["C1", URL, SENDER]),
        (COMMAND, QUICKLY, OLD - QUICK - 0.1, [URL, "C1", SENDER]),
        (COMMAND, QUICKLY, OLD, ["C1", SENDER]),
        (COMMAND, SLOWLY, OLD, ["C1", SENDER]),
        (replace(COMMAND, response_url=None), QUICKLY, 0, ["C1", SENDER]),
        (replace(COMMAND, response_url=None), SLOWLY, 0, ["C1", SENDER]),
        (THREAD, QUICKLY, 0, ["C1", URL, SENDER]),
        (THREAD, SLOWLY, 0, ["C1", URL, SENDER]),
        (PRIVATE, QUICKLY, 0, [URL, SENDER]),
        (PRIVATE, SLOWLY, 0, [URL, SENDER]),
        (PRIVATE, QUICKLY, OLD, [SENDER]),
        (replace(PRIVATE, response_url=None), QUICKLY, 0, [SENDER]),
        (NOWHERE, QUICKLY, 0, [SENDER]),
        (NOWHERE, SLOWLY, 0, [SENDER]),
        (replace(NOWHERE, response_url=URL), QUICKLY, 0, [URL, SENDER]),
        (replace(NOWHERE, response_url=URL), SLOWLY, 0, [URL, SENDER]),
        (replace(NOWHERE, response_url=URL), SLOWLY, OLD, [SENDER]),
    ],
)
async def test_the_places_are_tried_in_their_order_until_one_takes_it(
    desk: Desk, place: Place, took: float, since: float, tried: list[str]
) -> None:
    for refusing in tried[:-1]:
        desk.slack.refuse(refusing, REFUSED)
    await desk.owe(place, took=took, since=since)
    assert await desk.reporter.step()
    assert desk.slack.tried == tried
    assert desk.places == tried[-1:]


@pytest.mark.parametrize(
    ("place", "tried"),
    [
        (COMMAND, [URL, "C1", SENDER]),
        (THREAD, ["C1", URL, SENDER]),
        (PRIVATE, [URL, SENDER]),
        (NOWHERE, [SENDER]),
    ],
)
async def test_a_reply_that_everybody_refuses_is_logged_and_closed(
    desk: Desk, clock: FrozenClock, place: Place, tried: list[str]
) -> None:
    for refusing in tried:
        desk.slack.refuse(refusing, REFUSED)
    await desk.owe(place)
    with capture_logs() as logs:
        await desk.reporter.step()
    assert desk.slack.tried == tried
    assert [(each["event"], each["log_level"]) for each in logs][-1] == ("reply.lost", "error")
    clock.forward(24 * 3600)
    assert not await desk.reporter.step()


# What is said where.


async def test_a_response_is_for_the_channel_and_pings_and_unfurls_nothing(desk: Desk) -> None:
    notification = await desk.owe(COMMAND)
    await desk.reporter.step()
    (posted,) = desk.slack.posted
    assert posted.body | {"text": "", "blocks": []} == {
        "response_type": "in_channel",
        "replace_original": False,
        "text": "",
        "blocks": [],
        "unfurl_links": False,
        "unfurl_media": False,
    }
    assert "Sent to LeadSquared" in posted.text
    assert posted.text in str(posted.blocks)
    assert notification in str(posted.blocks)


async def test_a_private_response_is_for_the_sender_alone(desk: Desk) -> None:
    await desk.owe(PRIVATE)
    await desk.reporter.step()
    assert desk.slack.posted[0].body["response_type"] == "ephemeral"


async def test_a_post_goes_to_the_thread(desk: Desk) -> None:
    await desk.owe(THREAD)
    await desk.reporter.step()
    (posted,) = desk.slack.posted
    assert (posted.where, posted.thread_ts) == ("C1", "1.5")


async def test_a_response_names_the_thread(desk: Desk) -> None:
    desk.slack.refuse("C1", REFUSED)
    await desk.owe(THREAD)
    await desk.reporter.step()
    assert desk.slack.posted[0].body["thread_ts"] == "1.5"


async def test_a_post_without_a_thread_goes_to_the_channel(desk: Desk) -> None:
    await desk.owe(COMMAND, took=SLOWLY)
    await desk.reporter.step()
    (posted,) = desk.slack.posted
    assert (posted.where, posted.thread_ts) == ("C1", None)


@pytest.mark.parametrize(
    ("place", "explained"), [(COMMAND, True), (THREAD, True), (PRIVATE, False), (NOWHERE, False)]
)
async def test_a_direct_message_says_why_it_is_one_unless_it_was_asked_for(
    desk: Desk, place: Place, explained: bool
) -> None:
    desk.slack.refuse("C1", REFUSED)
    desk.slack.refuse(URL, REFUSED)
    await desk.owe(place)
    await desk.reporter.step()
    (posted,) = desk.slack.posted
    assert posted.where == SENDER
    assert ("I may not post in <#C1>" in str(posted.blocks)) is explained


@pytest.mark.parametrize(
    ("place", "refusing", "names"),
    [
        (COMMAND, [], False),
        (THREAD, [], False),
        (COMMAND, ["C1", URL], True),
        (PRIVATE, [], True),
        (PRIVATE, [URL], True),
        (NOWHERE, [], True),
        (replace(NOWHERE, response_url=URL), [], False),
    ],
)
async def test_an_email_address_is_named_only_where_the_sender_alone_reads_it(
    desk: Desk, place: Place, refusing: list[str], names: bool
) -> None:
    omar = Person("UOMAR", "Omar", "omar@acme.com", Standing.MEMBER, is_admin=False)
    await desk.store.people.save_people([omar])
    await desk.store.accept("UOMAR", place=place)
    await desk.store.resolve(UOMAR=NoMatch(Outcome(State.UNLINKED, "not_in_crm"), "Omar"))
    for refuses in refusing:
        desk.slack.refuse(refuses, REFUSED)
    await desk.reporter.step()
    (posted,) = desk.slack.posted
    assert ("nobody there has omar@acme.com" in posted.text) is names
    assert ("omar@acme.com" in str(posted.blocks)) is names


# The response_url takes five uses.


async def test_a_use_is_committed_before_it_is_made(desk: Desk, clock: FrozenClock) -> None:
    desk.slack.refuse(URL, StoreUnavailableError())  # as if the process died there
    await desk.owe(COMMAND)
    with pytest.raises(StoreUnavailableError):
        await desk.reporter.step()
    clock.forward(LEASE + 0.1)
    assert (await desk.store.take_debt()).uses == 1


async def test_after_five_uses_it_is_not_used_again(desk: Desk, clock: FrozenClock) -> None:
    errors = [SlackUnavailableError("status 500")] * RESPONSE_URL_USES
    desk.slack.refuse(URL, *errors)
    await desk.owe(COMMAND)
    for _ in errors:
        assert await desk.reporter.step()
        clock.forward(REPLY.most)
        assert desk.slack.posted == []
    assert await desk.reporter.step()
    assert desk.slack.tried == [URL] * 5 + ["C1"]


# Slack is busy or away.


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (SlackUnavailableError("status 502"), REPLY.delay(1, RANDOM)),
        (SlackRateLimitedError(30.0), 30.0 + RANDOM),
    ],
    ids=["away", "busy"],
)
async def test_a_reply_that_nobody_could_take_is_tried_again_later_from_the_top(
    desk: Desk, clock: FrozenClock, error: Exception, seconds: float
) -> None:
    desk.slack.refuse("C1", error)
    await desk.owe(COMMAND, took=SLOWLY)
    assert await desk.reporter.step()
    assert desk.slack.tried == ["C1"]  # it may have been taken, so nobody else is asked
    clock.forward(seconds - 0.01)
    assert not await desk.reporter.step()
    clock.forward(0.02)
    assert await desk.reporter.step()
    assert desk.places == ["C1"]


@pytest.mark.parametrize("code", sorted(TOKEN_REFUSED))
async def test_a_token_that_is_refused_keeps_the_debt_open_until_somebody_mends_it(
    desk: Desk, code: str
) -> None:
    tries = REPLY.repeats + 10
    desk.slack.refuse("C1", *[SlackRefusedError(code)] * tries)
    await desk.owe(replace(COMMAND, response_url=None), took=SLOWLY)
    for _ in range(tries):
        assert await desk.reporter.step()
        assert desk.slack.posted == []
        desk.clock.forward(REPLY.most)
    assert desk.slack.tried == ["C1"] * tries
    assert await desk.reporter.step()
    assert desk.places == ["C1"]


@pytest.mark.parametrize("code", sorted(TOKEN_REFUSED))
async def test_without_a_token_a_response_url_is_used_before_anybody_waits(
    desk: Desk, code: str
) -> None:
    desk.slack.refuse("C1", SlackRefusedError(code))
    await desk.owe(COMMAND, took=SLOWLY)
    await desk.reporter.step()
    assert desk.slack.tried == ["C1", URL]
    assert desk.places == [URL]


async def test_without_a_token_no_use_of_the_response_url_is_wasted(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.slack.refuse(URL, REFUSED)
    desk.slack.refuse("C1", SlackRefusedError("invalid_auth"))
    await desk.owe(COMMAND)
    await desk.reporter.step()
    assert desk.slack.tried == [URL, "C1"]  # the first was no use, and nobody else has no need
    clock.forward(REPLY.most)
    await desk.reporter.step()
    assert desk.places == [URL]


async def test_one_reply_that_waits_does_not_hold_up_the_next(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.slack.refuse("C1", SlackRateLimitedError(30.0))
    await desk.owe(replace(COMMAND, response_url=None))
    await desk.store.accept("", key="k2", place=Place("C2"))
    await desk.store.claims.settle(await desk.store.claim(), Outcome(State.SENT), None)
    assert await desk.reporter.step()
    assert await desk.reporter.step()
    assert desk.places == ["C2"]


async def test_after_hours_without_slack_a_reply_is_logged_and_closed(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.slack.refuse(SENDER, *[SlackUnavailableError()] * 100)
    await desk.owe(NOWHERE)
    begun = clock.time()
    with capture_logs() as logs:
        while not logs or logs[-1]["event"] != "reply.lost":
            if not await desk.reporter.step():
                clock.forward(10)
    assert len(desk.slack.tried) == REPLY.repeats + 1
    assert 3 * 3600 < clock.time() - begun < 6 * 3600
    clock.forward(24 * 3600)
    assert not await desk.reporter.step()


async def test_being_told_to_slow_down_never_loses_a_reply(desk: Desk, clock: FrozenClock) -> None:
    desk.slack.refuse(SENDER, *[SlackRateLimitedError(1.0)] * (2 * REPLY.repeats))
    await desk.owe(NOWHERE)
    while not desk.slack.posted:
        if not await desk.reporter.step():
            clock.forward(1)
    assert len(desk.slack.tried) == 2 * REPLY.repeats + 1


# Progress.

DELETED = SlackRefusedError("message_not_found")


async def test_a_long_send_shows_its_progress_on_one_card_until_the_outcome_replaces_it(
    desk: Desk, clock: FrozenClock
) -> None:
    await desk.store.accept("", "UA", "UB", "UC", place=COMMAND)
    await desk.reporter.step()
    await desk.store.claims.settle(await desk.store.claim(), Outcome(State.SENT), None)
    clock.forward(SHOW_EVERY)
    await desk.reporter.step()
    nobody = NoMatch(Outcome(State.UNLINKED, "not_in_crm"), "Omar")
    await desk.store.resolve(UA=nobody, UB=nobody, UC=nobody)
    await desk.reporter.step()
    first, second, last = desk.slack.posted
    assert first.text.startswith("⏳ 0 of 4 sent in 1 s, about 5 s left: “Title”.")
    assert second.text.startswith("⏳ 1 of 4 sent in 3 s, about 2 s left: “Title”.")
    assert last.text.startswith("⚠️ 1 of 4 sent in 3 s: “Title”.")
    assert (first.where, first.updates) == ("C1", None)
    assert second.updates == last.updates == Card("C1", "1700000000.000001")


async def test_without_a_place_progress_goes_to_the_sender(desk: Desk) -> None:
    await desk.store.accept("", "UA", "UB", "UC", place=NOWHERE)
    await desk.reporter.step()
    assert desk.places == [SENDER]


async def test_progress_in_a_thread_stays_in_it(desk: Desk) -> None:
    await desk.store.accept("", "UA", "UB", "UC", place=THREAD)
    await desk.reporter.step()
    (posted,) = desk.slack.posted
    assert (posted.where, posted.thread_ts) == ("C1", "1.5")


async def test_where_the_bot_may_not_post_the_outcome_alone_has_to_do(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.slack.refuse("C1", REFUSED, REFUSED)
    await desk.store.accept("", "UA", "UB", "UC", place=COMMAND)
    await desk.reporter.step()
    clock.forward(60)
    assert not await desk.reporter.step()
    await desk.store.execute("UPDATE deliveries SET state = 'sent', settled_at = due_at")
    await desk.reporter.step()
    assert desk.places == [URL]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(SlackUnavailableError("status 502"), SHOW_EVERY), (SlackRateLimitedError(30.0), 30.0)],
    ids=["away", "busy"],
)
async def test_progress_that_slack_could_not_take_is_shown_later(
    desk: Desk, clock: FrozenClock, error: Exception, seconds: float
) -> None:
    desk.slack.refuse("C1", error)
    await desk.store.accept("", "UA", "UB", "UC", place=COMMAND)
    await desk.reporter.step()
    clock.forward(seconds - 0.01)
    assert not await desk.reporter.step()
    clock.forward(0.02)
    await desk.reporter.step()
    assert desk.places == ["C1"]


async def test_a_send_that_goes_on_for_long_shows_its_progress_less_often(
    desk: Desk, clock: FrozenClock
) -> None:
    await desk.store.accept("", "UA", "UB", "UC", place=COMMAND)
    clock.forward(600)
    await desk.reporter.step()
    clock.forward(29)
    assert not await desk.reporter.step()
    clock.forward(2)
    assert await desk.reporter.step()


async def test_a_card_that_was_deleted_meanwhile_is_posted_anew(
    desk: Desk, clock: FrozenClock
) -> None:
    await desk.store.accept("", "UA", "UB", "UC", place=COMMAND)
    await desk.reporter.step()
    desk.slack.refuse("C1 1700000000.000001", DELETED, DELETED)
    clock.forward(SHOW_EVERY)
    await desk.reporter.step()
    clock.forward(60)
    assert not await desk.reporter.step()
    await desk.store.execute("UPDATE deliveries SET state = 'sent', settled_at = due_at + 60")
    await desk.reporter.step()
    assert [posted.updates for posted in desk.slack.posted] == [None, None]
    assert desk.slack.posted[-1].text.startswith("✅")


async def test_while_one_reply_waits_for_slack_the_others_are_paid(desk: Desk) -> None:
    reporter, *assistants = Reporter.open(desk.store.debts, desk.slack, desk.clock, lambda: RANDOM)
    for key in ("C1", "C2", "C3"):
        await desk.store.accept("", key=key, place=Place(key))
        await desk.store.claims.settle(await desk.store.claim(), Outcome(State.SENT), None)
    desk.slack.keep_waiting("C1")
    waiting = asyncio.create_task(reporter.step())
    await desk.slack.is_waited_for.wait()
    assert all(each._awake.is_set() for each in assistants)
    assert [await each.step() for each in assistants] == [True, True, False]
    assert desk.places == ["C2", "C3"]
    desk.slack.goes_on.set()
    assert await waiting
    assert desk.places == ["C2", "C3", "C1"]


async def test_what_comes_due_while_a_reply_waits_for_slack_wakes_the_others(desk: Desk) -> None:
    reporter, *assistants = Reporter.open(desk.store.debts, desk.slack, desk.clock, lambda: RANDOM)
    reporter.wake()
    assert not any(each._awake.is_set() for each in assistants)  # it looks itself
    await desk.owe(replace(COMMAND, response_url=None))
    desk.slack.keep_waiting("C1")
    waiting = asyncio.create_task(reporter.step())
    await desk.slack.is_waited_for.wait()
    for each in assistants:
        each._awake.clear()
    reporter.wake()
    assert all(each._awake.is_set() for each in assistants)
    desk.slack.goes_on.set()
    await waiting
