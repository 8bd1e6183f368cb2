from dataclasses import replace

import pytest

from bot.errors import UserError
from bot.notification import CrmRecipient, Notification, Outcome, Place, State
from bot.store.acceptance import Acceptance, dump, load
from bot.store.database import Database
from bot.store.drafts import EXPIRES_AFTER
from bot.store.outbox import SECOND_ENTER, Receipt
from bot.store.retention import DAY
from tests.clock import FrozenClock
from tests.store import Store, acceptance

TICK = 0.01
FULL = replace(
    acceptance("UA", "", place=Place("C1", "1.5", "https://hooks.test/1", private=True)),
    notification=Notification(
        "Title", "Cöntent", "https://a.test/", "https://b.test/i.png", "Asha"
    ),
)
FULL = replace(FULL, recipients=[*FULL.recipients, CrmRecipient("g9", "Olga Owner")])


@pytest.mark.parametrize("given", [FULL, acceptance("UA")])
def test_a_draft_comes_back_as_it_was(given: Acceptance) -> None:
    assert load(dump(given)) == given


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (replace(FULL, key="k2"), True),
        (replace(FULL, sender_name="Alicia"), True),
        (replace(FULL, place=Place("C2")), True),
        (replace(FULL, recipients=list(reversed(FULL.recipients))), True),
        (replace(FULL, recipients=FULL.recipients[:1]), False),
        (replace(FULL, sender_id="UBOB"), False),
        (replace(FULL, notification=replace(FULL.notification, title="Other")), False),
        (replace(FULL, notification=replace(FULL.notification, content="Other")), False),
        (replace(FULL, notification=replace(FULL.notification, click_url=None)), False),
    ],
)
def test_the_same_is_the_same_text_by_the_same_sender_to_the_same_people(
    other: Acceptance, same: bool
) -> None:
    assert (other.fingerprint == FULL.fingerprint) is same


async def send(store: Store, key: str, *users: str) -> Receipt:
    return await store.outbox.accept(acceptance(*users or ("UA",), key=key, content="Same"))


async def draft(store: Store, key: str = "k2") -> str:
    """Send the same again and return the draft that is kept of it."""
    receipt = await send(store, key)
    assert receipt.earlier is not None
    return receipt.earlier.draft_id


async def test_the_same_a_moment_later_is_asked_about_and_not_sent(
    store: Store, clock: FrozenClock
) -> None:
    first = await send(store, "k1")
    clock.forward(8)
    again = await send(store, "k2")
    assert not again.is_new
    assert again.earlier is not None
    assert again.earlier.notification_id == first.notification_id
    assert again.earlier.seconds_ago == pytest.approx(8)
    assert again.earlier.states == {State.PENDING}
    assert len(await store.rows()) == 1


async def test_after_a_minute_the_same_is_sent_again(store: Store, clock: FrozenClock) -> None:
    await send(store, "k1")
    clock.forward(SECOND_ENTER - TICK)
    assert (await send(store, "k2")).earlier is not None
    clock.forward(TICK)
    assert (await send(store, "k3")).is_new
    assert len(await store.rows()) == 2


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (State.SENT, True),
        (State.UNKNOWN, True),
        (State.REJECTED, False),
        (State.UNAVAILABLE, False),
        (State.UNLINKED, False),
        (State.CANCELLED, False),
    ],
)
async def test_what_reached_nobody_may_be_sent_again_at_once(
    store: Store, state: State, asked: bool
) -> None:
    await send(store, "k1")
    await store.resolve(UA="a")
    await store.settle(Outcome(state))
    assert ((await send(store, "k2")).earlier is not None) is asked


async def test_what_reached_some_is_asked_about_with_all_its_states(store: Store) -> None:
    await send(store, "k1", "UA", "UB")
    await store.resolve(UA="a", UB="b")
    await store.settle()
    await store.settle(Outcome(State.REJECTED))
    again = await send(store, "k2", "UB", "UA")
    assert again.earlier is not None
    assert again.earlier.states == {State.SENT, State.REJECTED}


async def test_the_same_interaction_is_not_asked_about(store: Store) -> None:
    first = await send(store, "k1")
    again = await send(store, "k1")
    assert (again.notification_id, again.is_new, again.earlier) == (
        first.notification_id,
        False,
        None,
    )


async def test_an_interaction_delivered_twice_makes_one_draft(store: Store) -> None:
    await send(store, "k1")
    assert await draft(store) == await draft(store)


async def test_a_draft_is_sent_once_however_often_it_is_pressed(store: Store) -> None:
    await send(store, "k1")
    draft_id = await draft(store)
    sent = await store.outbox.accept_draft(draft_id, "UALICE")
    assert sent.is_new
    again = await store.outbox.accept_draft(draft_id, "UALICE")
    assert (again.notification_id, again.is_new) == (sent.notification_id, False)
    assert len(await store.rows()) == 2
    report = await store.reports.find(sent.notification_id)
    assert report is not None
    assert report.notification.content == "Same"


