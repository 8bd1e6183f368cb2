from dataclasses import replace

import pytest

from bot.people import Link, Person, Standing
from bot.store.database import Database
from bot.store.people import KEEP_EMAIL_LINKS, PeopleStore
from tests.clock import FrozenClock

TICK = 0.01
PRIYA = Person("UP", "Priya", "priya@acme.test", Standing.MEMBER, is_admin=True)
BOT = Person("UB", "Robot", None, Standing.BOT, is_admin=False)
BY_EMAIL = Link("UP", "g1", "Priya Nair", "priya@acme.test")
BY_ADMIN = Link("UP", "g2", "Priya N.", "p.nair@acme.test", linked_by="UADMIN")


@pytest.fixture
def store(database: Database) -> PeopleStore:
    return PeopleStore(database)


async def test_more_people_may_be_matched_than_a_statement_takes_parameters(
    store: PeopleStore,
) -> None:
    """65,535 in Postgres' protocol; in SQLite it depends on who built it."""
    assert await store.find_matches([f"U{number}" for number in range(65_536)]) == {}


async def test_people_come_back_as_they_were_saved(store: PeopleStore) -> None:
    await store.save_people([PRIYA, BOT])
    assert await store.find_people(["UP", "UB", "UX"]) == {"UP": PRIYA, "UB": BOT}
    assert await store.find_people([]) == {}


async def test_the_last_reading_of_a_person_counts(store: PeopleStore) -> None:
    await store.save_people([PRIYA])
    changed = Person("UP", "Priya N.", None, Standing.DEACTIVATED, is_admin=False)
    await store.save_people([changed])
    assert await store.find_people(["UP"]) == {"UP": changed}


async def test_nobody_to_save_is_fine(store: PeopleStore) -> None:
    await store.save_people([])
    await store.save_links([])


async def test_people_read_too_long_ago_are_left_out_until_read_again(
    store: PeopleStore, clock: FrozenClock
) -> None:
    await store.save_people([PRIYA, BOT])
    clock.forward(60)
    assert await store.find_people(["UP"], within=60) == {}
    assert await store.find_people(["UP"], within=60 + TICK) == {"UP": PRIYA}
    assert await store.find_people(["UP"]) == {"UP": PRIYA}
    await store.save_people([PRIYA])
    assert await store.find_people(["UP", "UB"], within=60) == {"UP": PRIYA}


async def test_links_come_back_with_the_time_they_were_made(
    store: PeopleStore, clock: FrozenClock
) -> None:
    await store.save_links([BY_EMAIL, replace(BY_ADMIN, user_id="UB", linked_at=7.0)])
    assert await store.find_link("UP") == replace(BY_EMAIL, linked_at=clock.time())
    assert await store.find_link("UB") == replace(BY_ADMIN, user_id="UB", linked_at=clock.time())
    assert await store.find_link("UX") is None


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (BY_EMAIL, replace(BY_EMAIL, crm_user_id="g3"), replace(BY_EMAIL, crm_user_id="g3")),
        (BY_EMAIL, BY_ADMIN, BY_ADMIN),
        (BY_ADMIN, BY_EMAIL, BY_ADMIN),
        (BY_ADMIN, replace(BY_ADMIN, crm_user_id="g3"), replace(BY_ADMIN, crm_user_id="g3")),
    ],
    ids=["email-email", "email-admin", "admin-email", "admin-admin"],
)
async def test_only_an_admin_replaces_the_link_of_an_admin(
    store: PeopleStore, clock: FrozenClock, first: Link, second: Link, kept: Link
) -> None:
    begun = clock.time()
    await store.save_links([first])
    clock.forward(9)
    await store.save_links([second])
    made_at = begun if kept == first else clock.time()
    assert await store.find_link("UP") == replace(kept, linked_at=made_at)


async def test_old_links_by_email_are_left_out_those_of_admins_never(
    store: PeopleStore, clock: FrozenClock
) -> None:
    admins = replace(BY_ADMIN, user_id="UB")
    await store.save_links([BY_EMAIL, admins])
    clock.forward(KEEP_EMAIL_LINKS - TICK)
    assert set(await store.find_matches(["UP", "UB"])) == {"UP", "UB"}
    clock.forward(TICK)
    assert set(await store.find_matches(["UP", "UB"])) == {"UB"}
    assert await store.find_link("UP") is None
    await store.save_links([BY_EMAIL])
    assert set(await store.find_matches(["UP", "UB"])) == {"UP", "UB"}


async def test_a_match_is_named_as_slack_names_the_person(store: PeopleStore) -> None:
    await store.save_links([BY_EMAIL])
    assert (await store.find_matches(["UP"]))["UP"].name == BY_EMAIL.crm_name
    await store.save_people([PRIYA])
    assert (await store.find_matches(["UP"]))["UP"].name == PRIYA.name


async def test_a_removed_link_is_gone(store: PeopleStore) -> None:
    await store.save_links([BY_EMAIL, replace(BY_ADMIN, user_id="UB")])
    assert await store.unlink("UP", key="k1") is True
    assert await store.unlink("UX", key="k2") is False
    assert set(await store.find_matches(["UP", "UB"])) == {"UB"}
    await store.save_links([BY_EMAIL])
    assert (await store.find_matches(["UP"]))["UP"].crm_user_id == "g1"
