"""`/notify check`: the running process looks at itself, and asks others within Slack's patience."""

import time

import pytest

from bot.errors import StoreUnavailableError
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Reply
from bot.store.checkup import CheckupStore
from handlers.patience import LISTEN_WITHIN
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World

RIGHT_HOST = "api-in21.leadsquared.com"


async def check_at_once(world: World, who: str = "alice") -> str:
    """Return what somebody reads in the acknowledgement."""
    person = world.slack.people[who]
    reply: Reply = await person.command("/notify", "check")
    assert reply.status == 200
    answers = [each for each in world.slack.visible_to(person) if each.via != "response_url"]
    assert answers[-1].ephemeral_to == person.id
    return answers[-1].shown


async def check(world: World) -> str:
    """Return all that an admin reads: on a slow machine some of it comes after."""
    alice = world.slack.people["alice"]
    before = len(world.slack.visible_to(alice))
    shown = await check_at_once(world)
    if "Still asking" in shown:
        await world.slack.until(lambda _: len(world.slack.visible_to(alice)) == before + 2)
        shown += "\n" + world.slack.visible_to(alice)[-1].shown
    return shown


def line_about(name: str, shown: str) -> str:
    [line] = [each for each in shown.splitlines() if f" *{name}*: " in each]
    return line


async def test_an_admin_reads_that_all_is_well(world: World) -> None:
    await world.slack.people["lee"].command("/notify", "@priya Hi | there")
    await world.slack.people["lee"].sees("✅ Sent to LeadSquared")
    shown = await check(world)
    assert "✗" not in shown
    for line in (
        "✓ *SLACK_BOT_TOKEN*: Slack takes it in Acme.",
        "✓ *Scopes*: all 5 that the manifest asks for.",
        "✓ *Home tab*: is there.",
        "✓ *LeadSquared*: takes the keys, which are those of CRM Admin.",
        "✓ *Tables*: up to date (revision 0001).",
        "✓ *Queue*: empty.",
        "✓ *Teammates*: 1 of 3 the bot has met are linked; not: Alice Rao, Lee Wong.",
        "✓ *Last error*: none in the last 24 hours.",
        "✓ *Clock*: right.",
        "✓ *Mentions*: none came as a plain name.",
    ):
        assert line in shown
    assert "✓ *Requests*: commands came since the start " in shown
    assert "not yet: shortcuts, buttons and forms, " in shown


async def test_others_are_told_that_it_is_for_admins(world: World) -> None:
    before = len(world.crm.calls)
    assert "Only admins can do that" in await check_at_once(world, "lee")
    assert len(world.crm.calls) == before


async def test_what_is_slow_follows_when_it_is_known(world: World) -> None:
    alice = world.slack.people["alice"]
    await world.slack.people["alice"].command("/notify", "whoami")  # so that she is known
    world.crm.faults.always("*", FaultKind.HANG)
    begun = time.monotonic()
    shown = await check_at_once(world)
    assert time.monotonic() - begun < LISTEN_WITHIN + 0.5
    assert "Still asking: " in shown
    assert "The answer appears here." in shown
    assert "*LeadSquared*" not in shown
    assert "✓ *Manifest*" in shown
    world.crm.faults.clear()
    world.crm.release()
    await alice.sees("✓ *LeadSquared*: takes the keys")
    late = world.slack.visible_to(alice)[-1]
    assert (late.via, late.ephemeral_to) == ("response_url", alice.id)
    assert "*Clock*" in late.shown
    assert "*Manifest*" not in late.shown


async def test_the_host_of_another_region_is_named_with_the_right_one(world: World) -> None:
    world.crm.api.right_host = RIGHT_HOST
    shown = await check(world)
    assert line_about("LEADSQUARED_URL", shown).startswith("✗ *LEADSQUARED_URL*: 127.0.0.1 is not")
    assert f"Next: Set it to https://{RIGHT_HOST}." in shown


async def test_a_home_tab_that_is_switched_off_is_found(world: World) -> None:
    world.slack.faults.fail("views.publish", "not_enabled")
    line = line_about("Home tab", await check(world))
    assert line == (
        "✗ *Home tab*: is switched off in Slack. Next: Turn on Slack: your app > App Home > Home."
    )


async def test_a_scope_that_was_taken_away_is_found(world: World) -> None:
    world.slack.scopes.remove("usergroups:read")
    assert line_about("Scopes", await check(world)).startswith("✗ *Scopes*: missing: usergroups:")


async def test_names_that_arrive_as_typed_are_noticed_until_they_arrive_as_ids(
    world: World,
) -> None:
    lee = world.slack.people["lee"]
    await lee.command("/notify", "@priya Hi | there", escape=False)
    line = line_about("Mentions", await check(world))
    assert line.startswith("! *Mentions*: a command came with a plain name or link ")
    assert "tick “Escape channels, users, and links” for /notify" in line
    await lee.command("/notify", "@priya Hi | again")
    assert line_about("Mentions", await check(world)).startswith("✓")


async def test_a_request_that_slack_did_not_sign_is_mentioned(world: World) -> None:
    if world.slack.uses_sockets:
        pytest.skip("nobody posts requests in Socket Mode")
    await world.slack.post(b"command=%2Fnotify", world.slack.sign(b"", signature="v0=00"))
    assert line_about("Signatures", await check(world)).startswith(
        "! *Signatures*: a request was refused 0 seconds ago, as it was not signed by Slack."
    )


async def test_what_arrived_since_the_start_is_told(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.open_home()
    await alice.command("/notify", "")
    line = line_about("Requests", await check(world))
    assert "commands, Home visits came since the start" in line


async def test_a_database_that_is_away_is_said_and_the_rest_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: CheckupStore) -> None:
        raise StoreUnavailableError("database is locked (SQLITE_BUSY)")

    await check(world)
    monkeypatch.setattr(CheckupStore, "read", fail)
    shown = await check(world)
    assert (
        "✗ *DATABASE_URL*: the database cannot be used: database is locked (SQLITE_BUSY)" in shown
    )
    assert "✓ *LeadSquared*" in shown


async def test_no_key_is_shown_even_if_leadsquared_repeats_one(open_world: OpenWorld) -> None:
    world = await open_world()
    world.crm.api.secret_key = "another"
    shown = await check(world)
    assert "✗ *LEADSQUARED_ACCESS_KEY*: LeadSquared refuses the keys (401)" in shown
    for secret in (world.settings.leadsquared_access_key, world.settings.slack_bot_token):
        assert secret.get_secret_value() not in shown
