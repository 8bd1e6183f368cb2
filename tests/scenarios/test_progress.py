"""A send that takes longer than a glance: one card that shows how far it is, then the outcome."""

from aiolimiter import AsyncLimiter

from bot.replies import ActionId
from bot.reporter import SHOW_EVERY
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Message
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.test_notify import forward_until_pushed
from tests.scenarios.world import World

MANY = 6
PERIOD = 5.0


async def open_slow_world(open_world: OpenWorld) -> tuple[World, str]:
    """Let two calls through in five seconds; return the mentions of six who are linked."""
    unlimited = AsyncLimiter(1_000, 1)  # it counts real time, and the slots hold the limit
    world = await open_world(leadsquared_rate_limit=2, limiter=unlimited)
    people = world.slack.add_people(MANY)
    world.crm.add_users(MANY)
    return world, " ".join(f"@{person.name}" for person in people)


def posted(world: World) -> list[Message]:
    return [each for each in world.slack.messages if each.ephemeral_to is None]


async def test_one_card_shows_the_progress_and_then_the_outcome(open_world: OpenWorld) -> None:
    world, everybody = await open_slow_world(open_world)
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", f"{everybody} Standup | moved")
    assert "Queued for 6 people, about 10 s" in reply.text
    card = await alice.sees("⏳")
    assert card.text.startswith("⏳ 0 of 6 sent in 1 s, about 10 s left: “Standup”.")
    shown = [card.text]
    while card.text.startswith("⏳"):
        world.clock.forward(SHOW_EVERY)
        await world.slack.until(lambda _: card.text != shown[-1])
        shown.append(card.text)
    counts = [text.split(" of 6 sent in ")[0].split()[1] for text in shown]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert card.text.startswith("✅ 6 of 6 sent in ")
    assert posted(world) == [card]
    assert card.action_ids == [ActionId.DETAILS]
    assert "From Alice Rao" in card.shown


async def test_cancel_on_the_card_takes_back_the_rest_and_the_card_says_so(
    open_world: OpenWorld,
) -> None:
    world, everybody = await open_slow_world(open_world)
    alice = world.slack.people["alice"]
    await alice.command("/notify", f"{everybody} Standup | moved")
    card = await alice.sees("⏳")
    await world.crm.until(lambda: len(world.crm.pushes) == 1)
    await alice.press(card, ActionId.CANCEL)
    answer = await alice.sees("Taken back for 5 recipients")
    assert answer.ephemeral_to == alice.id
    await world.slack.until(lambda _: card.text.startswith("⚠️ 1 of 6 sent in "))
    assert "5 taken back" in card.text
    assert posted(world) == [card]
    assert len(world.pushed()) == 1


async def test_where_the_bot_may_not_post_there_is_the_estimate_and_one_outcome(
    open_world: OpenWorld,
) -> None:
    world, everybody = await open_slow_world(open_world)
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", f"{everybody} Standup | moved", channel="leads-private")
    assert "Queued for 6 people, about 10 s" in reply.text
    await forward_until_pushed(world, step=PERIOD, count=MANY)
    card = await alice.sees("✅ 6 of 6 sent in ")
    assert card.via == "response_url"
    assert posted(world) == [card]


async def test_a_private_send_shows_progress_to_nobody(open_world: OpenWorld) -> None:
    world, everybody = await open_slow_world(open_world)
    alice = world.slack.people["alice"]
    await alice.command("/notify", f"{everybody} --private Standup | moved")
    await forward_until_pushed(world, step=PERIOD, count=MANY)
    card = await alice.sees("✅ 6 of 6 sent in ")
    assert card.ephemeral_to == alice.id
    assert posted(world) == []


async def test_one_that_waits_for_leadsquared_says_why(world: World) -> None:
    alice = world.slack.people["alice"]
    world.crm.faults.always("push", FaultKind.UNAVAILABLE_503)
    await alice.command("/notify", "@priya Callback due | 3 pm")
    world.clock.forward(PERIOD)
    card = await alice.sees("⏳ On its way to *Priya Nair*: “Callback due”.")
    assert "LeadSquared is busy at the moment; it is tried again." in card.text
    world.crm.faults.clear()
    await forward_until_pushed(world, step=PERIOD)
    await world.slack.until(lambda _: card.text.startswith("✅ Sent to LeadSquared for *Priya"))
    assert posted(world) == [card]
