import time

import pytest

from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Reply
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World


async def ask(world: World, typed: str, who: str = "alice") -> str:
    """Type a sub-command; return its answer, which only this person sees."""
    reply: Reply = await world.slack.people[who].command("/notify", typed)
    assert reply.status == 200
    person = world.slack.people[who]
    if reply.body:
        assert world.slack.visible_to(person)[-1].ephemeral_to == person.id
    return reply.text


@pytest.mark.parametrize("typed", ["help", "HELP", "  help  "])
async def test_help_shows_every_command_to_the_asker_only(world: World, typed: str) -> None:
    answer = await ask(world, typed)
    for part in (
        "`/notify @priya Callback due | Asha asked for 3 pm`",
        "`/notify me Remember the proposal`",
        "`/notify key-owner Hello`",
        "`--link https://…`",
        "`/notify whoami`",
        "`/notify test`",
        "`/notify status`",
        "`/notify unlink @priya`",
    ):
        assert part in answer


async def test_whoami_tells_who_one_is_and_how_that_was_found(world: World) -> None:
    answer = await ask(world, "whoami")
    assert "*Alice Rao* in Slack (alice@acme.com) is *Alice Rao* (alice@acme.com) in Lead" in answer
    assert "matched by e-mail <!date^" in answer
    assert await ask(world, "whoami me") == answer


async def test_whoami_of_somebody_else_ignores_the_case_of_the_address(world: World) -> None:
    answer = await ask(world, "whoami @lee", "dev")
    assert answer.startswith("*Lee Wong* in Slack (lee.wong@acme.com) is *Lee Wong*")


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("omar", "nobody there has this e-mail address. An admin can run `/notify link @Omar Aziz"),
        ("inactive", "deactivated in LeadSquared. An admin can run `/notify link @Ina Ctive"),
        ("nomail", "no e-mail address in Slack. An admin can run `/notify link @"),
        ("gus", "a guest here. An admin can run `/notify link @"),
        ("robot", "a bot."),
        ("exa", "from another workspace."),
        ("gone", "deactivated in Slack."),
    ],
)
async def test_whoami_of_somebody_unreachable_says_why_and_what_an_admin_can_do(
    world: World, who: str, reason: str
) -> None:
    answer = await ask(world, f"whoami @{who}")
    assert f"is not linked to a LeadSquared user: {reason}" in answer


async def test_whoami_of_somebody_slack_does_not_know_is_a_sentence(world: World) -> None:
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", "whoami <@U0NOBODY1>", escape=False)
    assert reply.text.endswith("You typed:\n```/notify whoami @someone```")
    assert "logged as" not in reply.text


async def test_whoami_without_leadsquared_says_that_it_could_not_be_asked(world: World) -> None:
    await world.crm.refuse_connections()
    assert "LeadSquared could not be asked" in await ask(world, "whoami")
    await world.crm.accept_connections()
    assert "matched by e-mail" in await ask(world, "whoami")


async def test_whoami_does_not_wait_for_a_leadsquared_that_hangs(world: World) -> None:
    world.crm.faults.always("users", FaultKind.HANG)
    assert "LeadSquared could not be asked" in await ask(world, "whoami")
    world.crm.faults.clear()
    world.crm.release()


async def test_a_test_notification_goes_to_the_asker_and_its_result_too(world: World) -> None:
    alice, lee = world.slack.people["alice"], world.slack.people["lee"]
    assert await ask(world, "test") == ""
    card = await alice.sees("Sent to LeadSquared for *Alice Rao*: “Test from Slack”")
    assert card.ephemeral_to == alice.id
    assert world.slack.visible_to(lee) == []
    assert [push["UserId"] for push in world.pushed()] == [world.crm_id("alice@acme.com")]


async def test_status_before_anything_was_sent(world: World) -> None:
    assert await ask(world, "status") == (
        "You have not sent a notification yet. Try `/notify test`."
    )


