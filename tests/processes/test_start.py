import asyncio
import sys

import pytest

from tests.processes.conftest import OpenWorld
from tests.processes.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"


async def test_a_signed_command_leads_to_one_push_and_one_card(world: World) -> None:
    bot = await world.start_bot()
    assert (await bot.get("/healthz"), await bot.get("/readyz")) == (200, 200)
    reply = await world.person("alice").command("/notify", TYPED)
    assert (reply.status, reply.body) == (200, "")
    [card] = await world.sees_cards(1)
    assert "Sent to LeadSquared for *Priya Nair*" in card
    assert world.pushed() == [world.crm_id("priya@acme.com")]
    assert await bot.stop() == 0
    assert bot.errors == ""


async def test_a_forged_command_is_refused_with_401_and_nothing_is_stored(world: World) -> None:
    bot = await world.start_bot()
    reply = await world.person("alice").command("/notify", TYPED, signature="v0=" + "0" * 64)
    assert reply.status == 401
    assert world.states() == []
    await bot.logs("intake.signature_refused")


async def test_an_empty_database_is_migrated_and_a_current_one_is_left_alone(
    open_world: OpenWorld,
) -> None:
    world = await open_world()
    first = await world.start_bot()
    assert first.has_logged("schema.migrating")
    await world.person("alice").command("/notify", TYPED)
    await world.sees_cards(1)
    assert await first.stop() == 0
    second = await world.start_bot()
    assert not second.has_logged("schema.migrating")
    reply = await world.person("alice").command("/notify", "status")
    assert "*Priya Nair*: sent to LeadSquared" in reply.text
    assert first.errors == ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_only_a_migration_needs_a_child_process(open_world: OpenWorld) -> None:
    world = await open_world()
    first = await world.start_bot()
    assert first.find_children_time() > 0
    await first.stop()
    second = await world.start_bot()
    assert second.find_children_time() == 0


async def test_two_processes_may_meet_an_empty_database_at_once(open_world: OpenWorld) -> None:
    world = await open_world()
    bots = [await world.launch(), await world.launch()]
    await asyncio.gather(*(bot.logs("bot.ready") for bot in bots))
    await world.person("alice").command("/notify", TYPED)
    await world.sees_cards(1)
    assert len(world.pushed()) == 1
