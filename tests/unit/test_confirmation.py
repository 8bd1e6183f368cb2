"""The question before a send to many, in the store."""

import pytest

from bot.errors import UserError
from bot.notification import CrmRecipient
from bot.people import Link, Person, Standing
from bot.questions import ManyRecipients, SecondEnter
from bot.store import people
from bot.store.confirmation import MOST_NAMED
from bot.store.database import Database
from bot.store.drafts import EXPIRES_AFTER
from bot.store.outbox import SECOND_ENTER
from bot.store.people import KEEP_EMAIL_LINKS, PeopleStore
from tests.clock import FrozenClock
from tests.store import LIMITS, Store, acceptance


def person(user_id: str, standing: Standing = Standing.MEMBER, email: str | None = "a@b") -> Person:
    return Person(user_id, f"Name {user_id}", email, standing, is_admin=False)


async def ask(store: Store, *users: str, key: str = "k1") -> ManyRecipients:
    asked = await store.outbox.ask_first(acceptance(*users, key=key, content="Same"), ["sales"])
    assert isinstance(asked, ManyRecipients)
    return asked


async def test_the_question_says_what_would_be_sent_and_nothing_is(store: Store) -> None:
    asked = await ask(store, *(f"U{number}" for number in range(7)))
    assert asked.recipients == 7
    assert asked.groups == ("sales",)
    assert asked.seconds == LIMITS.estimate(7)
    assert asked.title == "Title"
    assert (asked.unlinked, asked.unlinked_count) == ((), 0)
    assert await store.rows() == []


async def test_those_who_are_known_not_to_be_linked_are_named(store: Store) -> None:
    await PeopleStore(store.database).save_people(
        [
            person("UA"),
            person("UBOT", Standing.BOT),
            person("UGUEST", Standing.GUEST),
            person("UGONE", Standing.DEACTIVATED),
            person("UEXT", Standing.EXTERNAL),
            person("UMUTE", email=None),
            person("UOTHER", Standing.BOT),
        ]
    )
    asked = await ask(store, "UA", "UMUTE", "UGUEST", "UBOT", "UEXT", "UGONE", "UNKNOWN")
    assert asked.unlinked == ("Name UBOT", "Name UEXT", "Name UGONE", "Name UGUEST", "Name UMUTE")
    assert asked.unlinked_count == 5


async def test_five_are_named_and_all_are_counted(store: Store) -> None:
    bots = [person(f"UB{number}", Standing.BOT) for number in range(9)]
    await PeopleStore(store.database).save_people(bots)
    asked = await ask(store, *(each.user_id for each in bots))
    assert (len(asked.unlinked), asked.unlinked_count) == (MOST_NAMED, 9)


async def test_so_many_people_are_looked_through_and_no_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "MOST_CHECKED", 2)
    await PeopleStore(store.database).save_people(
        [person(f"UB{number}", Standing.BOT) for number in range(3)]
    )
    assert (await ask(store, "UB0", "UB1", "UB2")).unlinked_count == 2


async def test_a_link_that_holds_is_a_link_whoever_it_is(store: Store, clock: FrozenClock) -> None:
    directory = PeopleStore(store.database)
    await directory.save_people([person("UA", Standing.GUEST), person("UB", Standing.GUEST)])
    await directory.save_links(
        [Link("UA", "g1", "A", None, linked_by="UADMIN"), Link("UB", "g2", "B", None)]
    )
    assert (await ask(store, "UA", "UB")).unlinked == ()
    clock.forward(KEEP_EMAIL_LINKS)
    assert (await ask(store, "UA", "UB", key="k2")).unlinked == ("Name UB",)


async def test_whom_the_crm_named_is_linked(store: Store) -> None:
    given = acceptance("UA")
    given = type(given)(**{**vars(given), "recipients": [CrmRecipient("g1", "Olga")]})
    asked = await store.outbox.ask_first(given, [])
    assert isinstance(asked, ManyRecipients)
    assert (asked.recipients, asked.unlinked_count) == (1, 0)


async def test_the_draft_is_sent_once_and_by_its_sender_alone(store: Store) -> None:
    asked = await ask(store, "UA", "UB")
    with pytest.raises(UserError, match="too old"):
        await store.outbox.accept_draft(asked.draft_id, "UBOB")
    sent = await store.outbox.accept_draft(asked.draft_id, "UALICE")
    again = await store.outbox.accept_draft(asked.draft_id, "UALICE")
    assert (sent.is_new, again.is_new) == (True, False)
    assert sent.notification_id == again.notification_id
    assert len(await store.rows()) == 2


async def test_one_interaction_is_one_question(store: Store) -> None:
    first, second = await ask(store, "UA"), await ask(store, "UA")
    assert first.draft_id == second.draft_id
    assert (await ask(store, "UA", key="k2")).draft_id != first.draft_id


async def test_after_an_hour_the_question_is_too_old(store: Store, clock: FrozenClock) -> None:
    asked = await ask(store, "UA")
    clock.forward(EXPIRES_AFTER)
    with pytest.raises(UserError, match="too old"):
        await store.outbox.accept_draft(asked.draft_id, "UALICE")
    assert await store.rows() == []


async def test_what_was_sent_a_moment_ago_is_the_question_then(
    store: Store, clock: FrozenClock
) -> None:
    asked = await ask(store, "UA", "UB")
    await store.outbox.accept_draft(asked.draft_id, "UALICE")
    again = await store.outbox.ask_first(
        acceptance("UB", "UA", key="k2", content="Same"), ["sales"]
    )
    assert isinstance(again, SecondEnter)
    assert (await store.outbox.accept_draft(again.draft_id, "UALICE")).is_new
    clock.forward(SECOND_ENTER)
    assert isinstance(await ask(store, "UA", "UB", key="k3"), ManyRecipients)


async def test_what_takes_too_long_is_refused_instead_of_asked(database: Database) -> None:
    store = Store(database, deliver_within=10.0)
    await store.gate.prepare()
    with pytest.raises(UserError, match="notifications older than"):
        await ask(store, *(f"U{number}" for number in range(30)))


async def test_what_the_hourly_limit_forbids_is_refused_instead_of_asked(
    database: Database,
) -> None:
    store = Store(database, hourly_limit=3)
    await store.gate.prepare()
    await ask(store, "UA", "UB", "UC")  # asking uses nothing up
    await ask(store, "UA", "UB", "UC", key="k2")
    with pytest.raises(UserError, match="You may notify 3 recipients an hour"):
        await ask(store, "UA", "UB", "UC", "UD", key="k3")


async def test_the_hourly_limit_holds_again_when_pressed(database: Database) -> None:
    store = Store(database, hourly_limit=3)
    await store.gate.prepare()
    one, two = await ask(store, "UA", "UB"), await ask(store, "UA", "UC", key="k2")
    await store.outbox.accept_draft(one.draft_id, "UALICE")
    with pytest.raises(UserError, match="you have used 2, and this would be 2 more"):
        await store.outbox.accept_draft(two.draft_id, "UALICE")
    assert len(await store.rows()) == 2
