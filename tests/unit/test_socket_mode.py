"""The pace of new connections, and how many envelopes are in hand, without a network."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from aiohttp import WSMessage, WSMsgType
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp

from bot.background import Watch
from bot.errors import (
    ConfigError,
    SlackError,
    SlackRateLimitedError,
    SlackRefusedError,
    SlackUnavailableError,
)
from bot.socket_mode import Envelopes, SocketMode
from bot.socket_mode.envelopes import Frame
from bot.socket_mode.link import MOST_IN_HAND, Link, Socket
from tests.clock import FrozenClock

DOWN = SlackUnavailableError("down")


class FakeSocket:
    """Says what it is told to, one frame after the other, and ends."""

    def __init__(self, *frames: Frame, after: Callable[[], object] = lambda: None) -> None:
        self.frames = list(frames)
        self.after = after
        self.sent: list[Frame] = []
        self.is_closed = asyncio.Event()
        self.close_code = 1000

    async def receive(self) -> WSMessage:
        if self.frames:
            return WSMessage(WSMsgType.TEXT, json.dumps(self.frames.pop(0)), None)
        self.after()
        return WSMessage(WSMsgType.CLOSED, None, None)

    def __aiter__(self) -> "FakeSocket":
        return self

    async def __anext__(self) -> WSMessage:
        message = await self.receive()
        if message.type is WSMsgType.CLOSED:
            raise StopAsyncIteration
        return message

    async def send_str(self, text: str) -> None:
        self.sent.append(json.loads(text))

    async def close(self) -> None:
        self.is_closed.set()


class Answering(Envelopes):
    """Takes envelopes, and answers them when `goes_on` is set."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.in_hand = self.most = 0

    async def answer(self, frame: Frame) -> str:
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        await self.goes_on.wait()
        self.in_hand -= 1
        return json.dumps({"envelope_id": frame["envelope_id"]})


class Script:
    """What comes of each try to connect, and when they were made; then it stops."""

    def __init__(self, clock: FrozenClock, *outcomes: SlackError | float) -> None:
        self.clock = clock
        self.outcomes = list(outcomes)
        self.times: list[float] = []
        open_socket = cast(Callable[[], Awaitable[Socket]], self.open)
        self.opened: list[FakeSocket] = []
        self.keeper = SocketMode(open_socket, Answering(), clock, lambda: 0.9999, Watch())

    async def open(self) -> FakeSocket:
        """Fail, or return a connection that is good for some seconds, or never greets."""
        self.times.append(self.clock.time())
        if not self.outcomes:
            self.keeper.stop()
            await asyncio.Event().wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, SlackError):
            raise outcome
        hello = {"type": "hello"} if outcome else {"type": "disconnect", "reason": "link_disabled"}
        self.opened.append(FakeSocket(hello, after=lambda: self.clock.forward(outcome)))
        return self.opened[-1]

    async def run(self) -> list[float]:
        """Return the seconds between the tries."""
        await asyncio.wait_for(self.keeper.run(), 5)
        pairs = zip(self.times, self.times[1:], strict=False)
        return [round(later - earlier, 1) for earlier, later in pairs]


async def test_tries_that_fail_become_rarer(clock: FrozenClock) -> None:
    tries = Script(clock, *[DOWN] * 8)
    assert await tries.run() == [1, 2, 4, 8, 16, 30, 30, 30]
    assert not tries.keeper.is_connected


async def test_connections_that_do_not_last_become_rarer_but_for_the_first(
    clock: FrozenClock,
) -> None:
    assert await Script(clock, *[3.0] * 5).run() == [3, 4, 5, 7, 11]


async def test_one_that_lasted_starts_it_all_anew(clock: FrozenClock) -> None:
    script = Script(clock, DOWN, DOWN, 31.0, 31.0, DOWN, 1.0, 1.0)
    assert await script.run() == [1, 2, 31, 31, 1, 2, 3]


async def test_a_connection_without_hello_is_closed_and_counts_as_none(clock: FrozenClock) -> None:
    script = Script(clock, 0.0, 0.0)
    assert await script.run() == [1, 2]
    assert [socket.is_closed.is_set() for socket in script.opened] == [True, True]
    assert not script.keeper.has_connected


