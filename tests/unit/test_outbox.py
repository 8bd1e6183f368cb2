import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError

from bot.errors import CommitInDoubtError, CrmRateLimitedError, StoreUnavailableError, UserError
from bot.notification import CrmRecipient, Notification, Place, SlackUser
from bot.people import Link
from bot.store import estimate, outbox
from bot.store.database import Database, open_database
from bot.store.outbox import Receipt
from bot.store.quota import HOUR
from bot.store.resolutions import Match
from tests.clock import FrozenClock
from tests.store import LIMITS, Store, acceptance


@contextmanager
def write_lock(url: str) -> Iterator[None]:
    """Hold SQLite's write lock from another connection, as a busy process does."""
    path = make_url(url).database
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.rollback()
    other.close()


async def test_everything_about_a_notification_is_stored(store: Store, clock: FrozenClock) -> None:
    given = replace(
        acceptance("UA", "", place=Place("C1", "1.5", "https://hooks.test/1", private=True)),
        notification=Notification("Title", "Content", "https://a.test/", "https://b.test/i.png"),
    )
    receipt = await store.outbox.accept(given)
    assert receipt == Receipt(receipt.notification_id, 2, 0.0, unresolved=1, is_new=True)
    await store.resolve(UA="g1")
    first, second = await store.rows()
    assert (first.position, first.slack_user_id, first.crm_user_id) == (0, "UA", "g1")
    assert (second.position, second.slack_user_id, second.crm_user_id) == (1, None, "KEY_OWNER")
    assert first.due_at == clock.time()
    assert first.expires_at == clock.time() + 3600
    report = await store.reports.find(receipt.notification_id)
    assert report is not None
    assert report.notification == given.notification
    assert (report.sender_id, report.sender_name) == ("UALICE", "Alice")
    assert report.accepted_at == clock.time()
    await store.execute("UPDATE deliveries SET state = 'sent'")
    debt = await store.take_debt()
    assert (debt.place, debt.asked_by) == (given.place, "UALICE")
    assert (debt.age, debt.uses, debt.tries) == (0.0, 0, 0)


async def test_the_same_interaction_is_accepted_once(store: Store) -> None:
    first = await store.outbox.accept(acceptance("UA", "UB", key="same"))
    again = await store.outbox.accept(acceptance("UA", "UB", key="same"))
    assert again == Receipt(first.notification_id, 2, 0.0, is_new=False)
    assert len(await store.rows()) == 2


async def test_the_same_interaction_at_the_same_time_is_accepted_once(store: Store) -> None:
    receipts = await asyncio.gather(
        *(store.outbox.accept(acceptance("UA", key="same")) for _ in range(5))
    )
    assert len({receipt.notification_id for receipt in receipts}) == 1
    assert sorted(receipt.is_new for receipt in receipts) == [False] * 4 + [True]


async def test_an_id_that_is_taken_stores_nothing_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.outbox.secrets.token_hex", lambda _: "cafe0123")
    await store.accept("UA", key="k1")
    with pytest.raises(IntegrityError):
        await store.accept("UB", key="k2")
    assert [row.slack_user_id for row in await store.rows()] == ["UA"]


# How many, and how long.


@pytest.mark.parametrize(
    ("recipients", "seconds"), [(1, 0), (3, 0), (4, 5), (6, 5), (7, 10), (20, 30), (30, 70)]
)
async def test_the_estimate_is_a_period_for_each_full_round(
    store: Store, recipients: int, seconds: float
) -> None:
    receipt = await store.outbox.accept(acceptance(*(f"U{n}" for n in range(recipients))))
    assert receipt.seconds == seconds


async def test_what_is_served_before_is_in_the_estimate(store: Store) -> None:
    many = [f"U{n}" for n in range(30)]
    await store.accept(*many, key="k1")
    await store.resolve(**{user: f"g{user}" for user in many})
    one = await store.outbox.accept(acceptance("UX", key="k2"))
    assert one.seconds == 0.0  # it passes all but the first of the thirty
    seven = await store.outbox.accept(acceptance(*many[:7], key="k3"))
    assert seven.seconds == LIMITS.estimate(7 + 7)
    await store.execute("UPDATE deliveries SET state = 'sent'")
    assert (await store.outbox.accept(acceptance(*many[:7], key="k4"))).seconds == 10.0


