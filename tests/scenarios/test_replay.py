"""A captured request, sent again to another process while its signature is good."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Message, Person, Reply
from bot.store.tables import deliveries, drafts, links, notifications, replies
from tests.scenarios.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"
FORM = {"title": "Callback due", "content": "Asha asked for 3 pm"}

TO_WHOEVER_ACTED = (
    "There is nothing left to send again here",
    "This question was answered before",
    "On its way",
)
"""Answers for one pair of eyes, which take each other's place."""

Act = Callable[[World, Person], Awaitable[object]]
Captured = tuple[bytes, Mapping[str, str]]


async def command(world: World, alice: Person) -> None:
    await alice.command("/notify", TYPED)
    await alice.sees("Sent to LeadSquared")


async def second_enter(world: World, alice: Person) -> None:
    await command(world, alice)
    await alice.command("/notify", TYPED)


async def second_enter_answered(world: World, alice: Person) -> None:
    await second_enter(world, alice)
    await alice.press(await alice.sees("You sent this"), ActionId.SEND_DRAFT)
    await world.crm.until(lambda: len(world.crm.pushes) == 2)
    await world.until_stored(lambda rows: all(row.state == "sent" for row in rows))


async def about_a_lead(world: World, alice: Person) -> None:
    await alice.command("/notify", "@priya --lead +919000000001 Callback due | at 3 pm")
    await alice.sees("Sent to LeadSquared")


async def group(world: World, alice: Person) -> None:
    await alice.command("/notify", "@sales-team Callback due | at 3 pm")
    await alice.press(await alice.sees("sales-team"), ActionId.SEND_DRAFT)
    await alice.sees("3 of 3 sent")


async def submission(world: World, alice: Person) -> None:
    await alice.command("/notify")
    await alice.submit({"recipients": [world.slack.people["priya"]], **FORM})
    await alice.sees("Sent to LeadSquared")


async def confirmed_submission(world: World, alice: Person) -> None:
    await command(world, alice)
    await alice.command("/notify")
    await alice.submit({"recipients": [world.slack.people["priya"]], **FORM})
    await alice.gets_view("Send it again?")
    await alice.submit()
    await world.until_stored(lambda rows: [row.state for row in rows] == ["sent", "sent"])


async def fail(world: World, alice: Person, kind: FaultKind) -> Message:
    world.crm.faults.next("push", kind)
    await alice.command("/notify", TYPED)
    return await alice.sees("“Callback due”")


async def retry(world: World, alice: Person) -> None:
    await alice.press(await fail(world, alice, FaultKind.MX_500), ActionId.RETRY)
    await alice.sees("✅ Sent to LeadSquared")


async def retry_in_vain(world: World, alice: Person) -> None:
    card = await fail(world, alice, FaultKind.MX_500)
    world.crm.faults.next("push", FaultKind.MX_500)
    await alice.press(card, ActionId.RETRY)
    await world.until_stored(lambda rows: [row.attempt for row in rows] == [2])
    await world.until_stored(lambda rows: [row.state for row in rows] == ["rejected"])


async def send_again(world: World, alice: Person) -> None:
    await alice.press(await fail(world, alice, FaultKind.RESET_AFTER), ActionId.SEND_AGAIN)
    await alice.sees("✅ Sent to LeadSquared")


async def home_retry(world: World, alice: Person) -> None:
    await fail(world, alice, FaultKind.MX_500)
    await alice.open_home()
    home = await alice.sees_home("[Retry]")
    await alice.press(home, ActionId.RETRY)
    await alice.sees("✅ Sent to LeadSquared")


async def link(world: World, alice: Person) -> None:
    await alice.command("/notify", "link @omar dev@acme.com")
    await alice.command("/notify", "unlink @omar")


async def shortcut(world: World, alice: Person) -> None:
    await alice.use_shortcut("notify_global")
    await alice.gets_view()


async def forward(world: World, alice: Person) -> None:
    await alice.use_shortcut("notify_message", await world.slack.people["lee"].say("Hello"))
    await alice.gets_view()


async def home_form(world: World, alice: Person) -> None:
    await alice.open_home()
    await alice.press(await alice.sees_home("[Send a notification]"), ActionId.COMPOSE)
    await alice.gets_view()


async def form_by_command(world: World, alice: Person) -> None:
    await alice.command("/notify")
    await alice.gets_view()


SURFACES: list[Act] = [
    command,
    second_enter,
    second_enter_answered,
    about_a_lead,
    group,
    submission,
    confirmed_submission,
    retry,
    retry_in_vain,
    send_again,
    home_retry,
    link,
    shortcut,
    forward,
    home_form,
    form_by_command,
]


def capture(world: World) -> list[Captured]:
    """Keep every request that is delivered from now on."""
    captured: list[Captured] = []
    post = world.slack.delivery.post

    async def listen(body: bytes, headers: Mapping[str, str]) -> Reply:
        captured.append((body, headers))
        return await post(body, headers)

    world.slack.delivery.post = listen  # type: ignore[method-assign]  # somebody listens in
    return captured


def look(world: World) -> dict[str, Any]:
    """Return all that a request could have changed."""
    said = [message.shown for message in world.slack.messages]
    tables = (notifications, deliveries, links, drafts)
    stored = {table.name: world.read(table) for table in tables}
    return stored | {
        "owed": len(world.read(replies)),
        "pushes": len(world.crm.pushes),
        "messages": [text for text in said if not text.startswith(TO_WHOEVER_ACTED)],
        "views": {person.name: len(views) for person, views in world.slack.views.items()},
    }


@pytest.mark.parametrize("act", SURFACES, ids=[each.__name__ for each in SURFACES])
@pytest.mark.parametrize("later", [0.0, 61.0])
async def test_a_captured_request_has_no_second_effect(
    world: World, act: Act, later: float
) -> None:
    """A second Enter that had been answered was once sent anew by its own replay, a minute later.

    The signature's age is real time, so it is good all the while.
    """
    alice = world.slack.people["alice"]
    captured = capture(world)
    await act(world, alice)
    await world.stop_bot()  # what was on its way has been said by then
    await world.start_bot()  # another process: it remembers nothing
    before = look(world)
    world.clock.forward(later)
    for body, headers in list(captured):
        assert (await world.slack.post(body, headers)).status == 200
    await world.stop_bot()
    after = look(world)
    await world.start_bot()  # for the end of the test
    assert after == before
    refused = "views.open: exchanged_trigger_id"
    world.expected_violations += [each for each in world.slack.violations if each == refused]
