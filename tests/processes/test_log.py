"""The whole log of a busy day with everything going wrong: JSON lines, and nothing in them."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from bot.sandbox.leadsquared import FaultKind
from tests.postgres import Postgres, running_postgres
from tests.processes.bot_process import BotProcess
from tests.processes.storage import open_storage
from tests.processes.world import SECRETS, World

TITLE = "Merger with Initech"
CONTENT = "Ring the notary before noon"
TYPED = f"@priya {TITLE} | {CONTENT}"
PASSWORD = "hunter2-of-the-database"
SCRAPER = "scrape-me-please"
STRANGER = "mallory@evil.example.com"
TOKEN = "xoxb-999-somebody-elses"

NONSENSE = f"UPDATE deliveries SET state = '{STRANGER}'"  # noqa: S608

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LOUD = f"text={TITLE}&email={STRANGER}&token={TOKEN}".encode()

NOT_HTTP = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    f"{STRANGER} {TOKEN}\r\n\r\n".encode(),
    f"POST /slack/events HTTP/1.1\r\nHost: {STRANGER}\r\nContent-Length: {TOKEN}\r\n\r\n".encode(),
    f"GET /metrics HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nBad Header\r\n\r\n".encode(),
    b"POST /slack/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + LOUD,
    b"GET /" + b"a" * 20_000 + STRANGER.encode() + b" HTTP/1.1\r\n\r\n",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with running_postgres(tmp_path_factory.mktemp("own") / "data") as own:
        yield own


async def send_raw(bot: BotProcess, raw: bytes) -> None:
    """Send what is no request, and read whatever comes back."""
    port = int(bot.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    writer.write_eof()
    await reader.read()
    writer.close()


async def be_hostile(world: World, bot: BotProcess) -> None:
    for raw in NOT_HTTP:
        await send_raw(bot, raw)
    unsigned = {**FORM, "X-Slack-Signature": "v0=" + "a" * 64, "X-Slack-Request-Timestamp": "1"}
    await world.slack.post(LOUD, unsigned)
    bodies = [
        urlencode({"payload": f'{{"type": "{STRANGER}", "user": 1}}'}).encode(),
        urlencode({"payload": f'["{TITLE}"]'}).encode(),
        urlencode({"payload": f'{{"{TITLE}'}).encode(),
        urlencode({"payload": '{"type": "block_actions", "user": {"id": ["x"]}}'}).encode(),
        urlencode({"command": "/notify", "user_id": STRANGER, "text": TITLE}).encode(),
        LOUD,
    ]
    for body in bodies:
        await world.slack.post(body, {**FORM, **world.slack.sign(body)})


async def be_busy(world: World, bot: BotProcess) -> None:
    """Send what works, what LeadSquared and Slack refuse, and what is refused before."""
    alice = world.person("alice")
    await alice.command("/notify", TYPED)
    await alice.sees(f"“{TITLE}”")
    for fault in (FaultKind.MX_500, FaultKind.UNAUTHORIZED_401, FaultKind.RATE_LIMIT_429):
        world.crm.faults.next("push", fault)
        await alice.command("/notify", f"@lee {TITLE} {fault} | {CONTENT}")
        await alice.sees(f"“{TITLE} {fault}”")
    world.slack.faults.fail("response_url", "used_url")
    world.slack.faults.fail("chat.postMessage", "is_archived")
    await alice.command("/notify", f"@dev {TITLE} lost | {CONTENT}")
    await bot.logs("reply.lost")
    world.slack.faults.clear()
    for text in (f"link @omar {STRANGER}", "whoami @priya", f"@nobody {TITLE} | x", "@priya"):
        await alice.command("/notify", text)


async def break_the_database(world: World, bot: BotProcess, server: Postgres) -> None:
    alice = world.person("alice")
    world.run_sql(f"ALTER TABLE notifications ADD CONSTRAINT x CHECK (title <> '{TITLE} bad')")
    assert (
        "it has been logged as"
        in (await alice.command("/notify", f"@priya {TITLE} bad | {CONTENT}")).text
    )
    await asyncio.to_thread(server.stop)
    await bot.logs("worker.store_missed")
    await alice.command("/notify", f"@priya {TITLE} away | {CONTENT}")
    await asyncio.to_thread(server.start)
    assert (await alice.command("/notify", f"@priya {TITLE} again | {CONTENT}")).ok
    await alice.sees(f"“{TITLE} again”")


async def die_of_a_bug(world: World, bot: BotProcess) -> None:
    world.slack.faults.fail("response_url", 503, times=1)
    await world.person("alice").command("/notify", f"@priya {TITLE} last | {CONTENT}")
    await bot.logs("reply.put_off", tries=0)
    world.run_sql(NONSENSE)
    assert await bot.ends() == 1


def find_private(world: World) -> set[str]:
    """Return what must not be in a log: secrets, people, and what they wrote."""
    people = world.slack.people.values()
    emails = {person.email for person in people if person.email}
    names = {"Priya Nair", "Alice Rao", "Omar Aziz", "Lee Wong"}
    hooks = {post.url for post in world.slack.hook_posts}
    assert len(emails) > 3
    assert len(hooks) > 3
    return {*SECRETS, PASSWORD, SCRAPER, STRANGER, TOKEN, TITLE, CONTENT, "notary", "Initech"} | (
        emails | names | hooks | {url.rpartition("/")[2] for url in hooks}
    )


async def test_a_day_on_which_everything_goes_wrong_leaves_nothing_private_in_the_log(
    world: World, server: Postgres
) -> None:
    url = server.create().replace("//postgres@", f"//postgres:{PASSWORD}@")
    world.expected_violations = world.slack.violations
    bot = await world.start_bot(DATABASE_URL=url, METRICS_TOKEN=SCRAPER, LOG_LEVEL="debug")
    world.storage = open_storage(url)
    await be_busy(world, bot)
    await be_hostile(world, bot)
    await break_the_database(world, bot, server)
    await die_of_a_bug(world, bot)
    assert bot.errors == ""
    said = "\n".join(json.dumps(line, ensure_ascii=False) for line in bot.events)
    found = {private for private in find_private(world) if private.lower() in said.lower()}
    assert found == set()
    logged = {line["event"] for line in bot.events}
    assert {"request.accepted", "request.refused", "request.failed", "reply.lost"} <= logged
    assert {"intake.signature_refused", "intake.malformed", "process.failed"} <= logged
    assert bot.has_logged("intake.not_read", error="LineTooLong")
    assert not any("Error handling request" in event for event in logged)


async def test_a_database_that_never_lets_us_in_does_not_show_its_password(world: World) -> None:
    url = f"postgres://bot:{PASSWORD}@127.0.0.1:1/bot"
    bot = await world.launch(DATABASE_URL=url)
    await bot.logs("bot.waiting", what="database")
    migrate = await world.launch(DATABASE_URL=url, command="migrate")
    assert await migrate.ends() == 1
    assert await bot.stop() == 0
    for process in (bot, migrate):
        assert process.errors == ""
        assert PASSWORD not in json.dumps(process.events)
    assert migrate.has_logged("process.failed")