async def test_what_was_learned_and_a_closed_gate_are_in_the_estimate(store: Store) -> None:
    claims = store.claims
    await store.accept("", key="k1")
    refused = CrmRateLimitedError(retry_after=30.0, limit=1, period=10.0)
    await claims.repeat(await store.claim(), refused, seconds=0.0, counts=False)
    receipt = await store.outbox.accept(acceptance("UA", "UB", key="k2"))
    assert receipt.seconds == pytest.approx(30.0 + 2 * 10.0, abs=0.1)


async def test_the_count_for_an_estimate_is_capped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "MOST_COUNTED", 2)
    await store.accept("UA", "UB", "UC", "UD", key="k1")
    await store.resolve(UA="a", UB="b", UC="c", UD="d")
    receipt = await store.outbox.accept(acceptance("U1", "U2", "U3", "U4", "U5", key="k2"))
    assert receipt.seconds == LIMITS.estimate(2 + 5)


async def test_a_send_that_would_outlive_its_use_is_refused_with_the_estimate(
    database: Database,
) -> None:
    store = Store(database, deliver_within=60.0)
    await store.gate.prepare()
    fits = [f"U{n}" for n in range(26)]  # 13 rounds of two: the last begins after 60 s
    await store.accept(*fits, key="k1")
    with pytest.raises(UserError) as caught:
        await store.accept(*fits, "UX", key="k2")
    assert caught.value.hint == (
        "27 recipients would take about 2 minutes at LeadSquared's limit, and notifications older "
        "than 60 seconds are not sent. Nothing was sent. Choose fewer people."
    )
    assert len(await store.rows()) == 26
    assert await store.outbox.accept(acceptance("UY", key="k2"))  # the key was not used up


async def test_over_the_hourly_limit_the_whole_send_is_refused(
    database: Database, clock: FrozenClock
) -> None:
    store = Store(database, hourly_limit=3)
    await store.gate.prepare()
    await store.accept("UA", "UB", key="k1")
    with pytest.raises(UserError) as caught:
        await store.accept("UC", "UD", key="k2")
    assert caught.value.hint == (
        "You may notify 3 recipients an hour; you have used 2, and this would be 2 more. Nothing "
        "was sent. Try again later, or ask an admin to raise HOURLY_LIMIT."
    )
    assert len(await store.rows()) == 2
    await store.accept("UC", key="k3")
    await store.accept("UC", "UD", "UE", key="k4", sender="UBOB")


async def test_the_hour_slides(database: Database, clock: FrozenClock) -> None:
    store = Store(database, hourly_limit=3)
    await store.gate.prepare()
    await store.accept("UA", "UB", key="k1")
    clock.forward(HOUR / 2)
    await store.accept("UC", key="k2")
    clock.forward(HOUR / 2 - 1)
    with pytest.raises(UserError):
        await store.accept("UD", key="k3")
    clock.forward(1)
    await store.accept("UD", "UE", key="k4")
    with pytest.raises(UserError):
        await store.accept("UF", key="k5")


async def test_the_hourly_limit_does_not_refuse_what_was_accepted_already(
    database: Database,
) -> None:
    store = Store(database, hourly_limit=2)
    await store.gate.prepare()
    first = await store.accept("UA", "UB", key="same")
    assert await store.accept("UA", "UB", key="same") == first


async def test_what_was_not_sent_counts_as_well_because_it_was_accepted(
    database: Database,
) -> None:
    store = Store(database, hourly_limit=2)
    await store.gate.prepare()
    await store.accept("UA", "UB", key="k1")
    await store.execute("UPDATE deliveries SET state = 'rejected'")
    with pytest.raises(UserError, match="you have used 2"):
        await store.accept("UC", key="k2")


