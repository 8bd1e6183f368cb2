"""One notification, followed through the log from the request to the reply."""

from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.store.tables import replies
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.test_crm_faults import SENT, TYPED
from tests.scenarios.world import World

MERGED = [structlog.contextvars.merge_contextvars]

Lines = list[Any]


def brief(lines: Lines) -> list[str]:
    return [f"{line['log_level']} {line['event']}" for line in lines]


async def until_paid(world: World) -> None:
    await world.until_stored(lambda rows: rows and all(row.paid_at for row in rows), replies)


async def test_a_notification_is_followed_by_its_id_in_three_lines(world: World) -> None:
    with capture_logs(MERGED) as lines:
        await world.slack.people["alice"].command("/notify", TYPED)
        await world.slack.people["alice"].sees(SENT)
        await until_paid(world)
    assert brief(lines) == [
        "info request.accepted",
        "info delivery.answered",
        "info reply.paid",
    ]
    accepted, answered, paid = lines
    assert len(accepted["request"]) == 8
    assert accepted["recipients"] == 1
    assert len({line["notification"] for line in lines}) == 1
    (delivery,) = world.read()
    assert (answered["delivery"], answered["state"]) == (delivery.id, "sent")
    assert paid["reply"] == world.read(replies)[0].id


async def test_an_idle_bot_logs_nothing(world: World) -> None:
    await world.forward(2)
    with capture_logs(MERGED) as lines:
        for _ in range(5):
            await world.forward(1)
    assert lines == []


async def test_who_cannot_be_sent_to_has_a_line_too(world: World) -> None:
    world.slack.people["omar"].email = "omar@elsewhere.example.com"
    with capture_logs(MERGED) as lines:
        await world.slack.people["alice"].command("/notify", "@omar Callback due | Asha")
        await until_paid(world)
    assert brief(lines) == ["info request.accepted", "info delivery.not_sent", "info reply.paid"]
    assert (lines[1]["state"], lines[1]["notification"]) == ("unlinked", lines[0]["notification"])


async def test_a_press_is_a_request_of_its_own_for_the_same_notification(world: World) -> None:
    alice = world.slack.people["alice"]
    world.crm.faults.next("push", FaultKind.MX_500)
    await alice.command("/notify", TYPED)
    card = await alice.sees("LeadSquared rejected it")
    await until_paid(world)
    with capture_logs(MERGED) as lines:
        await alice.press(card, ActionId.RETRY)
        await alice.sees(SENT)
        await until_paid(world)
    events = [line["event"] for line in lines]
    assert events == ["request.reopened", "delivery.answered", "reply.paid"]
    assert len({line["notification"] for line in lines}) == 1
    assert "request" in lines[0]
    assert not any("request" in line for line in lines[1:])


@pytest.mark.parametrize(
    "text", ["nobody in particular", "@priya", "@priya --as nonsense Hi | you"]
)
async def test_a_refusal_has_the_id_of_its_request_and_nothing_of_its_text(
    open_world: OpenWorld, text: str
) -> None:
    world = await open_world()
    with capture_logs(MERGED) as lines:
        await world.slack.people["alice"].command("/notify", text)
    assert brief(lines) == ["info request.refused"]
    line = lines[0]
    assert len(line.pop("request")) == 8
    assert line == {
        "event": "request.refused",
        "log_level": "info",
        "error": "UserError",
        "code": None,
    }
