import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot import listening
from bot.listening import build_runner

MARK = b"SECRET-OF-SOMEBODY"
Send = Callable[[bytes], Awaitable[bytes]]


async def refuse(request: web.Request) -> web.Response:
    if request.query.get("break"):
        raise RuntimeError("a bug")
    return web.Response(status=401, body=await request.read())


@pytest.fixture
async def send() -> AsyncIterator[Send]:
    """Send bytes on a connection of their own; return all that comes back until it closes."""
    app = web.Application()
    app.router.add_post("/", refuse)
    runner = build_runner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]

    async def send_one(given: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(given)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    yield send_one
    await runner.cleanup()


@pytest.mark.parametrize(
    "given",
    [
        MARK + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + MARK + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: " + MARK * 1_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"X: 1\r\n" * 500 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + MARK + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_not_shown_in_the_log(
    send: Send, given: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """aiohttp alone logs a traceback with the very bytes, for anybody who sends some."""
    with capture_logs() as events:
        assert b" 400 Bad Request\r\n" in await send(given)
    if not given.startswith(MARK):  # aiohttp takes that for an encrypted connection
        (event,) = events
        assert event.keys() == {"event", "log_level", "error"}
        assert event["event"] == "intake.not_read"
        assert MARK.decode() not in event["error"]
    assert caplog.text == ""


async def test_a_bug_of_ours_is_logged_in_full(
    send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    await send(b"POST /?break=1 HTTP/1.0\r\nHost: x\r\n\r\n")
    assert "RuntimeError: a bug" in caplog.text


async def test_nothing_is_unpacked(send: Send) -> None:
    head = b"POST / HTTP/1.0\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 18\r\n\r\n"
    assert (await send(head + MARK)).endswith(MARK)


@pytest.mark.parametrize("begun", [b"", b"POST / HTTP/1.1\r\nHost:"])
async def test_a_connection_without_a_request_is_closed(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(listening, "IDLE_MOST", 0.05)
    runner = build_runner(web.Application(), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
    writer.write(begun)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await runner.cleanup()
