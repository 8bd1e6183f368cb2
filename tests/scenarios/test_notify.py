from typing import Any

import pytest

from bot.sandbox.leadsquared import FaultKind
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"


async def test_a_teammate_notifies_a_colleague(world: World) -> None:
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", TYPED)
    assert (reply.status, reply.body) == (200, "")
    card = await alice.sees("Sent to LeadSquared for *Priya Nair*: “Callback due”.")
    assert card.channel == world.slack.channels["sales"].id
    assert world.pushed() == [
        {
            "UserId": world.crm_id("priya@acme.com"),
            "Title": "Callback due",
            "Content": "Asha asked for 3 pm\n— Alice Rao, Slack",
        }
    ]


async def test_the_word_payload_in_a_command_does_no_harm(world: World) -> None:
    await world.slack.people["alice"].command("/notify", "@priya The payload | payload=1")
    await world.slack.people["alice"].sees("Sent to LeadSquared")
    assert world.pushed()[0]["Title"] == "The payload"


async def test_several_people_are_one_card_whose_counts_add_up(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@priya @lee @omar @inactive Standup | moved")
    card = await alice.sees("2 of 4 sent")
    assert "2 not linked: *Omar Aziz* (no LeadSquared user); *Ina" in card.text
    assert len(world.pushed()) == 2


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        ("omar", "has no LeadSquared user"),
        ("inactive", "LeadSquared user is deactivated"),
        ("gus", "is a guest here"),
        ("exa", "belongs to another workspace"),
        ("gone", "account is deactivated"),
        ("nomail", "has no e-mail address in Slack"),
        ("robot", "is a bot"),
    ],
)
async def test_who_cannot_be_reached_gets_a_sentence_of_their_own(
    world: World, person: str, sentence: str
) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", f"@{person} Hello | there")
    await alice.sees(sentence)
    assert world.pushed() == []


async def test_me_and_the_key_owner_are_recipients_by_name(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "me, key-owner Remember | the proposal")
    await alice.sees("2 of 2 sent")
    assert {push.get("UserId") for push in world.pushed()} == {
        world.crm_id("alice@acme.com"),
        None,
    }


async def test_the_key_owner_and_their_own_person_are_called_once(world: World) -> None:
    """Alice's link leads to the very user that the keys belong to."""
    alice = world.slack.people["alice"]
    await alice.command("/notify", "link @alice admin@acme.com")
    await alice.command("/notify", "key-owner me Twice? | No")
    card = await alice.sees("2 of 2 sent")
    assert "One LeadSquared user, notified once" in str(card.blocks)
    assert [push.get("UserId") for push in world.pushed()] == [None]


