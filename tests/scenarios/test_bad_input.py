import html
import time

import pytest
from sqlalchemy import create_engine, func, select

from bot.sandbox.slack import Reply
from bot.store.tables import notifications
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World

SIGNATURE = "\n— Alice Rao, Slack"
ROOM = 2048 - len(SIGNATURE.encode())


def count_stored(world: World) -> int:
    """Return how many notifications the database holds, read past the bot."""
    engine = create_engine(world.settings.database_url)
    try:
        with engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(notifications)).scalar_one()
    finally:
        engine.dispose()


def read_answer(reply: Reply) -> str:
    """Return the text that only the sender reads, as they read it."""
    assert (reply.status, reply.json["response_type"]) == (200, "ephemeral")
    blocks = [block["text"]["text"] for block in reply.json.get("blocks", [])]
    return html.unescape("\n".join(blocks) or reply.text)


async def refuse(world: World, typed: str, who: str = "alice", channel: str = "sales") -> str:
    """Type what must be refused; return the answer once it is certain that nothing happened."""
    answer = read_answer(await world.slack.people[who].command("/notify", typed, channel))
    assert count_stored(world) == 0
    assert world.pushed() == []
    return answer


@pytest.mark.parametrize(
    ("typed", "sentence", "next_step"),
    [
        ("@priya", "There is no text to send", "Write it behind the recipients"),
        ("@priya |", "There is no text to send", "Write it behind the recipients"),
        ("@priya --private", "There is no text to send", "Write it behind the recipients"),
        ("Callback due | at 3 pm", "Say first who should get it", "`/notify help`"),
        ("@priya --urgent Hi | there", "There is no option “--urgent”", "`--link https://…`"),
        ("@nobody Hi | there", "I do not know who “@nobody” is", "Pick the person"),
        ("@channel Hi | there", "not for here, channel or everyone", "Name the people one by one"),
        ("#random Hi | there", "not for a channel", "Name the people one by one"),
        ("omar@acme.com Hi | there", "not an e-mail address", "`/notify link @priya"),
        ("@priya --lead asha Hi | x", "“asha” names no lead", "`--lead asha.rao@example.com`"),
        ("@priya --as fax Hi | x", "`--as` needs one of", "--as call Asha called at 3 pm"),
        ("owner Hi | there", "so name the lead", "`/notify owner --lead asha.rao@"),
        ("check it", "write `/notify check` and nothing more", "`/notify @priya check your"),
        ("link @priya", "name them and their LeadSquared e-mail", "`/notify link @priya"),
        ("unlink", "name one person", "`/notify unlink @priya`"),
        ("status a b", "add its id", "`/notify status 1a2b3c4d`"),
        ("help me", "write `/notify help` and nothing more", "`/notify @priya help me out`"),
        ("@priya --link Hi | there", "`--link` needs a web address", "--link https://…"),
        ("@priya --link javascript:alert(1) H | i", "`--link` needs a web address", "https://…"),
        ("@priya --link http://x.io/ Hi | x", "The link must begin with https://", "Example:"),
        ("@priya --icon http://x.io/ Hi | x", "The icon must begin with https://", "Example:"),
        ("@priya --link https://a:b@x.io/ Hi | x", "must not contain a user name", "Example:"),
        ("@priya --link https://a@x.io/ Hi | x", "must not contain a user name", "Example:"),
        ("@priya --link https://evil\\@x.io/ Hi | x", "must not contain a backslash", "Example:"),
        ("@priya --private=1 Hi | x", "`--private` stands alone", "/notify @priya --private"),
        ("@priya Hi\x00 | there", "cannot be shown (U+0000)", "Delete it"),
        ("@priya Hi | the\x00re", "cannot be shown (U+0000)", "Delete it"),
        ("@priya Hi | the\x07re", "cannot be shown (U+0007)", "Delete it"),
        ("@priya Hi | the\x1bre", "cannot be shown (U+001B)", "Delete it"),
        ("@priya Hi | the\x7fre", "cannot be shown (U+007F)", "Delete it"),
        ("@priya Two\nlines | there", "The title must be one line", "Put a bar (|)"),
    ],
)
async def test_a_mistake_is_named_with_the_next_step_and_the_text_given_back(
    world: World, typed: str, sentence: str, next_step: str
) -> None:
    answer = await refuse(world, typed)
    assert sentence in answer
    assert next_step in answer
    shown = typed.replace("@priya", "@Priya Nair").strip()
    assert f"```/notify {shown}```" in answer


async def test_a_group_that_is_part_of_a_sentence_is_refused_and_given_back(world: World) -> None:
    answer = await refuse(world, "@priya and @sales-team Hi | there")
    assert "Between recipients there are only spaces or commas" in answer
    assert "```/notify @Priya Nair and @sales-team Hi | there```" in answer


@pytest.mark.parametrize("letter", ["a", "é", "अ", "क्ष", "😀", "👩‍💻"])
async def test_a_text_of_exactly_the_limit_is_sent_whole(world: World, letter: str) -> None:
    content = fill(letter, ROOM - 1)
    alice = world.slack.people["alice"]
    assert (await alice.command("/notify", f"@priya T | {content}")).body == ""
    await alice.sees("Sent to LeadSquared")
    assert world.pushed()[0]["Content"] == content + SIGNATURE


@pytest.mark.parametrize("letter", ["a", "é", "अ", "क्ष", "😀", "👩‍💻"])
async def test_a_text_one_byte_over_the_limit_is_refused_and_given_back(
    world: World, letter: str
) -> None:
    content = fill(letter, ROOM)
    answer = await refuse(world, f"@priya T | {content}")
    assert "Title + content is 2,049 bytes, with the line that names you" in answer
    assert "LeadSquared takes 2,048. Cut about 1 " in answer
    assert f"/notify @Priya Nair T | {content}" in answer


