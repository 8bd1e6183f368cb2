"""kill -9 at the moments that hurt: whatever was accepted is sent once, or said to be unknown."""

from collections import Counter

from bot.sandbox.leadsquared import FaultKind
from tests.processes.conftest import OpenWorld
from tests.processes.world import World


def check_nobody_was_sent_to_twice(world: World) -> None:
    assert not [user for user, count in Counter(world.pushed()).items() if count > 1]


async def test_after_acceptance_and_before_the_push(world: World) -> None:
    first = await world.start_bot()
    await world.crm.refuse_connections()
    alice = world.person("alice")
    assert (await alice.command("/notify", "@priya @lee Callback due | 3 pm")).ok
    assert (await alice.command("/notify", "key-owner Callback due | 3 pm")).ok
    await first.kill()
    assert world.states() == ["pending"] * 3
    await world.crm.accept_connections()
    await world.start_bot()
    cards = await world.sees_cards(2)
    assert any("2 of 2 sent" in card for card in cards)
    assert any("Sent to LeadSquared" in card for card in cards)
    assert len(world.pushed()) == 3
    check_nobody_was_sent_to_twice(world)


async def test_while_pushes_are_in_flight(world: World) -> None:
    """Whether the CRM has taken one cannot be told from here, so it is not repeated."""
    first = await world.start_bot(LEADSQUARED_TIMEOUT="2")
    world.crm.faults.for_user(world.crm_id("lee.wong@acme.com"), FaultKind.HANG)
    world.crm.faults.for_user(world.crm_id("dev@acme.com"), FaultKind.HANG_AFTER)
    await world.person("alice").command("/notify", "@lee @priya @dev Callback due | 3 pm")
    await world.pushes_begin(3)
    await first.logs("delivery.answered")
    assert world.states() == ["sending", "sent", "sending"]
    await first.kill()
    world.crm.faults.clear()
    await world.start_bot(LEADSQUARED_TIMEOUT="2")
    [card] = await world.sees_cards(1)
    assert "1 of 3 sent" in card
    assert "2 uncertain, not repeated: *Lee Wong*, *Dev Shah*" in card
    assert world.states() == ["unknown", "sent", "unknown"]
    assert world.count_pushes_begun() == 3


async def test_after_the_answer_and_before_the_reply(world: World) -> None:
    first = await world.start_bot()
    world.slack.faults.fail("response_url", "hang")
    world.slack.faults.fail("chat.postMessage", "hang")
    await world.person("alice").command("/notify", "@priya Callback due | 3 pm")
    await world.slack.until(lambda slack: bool(slack.hook_posts))
    assert world.states() == ["sent"]
    await first.kill()
    world.slack.faults.hooks = None  # what hangs stays so: nobody waits for it any more
    world.slack.faults.api.clear()
    world.run_sql("UPDATE replies SET lease_until = lease_until - 60")  # a minute passes
    await world.start_bot()
    [card] = await world.sees_cards(1)
    assert "Sent to LeadSquared for *Priya Nair*" in card
    assert len(world.pushed()) == 1


async def test_after_slack_took_the_reply_and_before_that_was_noted(world: World) -> None:
    """A card may come twice; it may not be missing."""
    first = await world.start_bot()
    world.slack.faults.fail("response_url", "hang_after")
    await world.person("alice").command("/notify", "@priya Callback due | 3 pm")
    await world.sees_cards(1)
    await first.kill()
    world.slack.faults.hooks = None
    world.run_sql("UPDATE replies SET lease_until = lease_until - 60")  # a minute passes
    await world.start_bot()
    cards = await world.sees_cards(2)
    assert cards[0] == cards[1]
    assert len(world.pushed()) == 1


async def test_again_and_again_in_the_middle_of_a_big_send(
    open_world: OpenWorld, migrated: None
) -> None:
    world = await open_world(limit=20, period=0.5)
    people = world.slack.add_people(80)
    world.crm.add_users(80)
    world.crm.latency = 0.1
    everybody = " ".join(f"@{person.name}" for person in people)
    bot = await world.start_bot()
    await world.person("alice").command("/notify", f"{everybody} Standup | moved")
    for moment in (5, 30, 50):
        await world.pushes_begin(moment)
        await bot.kill()
        bot = await world.start_bot()
    [card] = await world.sees_cards(1, within=30)
    states = Counter(world.states())
    assert states["sent"] + states["unknown"] == 80
    assert f"{states['sent']} of 80 sent" in card
    assert f"{states['unknown']} uncertain, not repeated" in card or not states["unknown"]
    assert states["unknown"] < 60
    assert states["sent"] <= len(world.pushed()) <= 80
    check_nobody_was_sent_to_twice(world)
    assert world.crm.refusals == []
