"""150 recipients in one `/notify`, against a CRM that counts in a sliding window at arrival."""

from collections.abc import Callable

import pytest

from tests.processes.conftest import OpenWorld
from tests.processes.world import World

MANY = 150

Record = Callable[[str, object], None]


def mention_everybody(world: World) -> str:
    people = world.slack.add_people(MANY)
    world.crm.add_users(MANY)
    return " ".join(f"@{person.name}" for person in people)


async def send_to_many(world: World, *, within: float) -> float:
    """Send to everybody; return the seconds between the first and the last call."""
    everybody = mention_everybody(world)
    await world.start_bot()
    await world.person("alice").command("/notify", f"{everybody} Standup | moved")
    [card] = await world.sees_cards(1, within=within)
    assert f"✅ {MANY} of {MANY} sent in " in card
    assert len(world.pushed()) == len(set(world.pushed())) == MANY
    calls = [call.at for call in world.crm.calls]
    return max(calls) - min(calls)


def check_limit(world: World) -> None:
    assert world.crm.refusals == []
    assert world.crm.find_busiest() <= world.crm.meter.limit


def bound(world: World) -> float:
    """Return the least seconds that the look-up and all pushes can take."""
    return MANY // world.crm.meter.limit * world.crm.meter.period


async def test_a_big_send_keeps_the_limit_and_leaves_nobody_out(
    open_world: OpenWorld, migrated: None, record_testsuite_property: Record
) -> None:
    world = await open_world(limit=25, period=1.0, jitter=0.03)
    seconds = await send_to_many(world, within=30)
    record_testsuite_property("seconds_for_150_at_25_per_1", round(seconds, 2))
    check_limit(world)


@pytest.mark.long
async def test_a_big_send_at_leadsquareds_own_limit(
    open_world: OpenWorld, migrated: None, record_testsuite_property: Record
) -> None:
    world = await open_world(limit=25, period=5.0, jitter=0.15)
    seconds = await send_to_many(world, within=90)
    record_testsuite_property("seconds_for_150_at_25_per_5", round(seconds, 2))
    check_limit(world)
    assert seconds < 1.3 * bound(world)


async def test_a_single_notification_passes_a_big_send(
    open_world: OpenWorld, migrated: None
) -> None:
    world = await open_world(limit=25, period=1.0, jitter=0.03)
    everybody = mention_everybody(world)
    await world.start_bot()
    await world.person("alice").command("/notify", f"{everybody} Standup | moved")
    await world.crm.until(lambda: len(world.crm.pushes) >= 50)
    typed_at = world.crm.clock()
    reply = await world.person("lee").command("/notify", "@priya Callback due | 3 pm")
    assert reply.body == ""  # its queue is too short to mention
    await world.person("lee").sees("Sent to LeadSquared for *Priya Nair*")
    pushes = {push.user_id: push for push in world.crm.pushes}
    assert pushes[world.crm_id("priya@acme.com")].at - typed_at < 1.5 * world.crm.meter.period
    assert len(pushes) < MANY
    assert not any("150 of 150" in card for card in world.cards())
    await world.sees_cards(2)
    assert len(world.pushed()) == len(set(world.pushed())) == MANY + 1
    check_limit(world)