# The database fails.


async def test_a_commit_that_is_late_is_in_doubt_and_happens_after_all(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "COMMIT_WITHIN", 0.05)
    late: list[Receipt] = []
    store.outbox.on_stored_late = late.append
    with write_lock(database_url):
        with pytest.raises(CommitInDoubtError) as caught:
            await store.accept("UA")
        assert caught.value.in_doubt
        assert "If it was, the result appears here" in caught.value.hint
    await store.outbox.drain()
    assert await store.states() == ["pending"]
    assert [receipt.unresolved for receipt in late] == [1]  # nobody else would wake the resolver


async def test_a_commit_that_is_late_may_fail_after_all_and_leaves_nothing(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write_lock(database_url):
        with monkeypatch.context() as soon:
            soon.setattr(outbox, "COMMIT_WITHIN", 0.05)
            with pytest.raises(CommitInDoubtError):
                await store.accept("UA")
        await store.outbox.drain()  # SQLite gives up after its busy timeout
    assert await store.rows() == []
    assert await store.accept("UA")


async def test_a_commit_in_doubt_goes_on_when_its_listener_is_cancelled(
    store: Store, database_url: str
) -> None:
    late: list[Receipt] = []
    store.outbox.on_stored_late = late.append
    with write_lock(database_url):
        accepting = asyncio.create_task(store.accept("UA"))
        await asyncio.wait({accepting}, timeout=0.02)
        accepting.cancel()
        await asyncio.wait({accepting})
    assert accepting.cancelled()
    await store.outbox.drain()
    assert await store.states() == ["pending"]
    assert [receipt.unresolved for receipt in late] == [1]


async def test_nothing_to_drain_is_fine(store: Store) -> None:
    await store.outbox.drain()


async def test_a_locked_database_means_that_nothing_was_stored(
    store: Store, database_url: str
) -> None:
    with write_lock(database_url), pytest.raises(StoreUnavailableError) as caught:
        await store.accept("UA")
    assert not caught.value.in_doubt
    assert "nothing was stored or sent" in caught.value.hint
    assert await store.rows() == []


async def test_a_database_that_cannot_be_opened_means_that_nothing_was_stored(
    clock: FrozenClock,
) -> None:
    nowhere = open_database("sqlite:////no/such/folder/bot.db", now=clock.time)
    with pytest.raises(StoreUnavailableError):
        await Store(nowhere).accept("UA")
    await nowhere.close()


@pytest.mark.parametrize("table", ["deliveries", "replies"])
async def test_what_breaks_half_way_leaves_nothing(store: Store, table: str) -> None:
    await store.execute(
        f"CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    with pytest.raises(IntegrityError):
        await store.accept("UA")
    await store.execute("DROP TRIGGER full")
    assert await store.rows() == []
    assert (await store.outbox.accept(acceptance("UA"))).is_new


async def test_a_resolved_recipient_keeps_its_place(store: Store) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UB=Match("g2", "Omar"))
    assert [(row.position, row.crm_user_id) for row in await store.rows()] == [(0, None), (1, "g2")]


async def test_a_crm_user_is_a_recipient_who_needs_no_look_up(store: Store) -> None:
    owner = CrmRecipient("g1", "Olga Owner")
    receipt = await store.outbox.accept(replace(acceptance(), recipients=[owner]))
    assert receipt.unresolved == 0
    [row] = await store.rows()
    assert (row.slack_user_id, row.crm_user_id, row.name) == (None, "g1", "Olga Owner")


async def test_a_crm_user_and_the_slack_user_who_is_the_same_are_one_call(store: Store) -> None:
    await store.people.save_links([Link("UA", "g1", "Olga", None)])
    people = (SlackUser("UA"), CrmRecipient("g1", "Olga Owner"))
    receipt = await store.outbox.accept(replace(acceptance(), recipients=people))
    assert receipt.unresolved == 1
    await store.resolve(UA="g1")
    slack, crm = await store.rows()
    assert (slack.twin_of, crm.twin_of) == (crm.id, None)
