from collections.abc import Collection
from typing import Any

import pytest

from bot.backoff import UNREACHABLE
from bot.directory import Directory
from bot.errors import (
    BotError,
    CrmAccessError,
    CrmBusyError,
    CrmConnectError,
    CrmRejectedError,
    SlackRateLimitedError,
    SlackRefusedError,
    SlackUnavailableError,
    StoreUnavailableError,
)
from bot.leadsquared.models import CrmUser
from bot.notification import KEY_OWNER, Outcome, State
from bot.people import Person, Standing
from bot.resolver import LEFT, Resolver
from bot.roster import Roster
from bot.store.database import Database
from bot.store.resolutions import Match, NoMatch
from tests.clock import FrozenClock
from tests.fakes import LEE, OMAR, PRIYA, FakeCrm, FakeSlack
from tests.store import Store, make_read_only

ADMIN = Person("UADMIN", "Ada", None, Standing.MEMBER, is_admin=True)


class CountingDirectory(Directory):
    """Notes whom it is asked for."""

    asked: list[set[str]]

    async def look_up(self, user_ids: Collection[str]) -> dict[str, Match | NoMatch]:
        self.asked.append(set(user_ids))
        return await super().look_up(user_ids)


class Desk:
    """A resolver with its store, Slack and CRM, on one clock."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.clock = clock
        self.store = Store(database)
        self.slack = FakeSlack()
        self.crm = FakeCrm()
        self.told = 0
        self.jitters: list[float] = []
        self.directory = CountingDirectory(
            self.store.people,
            self.slack,
            Roster(self.crm, clock),
            clock,
            team_id="T1",
            admins=[],
        )
        self.directory.asked = []
        self.resolver = Resolver(
            self.store.resolutions, self.directory, clock, self._draw, self._on_resolved
        )
        self.add("UA", PRIYA)
        self.add("UB", OMAR)

    def _on_resolved(self) -> None:
        self.told += 1

    def _draw(self) -> float:
        return self.jitters.pop() if self.jitters else 0.5

    def add(self, user_id: str, crm_user_id: str) -> None:
        """Add somebody to Slack and to the CRM."""
        email = f"{user_id.lower()}@acme.test"
        profile = {"display_name": user_id.lower(), "email": email}
        self.slack.users[user_id] = {"id": user_id, "team_id": "T1", "profile": profile}
        self.crm.users.append(CrmUser(id=crm_user_id, name=user_id, email=email))

    async def found(self) -> list[tuple[Any, ...]]:
        return [(row.state, row.code, row.crm_user_id, row.name) for row in await self.store.rows()]

    async def give_up(self) -> int:
        """Step until nothing is pending; return how many steps had work."""
        steps = 0
        while "pending" in await self.store.states():
            if await self.resolver.step():
                steps += 1
            else:
                self.clock.forward(1)
        return steps


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    desk = Desk(database, clock)
    await desk.store.gate.prepare()
    return desk


async def test_with_nobody_to_resolve_nobody_is_asked(desk: Desk) -> None:
    await desk.store.accept("")
    assert not await desk.resolver.step()
    assert (desk.directory.asked, desk.told) == ([], 0)


async def test_new_work_is_left_to_the_process_that_accepted_it(desk: Desk) -> None:
    """Two processes asked for the same people, and the second took calls of the account for it."""
    await desk.resolver.step()
    await desk.store.accept("UA")
    assert not await desk.resolver.step()
    desk.clock.forward(LEFT - 0.01)
    assert not await desk.resolver.step()
    assert desk.directory.asked == []
    desk.clock.forward(0.01)  # it may have died meanwhile
    assert await desk.resolver.step()
    assert desk.directory.asked == [{"UA"}]


async def test_the_process_that_accepted_looks_until_nothing_is_left(desk: Desk) -> None:
    await desk.resolver.step()
    await desk.store.accept("UA")
    desk.resolver.wake()
    assert await desk.resolver.step()
    await desk.store.accept("UB", key="k2")  # its wake comes while the first is looked up
    assert await desk.resolver.step()
    assert not await desk.resolver.step()


async def test_people_are_found_by_one_look_up_for_all_notifications(desk: Desk) -> None:
    await desk.store.accept("UA", "UB", key="k1")
    await desk.store.accept("UA", key="k2")
    assert await desk.resolver.step()
    assert await desk.found() == [
        ("pending", None, PRIYA, "ua"),
        ("pending", None, OMAR, "ub"),
        ("pending", None, PRIYA, "ua"),
    ]
    assert desk.directory.asked == [{"UA", "UB"}]
    assert desk.crm.calls == ["everybody"]
    assert desk.told == 1
    assert not await desk.resolver.step()


async def test_stored_links_need_no_look_up(desk: Desk) -> None:
    await desk.store.accept("UA")
    await desk.directory.link("UA", OMAR, admin=ADMIN, key="k1")
    desk.crm.calls.clear()
    assert await desk.resolver.step()
    assert await desk.found() == [("pending", None, OMAR, "UB")]
    assert desk.directory.asked == []
    assert desk.crm.calls == []


async def test_those_with_a_link_go_on_though_the_others_cannot_be_looked_up(desk: Desk) -> None:
    await desk.store.accept("UA", "UB")
    await desk.directory.link("UA", PRIYA, admin=ADMIN, key="k1")
    desk.slack.refuse("UB", SlackUnavailableError())
    await desk.resolver.step()
    assert [row[2] for row in await desk.found()] == [PRIYA, None]
    assert desk.directory.asked == [{"UB"}]
    assert desk.told == 2


async def test_who_is_not_in_the_crm_ends_as_unlinked(desk: Desk) -> None:
    desk.crm.users = []
    await desk.store.accept("UA")
    await desk.resolver.step()
    assert await desk.found() == [("unlinked", "not_in_crm", None, "ua")]
    assert desk.told == 1


# Look-ups that fail.


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (CrmConnectError(), "unavailable", "connect"),
        (CrmBusyError("Try later"), "unavailable", "busy"),
        (CrmRejectedError("Odd"), "unavailable", "rejected"),
    ],
)
async def test_a_crm_that_stays_away_is_asked_again_and_then_given_up(
    desk: Desk, error: CrmBusyError, state: str, code: str
) -> None:
    desk.crm.answers = [error] * 99
    await desk.store.accept("UA")
    begun = desk.clock.time()
    assert await desk.give_up() == UNREACHABLE.repeats + 1
    assert 60 < desk.clock.time() - begun < 150
    (row,) = await desk.store.rows()
    assert (row.state, row.code, row.detail) == (state, code, error.detail or None)


async def test_who_was_asked_about_together_stays_together_through_all_repeats(
    desk: Desk,
) -> None:
    """A batch whose members waited for different times fell apart: 69 look-ups instead of 6."""
    desk.jitters = [n / 400 for n in range(400)]
    people = {f"U{n}" for n in range(40)}
    for user_id in people:
        desk.add(user_id, PRIYA)
    desk.crm.answers = [CrmBusyError()] * 99
    await desk.store.accept(*people)
    assert await desk.give_up() == UNREACHABLE.repeats + 1
    assert desk.directory.asked == [people] * (UNREACHABLE.repeats + 1)
    assert desk.crm.calls == ["everybody"] * (UNREACHABLE.repeats + 1)


async def test_those_with_different_repeats_behind_them_wait_for_their_own_time(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.crm.answers = [CrmBusyError()] * 2
    await desk.store.accept("UA", key="k1")
    await desk.resolver.step()
    clock.forward(UNREACHABLE.delay(1, 0.5))
    await desk.store.accept("UB", key="k2")
    await desk.resolver.step()
    first, second = await desk.store.rows()
    assert [row.due_at - clock.time() for row in (first, second)] == pytest.approx(
        [UNREACHABLE.delay(2, 0.5), UNREACHABLE.delay(1, 0.5)]
    )


@pytest.mark.parametrize("error", [SlackUnavailableError(), SlackRefusedError("missing_scope")])
async def test_a_slack_that_stays_away_is_asked_again_and_then_given_up(
    desk: Desk, error: BotError
) -> None:
    desk.slack.refuse("UA", *[error] * 99)
    await desk.store.accept("UA")
    assert await desk.give_up() == UNREACHABLE.repeats + 1
    assert await desk.found() == [("unavailable", "slack_away", None, None)]


async def test_a_failed_look_up_is_repeated_after_its_time(desk: Desk, clock: FrozenClock) -> None:
    desk.crm.answers = [CrmBusyError()]
    await desk.store.accept("UA")
    assert await desk.resolver.step()
    assert await desk.found() == [("pending", None, None, None)]
    clock.forward(UNREACHABLE.delay(1, 0.5) - 0.01)
    assert not await desk.resolver.step()
    clock.forward(0.02)
    assert await desk.resolver.step()
    assert await desk.found() == [("pending", None, PRIYA, "ua")]
    assert desk.told == 2


async def test_a_slack_that_asks_for_patience_gets_it(desk: Desk, clock: FrozenClock) -> None:
    desk.slack.refuse("UA", SlackRateLimitedError(30.0))
    await desk.store.accept("UA")
    await desk.resolver.step()
    clock.forward(29.9)
    assert not await desk.resolver.step()
    clock.forward(0.2)
    assert await desk.resolver.step()
    assert desk.slack.tried == ["UA", "UA"]


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_access_refused_is_final_at_once(desk: Desk, status: int) -> None:
    desk.crm.answers = [CrmAccessError("Invalid keys", status=status)]
    await desk.store.accept("UA", "UB")
    await desk.resolver.step()
    rows = await desk.store.rows()
    assert [(row.state, row.code, row.detail) for row in rows] == [
        ("rejected", f"access_{status}", "Invalid keys")
    ] * 2


async def test_without_the_database_the_worker_is_told(desk: Desk) -> None:
    await make_read_only(desk.store.database)
    with pytest.raises(StoreUnavailableError):
        await desk.resolver.step()


# The key owner beside its own person.


async def test_the_key_owners_own_person_shares_its_call(desk: Desk) -> None:
    await desk.store.accept("UA", "", "UB")
    await desk.resolver.step()
    rows = await desk.store.rows()
    assert [row.crm_user_id for row in rows] == [KEY_OWNER, KEY_OWNER, OMAR]
    assert [row.twin_of for row in rows] == [rows[1].id, None, None]
    assert rows[0].name == "ua"


async def test_two_people_who_are_the_key_owner_share_its_call_as_well(desk: Desk) -> None:
    await desk.directory.link("UC", PRIYA, admin=ADMIN, key="k1")
    await desk.store.accept("", "UA", "UC")
    await desk.resolver.step()
    await desk.store.claims.settle(await desk.store.claim(), Outcome(State.SENT), None)
    assert await desk.store.states() == ["sent"] * 3


async def test_without_the_key_owner_among_them_nobody_asks_who_it_is(desk: Desk) -> None:
    await desk.store.accept("UA", "UB", key="k1")
    await desk.store.accept("", key="k2")
    await desk.resolver.step()
    assert [row[2] for row in await desk.found()] == [PRIYA, OMAR, KEY_OWNER]
    assert "key owner" not in desk.crm.calls


async def test_beside_the_key_owner_who_is_not_matched_ends_all_the_same(desk: Desk) -> None:
    desk.crm.users = []
    await desk.store.accept("UA", "")
    await desk.resolver.step()
    assert [row[0] for row in await desk.found()] == ["unlinked", "pending"]


async def test_those_of_other_notifications_go_on_though_the_key_owner_is_not_known(
    desk: Desk,
) -> None:
    desk.crm.answers = [None, CrmBusyError()]
    await desk.store.accept("UA", key="k1")
    await desk.store.accept("UA", "", key="k2")
    await desk.resolver.step()
    assert [row[2] for row in await desk.found()] == [PRIYA, None, KEY_OWNER]


async def test_while_the_key_owner_is_not_known_nobody_is_sent_to_who_may_be_it(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.crm.answers = [None, CrmBusyError()]
    await desk.store.accept("UA", "")
    await desk.resolver.step()
    assert [row[2] for row in await desk.found()] == [None, KEY_OWNER]
    clock.forward(UNREACHABLE.most)
    await desk.resolver.step()
    assert [row[2] for row in await desk.found()] == [KEY_OWNER, KEY_OWNER]


async def test_a_new_link_counts_from_the_next_notification_on(desk: Desk) -> None:
    await desk.store.accept("UA", key="k1")
    await desk.resolver.step()
    desk.add("UZ", LEE)
    desk.clock.forward(61)
    await desk.directory.link("UA", LEE, admin=ADMIN, key="k1")
    await desk.store.accept("UA", key="k2")
    await desk.resolver.step()
    assert [row[2] for row in await desk.found()] == [PRIYA, LEE]
