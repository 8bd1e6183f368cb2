import pytest

from bot.errors import CrmAccessError, CrmConnectError
from bot.notification import KEY_OWNER, Outcome, State
from bot.store.resolutions import AskAgain, Match, NoMatch
from tests.clock import FrozenClock
from tests.store import LIMITS, Store

TICK = 0.01
SENT = Outcome(State.SENT)
NOT_IN_CRM = NoMatch(Outcome(State.UNLINKED, "not_in_crm"), "Omar")


async def pairs(store: Store) -> list[tuple[str, int | None]]:
    """Return the state of each delivery, and the position of the one that called for it."""
    rows = await store.rows()
    position = {row.id: row.position for row in rows}
    return [(str(row.state), position.get(row.twin_of)) for row in rows]


# Who is asked for.


async def test_those_without_a_crm_user_are_found_the_oldest_first(store: Store) -> None:
    first = await store.accept("UA", "UB", key="k1")
    second = await store.accept("UC", "", key="k2")
    found = await store.resolutions.find_unresolved(100)
    assert [(each.notification_id, each.slack_user_id) for each in found] == [
        (first, "UA"),
        (first, "UB"),
        (second, "UC"),
    ]
    assert [each.repeats for each in found] == [0, 0, 0]
    assert len(await store.resolutions.find_unresolved(2)) == 2


async def test_those_beside_the_key_owner_are_marked(store: Store) -> None:
    await store.accept("UA", "", key="k1")
    await store.accept("UA", key="k2")
    found = await store.resolutions.find_unresolved(100)
    assert [each.beside_key_owner for each in found] == [True, False]


async def test_who_is_resolved_is_not_asked_for_again(store: Store) -> None:
    await store.accept("UA", "UB", "UC")
    await store.resolve(UA="a", UB=NOT_IN_CRM)
    found = await store.resolutions.find_unresolved(100)
    assert [each.slack_user_id for each in found] == ["UC"]


# What was found.


async def test_a_match_can_be_claimed_under_its_name(store: Store) -> None:
    await store.accept("UA")
    await store.resolve(UA=Match("a", "Priya"))
    assert (await store.claim()).crm_user_id == "a"
    (row,) = await store.rows()
    assert (row.name, row.twin_of) == ("Priya", None)


async def test_no_match_is_final_with_its_reason(store: Store, clock: FrozenClock) -> None:
    await store.accept("UA", "UB")
    await store.resolve(
        UA=NOT_IN_CRM, UB=NoMatch(Outcome(State.REJECTED, "access_401", "Invalid keys"))
    )
    first, second = await store.rows()
    assert (first.state, first.code, first.detail) == ("unlinked", "not_in_crm", None)
    assert (first.name, first.settled_at) == ("Omar", clock.time())
    assert (second.state, second.code, second.detail) == ("rejected", "access_401", "Invalid keys")
    assert await store.claims.claim() is None


