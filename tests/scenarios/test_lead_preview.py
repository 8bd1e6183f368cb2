"""The preview of a form in which a lead was chosen: it has the title that will be sent."""

import time
from typing import Any

import pytest

from bot.errors import StoreUnavailableError
from bot.sandbox.leadsquared import Endpoint, FaultKind
from bot.sandbox.slack import View
from tests.scenarios.test_lead_menu import ASHA_RAO, offer
from tests.scenarios.test_listener_contract import failing
from tests.scenarios.test_modal import open_form
from tests.scenarios.world import World


async def preview(world: World, view: View) -> str:
    """Press the button; return what the form shows then."""
    before = view.hash
    assert (await world.slack.people["alice"].press(view, "preview")).body == ""
    await world.slack.until(lambda _: view.hash != before)
    return view.shown


async def choose(world: World, **written: Any) -> View:
    """Open the form, choose Asha Rao, a kind and what else is given; send nothing yet."""
    view = await open_form(world)
    await offer(world, view, "asha")
    chosen = {"recipients": [world.slack.people["priya"]], "kind": "call", "content": "3 pm"}
    world.slack.fill(view, {**chosen, "lead": ASHA_RAO, **written})
    return view


def looked_up(world: World) -> int:
    return sum(call.endpoint is Endpoint.LEAD_BY_ID for call in world.crm.calls)


@pytest.mark.parametrize("seconds", [0, 61])
async def test_the_preview_has_the_very_title_that_is_sent(world: World, seconds: int) -> None:
    """A name that was found just now costs no call; later, LeadSquared is asked again."""
    view = await choose(world)
    world.clock.forward(seconds)
    assert "\nMissed call from Asha Rao\n3 pm\n" in await preview(world, view)
    assert "A click opens the lead's page" in view.shown
    assert looked_up(world) == (1 if seconds else 0)
    await world.slack.people["alice"].submit(timestamp=time.time())
    await world.slack.people["alice"].sees("“Missed call from Asha Rao”")
    assert world.pushed()[0]["Title"] == "Missed call from Asha Rao"


async def test_a_title_without_the_name_asks_nobody_for_it(world: World) -> None:
    view = await choose(world, title="Mine")
    world.clock.forward(61)
    assert "\nMine\n3 pm\n" in await preview(world, view)
    world.slack.fill(view, {"title": "", "kind": None})
    assert "\nMessage from Alice Rao\n3 pm\n" in await preview(world, view)
    assert looked_up(world) == 0


async def test_a_name_that_cannot_be_told_is_said_in_the_preview(world: World) -> None:
    view = await choose(world)
    world.clock.forward(61)
    world.crm.faults.next(Endpoint.LEAD_BY_ID, FaultKind.UNAVAILABLE_503)
    shown = await preview(world, view)
    assert "\nMissed call\n3 pm\n" in shown
    assert "LeadSquared could not be asked for this lead just now, so nothing was sent." in shown
    world.crm.leads.pop(0)
    assert "This cannot be sent yet\n• LeadSquared has no lead with the id" in (
        await preview(world, view)
    ).replace("*", "")


async def test_a_preview_without_the_database_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await choose(world)
    await preview(world, view)
    world.clock.forward(61)
    with failing(world, StoreUnavailableError("gone"), monkeypatch):
        shown = await preview(world, view)
    assert "• The bot's database is not available, so nothing was stored or sent." in shown
