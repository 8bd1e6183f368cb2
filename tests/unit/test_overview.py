import pytest

from bot.errors import CrmRateLimitedError
from bot.notification import Outcome, State
from bot.overview import LastError, Overview
from bot.people import Link, Person, Standing
from bot.store.resolutions import NoMatch
from tests.clock import FrozenClock
from tests.store import DELIVER_WITHIN, LIMITS, Store


def person(user_id: str, standing: Standing = Standing.MEMBER) -> Person:
    return Person(user_id, f"Name {user_id}", None, standing, is_admin=False)


async def end(store: Store, outcome: Outcome) -> None:
    await store.settle(outcome)


async def test_an_empty_bot_has_an_overview(store: Store) -> None:
    assert await store.overview.read() == Overview(
        members=0,
        linked=0,
        not_linked=[],
        pending=0,
        oldest=0.0,
        limit=LIMITS.limit,
        period=LIMITS.period,
        is_learned=False,
        closed=0.0,
        last_error=None,
    )


async def test_only_members_are_counted(store: Store) -> None:
    standings = [each for each in Standing if each is not Standing.MEMBER]
    await store.people.save_people([person(f"U{each}", each) for each in standings])
    await store.people.save_people([person("UA"), person("UB")])
    await store.people.save_links([Link("UA", "a", "A", None), Link("Uguest", "g", "G", None)])
    overview = await store.overview.read()
    assert (overview.members, overview.linked, overview.not_linked) == (2, 1, ["Name UB"])


async def test_a_link_found_by_email_counts_longer_than_it_is_believed(
    store: Store, clock: FrozenClock
) -> None:
    await store.people.save_people([person("UA")])
    await store.people.save_links([Link("UA", "a", "A", None)])
    clock.forward(30 * 24 * 3600)
    assert (await store.overview.read()).linked == 1


async def test_ten_without_a_link_are_named(store: Store) -> None:
    await store.people.save_people([person(f"U{number:02}") for number in range(12)])
    overview = await store.overview.read()
    assert overview.not_linked == [f"Name U{number:02}" for number in range(10)]
    assert (overview.members, overview.linked) == (12, 0)


async def test_the_queue_is_as_old_as_its_oldest(store: Store, clock: FrozenClock) -> None:
    await store.accept("UA", "UB", key="k1")
    clock.forward(7)
    await store.accept("UC", key="k2")
    await store.resolve(UA="a")
    await end(store, Outcome(State.SENT))
    overview = await store.overview.read()
    assert overview.pending == 2
    assert overview.oldest == pytest.approx(7)
    clock.forward(DELIVER_WITHIN)
    await store.claims.sweep()
    assert (await store.overview.read()).pending == 0


async def test_what_a_refusal_taught_is_in_force(store: Store) -> None:
    await store.accept("UA")
    await store.resolve(UA="a")
    refusal = CrmRateLimitedError("slow down", limit=2, period=9.0)
    await store.claims.settle(await store.claim(), Outcome(State.PENDING), refusal)
    overview = await store.overview.read()
    assert (overview.limit, overview.period, overview.is_learned) == (2, 9.0, True)
    assert overview.closed == pytest.approx(9, abs=0.01)


async def test_the_last_error_is_the_newest_of_the_crm(store: Store, clock: FrozenClock) -> None:
    await store.accept("UA", "UB", "UC", "UD", "UE")
    await store.resolve(
        UA="a", UB="b", UC="c", UD="d", UE=NoMatch(Outcome(State.UNLINKED, "not_in_crm"))
    )
    for outcome in (
        Outcome(State.REJECTED, "rejected", "No such user"),
        Outcome(State.UNKNOWN, "uncertain"),
        Outcome(State.SENT),
    ):
        await end(store, outcome)
        clock.forward(10)
    error = (await store.overview.read()).last_error
    assert error == LastError("uncertain", None, clock.time() - 20)


async def test_waiting_too_long_is_no_error_of_the_crm(store: Store, clock: FrozenClock) -> None:
    await store.accept("UA")
    clock.forward(DELIVER_WITHIN + 1)
    await store.claims.sweep()
    assert {row.code for row in await store.rows()} == {"too_late"}
    assert (await store.overview.read()).last_error is None
