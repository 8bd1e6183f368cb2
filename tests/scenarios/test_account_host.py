"""A 401 names the account's host, where LeadSquared tells it: it does so on any region's host."""

from bot.sandbox.leadsquared import Endpoint, FaultKind
from tests.scenarios.world import World

TYPED = "@priya Callback due | Asha asked for 3 pm"
RIGHT_HOST = "api-us11.leadsquared.com"
NAMED = (
    "An admin should check LEADSQUARED_ACCESS_KEY, LEADSQUARED_SECRET_KEY and LEADSQUARED_URL "
    f"(this account's host is https://{RIGHT_HOST})."
)
UNNAMED = "LEADSQUARED_SECRET_KEY and LEADSQUARED_URL."


def count_asked(world: World) -> int:
    return sum(call.endpoint is Endpoint.WHOAMI for call in world.crm.calls)


async def test_the_host_of_another_region_is_named_on_the_card(world: World) -> None:
    lee = world.slack.people["lee"]
    world.crm.api.right_host = RIGHT_HOST
    await lee.command("/notify", TYPED)
    card = await lee.sees("❌ LeadSquared refused our keys, so nothing was sent.")
    assert NAMED in card.shown
    assert count_asked(world) == 1


async def test_it_is_named_on_the_card_of_many_too(world: World) -> None:
    lee = world.slack.people["lee"]
    world.crm.api.right_host = RIGHT_HOST
    await lee.command("/notify", "@priya @dev Standup | moved")
    card = await lee.sees("❌ None of 2 sent")
    assert NAMED in card.shown


async def test_it_is_named_where_a_lead_cannot_be_looked_up(world: World) -> None:
    world.crm.api.right_host = RIGHT_HOST
    reply = await world.slack.people["lee"].command(
        "/notify", "@priya --lead asha.rao@example.com Hi | there"
    )
    assert NAMED in reply.text


async def test_an_earlier_answer_names_it_also_when_the_keys_are_refused_by_now(
    world: World,
) -> None:
    lee = world.slack.people["lee"]
    world.crm.api.right_host = RIGHT_HOST
    await lee.command("/notify", TYPED)
    await lee.sees("LeadSquared refused our keys")
    world.crm.api.secret_key = "changed-meanwhile"
    await lee.command("/notify", "@priya Another | one")
    card = await lee.sees("“Another”")
    assert NAMED in card.shown
    assert count_asked(world) == 1


async def test_keys_that_are_refused_for_good_leave_it_out_and_are_tried_rarely(
    world: World,
) -> None:
    lee = world.slack.people["lee"]
    world.crm.api.secret_key = "another"
    for number in range(3):
        await lee.command("/notify", f"@priya Number {number} | text")
        card = await lee.sees(f"“Number {number}”")
        assert UNNAMED in card.shown
    assert count_asked(world) == 1


async def test_a_leadsquared_that_does_not_tell_holds_up_no_card(world: World) -> None:
    lee = world.slack.people["lee"]
    world.crm.faults.always("push", FaultKind.UNAUTHORIZED_401)
    world.crm.faults.always("whoami", FaultKind.HANG)
    await lee.command("/notify", TYPED)
    card = await lee.sees("LeadSquared refused our keys")
    assert UNNAMED in card.shown
    world.crm.faults.clear()
    world.crm.release()
