from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackError, SlackRateLimitedError, SlackRefusedError, SlackUnavailableError
from bot.slack_api import ANSWER_MOST, SlackApi, _is_at


class Host:
    """The host of one `response_url`, which answers what it is told."""

    def __init__(self) -> None:
        self.answer = (200, b"ok")
        self.url = ""

    async def handle(self, _: web.Request) -> web.Response:
        status, body = self.answer
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    app = web.Application()
    app.router.add_post("/{path:.*}", host.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}/commands/1"
    yield host
    await runner.cleanup()


async def respond(host: Host, *, api_url: str | None = None) -> None:
    client = AsyncWebClient(token="xoxb-1", base_url=api_url or host.url)
    async with aiohttp.ClientSession() as session:
        await SlackApi(client, session).respond(host.url, {"text": "Hi"})


@pytest.mark.parametrize("body", [b"ok", b"ok\n", b'{"ok": true}'])
async def test_a_response_url_that_says_ok_has_taken_it(host: Host, body: bytes) -> None:
    host.answer = (200, body)
    await respond(host)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"", SlackRefusedError),
        (200, b"<html>ok</html>", SlackRefusedError),
        (200, b"okay", SlackRefusedError),
        (200, b"ok" + b" " * ANSWER_MOST + b"?", SlackRefusedError),
        (200, b'{"ok": false, "error": "expired_url"}', SlackRefusedError),
        (200, b'{"ok": "true"}', SlackRefusedError),
        (200, b"[" * ANSWER_MOST, SlackRefusedError),
        (200, b"\xff", SlackRefusedError),
        (302, b"ok", SlackRefusedError),
        (404, b"used_url", SlackRefusedError),
        (429, b"ok", SlackRateLimitedError),
        (500, b"ok", SlackUnavailableError),
    ],
)
async def test_a_response_url_that_says_anything_else_has_not(
    host: Host, status: int, body: bytes, error: type[SlackError]
) -> None:
    host.answer = (status, body)
    with pytest.raises(error):
        await respond(host)


async def test_nothing_is_posted_to_a_host_that_is_not_slacks(host: Host) -> None:
    """Were a payload ever not Slack's, it would not lead into the network of the host."""
    host.answer = (200, b"ok")
    with pytest.raises(SlackRefusedError, match="elsewhere"):
        await respond(host, api_url="https://slack.com/api/")


@pytest.mark.parametrize(
    ("url", "api_url", "expected"),
    [
        ("https://hooks.slack.com/commands/1", "https://slack.com/api/", True),
        ("https://HOOKS.slack.com/commands/1", "https://slack.com/api/", True),
        ("https://hooks.slack-gov.com/actions/1", "https://slack-gov.com/api/", True),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:2/api/", True),
        ("http://hooks.slack.com/commands/1", "https://slack.com/api/", False),
        ("https://evilslack.com/x", "https://slack.com/api/", False),
        ("https://slack.com.evil.example/x", "https://slack.com/api/", False),
        ("https://slack.com@evil.example/x", "https://slack.com/api/", False),
        ("https://169.254.169.254/x", "https://slack.com/api/", False),
        ("https://[::1/x", "https://slack.com/api/", False),
        ("nonsense", "https://slack.com/api/", False),
    ],
)
def test_only_the_hosts_of_the_web_api_are_slacks(url: str, api_url: str, expected: bool) -> None:
    assert _is_at(url, api_url) is expected


class Session:
    """Takes note of where a WebSocket should be opened, and fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    async def ws_connect(self, url: str, *, proxy: str | None, **_: object) -> None:
        self.asked.append((url, proxy))
        raise aiohttp.ClientConnectionError(f"no way to {url}")


async def test_a_websocket_goes_through_the_proxy_and_its_address_stays_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def issue(*, app_token: str) -> SimpleNamespace:
        assert app_token == "xapp-1"
        return SimpleNamespace(data={"ok": True, "url": "wss://wss.test/?ticket=1"})

    client, session = AsyncWebClient(token="xoxb-1"), Session()
    client.proxy = "http://proxy.test:3128"
    monkeypatch.setattr(client, "apps_connections_open", issue)
    api = SlackApi(client, cast(aiohttp.ClientSession, session))
    with pytest.raises(SlackUnavailableError) as caught:
        await api.open_socket(SecretStr("xapp-1"))
    assert session.asked == [("wss://wss.test/?ticket=1", "http://proxy.test:3128")]
    assert str(caught.value) == "ClientConnectionError, no connection"
    assert caught.value.__suppress_context__