async def test_a_draft_expires_after_an_hour(store: Store, clock: FrozenClock) -> None:
    await send(store, "k1")
    young, old = await draft(store, "k2"), await draft(store, "k3")
    clock.forward(EXPIRES_AFTER - TICK)
    assert (await store.outbox.accept_draft(young, "UALICE")).is_new
    clock.forward(TICK)
    with pytest.raises(UserError, match="too old to be answered"):
        await store.outbox.accept_draft(old, "UALICE")


@pytest.mark.parametrize(("draft_id", "sender"), [("nothing", "UALICE"), (None, "UBOB")])
async def test_a_draft_that_is_not_there_or_anothers_is_refused(
    store: Store, draft_id: str | None, sender: str
) -> None:
    await send(store, "k1")
    with pytest.raises(UserError):
        await store.outbox.accept_draft(draft_id or await draft(store), sender)
    assert len(await store.rows()) == 1


async def test_the_hourly_limit_counts_for_drafts_and_keeps_a_refused_one(
    database: Database,
) -> None:
    store = Store(database, hourly_limit=1)
    await store.gate.prepare()
    await send(store, "k1")
    draft_id = await draft(store)
    with pytest.raises(UserError, match="You may notify 1 recipient an hour"):
        await store.outbox.accept_draft(draft_id, "UALICE")
    await store.execute("UPDATE replies SET asked_at = 0")
    assert (await store.outbox.accept_draft(draft_id, "UALICE")).is_new


async def test_old_drafts_are_forgotten(store: Store, clock: FrozenClock) -> None:
    await send(store, "k1")
    await draft(store)
    count = "SELECT count(*) FROM drafts"
    for seconds, left in ((DAY - TICK, 1), (2 * TICK, 0)):
        clock.forward(seconds)
        await store.retention.forget(keep_days=30)
        found = await store.database.transact(
            lambda connection: connection.exec_driver_sql(count).scalar()
        )
        assert found == left


# CRM users that are known already.


async def link(store: Store, user_id: str, crm_user_id: str) -> None:
    await store.execute(
        "INSERT INTO links (user_id, crm_user_id, crm_name, linked_by, linked_at) "
        "VALUES (:user, :crm, 'Priya Nair', 'UADMIN', 0)",
        {"user": user_id, "crm": crm_user_id},
    )


async def test_who_has_a_link_can_be_claimed_at_once(store: Store) -> None:
    await link(store, "UA", "a")
    receipt = await store.outbox.accept(acceptance("UA", "UB"))
    assert (receipt.recipients, receipt.unresolved) == (2, 1)
    rows = await store.rows()
    assert [(row.crm_user_id, row.name) for row in rows] == [("a", "Priya Nair"), (None, None)]
    assert (await store.claim()).crm_user_id == "a"


async def test_two_links_to_one_crm_user_are_left_to_the_resolver(store: Store) -> None:
    await link(store, "UA", "a")
    await link(store, "UB", "a")
    receipt = await store.outbox.accept(acceptance("UA", "UB"))
    assert receipt.unresolved == 1
    await store.resolve(UB="a")
    rows = await store.rows()
    assert [(row.crm_user_id, row.twin_of) for row in rows] == [("a", None), ("a", rows[0].id)]


async def test_beside_the_key_owner_links_are_left_to_the_resolver(store: Store) -> None:
    await link(store, "UA", "a")
    receipt = await store.outbox.accept(acceptance("UA", ""))
    assert receipt.unresolved == 1
    assert [row.crm_user_id for row in await store.rows()] == [None, "KEY_OWNER"]


async def test_of_several_choices_the_first_that_is_pressed_is_sent(store: Store) -> None:
    given = [acceptance("UA", key="k1", content=content) for content in ("One", "Two")]
    one, two = await store.outbox.ask(given)
    assert await store.outbox.ask(given) == [one, two]  # the interaction was delivered twice
    sent = await store.outbox.accept_draft(two, "UALICE")
    assert sent.is_new
    again = await store.outbox.accept_draft(one, "UALICE")
    assert (again.notification_id, again.is_new) == (sent.notification_id, False)
    report = await store.reports.find(sent.notification_id)
    assert report is not None
    assert report.notification.content == "Two"


async def test_a_press_after_the_hour_finds_what_came_of_one_before(
    store: Store, clock: FrozenClock
) -> None:
    [draft_id] = await store.outbox.ask([acceptance("UA")])
    sent = await store.outbox.accept_draft(draft_id, "UALICE")
    clock.forward(EXPIRES_AFTER + TICK)
    again = await store.outbox.accept_draft(draft_id, "UALICE")
    assert (again.notification_id, again.is_new) == (sent.notification_id, False)
