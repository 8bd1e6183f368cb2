import asyncio
import gzip
import hmac
import io
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from bot import intake
from bot.app import Bot, Foundation
from bot.errors import StoreUnavailableError
from bot.intake import Intake
from bot.listening import build_runner
from bot.sandbox.slack import Reply
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import SIGNING_SECRET, World

FORM = "application/x-www-form-urlencoded"
MARK = "SECRET-OF-SOMEBODY"
"""Stands in every body here and must never be logged."""

COMMAND = {
    "command": "/notify",
    "user_id": "U0ALICE01",
    "team_id": "T0ACME001",
    "channel_id": "C0SALES01",
    "text": f"<@U0PRIYA01> {MARK} | there",
    "trigger_id": "9000.9001.abcdef",
}
BODY = urlencode(COMMAND).encode()
ALICE = {"id": "U0ALICE01", "team_id": "T0ACME001"}


@pytest.fixture
def quiet(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> "Quiet":
    caplog.set_level(logging.DEBUG)
    for name in ("asyncio", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.INFO)
    return Quiet(capsys, caplog)


class Quiet:
    """What was printed and logged."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        self._capsys = capsys
        self._caplog = caplog

    def read(self) -> str:
        printed = self._capsys.readouterr()
        return printed.out + printed.err + self._caplog.text

    def check(self) -> None:
        """Complain about a logged body, and about what aiohttp or Bolt logs of a failure."""
        said = self.read()
        assert MARK not in said
        assert "Traceback" not in said


async def post(world: World, body: bytes, content_type: str = FORM, **changes: Any) -> Reply:
    """Send a signed body; `changes` replaces the timestamp or the signature."""
    return await world.slack.post(
        body, {"Content-Type": content_type, **world.slack.sign(body, **changes)}
    )


async def post_payload(world: World, payload: Any) -> Reply:
    return await post(world, urlencode({"payload": json.dumps(payload)}).encode())


def headers(**changes: str | None) -> dict[str, str]:
    """Return the headers of a request that looks signed, and is not."""
    given: dict[str, str | None] = {
        "Content-Type": FORM,
        "X-Slack-Signature": "v0=" + "a" * 64,
        "X-Slack-Request-Timestamp": str(int(time.time())),
    }
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize(
    "forged",
    [
        headers(),
        headers(X_Slack_Signature=None),
        headers(X_Slack_Signature=""),
        headers(X_Slack_Signature="v0="),
        headers(X_Slack_Signature="v1=" + "a" * 64),
        headers(X_Slack_Signature="nonsense"),
        headers(X_Slack_Signature="v0=ä" + "a" * 63),
        headers(X_Slack_Signature="v0=" + "😀" * 16),
        headers(X_Slack_Signature="a" * 8000),
        headers(X_Slack_Request_Timestamp=None),
        headers(X_Slack_Request_Timestamp=""),
        headers(X_Slack_Request_Timestamp="now"),
        headers(X_Slack_Request_Timestamp="nan"),
        headers(X_Slack_Request_Timestamp="-1"),
        headers(X_Slack_Request_Timestamp="9" * 400),
        headers(X_Slack_Request_Timestamp="9" * 5000),
        headers(X_Slack_Request_Timestamp="1e9"),
        headers(X_Slack_Request_Timestamp="١٢٣"),
        headers(X_Slack_Signature=None, X_Slack_Request_Timestamp=None),
        headers(Content_Type=None),
        headers(Content_Type="application/json"),
        headers(Content_Type="text/plain; charset=utf-7"),
        headers(Content_Type="application/json; charset=nonsense"),
        headers(Content_Type=";;;"),
        headers(Content_Type="multipart/form-data; boundary=x"),
    ],
)
async def test_what_is_not_signed_is_refused_unread(
    world: World, quiet: Quiet, forged: Mapping[str, str]
) -> None:
    reply = await world.slack.post(BODY, forged)
    assert (reply.status, reply.json) == (401, {"error": "invalid request"})
    quiet.check()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe" + BODY,
        BODY + b"\x80",
        b"\x00" * 100,
        b"payload=" + b"[" * 100_000,
        b"payload=" + b"1" * 10_000,
        b"{" * 100_000,
        b"&" * 100_000,
        b"payload=%ff",
        BODY * 1000,
    ],
)
@pytest.mark.parametrize("content_type", [FORM, "application/json", "text/html; charset=utf-16"])
async def test_no_unsigned_body_is_read(
    world: World, quiet: Quiet, body: bytes, content_type: str
) -> None:
    reply = await world.slack.post(body, headers(Content_Type=content_type))
    assert reply.status == 401
    quiet.check()


@pytest.mark.parametrize("offset", [-301, -3600, 301, 10**9])
async def test_a_stale_signature_is_refused(world: World, quiet: Quiet, offset: int) -> None:
    reply = await post(world, BODY, timestamp=time.time() + offset)
    assert reply.status == 401
    quiet.check()


async def test_a_signature_of_another_body_is_refused(world: World) -> None:
    signed = {"Content-Type": FORM, **world.slack.sign(BODY)}
    reply = await world.slack.post(BODY.replace(b"PRIYA", b"OMAR0"), signed)
    assert reply.status == 401
    assert (await world.slack.post(BODY + b"\n", signed)).status == 401


async def test_a_signature_of_another_secret_is_refused(world: World) -> None:
    world.slack.delivery.signing_secret = SIGNING_SECRET[::-1]
    assert (await post(world, BODY)).status == 401


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_is_not_compressed_as_it_says_is_refused(
    world: World, encoding: str
) -> None:
    """It was once answered with 500, as reading it raised."""
    reply = await world.slack.post(b"\xff\xff" + BODY, headers() | {"Content-Encoding": encoding})
    assert reply.status == 401


@pytest.mark.parametrize("encoding", ["br", "zstd", "nonsense"])
async def test_other_compressions_are_refused(world: World, quiet: Quiet, encoding: str) -> None:
    reply = await world.slack.post(BODY, headers() | {"Content-Encoding": encoding})
    assert reply.status == 401
    quiet.check()


@pytest.mark.parametrize("signed", [True, False])
async def test_more_than_a_mebibyte_is_refused_unread(
    world: World, quiet: Quiet, signed: bool
) -> None:
    body = BODY + b"x" * 1024 * 1024
    proof = world.slack.sign(body) if signed else headers()
    url, given = str(world.slack.bot_url), {"Content-Type": FORM, **proof}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=io.BytesIO(body), headers=given) as response,
    ):
        assert response.status == 413
    quiet.check()


async def test_a_compressed_body_is_not_unpacked_for_a_stranger(world: World, quiet: Quiet) -> None:
    """Unpacked before the signature was looked at, it was once refused for its size alone."""
    body = gzip.compress(BODY * 100_000)
    reply = await world.slack.post(body, headers() | {"Content-Encoding": "gzip"})
    assert reply.status == 401
    quiet.check()


async def test_a_signature_is_over_the_bytes_that_were_sent(world: World) -> None:
    signed = {"Content-Type": FORM, "Content-Encoding": "gzip", **world.slack.sign(BODY)}
    assert (await world.slack.post(gzip.compress(BODY), signed)).status == 401


async def test_a_body_that_comes_slowly_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "READ_WITHIN", 0.05)
    never = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        yield BODY[:10]
        await never.wait()

    url = str(world.slack.bot_url)
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=trickle(), headers=headers()) as response:
            assert response.status == 408
        never.set()


async def test_a_sender_who_goes_away_in_the_middle_leaves_no_trace(
    world: World, quiet: Quiet
) -> None:
    port = int(str(world.slack.bot_url).split(":")[2].partition("/")[0])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"
    writer.write(head + MARK.encode())
    await writer.drain()
    assert (await get(world, "/healthz"))[0] == 200  # by then the first is being read
    writer.close()
    await writer.wait_closed()
    assert (await get(world, "/healthz"))[0] == 200
    quiet.check()


async def test_signatures_are_compared_in_constant_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[str, str]] = []

    def compare(expected: str, given: str) -> bool:
        compared.append((expected, given))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert (await post(world, BODY)).status == 401
    assert [given for _, given in compared] == [world.slack.sign(BODY)["X-Slack-Signature"]]


async def test_exactly_a_mebibyte_is_read(world: World) -> None:
    body = b"x=" + b"y" * (1024 * 1024 - 2)
    assert (await post(world, body)).status == 404  # signed, and nothing that we know


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/slack/events", 405),
        ("PUT", "/slack/events", 405),
        ("DELETE", "/slack/events", 405),
        ("HEAD", "/slack/events", 405),
        ("POST", "/slack/events/", 404),
        ("POST", "/slack", 404),
        ("GET", "/", 404),
        ("GET", "/slack/install", 404),
        ("GET", "/slack/oauth_redirect?code=1", 404),
        ("POST", "/healthz", 405),
    ],
)
async def test_other_methods_and_paths_are_refused(
    world: World, quiet: Quiet, method: str, path: str, status: int
) -> None:
    url = str(world.slack.bot_url).removesuffix("/slack/events") + path
    async with aiohttp.ClientSession() as session, session.request(method, url) as response:
        assert response.status == status
    quiet.check()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"payload=" + MARK.encode(), FORM),
        (b"payload=", FORM),
        (b"payload=%ff", FORM),
        (b"payload=%5B1%5D", FORM),
        (b"payload=null", FORM),
        (b"payload=" + b"%5B" * 100_000, FORM),
        (b"payload=" + b"9" * 10_000, FORM),
        (b"&".join(b"a%d=1" % number for number in range(101)), FORM),
        (BODY + b"&user_id=U0LEE0001", FORM),
        (BODY + b"&payload=%7B%7D&payload=%7B%7D", FORM),
        (MARK.encode(), "application/json"),
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"5", "application/json; charset=nonsense"),
        (b"[" * 100_000, "application/json"),
        (b'{"a":' * 50_000, "application/json"),
    ],
)
async def test_a_signed_body_that_makes_no_sense_is_called_malformed(
    world: World, quiet: Quiet, body: bytes, content_type: str
) -> None:
    reply = await post(world, body, content_type)
    assert (reply.status, reply.json) == (400, {"error": "malformed request"})
    quiet.check()


@pytest.mark.parametrize(
    "payload",
    [
        {"user": 5},
        {"team": 5, "type": "shortcut"},
        {"authorizations": 5},
        {"event": {"user": 5, "channel": 5, "item": 3}},
        {"message": 5, "container": 5, "channel": 5},
        {"type": "event_callback", "event": 5},
        {"type": "block_actions", "user": ALICE, "actions": 5},
        {"type": "block_actions", "user": ALICE, "actions": []},
        {"type": "shortcut", "callback_id": "notify_global"},
        {"type": "shortcut", "callback_id": "notify_global", "user": MARK},
        {"type": "message_action", "callback_id": "notify_message"},
        {"type": 5},
        {"type": "view_submission", "user": ALICE, "view": {"callback_id": "compose"}},
    ],
)
async def test_a_signed_payload_of_another_shape_is_called_malformed(
    world: World, payload: dict[str, Any]
) -> None:
    """Bolt indexes into whatever stands there; it was once answered with 500."""
    assert (await post_payload(world, payload)).status == 400
    body = json.dumps(payload).encode()
    assert (await post(world, body, "application/json")).status == 400


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "event_callback", "event": {"type": "message", "text": MARK}},
        {"type": "shortcut", "callback_id": MARK, "user": ALICE, "trigger_id": "7.8.a"},
        {"type": "view_closed", "user": ALICE, "view": {"id": "V1", "callback_id": "compose"}},
        {"type": MARK},
        {"command": "/other", "user_id": "U0ALICE01", "text": MARK},
        {"ssl_check": "1", "token": "x"},
    ],
)
async def test_what_is_signed_and_not_for_us_is_not_found(
    world: World, quiet: Quiet, payload: dict[str, Any]
) -> None:
    assert (await post(world, json.dumps(payload).encode(), "application/json")).status == 404
    assert MARK not in quiet.read()


async def test_the_address_is_verified(world: World) -> None:
    reply = await world.slack.event({"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRN"})
    assert reply.json == {"challenge": "3eZbrw1aBm2rZgRN"}


@pytest.mark.parametrize("word", ["payload", "payload=1", "a&payload={}", "payload payload"])
async def test_the_word_payload_does_no_harm(world: World, word: str) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", f"@priya The | {word}")
    await alice.sees("Sent to LeadSquared")
    assert world.pushed()[0]["Content"].startswith(word)


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", f"{FORM}; charset=x"])
async def test_a_command_is_read_whatever_its_charset_says(world: World, content_type: str) -> None:
    body = urlencode(COMMAND | {"text": "<@U0PRIYA01> नमस्ते | 😀"}).encode()
    assert (await post(world, body, content_type)).status == 200
    await world.crm.until(lambda: bool(world.crm.pushes))
    assert world.pushed()[0]["Title"] == "नमस्ते"


async def test_a_captured_request_replayed_has_no_second_effect(world: World) -> None:
    alice = world.slack.people["alice"]
    signed = {"Content-Type": FORM, **world.slack.sign(BODY)}
    replies = [await world.slack.post(BODY, signed) for _ in range(3)]
    assert [(reply.status, reply.body) for reply in replies] == [(200, "")] * 3
    await alice.sees("Sent to LeadSquared")
    assert len(world.pushed()) == 1
    cards = [one for one in world.slack.visible_to(alice) if "Sent to LeadSquared" in one.text]
    assert len(cards) == 1


async def test_what_is_accepted_is_not_logged_either(world: World, quiet: Quiet) -> None:
    alice = world.slack.people["alice"]
    await alice.command("/notify", f"@priya {MARK} | {MARK}")
    await alice.sees("Sent to LeadSquared")
    await alice.command("/notify", f"@priya --bogus {MARK} | {MARK}")
    assert MARK not in quiet.read().replace("LeadSquared", "")


async def test_other_apps_oauth_settings_in_the_environment_do_no_harm(
    open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bolt alone would go over to OAuth, and forget the token it was given."""
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "secret")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "of another app")
    world = await open_world()
    alice = world.slack.people["alice"]
    await alice.command("/notify", "@priya Callback | due")
    await alice.sees("Sent to LeadSquared")