async def test_status_shows_the_last_notification_recipient_by_recipient(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@dev First | one")
    await alice.sees("First")
    world.clock.forward(1)
    await alice.command("/notify", "@priya @omar --link https://x.io/?a=1&b=2 Second | <one> & two")
    await alice.sees("1 of 2 sent")
    answer = await ask(world, "status")
    assert answer.startswith("*Second*\n&lt;one&gt; &amp; two")
    assert "✅ *Priya Nair*: sent to LeadSquared" in answer
    assert "❌ *Omar Aziz*: no LeadSquared user" in answer
    assert "Click opens https://x.io/?a=1&amp;b=2" in answer
    assert "First" not in answer


async def test_status_of_one_that_waits_says_so(world: World) -> None:
    alice = world.slack.people["alice"]
    world.crm.faults.next("push", FaultKind.RATE_LIMIT_429)
    await alice.command("/notify", "@priya Slow | one")
    await world.crm.until(lambda: any(call.fault for call in world.crm.calls))
    assert "*Priya Nair*: " in await ask(world, "status")


async def send_by(world: World, who: str) -> str:
    """Let somebody send a notification; return its id."""
    person = world.slack.people[who]
    await person.command("/notify", f"@priya A secret | of {who}")
    card = await person.sees("A secret")
    return card.shown.partition("/notify status ")[2][:8]


async def test_status_by_id_is_for_the_sender_and_for_admins(world: World) -> None:
    notification_id = await send_by(world, "lee")
    assert "A secret" in await ask(world, f"status {notification_id}", "lee")
    assert "A secret" in await ask(world, f"status {notification_id.upper()}", "lee")
    assert "A secret" in await ask(world, f"status `{notification_id}`", "alice")
    refused = await ask(world, f"status {notification_id}", "dev")
    assert f"You have sent no notification `{notification_id}`" in refused
    assert refused == (await ask(world, "status deadbeef", "dev")).replace(
        "deadbeef", notification_id
    ), "whether an id exists is not told"


async def test_a_person_named_in_admins_sees_what_others_sent(open_world: OpenWorld) -> None:
    world = await open_world(admins=("U0DEV0001",))
    notification_id = await send_by(world, "lee")
    assert "A secret" in await ask(world, f"status {notification_id}", "dev")


async def test_a_link_by_an_admin_leads_the_push_elsewhere(world: World) -> None:
    alice = world.slack.people["alice"]
    answer = await ask(world, "link @omar priya@acme.com")
    assert answer == (
        "Linked: notifications for *Omar Aziz* go to *Priya Nair* (priya@acme.com) in LeadSquared."
    )
    await alice.command("/notify", "@omar Hello | there")
    await alice.sees("Sent to LeadSquared for *Omar Aziz*")
    assert [push["UserId"] for push in world.pushed()] == [world.crm_id("priya@acme.com")]
    assert "is *Priya Nair* (priya@acme.com) in LeadSquared, linked by an admin" in await ask(
        world, "whoami @omar"
    )


async def test_a_link_by_id_and_in_any_case(world: World) -> None:
    crm_id = world.crm_id("dev@acme.com").upper()
    assert "*Dev*" in await ask(world, f"link @omar {crm_id}")
    assert "*Lee Wong*" in await ask(world, "link @omar LEE.Wong@Acme.Com")
    assert "*Lee Wong*" in await ask(world, "whoami @omar")


async def test_a_link_replaces_a_match_by_email_and_unlinking_brings_it_back(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@lee By | e-mail")
    await alice.sees("By")
    await ask(world, "link @lee dev@acme.com")
    await alice.command("/notify", "@lee By | link")
    await alice.sees("Sent to LeadSquared")
    await world.crm.until(lambda: len(world.crm.pushes) == 2)
    assert await ask(world, "unlink @lee") == (
        "Unlinked *Lee Wong*. From now on they are matched by e-mail again; to point them "
        "somewhere else, use `/notify link`."
    )
    await alice.command("/notify", "@lee Again by | e-mail")
    await world.crm.until(lambda: len(world.crm.pushes) == 3)
    lee, dev = world.crm_id("lee.wong@acme.com"), world.crm_id("dev@acme.com")
    assert [push["UserId"] for push in world.pushed()] == [lee, dev, lee]


async def test_unlinking_somebody_without_a_link_changes_nothing(world: World) -> None:
    assert "*Omar Aziz* had no stored link, so nothing changed" in await ask(world, "unlink @omar")


@pytest.mark.parametrize("typed", ["link @omar priya@acme.com", "unlink @omar"])
async def test_links_are_for_admins(world: World, typed: str) -> None:
    await ask(world, "link @omar dev@acme.com")
    answer = await ask(world, typed, "lee")
    assert "Only admins can do that" in answer
    assert "ADMINS setting" in answer
    assert "*Dev*" in await ask(world, "whoami @omar", "lee")


async def test_a_person_named_in_admins_may_link(open_world: OpenWorld) -> None:
    world = await open_world(admins=("U0LEE0001",))
    assert "Linked" in await ask(world, "link @omar priya@acme.com", "lee")
    assert "Unlinked" in await ask(world, "unlink @omar", "lee")
    assert "Linked" in await ask(world, "link @omar priya@acme.com", "alice")
    assert "Only admins" in await ask(world, "unlink @omar", "dev")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("nobody@acme.com", "LeadSquared has no user nobody@acme.com, so nothing was changed"),
        ("6f0c2a1e-1111-4222-8333-abcdefabcdef", "has no user 6f0c2a1e-1111-4222-8333-abcdefabc"),
        ("ina@acme.com", "ina@acme.com is deactivated in LeadSquared, so nothing was changed"),
        ("nonsense", "“nonsense” is neither an e-mail address nor a LeadSquared user id"),
        ("<!channel>", "is neither an e-mail address nor a LeadSquared user id"),
    ],
)
async def test_a_link_to_nobody_is_refused_and_changes_nothing(
    world: World, wanted: str, sentence: str
) -> None:
    await ask(world, "link @omar dev@acme.com")
    assert sentence in await ask(world, f"link @omar {wanted}")
    assert "*Dev*" in await ask(world, "whoami @omar")