async def test_options_reach_the_crm(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command(
        "/notify", "@priya --link https://x.io/a?b=1&c=2 --icon https://x.io/i.png Look | here"
    )
    await alice.sees("Sent to LeadSquared")
    assert world.pushed()[0]["ClickURL"] == "https://x.io/a?b=1&c=2"
    assert world.pushed()[0]["IconURL"] == "https://x.io/i.png"


async def test_a_private_result_is_seen_by_its_sender_only(world: World) -> None:
    alice, lee = world.slack.people["alice"], world.slack.people["lee"]
    await alice.command("/notify", "@priya --private Psst | secret")
    await alice.sees("Sent to LeadSquared")
    assert not any("Psst" in message.text for message in world.slack.visible_to(lee))


async def test_a_place_without_the_bot_gets_the_card_all_the_same(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", TYPED, channel="leads-private")
    card = await alice.sees("Sent to LeadSquared")
    assert card.channel == world.slack.channels["leads-private"].id


async def test_an_expired_response_url_leads_to_a_post_and_then_to_a_direct_message(
    world: World,
) -> None:
    alice = world.slack.people["alice"]
    world.slack.faults.hooks = "expired_url"
    await alice.command("/notify", TYPED)
    card = await alice.sees("Sent to LeadSquared")
    assert card.via == "chat.postMessage"
    await alice.command("/notify", "@lee Second | one", channel="leads-private")
    direct = await alice.sees("Shown here because I may not post in")
    assert direct.channel.startswith("D")


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (FaultKind.MX_500, "LeadSquared rejected it for *Priya Nair*"),
        (FaultKind.MX_400, "LeadSquared rejected it for *Priya Nair*"),
        (FaultKind.MX_200, "LeadSquared rejected it for *Priya Nair*"),
        (FaultKind.UNAUTHORIZED_401, "LeadSquared refused our keys"),
        (FaultKind.FORBIDDEN_403, "LeadSquared does not let our keys do this"),
        (FaultKind.NOT_FOUND_404, "nothing at the address we use"),
        (FaultKind.REDIRECT_302, "LeadSquared's address sent us elsewhere"),
        (FaultKind.TEAPOT_418, "LeadSquared refused it without saying why"),
        (FaultKind.NULL_REFERENCE, "may or may not have arrived"),
        (FaultKind.EMPTY_200, "may or may not have arrived"),
        (FaultKind.HTML_200, "may or may not have arrived"),
        (FaultKind.BROKEN_JSON_200, "may or may not have arrived"),
        (FaultKind.NULL_200, "may or may not have arrived"),
        (FaultKind.ERROR_WITHOUT_TYPE_200, "may or may not have arrived"),
        (FaultKind.EMPTY_500, "may or may not have arrived"),
        (FaultKind.HTML_502, "may or may not have arrived"),
        (FaultKind.RESET_AFTER, "may or may not have arrived"),
        (FaultKind.CUT_BODY, "may or may not have arrived"),
        (FaultKind.HUGE_BODY, "may or may not have arrived"),
        (FaultKind.GZIP_BOMB, "may or may not have arrived"),
    ],
)
async def test_every_answer_of_the_crm_ends_in_one_sentence_and_one_call(
    world: World, kind: FaultKind, sentence: str
) -> None:
    alice = world.slack.people["alice"]
    world.crm.faults.always("push", kind)
    await alice.command("/notify", TYPED)
    await alice.sees(sentence)
    calls = [call for call in world.crm.calls if call.path.endswith("Browser.Push")]
    assert len(calls) == 1


@pytest.mark.parametrize(
    "kind", [FaultKind.RATE_LIMIT_429, FaultKind.RATE_LIMIT_403, FaultKind.RATE_LIMIT_200]
)
async def test_a_rate_limit_refusal_is_repeated_after_the_gate_reopens(
    open_world: OpenWorld, kind: FaultKind
) -> None:
    world = await open_world()
    alice = world.slack.people["alice"]
    world.crm.faults.next("push", kind)
    await alice.command("/notify", TYPED)
    await world.crm.until(lambda: any(call.fault for call in world.crm.calls))
    assert world.pushed() == []
    await forward_until_pushed(world, step=5.1)
    await alice.sees("Sent to LeadSquared")


async def test_an_unreachable_crm_is_tried_again_when_it_comes_back(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@priya First | so that she is known")
    await alice.sees("First")
    await world.crm.refuse_connections()
    await alice.command("/notify", TYPED)
    await alice.command("/notify", "status")
    await world.crm.accept_connections()
    await forward_until_pushed(world, step=6, count=2)
    await alice.sees("“Callback due”")


async def forward_until_pushed(world: World, *, step: float, count: int = 1) -> None:
    """Move time on until the CRM has `count` pushes; bounded by `until`'s own deadline."""
    for _ in range(20):
        world.clock.forward(step)
        try:
            await world.crm.until(lambda: len(world.crm.pushes) >= count, timeout=0.3)
        except AssertionError:
            continue
        return
    raise AssertionError(world.crm.summary())


async def test_the_bot_restarted_with_work_waiting_goes_on(world: World) -> None:
    alice = world.slack.people["alice"]
    world.crm.faults.next("push", FaultKind.RATE_LIMIT_429)
    await alice.command("/notify", TYPED)
    await world.crm.until(lambda: any(call.fault for call in world.crm.calls))
    await world.stop_bot()
    await world.start_bot()
    await forward_until_pushed(world, step=5.1)
    await alice.sees("Sent to LeadSquared")
    assert len(world.pushed()) == 1


def texts(world: World, person: str) -> list[Any]:
    return [message.text for message in world.slack.visible_to(world.slack.people[person])]