async def get(world: World, path: str) -> tuple[int, str]:
    url = str(world.slack.bot_url).removesuffix("/slack/events") + path
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def test_a_running_bot_is_alive_and_ready(world: World) -> None:
    assert await get(world, "/healthz") == (200, "ok\n")
    status, text = await get(world, "/readyz")
    assert (status, json.loads(text)) == (200, {"database": True, "slack": True})


async def test_a_bot_that_has_not_begun_is_alive_and_not_ready(world: World) -> None:
    waiting = Bot(Foundation(world.settings))
    runner = build_runner(waiting.build_web(), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.slack.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    assert (await get(world, "/healthz"))[0] == 200
    status, text = await get(world, "/readyz")
    assert (status, json.loads(text)) == (503, {"database": True, "slack": False})
    reply = await post(world, BODY)
    assert (reply.status, reply.json) == (503, {"error": "starting"})
    assert (await world.slack.post(BODY, headers())).status == 401
    await runner.cleanup()
    await waiting._base.database.close()


async def test_a_bot_without_its_database_is_alive_and_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise StoreUnavailableError("disk I/O error")

    monkeypatch.setattr(world.bot._base.database, "transact", refuse)
    assert (await get(world, "/healthz"))[0] == 200
    status, text = await get(world, "/readyz")
    assert (status, json.loads(text)) == (503, {"database": False, "slack": True})
    monkeypatch.undo()
    assert (await get(world, "/readyz"))[0] == 200


def test_a_bot_without_a_signing_secret_is_not_built() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        Intake(" ", lambda: None)