@pytest.mark.parametrize("kind", [FaultKind.UNAVAILABLE_503, FaultKind.HANG, FaultKind.HTML_200])
async def test_without_leadsquared_a_link_changes_nothing(world: World, kind: FaultKind) -> None:
    await ask(world, "link @omar dev@acme.com")
    world.clock.forward(601)
    world.crm.faults.always("users", kind)
    world.crm.faults.always("user_by_email", kind)
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", "link @omar priya@acme.com", timestamp=time.time())
    assert "could not be asked just now, so nothing was changed. Try again." in reply.text
    assert reply.ack_seconds < 3
    world.crm.faults.clear()
    world.crm.release()
    reply = await alice.command("/notify", "whoami @omar", timestamp=time.time())
    assert "*Dev*" in reply.text


async def test_a_link_outlives_a_restart(world: World) -> None:
    alice = world.slack.people["alice"]
    await ask(world, "link @omar priya@acme.com")
    await world.stop_bot()
    await world.start_bot()
    await alice.command("/notify", "@omar Hello | there")
    await alice.sees("Sent to LeadSquared for *Omar Aziz*")


async def test_unlinking_reaches_what_is_sent_afterwards_only(world: World) -> None:
    alice = world.slack.people["alice"]
    await ask(world, "link @omar priya@acme.com")
    await ask(world, "unlink @omar")
    await alice.command("/notify", "@omar Hello | there")
    await alice.sees("*Omar Aziz* has no LeadSquared user")
    assert world.pushed() == []


async def test_a_link_delivered_again_after_it_was_removed_stays_removed(world: World) -> None:
    """As when somebody sends a captured request again."""
    alice = world.slack.people["alice"]
    again = {"trigger_id": "9000.9001.ab"}
    await alice.command("/notify", "link @omar dev@acme.com", **again)
    await ask(world, "unlink @omar")
    reply = await alice.command("/notify", "link @omar dev@acme.com", **again)
    assert "This was done already, so nothing was changed this time." in reply.text
    assert "is not linked to a LeadSquared user" in await ask(world, "whoami @omar")