def fill(letter: str, size: int) -> str:
    """Return so many bytes of a letter, with what is left over in `x`."""
    count, rest = divmod(size, len(letter.encode()))
    return letter * count + "x" * rest


@pytest.mark.parametrize("piece", ["word ", "x", "&<>", "😀 & ", "`` "])
async def test_a_text_of_many_thousand_characters_is_given_back_whole(
    world: World, piece: str
) -> None:
    content = (piece * 3100).strip()
    answer = await refuse(world, f"@priya T | {content}")
    assert "LeadSquared takes 2,048" in answer
    shown = answer.partition("You typed:\n")[2].replace("```\n```", "")
    assert shown == f"```/notify @Priya Nair T | {content}```"


@pytest.mark.parametrize(
    "typed",
    [
        "@priya --bogus <!channel> <!here> <!subteam^S0SALES01> <@U0LEE0001>",
        "@priya --bogus @channel @here @everyone @sales-team @lee",
        "<!channel> Hi | there",
        "status <!channel>",
        "link @priya <!everyone>",
        "@<!channel> Hi | there",
    ],
)
@pytest.mark.parametrize("escape", [True, False])
async def test_a_refusal_pings_nobody(world: World, typed: str, escape: bool) -> None:
    """The stand-in notes every ping of a channel; here mentions are looked for as well."""
    alice = world.slack.people["alice"]
    reply = await alice.command("/notify", typed, escape=escape)
    assert reply.ok
    assert "<!" not in reply.text
    assert "<@" not in reply.text
    assert count_stored(world) == 0


async def test_a_card_pings_nobody(world: World) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@priya @omar Hi <!channel> @channel | @here <@U0LEE0001> @lee")
    card = await alice.sees("1 of 2 sent")
    assert "<!" not in card.text
    assert card.mentions == set()
    assert world.pushed()[0]["Title"] == "Hi <!channel> @channel"


async def test_a_link_leads_only_to_allowed_hosts(open_world: OpenWorld) -> None:
    world = await open_world(allowed_link_hosts=("leadsquared.com",))
    answer = await refuse(world, "@priya --link https://evil.io/leadsquared.com Hi | there")
    assert "Links to evil.io are not allowed here, only to leadsquared.com" in answer
    assert "An admin can add it to ALLOWED_LINK_HOSTS" in answer
    assert "--link https://evil.io/leadsquared.com Hi | there```" in answer


async def test_notifications_come_only_from_allowed_channels(open_world: OpenWorld) -> None:
    world = await open_world(allowed_channels=("C0RANDOM1",))
    answer = await refuse(world, "@priya Hi | there")
    assert "Notifications can only be sent from <#C0RANDOM1>. Try it there." in answer
    assert "```/notify @Priya Nair Hi | there```" in answer
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@priya Hi | there", "random")
    await alice.sees("Sent to LeadSquared")


async def test_the_form_opens_only_in_allowed_channels(open_world: OpenWorld) -> None:
    world = await open_world(allowed_channels=("C0RANDOM1",))
    assert "only be sent from <#C0RANDOM1>" in await refuse(world, "")
    assert world.slack.views[world.slack.people["alice"]] == []


async def test_over_the_hourly_limit_the_whole_send_is_refused_until_an_hour_has_passed(
    open_world: OpenWorld,
) -> None:
    world = await open_world(hourly_limit=3)
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@priya @lee First | one")
    await alice.sees("2 of 2 sent")
    answer = read_answer(await alice.command("/notify", "@priya @lee Second | one"))
    assert "You may notify 3 recipients an hour; you have used 2, and this would be 2 m" in answer
    assert "Try again later, or ask an admin to raise HOURLY_LIMIT" in answer
    assert "```/notify @Priya Nair @Lee Wong Second | one```" in answer
    assert count_stored(world) == 1
    world.clock.forward(3601)
    await alice.command("/notify", "@priya @lee Third | one", timestamp=time.time())
    await alice.sees("Third")
    assert len(world.pushed()) == 4


async def test_the_hourly_limit_is_each_senders_own(open_world: OpenWorld) -> None:
    world = await open_world(hourly_limit=1)
    alice, lee = world.slack.people["alice"], world.slack.people["lee"]
    await alice.command("/notify", "@priya From | Alice")
    await lee.command("/notify", "@priya From | Lee")
    await lee.sees("From Lee Wong")
    await alice.sees("From Alice Rao")


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("gus", "Guests cannot send notifications. Ask a full member of this workspace."),
        ("exa", "Only members of the workspace that has this app can send notifications."),
        ("robot", "Only people can send notifications."),
        ("slackbot", "Only people can send notifications."),
        ("gone", "This Slack account is deactivated, so it cannot send notifications."),
    ],
)
@pytest.mark.parametrize("typed", ["@priya Hi | there", "", "help", "whoami", "test"])
async def test_only_full_members_may_use_it(
    world: World, who: str, sentence: str, typed: str
) -> None:
    assert sentence in await refuse(world, typed, who)
    assert world.crm.calls == []


async def test_somebody_slack_does_not_know_gets_a_sentence_too(world: World) -> None:
    alice = world.slack.people["alice"]
    world.slack.faults.fail("users.info", "user_not_found")
    answer = read_answer(await alice.command("/notify", "@priya Hi | there"))
    assert "nothing was sent" in answer
    assert "Hi | there```" in answer
    assert count_stored(world) == 0