async def test_a_failed_look_up_is_asked_again_after_its_time(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("UA")
    await store.resolve(UA=AskAgain(4.0))
    assert await store.resolutions.find_unresolved(100) == []
    clock.forward(4.0 - TICK)
    assert await store.resolutions.find_unresolved(100) == []
    clock.forward(TICK)
    (again,) = await store.resolutions.find_unresolved(100)
    assert again.repeats == 1


async def test_what_was_accepted_a_moment_ago_can_be_left_out(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UA=AskAgain(3.0))
    assert await store.resolutions.find_unresolved(100, left=5.0) == []
    clock.forward(3.0)
    (again,) = await store.resolutions.find_unresolved(100, left=5.0)  # nobody's any more
    assert again.slack_user_id == "UA"
    clock.forward(2.0)
    assert len(await store.resolutions.find_unresolved(100, left=5.0)) == 2


async def test_a_look_up_put_off_comes_after_those_that_were_due_meanwhile(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("UA", "UB", key="k1")
    await store.resolve(UA=AskAgain(5.0))
    await store.accept("UC", key="k2")
    clock.forward(5)
    found = await store.resolutions.find_unresolved(2)
    assert [each.slack_user_id for each in found] == ["UB", "UC"]


async def test_the_repeats_of_a_look_up_are_not_those_of_the_push(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("UA")
    for _ in range(3):
        await store.resolve(UA=AskAgain(0.0))
    await store.resolve(UA="a")
    assert (await store.claim()).repeats == 0


async def test_a_match_found_late_can_be_claimed_when_its_time_has_come(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("UA")
    await store.resolve(UA=AskAgain(4.0))
    clock.forward(4.0)
    await store.resolve(UA="a")
    assert await store.claim()


async def test_nothing_found_changes_nothing(store: Store) -> None:
    await store.accept("UA")
    await store.resolutions.record([])
    assert await store.states() == ["pending"]


@pytest.mark.parametrize("resolution", [Match("a", "Priya"), NOT_IN_CRM, AskAgain(9.0)])
async def test_who_was_settled_meanwhile_stays_settled(
    store: Store, clock: FrozenClock, resolution: Match | NoMatch | AskAgain
) -> None:
    await store.accept("UA")
    found = await store.resolutions.find_unresolved(100)
    clock.forward(3600)
    await store.claims.sweep()
    before = await store.rows()
    await store.resolutions.record([(found[0], resolution)])
    assert await store.rows() == before


async def test_two_processes_that_resolve_the_same_person_agree(store: Store) -> None:
    await store.accept("UA", "UB")
    found = await store.resolutions.find_unresolved(100)
    both = [(each, Match("a", each.slack_user_id)) for each in found]
    await store.resolutions.record(both)
    before = await store.rows()
    await store.resolutions.record(both)
    assert await store.rows() == before
    assert await pairs(store) == [("pending", None), ("pending", 0)]


# Twins: two recipients that are one CRM user.


async def test_two_slack_users_that_are_one_crm_user_share_one_call(store: Store) -> None:
    await store.accept("UA", "UB", "UC")
    await store.resolve(UA="g1", UB="g1", UC="g2")
    claims = [await store.claim(), await store.claim()]
    assert {each.crm_user_id for each in claims} == {"g1", "g2"}
    assert await store.claims.claim() is None
    for claim in claims:
        await store.claims.settle(claim, SENT, None)
    report = (await store.take_debt()).report
    assert [(each.state, each.twin_position) for each in report.deliveries] == [
        (State.SENT, None),
        (State.SENT, 0),
        (State.SENT, None),
    ]


async def test_one_crm_user_in_two_notifications_gets_both(store: Store) -> None:
    await store.accept("UA", key="k1")
    await store.accept("UB", key="k2")
    await store.resolve(UA="g1", UB="g1")
    assert await pairs(store) == [("pending", None), ("pending", None)]


async def test_who_is_found_first_calls_whatever_the_position(store: Store) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UB="g1")
    await store.resolve(UA="g1")
    assert await pairs(store) == [("pending", 1), ("pending", None)]


ENDS = [
    SENT,
    Outcome(State.REJECTED, "rejected", "No such user"),
    Outcome(State.UNAVAILABLE, "connect"),
    Outcome(State.UNKNOWN, "uncertain"),
]


@pytest.mark.parametrize("outcome", ENDS, ids=lambda each: each.state)
@pytest.mark.parametrize("when", ["before", "under way", "after"])
async def test_a_twin_shares_the_outcome_whenever_it_is_found(
    store: Store, clock: FrozenClock, outcome: Outcome, when: str
) -> None:
    await store.accept("UA", "UB", "UC")
    await store.resolve(UA="g1")
    if when == "before":
        await store.resolve(UB="g1")
    claim = await store.claim()
    if when == "under way":
        await store.resolve(UB="g1")
    clock.forward(1)
    await store.claims.settle(claim, outcome, None)
    if when == "after":
        clock.forward(1)
        await store.resolve(UB="g1")
    first, second, _ = await store.rows()
    shared = (outcome.state, outcome.code, outcome.detail, first.settled_at)
    assert (second.state, second.code, second.detail, second.settled_at) == shared
    assert await pairs(store) == [(outcome.state, None), (outcome.state, 0), ("pending", None)]
    assert await store.claims.claim() is None


async def test_a_twin_found_after_the_lease_ran_out_is_unknown_too_and_corrected_too(
    store: Store, clock: FrozenClock
) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UA="g1")
    claim = await store.claim()
    clock.forward(LIMITS.lease + TICK)
    await store.claims.sweep()
    await store.resolve(UB="g1")
    assert await pairs(store) == [("unknown", None), ("unknown", 0)]
    await store.claims.settle(claim, SENT, None)
    assert await store.states() == ["sent", "sent"]


async def test_a_twin_waits_while_its_primary_is_repeated(store: Store) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UA="g1", UB="g1")
    await store.claims.repeat(await store.claim(), CrmConnectError(), seconds=0, counts=True)
    assert await pairs(store) == [("pending", None), ("pending", 0)]
    again = await store.claim()
    assert again.crm_user_id == "g1"
    assert await store.claims.claim() is None


async def test_a_twin_grows_too_old_with_its_primary(store: Store, clock: FrozenClock) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UA="g1", UB="g1")
    clock.forward(3600)
    assert await store.claims.sweep() == 2
    assert [row.code for row in await store.rows()] == ["too_late", "too_late"]


async def test_a_twin_is_condemned_with_its_primary(store: Store) -> None:
    await store.accept("UA", "UB")
    await store.resolve(UA="g1", UB="g1")
    refused = Outcome(State.REJECTED, "access_401")
    error = CrmAccessError(status=401)
    await store.claims.settle(await store.claim(), refused, error, condemns=True)
    assert await store.states() == ["rejected", "rejected"]


async def test_the_key_owner_and_its_own_person_share_one_call(store: Store) -> None:
    await store.accept("UA", "", "UB")
    await store.resolve(UA=KEY_OWNER, UB="g2")
    assert await pairs(store) == [("pending", 1), ("pending", None), ("pending", None)]
    claim = await store.claim()
    assert claim.crm_user_id == KEY_OWNER
    await store.claims.settle(claim, SENT, None)
    assert await store.states() == ["sent", "sent", "pending"]
    rows = await store.rows()
    assert (rows[0].name, rows[1].name) == ("UA", None)
