import asyncio
import gzip
import json
import logging
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from pydantic import SecretStr

from bot.errors import (
    CrmAccessError,
    CrmBusyError,
    CrmConnectError,
    CrmError,
    CrmRateLimitedError,
    CrmRedirectedError,
    CrmRejectedError,
    CrmUnavailableError,
    CrmUncertainError,
)
from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.models import Account, BrowserPush, CrmUser, KeyOwnerIdentity, Lead
from bot.leadsquared.phone import PhoneNumber
from bot.leadsquared.session import open_session
from bot.leadsquared.wire import Sent

ASHA = "6f0c2a1e-1111-4222-8333-abcdefabcdef"
ACCESS_KEY = "u$r0123456789&access=1"
SECRET_KEY = "0123abcd+secret/"
NUMBER = PhoneNumber("91", "9000000001")
PUSH = BrowserPush(user_id=ASHA, title="Hot lead", content="Asha: ₹5 — “now”")
SUCCESS = b'{"Status":"Success","Message":{"Message":"Message broadcasted successfully"}}'

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class Seen:
    """One request as it was on the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A raw server on a free loopback port; it answers with `answers`, the last one for ever."""

    answers: list[bytes | Answer]
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def https_url(self) -> str:
        return self.url.replace("http", "https")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        answer = self.answers[min(len(self.seen), len(self.answers) - 1)]
        if answer is hang_up_unread:
            writer.transport.abort()
            return False
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.rstrip().split("\r\n")
        headers = dict(name.split(": ", 1) for name in fields)
        body = await reader.readexactly(int(headers.get("Content-Length", 0)))
        self.seen.append(Seen(line, headers, body))
        if not isinstance(answer, bytes):
            await answer(reader, writer)
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def stay_silent(self, _: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await self.done.wait()


@asynccontextmanager
async def serving(*answers: bytes | Answer) -> AsyncIterator[Server]:
    server = Server(list(answers))
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        server.done.set()
        listener.close()


async def hang_up_unread(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Stands for a reset before anything is read."""


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def cut(answer: bytes, at: int) -> Answer:
    async def send_part(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer[:at])
        await writer.drain()

    return send_part


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + SUCCESS)
    while not writer.is_closing():
        writer.write(b" " * 65_536)
        await writer.drain()


@dataclass
class Gate:
    """Hands out permits and records them; also the errors that passed through."""

    permits: list[bool] = field(default_factory=list)
    held: int = 0
    errors: list[BaseException] = field(default_factory=list)

    @asynccontextmanager
    async def permit(self, *, interactive: bool = False) -> AsyncIterator[None]:
        self.permits.append(interactive)
        self.held += 1
        try:
            yield
        except CrmError as exc:
            self.errors.append(exc)
            raise
        finally:
            self.held -= 1


@asynccontextmanager
async def connected(
    url: str,
    *,
    timeout: float = 5,  # noqa: ASYNC109 - the setting under test
    gate: Gate | None = None,
    session: aiohttp.ClientSession | None = None,
) -> AsyncIterator[LeadSquaredClient]:
    async with session or open_session() as session:
        yield LeadSquaredClient(
            session,
            base_url=url,
            access_key=SecretStr(ACCESS_KEY),
            secret_key=SecretStr(SECRET_KEY),
            timeout=timeout,
            gate=gate or Gate(),
        )


async def failure(call: Awaitable[object]) -> CrmError:
    with pytest.raises(CrmError) as caught:
        await call
    return caught.value


# -- what goes out ----------------------------------------------------------------------------


async def test_a_push_is_one_post_with_the_keys_in_its_headers() -> None:
    async with serving(http(200, SUCCESS)) as server, connected(server.url) as client:
        assert await client.push(PUSH) == Sent()
    [request] = server.seen
    assert request.line == "POST /v2/Notifier.svc/Browser.Push HTTP/1.1"
    assert request.headers["x-LSQ-AccessKey"] == ACCESS_KEY
    assert request.headers["x-LSQ-SecretKey"] == SECRET_KEY
    assert request.headers["Content-Type"] == "application/json"
    fields = {"UserId": ASHA, "Title": "Hot lead", "Content": "Asha: ₹5 — “now”"}
    assert request.body == json.dumps(fields, ensure_ascii=False).encode()


async def test_a_look_up_has_its_question_in_the_url_and_its_keys_elsewhere() -> None:
    async with serving(http(200, b"[]")) as server, connected(server.url) as client:
        await client.find_user_by_email("Asha+1&x@Example.com")
    [request] = server.seen
    path = "/v2/UserManagement.svc/User/Retrieve/ByEmailAddress"
    query = "emailAddress=asha%2B1%26x@example.com"
    assert request.line == f"GET {path}?{query} HTTP/1.1"
    assert request.headers["x-LSQ-AccessKey"] == ACCESS_KEY
    assert "Content-Type" not in request.headers
    assert request.body == b""


async def test_a_push_takes_no_permit() -> None:
    gate = Gate()
    async with serving(http(200, SUCCESS)) as server, connected(server.url, gate=gate) as client:
        await client.push(PUSH)
    assert gate.permits == []


@pytest.mark.parametrize("interactive", [True, False])
@pytest.mark.parametrize(
    ("body", "call", "expected"),
    [
        (
            {"Id": ASHA},
            lambda client, **how: client.get_key_owner(**how),
            KeyOwnerIdentity(id=ASHA),
        ),
        ([{"ID": ASHA}], lambda client, **how: client.fetch_users(**how), [CrmUser(id=ASHA)]),
        (
            [{"UserId": ASHA, "EmailAddress": "A@x.com"}],
            lambda client, **how: client.find_user_by_email("a@x.com", **how),
            CrmUser(id=ASHA, email="a@x.com"),
        ),
        ([], lambda client, **how: client.find_user_by_email("a@x.com", **how), None),
        (
            [{"UserId": ASHA}],
            lambda client, **how: client.find_user_by_id(ASHA.upper(), **how),
            CrmUser(id=ASHA),
        ),
        ([], lambda client, **how: client.find_user_by_id(ASHA, **how), None),
        (
            {"Id": ASHA},
            lambda client, **how: client.fetch_account(**how),
            Account(key_owner_id=ASHA),
        ),
        (
            [{"ProspectID": ASHA}],
            lambda client, **how: client.search_leads("asha", **how),
            [Lead(id=ASHA)],
        ),
        (
            [{"ProspectID": ASHA}],
            lambda client, **how: client.find_lead_by_id(ASHA.upper(), **how),
            Lead(id=ASHA),
        ),
        ([], lambda client, **how: client.find_lead_by_id(ASHA, **how), None),
        (
            [{"ProspectID": ASHA, "EmailAddress": "A@x.com"}],
            lambda client, **how: client.find_leads_by_email("a@x.com", **how),
            [Lead(id=ASHA, email="a@x.com")],
        ),
        (
            [{"ProspectID": ASHA, "EmailAddress": "b@x.com"}],
            lambda client, **how: client.find_leads_by_email("a@x.com", **how),
            [],
        ),
        (
            [{"ProspectID": ASHA, "Mobile": "+91-9000000001"}],
            lambda client, **how: client.find_leads_by_phone(NUMBER, **how),
            [Lead(id=ASHA, phones=("+91-9000000001",))],
        ),
        (
            [{"ProspectID": ASHA, "Mobile": "+91-9000000002"}],
            lambda client, **how: client.find_leads_by_phone(NUMBER, **how),
            [],
        ),
    ],
)
async def test_a_look_up_holds_one_permit_while_it_asks(
    body: object, call: Callable[..., Awaitable[object]], expected: object, interactive: bool
) -> None:
    gate = Gate()
    held: list[int] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(gate.held)
        writer.write(http(200, json.dumps(body).encode()))

    async with serving(answer) as server, connected(server.url, gate=gate) as client:
        assert await call(client, interactive=interactive) == expected
    assert (gate.permits, held, gate.held) == ([interactive], [1], 0)


async def test_a_search_tells_when_it_has_its_permit() -> None:
    gate = Gate()
    told: list[tuple[int, int]] = []
    async with serving(http(200, b"[]")) as server, connected(server.url, gate=gate) as client:
        await client.search_leads(
            "asha", on_permit=lambda: told.append((gate.held, len(server.seen)))
        )
        assert (told, len(server.seen)) == ([(1, 0)], 1)


@pytest.mark.parametrize(
    ("number", "as_stored", "sent"),
    [
        ("+91 90000 00001", False, "919000000001"),
        ("+91 90000 00001", True, "%2B91-9000000001"),
        ("9000000001", False, "9000000001"),
        ("9000000001", True, "9000000001"),
    ],
)
async def test_a_phone_number_goes_out_in_either_form(
    number: str, as_stored: bool, sent: str
) -> None:
    read = PhoneNumber.read(number)
    assert read
    async with serving(http(200, b"[]")) as server, connected(server.url) as client:
        assert await client.find_leads_by_phone(read, as_stored=as_stored) == []
    path = "/v2/LeadManagement.svc/RetrieveLeadByPhoneNumber"
    assert server.seen[0].line == f"GET {path}?phone={sent} HTTP/1.1"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(200, b"[" + b" " * 2**20 + b"]"), CrmUnavailableError),
        (http(200, b'[{"ProspectID":"x"}]'), CrmUnavailableError),
        (http(500, b'{"ExceptionType":"MXUnknown","ExceptionMessage":"no"}'), CrmRejectedError),
        (http(401), CrmAccessError),
        (http(429), CrmRateLimitedError),
    ],
)
async def test_a_search_fails_as_every_look_up_does(
    answer: bytes, expected: type[CrmError]
) -> None:
    async with serving(answer) as server, connected(server.url) as client:
        assert type(await failure(client.search_leads("asha"))) is expected


async def test_the_gate_sees_why_a_look_up_failed() -> None:
    gate = Gate()
    answer = http(429, b"", "Retry-After: 3")
    async with serving(answer) as server, connected(server.url, gate=gate) as client:
        error = await failure(client.fetch_users())
    assert gate.errors == [error]
    assert isinstance(error, CrmRateLimitedError)
    assert error.retry_after == 3.0


# -- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "push_error", "look_up_error"),
    [
        (http(401), CrmAccessError, CrmAccessError),
        (http(302, b"", "Location: /elsewhere"), CrmRedirectedError, CrmUnavailableError),
        (http(307, b"", "Location: /elsewhere"), CrmRedirectedError, CrmUnavailableError),
        (http(503), CrmBusyError, CrmUnavailableError),
        (http(200, b"<html>hello"), CrmUncertainError, CrmUnavailableError),
        (http(200), CrmUncertainError, CrmUnavailableError),
        (http(500, b"<html>", "Content-Type: text/html"), CrmUncertainError, CrmUnavailableError),
        (http(200, SUCCESS + b" " * 65_536), CrmUncertainError, None),
        (http(403, b"x" * 65_537), CrmAccessError, CrmAccessError),
        (http(200, SUCCESS + b" " * 2**20), CrmUncertainError, CrmUnavailableError),
        (http(200, b"x", "Content-Encoding: gzip"), CrmUncertainError, CrmUnavailableError),
        (http(200, b"", "X: " + "x" * 100_000), CrmUncertainError, CrmUnavailableError),
        (b"garbage\r\n\r\n", CrmUncertainError, CrmUnavailableError),
        (hang_up, CrmUncertainError, CrmUnavailableError),
        (reset, CrmUncertainError, CrmUnavailableError),
        (cut(http(200, SUCCESS), 10), CrmUncertainError, CrmUnavailableError),
        (cut(http(200, SUCCESS), 60), CrmUncertainError, CrmUnavailableError),
        (cut(http(500, b"x" * 99), 60), CrmUncertainError, CrmUnavailableError),
        (endless, CrmUncertainError, CrmUnavailableError),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:60]),
)
async def test_every_answer_ends_in_one_error_after_one_request(
    answer: bytes | Answer, push_error: type[CrmError], look_up_error: type[CrmError] | None
) -> None:
    async with serving(answer) as server, connected(server.url) as client:
        assert type(await failure(client.push(PUSH))) is push_error
        assert len(server.seen) == 1
        if look_up_error:
            assert type(await failure(client.find_user_by_id(ASHA))) is look_up_error
            assert len(server.seen) == 2


async def test_a_compressed_answer_is_read() -> None:
    answer = http(200, gzip.compress(SUCCESS), "Content-Encoding: gzip")
    async with serving(answer) as server, connected(server.url) as client:
        assert await client.push(PUSH) == Sent()


async def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(SUCCESS + b" " * 50_000_000, 1)
    async with (
        serving(http(200, bomb, "Content-Encoding: gzip")) as server,
        connected(server.url) as client,
    ):
        tracemalloc.start()
        try:
            assert type(await failure(client.push(PUSH))) is CrmUncertainError
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 10_000_000


async def test_an_answer_of_exactly_the_bound_counts() -> None:
    body = SUCCESS.ljust(65_536)
    async with serving(http(200, body)) as server, connected(server.url) as client:
        assert await client.push(PUSH) == Sent()


async def test_a_big_roster_is_read_whole() -> None:
    roster = [{"ID": f"{number:08x}-1111-4222-8333-abcdefabcdef"} for number in range(20_000)]
    answer = http(200, json.dumps(roster).encode())
    async with serving(answer) as server, connected(server.url) as client:
        assert len(await client.fetch_users()) == 20_000


async def test_no_error_repeats_a_key() -> None:
    fields = {"ExceptionType": "MXUnknown", "ExceptionMessage": f"no {ACCESS_KEY} or {SECRET_KEY}"}
    answer = http(400, json.dumps(fields).encode())
    async with serving(answer) as server, connected(server.url) as client:
        error = await failure(client.push(PUSH))
    assert error.detail == "no ... or ..."


async def test_cookies_are_not_kept() -> None:
    answer = http(200, SUCCESS, "Set-Cookie: session=1")
    async with serving(answer) as server, connected(f"http://localhost:{server.port}") as client:
        await client.push(PUSH)
        await client.push(PUSH)
    assert "Cookie" not in server.seen[1].headers
    assert server.connections == 1


# -- no answer: did the request go out? -------------------------------------------------------


async def assert_not_sent(client: LeadSquaredClient) -> None:
    assert type(await failure(client.push(PUSH))) is CrmConnectError
    assert type(await failure(client.fetch_users())) is CrmConnectError


async def test_a_refused_connection_is_not_sent() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with connected(f"http://127.0.0.1:{bound.getsockname()[1]}") as client:
            await assert_not_sent(client)


async def test_a_host_without_an_address_is_not_sent() -> None:
    async with connected("http://nowhere.invalid") as client:
        await assert_not_sent(client)


async def test_a_failed_tls_handshake_is_not_sent() -> None:
    async with serving(hang_up_unread) as server, connected(server.https_url) as client:
        await assert_not_sent(client)
    assert server.seen == []


async def test_a_tls_handshake_without_an_answer_is_not_sent() -> None:
    # The server waits for a blank line that never comes.
    async with serving(b"") as server, connected(server.https_url, timeout=0.1) as client:
        await assert_not_sent(client)


async def test_a_total_timeout_that_fires_while_still_connecting_is_not_sent() -> None:
    async with serving(b"") as server, connected(server.https_url) as client:
        client._timeout = aiohttp.ClientTimeout(total=0.05)
        await assert_not_sent(client)


async def test_waiting_for_a_free_connection_is_not_sent() -> None:
    session = open_session()
    assert session.connector
    session.connector._limit = 1
    arrived = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await server.stay_silent(reader, writer)

    async with serving(hold) as server, connected(server.url, session=session) as client:
        first = asyncio.create_task(client.push(PUSH))
        await arrived.wait()
        client._timeout = aiohttp.ClientTimeout(total=0.05)
        await assert_not_sent(client)
        first.cancel()
        await asyncio.wait([first])
    assert len(server.seen) == 1


async def test_a_server_that_stays_silent_leaves_a_push_in_doubt() -> None:
    async with serving(b"") as server, connected(server.url, timeout=0.2) as client:
        assert type(await failure(client.push(PUSH))) is CrmUncertainError
        assert type(await failure(client.fetch_users())) is CrmUnavailableError
    assert len(server.seen) == 2


async def test_a_server_that_stops_in_the_middle_leaves_a_push_in_doubt() -> None:
    answer = http(200, SUCCESS)[:-1]
    async with serving(answer) as server, connected(server.url, timeout=0.2) as client:
        assert type(await failure(client.push(PUSH))) is CrmUncertainError
        assert type(await failure(client.fetch_users())) is CrmUnavailableError


async def test_a_reset_before_the_request_was_read_leaves_a_push_in_doubt() -> None:
    """Nobody can tell from here how much of it the other side got."""
    async with serving(hang_up_unread) as server, connected(server.url) as client:
        assert type(await failure(client.push(PUSH))) is CrmUncertainError
        assert type(await failure(client.fetch_users())) is CrmUnavailableError


async def test_a_look_up_is_asked_once_even_on_a_connection_used_before() -> None:
    """aiohttp would repeat a GET by itself, and the gate would count one call of two."""
    async with serving(http(200, b"[]"), reset) as server, connected(server.url) as client:
        await client.fetch_users()
        assert type(await failure(client.fetch_users())) is CrmUnavailableError
    assert len(server.seen) == 2


async def test_a_connection_that_died_while_idle_is_not_used() -> None:
    """The hang-up has arrived, but our loop has not looked yet: a push on it would be in doubt.

    The server is a plain socket, so that nothing runs between its close and our next call.
    """
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        async def answer_one() -> socket.socket:
            peer, _ = await loop.sock_accept(listener)
            await loop.sock_recv(peer, 65_536)
            await loop.sock_sendall(peer, http(200, SUCCESS))
            return peer

        async with connected(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            first, peer = await asyncio.gather(client.push(PUSH), answer_one())
            peer.close()
            second, peer = await asyncio.gather(client.push(PUSH), answer_one())
            peer.close()
        assert first == second == Sent()


async def test_a_call_given_up_while_it_looks_at_its_connection_leaves_none_open() -> None:
    async with serving(http(200, SUCCESS)) as server, connected(server.url) as client:
        await client.push(PUSH)
        task = asyncio.create_task(client.push(PUSH))
        await asyncio.sleep(0)  # it has its connection, and has written nothing
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.push(PUSH)
    assert (len(server.seen), server.connections) == (2, 2)


async def test_without_our_hooks_a_failure_is_in_doubt() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with connected(url, session=aiohttp.ClientSession()) as client:
            assert type(await failure(client.push(PUSH))) is CrmUncertainError


async def test_cancelling_is_passed_on() -> None:
    arrived = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await server.stay_silent(reader, writer)

    async with serving(hold) as server, connected(server.url) as client:
        task = asyncio.create_task(client.push(PUSH))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_no_trace_of_an_error_shows_the_url_or_a_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(hang_up) as server, connected(server.url) as client:
        error = await failure(client.find_user_by_email("asha@example.com"))
    assert error.__cause__ is None
    assert error.__suppress_context__
    shown = str(error) + repr(error) + caplog.text + repr(client)
    for private in ("asha@", ACCESS_KEY, SECRET_KEY, server.url):
        assert private not in shown
