import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Reply, StandInSlack
from bot.sandbox.slack.sockets import MOST_CONNECTIONS
from tests.unit.sandbox_slack_app import field_block, modal

APP_TOKEN = "xapp-1-unit"
Frame = dict[str, Any]
Socket = aiohttp.ClientWebSocketResponse


class Apps:
    """Connects to a stand-in as an app does."""

    def __init__(self, slack: StandInSlack, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.session = session
        self.sockets: list[Socket] = []

    async def ask(self, token: str | None = APP_TOKEN) -> Frame:
        """Return what `apps.connections.open` says."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = f"{self.slack.api_url}apps.connections.open"
        async with self.session.post(url, headers=headers) as response:
            answer: Frame = await response.json()
            return answer

    async def connect(self) -> Socket:
        """Return a connection that has been greeted."""
        socket = await self.session.ws_connect((await self.ask())["url"], autoping=False)
        self.sockets.append(socket)  # what nobody holds is closed
        assert (await socket.receive_json())["type"] == "hello"
        return socket


@pytest.fixture
async def apps() -> AsyncIterator[Apps]:
    slack = StandInSlack(app_token=APP_TOKEN)
    await slack.start()
    slack.uses_sockets = True
    async with aiohttp.ClientSession() as session:
        yield Apps(slack, session)
    await slack.stop()


def type_command(apps: Apps, text: str = "help") -> asyncio.Task[Reply]:
    return asyncio.create_task(apps.slack.people["alice"].command("/notify", text))


async def acknowledge(socket: Socket, **more: Any) -> Frame:
    """Take the next envelope, and return it."""
    envelope: Frame = await socket.receive_json()
    await socket.send_json({"envelope_id": envelope["envelope_id"], **more})
    return envelope


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (None, "not_authed"),
        ("xapp-1-other", "invalid_auth"),
        ("xoxb-stand-in", "not_allowed_token_type"),
        ("xoxp-1", "not_allowed_token_type"),
    ],
)
async def test_an_address_is_given_for_the_app_level_token_only(
    apps: Apps, token: str | None, error: str
) -> None:
    assert await apps.ask(token) == {"ok": False, "error": error}


async def test_the_app_level_token_is_good_for_nothing_else(apps: Apps) -> None:
    client = AsyncWebClient(APP_TOKEN, base_url=apps.slack.api_url, session=apps.session)
    client.proxy = None
    with pytest.raises(Exception, match="not_allowed_token_type"):
        await client.auth_test()


async def test_no_address_is_given_without_the_scope_or_with_socket_mode_off(apps: Apps) -> None:
    apps.slack.sockets.app_scopes.clear()
    assert (await apps.ask())["error"] == "missing_scope"
    apps.slack.sockets.app_scopes.add("connections:write")
    apps.slack.uses_sockets = False
    assert (await apps.ask())["ok"] is False


async def test_the_greeting_says_how_many_are_connected(apps: Apps) -> None:
    await apps.connect()
    for number in (2, 3):
        socket = await apps.session.ws_connect((await apps.ask())["url"])
        apps.sockets.append(socket)
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", number)
        assert hello["connection_info"] == {"app_id": "A0CRMBOT1"}


async def test_an_address_is_good_once(apps: Apps) -> None:
    url = (await apps.ask())["url"]
    await apps.session.ws_connect(url)
    for wrong in (url, url.replace("ticket=", "ticket=0"), url.partition("&")[0]):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await apps.session.ws_connect(wrong)
    assert apps.slack.violations == ["a WebSocket's address that was used or never given"] * 3


async def test_an_address_is_used_up_by_a_handshake_that_is_refused(apps: Apps) -> None:
    apps.slack.faults.fail("link", 503, times=1)
    url = (await apps.ask())["url"]
    for status in (503, 401):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await apps.session.ws_connect(url)
        assert caught.value.status == status


async def test_the_eleventh_connection_is_one_too_many(apps: Apps) -> None:
    for _ in range(MOST_CONNECTIONS):
        await apps.connect()
    socket = await apps.session.ws_connect((await apps.ask())["url"])
    assert (await socket.receive_json())["reason"] == "too_many_websockets"
    assert (await socket.receive()).type is WSMsgType.CLOSE


async def test_a_command_is_an_envelope_and_its_payload_is_shown(apps: Apps) -> None:
    socket = await apps.connect()
    typing = type_command(apps, "payload=1&x")
    envelope = await acknowledge(socket, payload={"text": "Hi"})
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert envelope["payload"]["command"] == "/notify"
    assert envelope["payload"]["text"] == "payload=1&amp;x"
    reply = await typing
    assert (reply.status, reply.text, reply.error) == (200, "Hi", None)
    await apps.slack.people["alice"].sees("Hi")


async def test_a_submission_is_an_envelope_and_its_errors_are_shown(apps: Apps) -> None:
    socket = await apps.connect()
    alice = apps.slack.people["alice"]
    view = apps.slack._modals.open(alice, modal(field_block("title", "plain_text_input")))
    submitting = asyncio.create_task(apps.slack.submit(view, {"title": "x"}))
    errors = {"response_action": "errors", "errors": {"title": "No"}}
    envelope = await acknowledge(socket, payload=errors)
    assert envelope["type"] == "interactive"
    assert envelope["payload"]["type"] == "view_submission"
    assert (await submitting).json == errors
    assert view.errors == {"title": "No"}


async def test_an_event_is_redelivered_with_the_number_of_the_attempt(apps: Apps) -> None:
    socket = await apps.connect()
    apps.slack.delivery.ack_within = 0.05
    event = {"type": "app_home_opened", "user": "U0ALICE01"}
    sending = asyncio.create_task(apps.slack.event(event, retries=1))
    first: Frame = await socket.receive_json()
    second = await acknowledge(socket)
    assert (await sending).ok
    assert [one["type"] for one in (first, second)] == ["events_api"] * 2
    assert [one["retry_attempt"] for one in (first, second)] == [0, 1]
    assert [one["retry_reason"] for one in (first, second)] == ["", "http_timeout"]
    assert first["payload"] == second["payload"]
    assert not second["accepts_response_payload"]
    assert apps.slack.violations == ["event: unacknowledged within 3 s"]


async def test_silence_is_seen_as_over_http(apps: Apps) -> None:
    alice = apps.slack.people["alice"]
    assert (await type_command(apps)).error == "dispatch_failed"
    await alice.sees('/notify failed with the error "dispatch_failed"')
    socket = await apps.connect()
    apps.slack.delivery.ack_within = 0.05
    assert (await type_command(apps)).error == "operation_timeout"
    await acknowledge(socket)  # too late, and nobody minds
    assert apps.slack.violations == ["/notify help: unacknowledged within 3 s"]


async def test_what_is_unacknowledged_when_its_connection_goes_has_failed(apps: Apps) -> None:
    socket = await apps.connect()
    typing = type_command(apps)
    await socket.receive()
    await socket.close()
    assert (await typing).error == "dispatch_failed"
    assert apps.slack.violations == []


async def test_connections_take_turns(apps: Apps) -> None:
    sockets = [await apps.connect(), await apps.connect()]
    for socket in (*sockets, *sockets):
        typing = type_command(apps)
        await acknowledge(socket)
        assert (await typing).ok


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        ({"envelope_id": "E1"}, "an acknowledgement of 'E1', which was never sent"),
        ({"payload": "text"}, "slash_commands acknowledged with a payload that is no object"),
        ({"text": "x"}, "slash_commands acknowledged with ['text']"),
    ],
)
async def test_an_acknowledgement_that_makes_no_sense_is_a_violation(
    apps: Apps, change: Frame, violation: str
) -> None:
    socket = await apps.connect()
    apps.slack.delivery.ack_within = 0.05
    typing = type_command(apps)
    await acknowledge(socket, **change)
    await typing
    assert apps.slack.violations[0] == f"socket: {violation}"


async def test_a_payload_is_not_accepted_for_an_event(apps: Apps) -> None:
    socket = await apps.connect()
    sending = asyncio.create_task(apps.slack.people["alice"].open_home())
    await acknowledge(socket, payload={})
    await sending
    violation = "socket: events_api acknowledged with a payload, which it does not accept"
    assert apps.slack.violations == [violation]


async def test_each_envelope_is_acknowledged_once_and_where_it_came_from(apps: Apps) -> None:
    first, second = await apps.connect(), await apps.connect()
    typing = type_command(apps)
    envelope: Frame = await first.receive_json()
    await second.send_json({"envelope_id": envelope["envelope_id"]})
    await typing
    await first.send_json({"envelope_id": envelope["envelope_id"]})
    await first.send_str("nonsense")
    await apps.slack.until(lambda slack: len(slack.violations) == 3)
    assert apps.slack.violations == [
        "socket: slash_commands acknowledged over another connection",
        "socket: slash_commands acknowledged a second time",
        "socket: a frame that is no JSON object",
    ]


async def test_a_ping_is_answered_with_its_own_data_unless_the_connection_is_mute(
    apps: Apps,
) -> None:
    socket = await apps.connect()
    await socket.ping(b"sdk-ping-pong:1.5")
    pong = await socket.receive()
    assert (pong.type, pong.data) == (WSMsgType.PONG, b"sdk-ping-pong:1.5")
    apps.slack.sockets.connections[0].is_mute = True
    await socket.ping(b"again")
    await apps.slack.until(lambda slack: slack.sockets.connections[0].pings == 2)
    typing = type_command(apps)
    assert (await acknowledge(socket))["type"] == "slash_commands"  # and no pong before it
    await typing


async def test_a_connection_that_is_to_leave_is_used_until_it_is_closed(apps: Apps) -> None:
    old = await apps.connect()
    leaving = await apps.slack.sockets.ask_to_leave("warning")
    assert (await old.receive_json())["reason"] == "warning"
    typing = type_command(apps)
    await apps.slack.until(lambda slack: bool(slack.sockets.sent))
    leaving.time_is_up.set()
    await leaving.unusable.wait()
    assert (await type_command(apps)).error == "dispatch_failed"
    await acknowledge(old)
    assert (await typing).ok  # what was on its way is waited for
    assert (await old.receive()).type is WSMsgType.CLOSE


async def test_socket_mode_can_be_switched_off(apps: Apps) -> None:
    socket = await apps.connect()
    await apps.slack.sockets.disable()
    assert (await socket.receive_json())["reason"] == "link_disabled"
    assert (await socket.receive()).type is WSMsgType.CLOSE
    assert not (await apps.ask())["ok"]


async def test_a_connection_can_be_cut(apps: Apps) -> None:
    socket = await apps.connect()
    apps.slack.sockets.connections[0].cut()
    assert (await socket.receive()).type in (WSMsgType.CLOSED, WSMsgType.ERROR)
    await apps.slack.until(lambda slack: not slack.sockets.connections)


@asynccontextmanager
async def running_sdk(apps: Apps) -> AsyncIterator[list[SocketModeRequest]]:
    """Slack's own client, which acknowledges whatever comes."""
    web = AsyncWebClient(base_url=apps.slack.api_url)
    web.proxy = None
    client = SocketModeClient(APP_TOKEN, web_client=web, logger=logging.getLogger("sdk"))
    requests: list[SocketModeRequest] = []

    async def take(_: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        requests.append(request)
        answer = SocketModeResponse(request.envelope_id, {"text": "from the SDK"})
        await client.send_socket_mode_response(answer)

    client.socket_mode_request_listeners.append(take)
    await client.connect()  # type: ignore[no-untyped-call]  # the SDK says nothing
    yield requests
    await client.close()  # type: ignore[no-untyped-call]  # likewise


async def test_slacks_own_client_can_talk_to_it(
    apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with running_sdk(apps) as requests:
        await apps.slack.until(lambda slack: bool(slack.sockets.connections))
        assert (await type_command(apps)).text == "from the SDK"
        await apps.slack.until(lambda slack: slack.sockets.connections[0].pings > 0)
    assert json.loads(json.dumps(requests[0].payload))["command"] == "/notify"
    assert apps.slack.violations == []