async def test_a_pause_that_slack_asks_for_is_kept(clock: FrozenClock) -> None:
    script = Script(clock, SlackRateLimitedError(50.0), DOWN, SlackRateLimitedError(1.0))
    assert await script.run() == [50, 2, 4]


async def test_a_refusal_before_there_ever_was_a_connection_is_for_good(
    clock: FrozenClock,
) -> None:
    script = Script(clock, DOWN, SlackRefusedError("invalid_auth"))
    with pytest.raises(ConfigError) as caught:
        await script.run()
    [line] = caught.value.lines
    assert line.startswith("SLACK_APP_TOKEN: Slack refused it (invalid_auth). Example: xapp-…")
    assert not script.keeper.has_connected
    assert script.keeper.begun.is_set()  # nobody waits for ever


async def test_a_refusal_later_is_not(clock: FrozenClock) -> None:
    assert await Script(clock, 31.0, SlackRefusedError("invalid_auth"), DOWN).run() == [31, 1, 2]


async def test_stopped_before_it_begins_it_ends_at_once(clock: FrozenClock) -> None:
    script = Script(clock, *[31.0] * 100)
    script.keeper.stop()
    script.keeper.stop()
    await script.run()
    assert len(script.outcomes) > 90


def build_envelope(number: int) -> Frame:
    return {"envelope_id": str(number), "type": "interactive", "payload": {}}


async def test_so_many_envelopes_are_in_hand_at_once_and_all_are_acknowledged() -> None:
    answering = Answering()
    socket = FakeSocket(*map(build_envelope, range(2 * MOST_IN_HAND)))
    link = Link(cast(Socket, socket), answering)
    running = asyncio.create_task(link.run())
    for _ in range(3 * MOST_IN_HAND):
        await asyncio.sleep(0)
    assert answering.in_hand == MOST_IN_HAND
    answering.goes_on.set()
    await running
    await link.close()
    assert answering.most == MOST_IN_HAND
    assert {frame["envelope_id"] for frame in socket.sent} == set(map(str, range(200)))
    assert socket.is_closed.is_set()


async def test_what_is_in_hand_is_acknowledged_also_when_nothing_new_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.socket_mode.link.TAKE_WITHIN", 0)
    answering = Answering()
    socket = FakeSocket(build_envelope(1))
    link = Link(cast(Socket, socket), answering)
    await link.run()
    closing = asyncio.create_task(link.close())
    while link._is_taking:  # noqa: ASYNC110  # a few turns of the loop
        await asyncio.sleep(0)
    socket.frames.append(build_envelope(2))
    await link.run()
    answering.goes_on.set()
    await closing
    assert socket.sent == [{"envelope_id": "1"}]


async def test_what_is_in_hand_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAKE_WITHIN", "ACKNOWLEDGE_WITHIN"):
        monkeypatch.setattr(f"bot.socket_mode.link.{name}", 0)
    answering = Answering()
    socket = FakeSocket(build_envelope(1))
    link = Link(cast(Socket, socket), answering)
    await link.run()
    await link.close()
    assert socket.is_closed.is_set()
    answering.goes_on.set()
    await asyncio.sleep(0)
    assert socket.sent == []


class Bolt:
    """Answers every body alike."""

    def __init__(self, response: BoltResponse) -> None:
        self.response = response

    async def async_dispatch(self, _: Any) -> BoltResponse:
        return self.response


@pytest.mark.parametrize(
    ("response", "accepts", "ack"),
    [
        (BoltResponse(status=200, body=""), True, {}),
        (BoltResponse(status=200, body="Hi"), True, {"payload": {"text": "Hi"}}),
        (
            BoltResponse(status=200, body='{"a": 1}', headers={"Content-Type": "application/json"}),
            True,
            {"payload": {"a": 1}},
        ),
        (BoltResponse(status=200, body="Hi"), False, {}),
        (BoltResponse(status=404, body="{}"), True, None),
        (BoltResponse(status=500, body=""), True, None),
    ],
)
async def test_an_answer_becomes_the_payload_where_slack_takes_one(
    response: BoltResponse, accepts: bool, ack: Frame | None
) -> None:
    envelopes = Envelopes(cast(AsyncApp, Bolt(response)))
    text = await envelopes.answer(build_envelope(1) | {"accepts_response_payload": accepts})
    assert (text and json.loads(text)) == (ack if ack is None else {"envelope_id": "1", **ack})
