import asyncio
from dataclasses import replace

import pytest

from bot.errors import CrmBusyError
from bot.leadsquared.models import CrmUser
from bot.roster import BELIEVE_A_MISS, KEEP, Roster
from tests.clock import FrozenClock
from tests.fakes import LEE, OMAR, PRIYA, FakeCrm

TICK = 0.01
PRIYA_USER = CrmUser(id=PRIYA, name="Priya Nair", email="priya@acme.test")
OMAR_USER = CrmUser(id=OMAR, name="Omar Ali", email="omar@acme.test")
LEE_USER = CrmUser(id=LEE, name="Lee Wong", email="lee@acme.test")
EVERYBODY = "everybody"


@pytest.fixture
def crm() -> FakeCrm:
    crm = FakeCrm()
    crm.users = [PRIYA_USER, OMAR_USER]
    return crm


@pytest.fixture
def roster(crm: FakeCrm, clock: FrozenClock) -> Roster:
    return Roster(crm, clock)


async def test_one_call_serves_everybody_for_ten_minutes(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    assert await roster.find(["priya@acme.test"]) == {"priya@acme.test": PRIYA_USER}
    clock.forward(KEEP)
    both = await roster.find(["priya@acme.test", "omar@acme.test"])
    assert both == {"priya@acme.test": PRIYA_USER, "omar@acme.test": OMAR_USER}
    assert crm.calls == [EVERYBODY]
    clock.forward(TICK)
    await roster.find(["priya@acme.test"])
    assert crm.calls == [EVERYBODY] * 2


async def test_many_who_ask_at_once_share_one_call(roster: Roster, crm: FakeCrm) -> None:
    await asyncio.gather(*(roster.find(["priya@acme.test"]) for _ in range(5)))
    assert crm.calls == [EVERYBODY]


async def test_who_left_is_gone_after_a_refresh(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    await roster.find(["omar@acme.test"])
    crm.users = [PRIYA_USER]
    clock.forward(KEEP + TICK)
    assert await roster.find(["priya@acme.test", "omar@acme.test"]) == {
        "priya@acme.test": PRIYA_USER
    }
    assert await roster.find_by_id(OMAR) is None


async def test_a_fresh_roster_is_believed_when_it_has_not_somebody(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    assert await roster.find(["lee@acme.test"]) == {}
    clock.forward(BELIEVE_A_MISS)
    assert await roster.find(["lee@acme.test", "dev@acme.test"]) == {}
    assert crm.calls == [EVERYBODY]


async def test_one_who_is_missing_later_is_asked_for_alone(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    await roster.find(["priya@acme.test"])
    clock.forward(BELIEVE_A_MISS + TICK)
    crm.by_email["lee@acme.test"] = LEE_USER
    found = await roster.find(["priya@acme.test", "lee@acme.test"])
    assert found == {"priya@acme.test": PRIYA_USER, "lee@acme.test": LEE_USER}
    assert crm.calls == [EVERYBODY, "lee@acme.test"]
    assert await roster.find(["lee@acme.test"]) == {"lee@acme.test": LEE_USER}
    assert await roster.find_by_id(LEE) == LEE_USER
    assert crm.calls == [EVERYBODY, "lee@acme.test"]


async def test_one_whom_nobody_knows_stays_missing(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    await roster.find([])
    clock.forward(BELIEVE_A_MISS + TICK)
    assert await roster.find(["nobody@acme.test"]) == {}
    assert crm.calls == [EVERYBODY, "nobody@acme.test"]


async def test_several_who_are_missing_later_are_looked_up_by_one_call(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    await roster.find(["priya@acme.test"])
    clock.forward(BELIEVE_A_MISS + TICK)
    crm.users = [PRIYA_USER, LEE_USER]
    found = await roster.find(["lee@acme.test", "nobody@acme.test"])
    assert found == {"lee@acme.test": LEE_USER}
    assert crm.calls == [EVERYBODY, EVERYBODY]


async def test_inactive_users_are_told_as_such_and_asked_for_again(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    asleep = replace(OMAR_USER, active=False)
    crm.users = [asleep]
    assert await roster.find(["omar@acme.test"]) == {"omar@acme.test": asleep}
    clock.forward(BELIEVE_A_MISS + TICK)
    assert await roster.find(["omar@acme.test"]) == {"omar@acme.test": asleep}
    crm.by_email["omar@acme.test"] = OMAR_USER
    assert await roster.find(["omar@acme.test"]) == {"omar@acme.test": OMAR_USER}


@pytest.mark.parametrize("inactive_first", [True, False])
async def test_of_two_with_one_email_the_active_one_counts(
    roster: Roster, crm: FakeCrm, inactive_first: bool
) -> None:
    asleep = CrmUser(id=LEE, email="omar@acme.test", active=False)
    crm.users = [asleep, OMAR_USER] if inactive_first else [OMAR_USER, asleep]
    assert await roster.find(["omar@acme.test"]) == {"omar@acme.test": OMAR_USER}
    assert await roster.find_by_id(LEE) == asleep


async def test_users_without_email_are_found_by_id_only(roster: Roster, crm: FakeCrm) -> None:
    crm.users = [CrmUser(id=LEE, name="Lee")]
    assert await roster.find([""]) == {}
    assert await roster.find_by_id(LEE) == crm.users[0]


async def test_an_id_that_is_missing_asks_for_everybody_again_once_a_minute(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    assert await roster.find_by_id(LEE) is None
    clock.forward(BELIEVE_A_MISS)
    assert await roster.find_by_id(LEE) is None
    assert crm.calls == [EVERYBODY]
    crm.users = [LEE_USER]
    clock.forward(TICK)
    assert await roster.find_by_id(LEE) == LEE_USER
    assert crm.calls == [EVERYBODY] * 2


async def test_a_failed_call_comes_through_and_the_next_one_asks_again(
    roster: Roster, crm: FakeCrm
) -> None:
    crm.answers = [CrmBusyError()]
    with pytest.raises(CrmBusyError):
        await roster.find(["priya@acme.test"])
    assert await roster.find(["priya@acme.test"]) == {"priya@acme.test": PRIYA_USER}


async def test_a_failed_refresh_keeps_nothing_older_than_it_should(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    await roster.find(["priya@acme.test"])
    clock.forward(KEEP + TICK)
    crm.answers = [CrmBusyError()]
    with pytest.raises(CrmBusyError):
        await roster.find(["priya@acme.test"])


async def test_the_key_owner_is_asked_for_until_known_and_then_never_again(
    roster: Roster, crm: FakeCrm, clock: FrozenClock
) -> None:
    crm.answers = [CrmBusyError()]
    with pytest.raises(CrmBusyError):
        await roster.get_key_owner()
    for _ in range(2):
        assert (await roster.get_key_owner()).id == PRIYA
        clock.forward(24 * 3600)
    assert crm.calls == ["key owner"] * 2


async def test_a_caller_who_gives_up_does_not_end_the_reading(
    roster: Roster, crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = asyncio.Event()
    read = crm.fetch_users

    async def read_slowly(*, interactive: bool = False) -> list[CrmUser]:
        users = await read(interactive=interactive)
        await answered.wait()
        return users

    monkeypatch.setattr(crm, "fetch_users", read_slowly)
    impatient = asyncio.create_task(roster.find(["priya@acme.test"]))
    await asyncio.sleep(0)
    patient = asyncio.create_task(roster.find(["omar@acme.test"]))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait({impatient})
    answered.set()
    assert await patient == {"omar@acme.test": OMAR_USER}
    assert crm.calls == [EVERYBODY]
