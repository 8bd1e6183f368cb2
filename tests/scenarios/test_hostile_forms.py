"""Forms that no client of Slack's would send: nothing goes to anybody who was not meant."""

from typing import Any

import pytest

from bot.sandbox.leadsquared import Endpoint
from bot.store.tables import notifications
from tests.scenarios.test_leads import is_asked, lead_id
from tests.scenarios.test_modal import forge, post, with_value
from tests.scenarios.world import World

SHAPES: list[Any] = [None, 5, "x", [], {}, [None], [{}], {"value": None}, {"value": ["call"]}]


@pytest.mark.parametrize("chosen", [*SHAPES, {"value": "fax"}, {"value": ""}])
async def test_a_kind_of_the_wrong_shape_counts_as_none(world: World, chosen: Any) -> None:
    view = with_value("kind", {"kind": {"selected_option": chosen}})
    assert (await post(world, forge(view))).body == ""
    await world.slack.people["alice"].sees("Sent to LeadSquared")
    assert world.pushed()[0]["Title"] == "T"


@pytest.mark.parametrize("chosen", [None, 5, "x", [], {}, {"owner": 1}])
async def test_an_owner_of_the_wrong_shape_is_not_notified(world: World, chosen: Any) -> None:
    view = with_value("owner", {"owner": {"selected_options": chosen}})
    assert (await post(world, forge(view))).body == ""
    card = await world.slack.people["alice"].sees("Sent to LeadSquared for *Priya Nair*")
    assert "of 2" not in card.text


@pytest.mark.parametrize("value", [None, 5, "", "hint", "' OR 1=1", ["x"], {}, "x" * 3_000])
async def test_a_lead_that_is_none_is_told_at_its_field(world: World, value: Any) -> None:
    view = with_value("lead", {"lead": {"selected_option": {"value": value}}})
    reply = await post(world, forge(view))
    assert reply.json["errors"] == {
        "lead": "That was no lead. Type a name, an e-mail address or a number and choose from the "
        "list, or leave this empty."
    }
    assert world.read(notifications) == []
    assert not is_asked(world, Endpoint.LEAD_BY_ID)


async def test_the_label_of_a_lead_means_nothing(world: World) -> None:
    """What is sent is about the lead of the id, whatever the menu is said to have shown."""
    label = {"type": "plain_text", "text": "Somebody Else"}
    view = with_value(
        "lead", {"lead": {"selected_option": {"text": label, "value": lead_id(world)}}}
    )
    assert (await post(world, forge(view))).body == ""
    await world.slack.people["alice"].sees("Opens lead *Asha Rao*.")


async def test_a_person_of_another_team_is_told_of_and_gets_nothing(world: World) -> None:
    exa = world.slack.people["exa"]
    view = with_value("recipients", {"recipients": {"selected_users": [exa.id]}})
    assert (await post(world, forge(view))).body == ""
    await world.slack.people["alice"].sees(
        "*Exa Ternal* belongs to another workspace. Nothing was sent to them."
    )
    assert world.pushed() == []


async def test_a_submission_by_another_team_is_refused(world: World) -> None:
    exa = world.slack.people["exa"]
    view = with_value("title", {"title": {"value": "T"}})
    reply = await post(world, forge(view, exa.id, team={"id": exa.team_id, "domain": "other"}))
    assert "Only members of the workspace that has this app" in reply.json["errors"]["content"]
    assert world.read(notifications) == []
