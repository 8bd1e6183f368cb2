"""What is left in the database of people and their words once KEEP_DAYS have passed."""

import pytest
from sqlalchemy import Connection, select

from bot.notification import Outcome, Place, State
from bot.people import Link, Person, Standing
from bot.store.database import Database
from bot.store.people import PeopleStore
from bot.store.retention import DAY
from bot.store.tables import metadata
from tests.clock import FrozenClock
from tests.store import Store, acceptance

KEEP_DAYS = 30
PERSONAL = ("UALICE", "UBOB", "UGONE", "UADMIN", "Alice", "Bob", "acme.com", "SECRET", "C0PLACE")
PLACE = Place("C0PLACE", "1.2", "https://hooks.slack.com/SECRET")


@pytest.fixture
async def store(database: Database) -> Store:
    store = Store(database)
    await store.gate.prepare()
    people = PeopleStore(database)
    await people.save_people(
        [
            Person("UALICE", "Alice", "alice@acme.com", Standing.MEMBER, False),
            Person("UBOB", "Bob", "bob@acme.com", Standing.MEMBER, False),
            Person("UGONE", "Alice B", "alice.b@acme.com", Standing.DEACTIVATED, False),
        ]
    )
    by_email = Link("UBOB", "crm-bob", "Bob", "bob@acme.com")
    of_somebody_gone = Link("UGONE", "crm-gone", "Alice B", "alice.b@acme.com", "UADMIN")
    await people.save_links([by_email, of_somebody_gone])
    return store


async def use(store: Store) -> None:
    """Leave a trace in every table that has one of people."""
    await store.accept("UBOB", place=PLACE, content="SECRET")
    refused = Outcome(State.REJECTED, "rejected", "SECRET")
    await store.settle(refused)
    debt = await store.take_debt()
    await store.debts.pay(debt.id)
    await store.outbox.ask([acceptance("UBOB", key="k2", place=PLACE, content="SECRET")])
    found = debt.report.notification_id
    await store.rounds.cancel(found, key="a press of UALICE")


async def read_everything(store: Store) -> dict[str, str]:
    """Return the rows of every table in one text each, those without rows left out."""

    def read(connection: Connection) -> dict[str, str]:
        rows = {
            each.name: connection.execute(select(each)).all() for each in metadata.sorted_tables
        }
        return {name: repr(found) for name, found in rows.items() if found}

    return await store.database.transact(read)


async def test_every_table_is_used_here(store: Store) -> None:
    await use(store)
    assert (await read_everything(store)).keys() == metadata.tables.keys()


async def test_nothing_of_anybody_is_left_afterwards(store: Store, clock: FrozenClock) -> None:
    await use(store)
    clock.forward(KEEP_DAYS * DAY + 1)
    assert await store.retention.forget(keep_days=KEEP_DAYS) == 1
    left = await read_everything(store)
    assert left.keys() == {"gates", "slots"}
    assert not [word for word in PERSONAL if word in repr(left)]


async def test_until_then_everything_is_kept(store: Store, clock: FrozenClock) -> None:
    await use(store)
    clock.forward(KEEP_DAYS * DAY - 1)
    assert await store.retention.forget(keep_days=KEEP_DAYS) == 0
    left = await read_everything(store)
    assert left.keys() == metadata.tables.keys() - {"drafts", "interactions"}


async def test_a_link_of_an_admin_stays_while_the_person_does(
    store: Store, clock: FrozenClock
) -> None:
    people = PeopleStore(store.database)
    await people.save_links([Link("UALICE", "crm-x", "Alice", "alice@acme.com", "UADMIN")])
    clock.forward(KEEP_DAYS * DAY + 1)
    await store.retention.forget(keep_days=KEEP_DAYS)
    assert await people.find_link("UALICE") is not None
    assert await people.find_people(["UALICE"]) == {}


async def test_somebody_who_was_met_lately_is_kept(store: Store, clock: FrozenClock) -> None:
    people = PeopleStore(store.database)
    clock.forward(KEEP_DAYS * DAY)
    await people.save_people([Person("UBOB", "Bob", None, Standing.MEMBER, False)])
    clock.forward(1)
    await store.retention.forget(keep_days=KEEP_DAYS)
    assert (await people.find_people(["UALICE", "UBOB"])).keys() == {"UBOB"}
