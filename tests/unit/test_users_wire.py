"""The list of all users: long, so it is made small while it is read."""

import json
import threading
import tracemalloc
from typing import Any

import pytest

from bot.errors import CrmError, CrmRateLimitedError, CrmUnavailableError
from bot.leadsquared import client, wire
from tests.unit.test_client import connected, http, serving

ASHA = "6f0c2a1e-1111-4222-8333-abcdefabcdef"
MOST = 3.0
"""Multiple of the body: its text is there as well while it is read, and a user takes about one."""


def build_row(number: int) -> dict[str, Any]:
    return {
        "ID": f"6f0c2a1e-1111-4222-8333-{number:012x}",
        "FirstName": "Asha",
        "LastName": f"Rao {number}",
        "EmailAddress": f"u{number}@acme.com",
        "Role": "Sales_User",
        "StatusCode": 0,
        "Tag": None,
        "IsPhoneCallAgent": False,
        "MemberOfGroups": ["North"],
    }


def read(answer: object) -> object:
    """Read an answer to the request for everybody."""
    body = json.dumps(answer).encode()
    decoded = wire.decode_lookup(200, {}, body, wire.users_request().shrink)
    return decoded if isinstance(decoded, CrmError) else wire.parse_users(decoded)


def test_a_list_is_read_as_one_without_shrinking_is() -> None:
    rows = [build_row(1), {"ID": "x"}, {"UserId": ASHA}, {}, None, "text", build_row(2)]
    users = read(rows)
    assert users == wire.parse_users(rows)
    assert isinstance(users, list)
    assert [user.email for user in users] == ["u1@acme.com", None, "u2@acme.com"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ID": ASHA}, CrmUnavailableError),
        ({"ID": ASHA, "Status": "Error"}, CrmUnavailableError),
        ({"ID": ASHA, "ExceptionType": "MXAPIRateLimitExceededException"}, CrmRateLimitedError),
    ],
)
def test_an_error_stays_one_whatever_else_it_holds(
    answer: object, expected: type[CrmError]
) -> None:
    assert type(read(answer)) is expected


def test_a_long_list_takes_little_more_than_its_body() -> None:
    body = json.dumps([build_row(number) for number in range(5_000)]).encode()
    tracemalloc.start()
    try:
        answer = wire.decode_lookup(200, {}, body, wire.users_request().shrink)
        users = wire.parse_users(answer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(users, list)
    assert len(users) == 5_000
    assert peak < MOST * len(body)


@pytest.mark.parametrize(("count", "is_beside"), [(10, False), (3_000, True)])
async def test_a_long_list_is_read_beside_the_loop(
    count: int, is_beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading 50,000 users took the loop, and Slack's answers, for half a second."""
    parse, threads = wire.parse_users, []

    def note_thread(answer: object) -> object:
        threads.append(threading.current_thread())
        return parse(answer)

    monkeypatch.setattr(wire, "parse_users", note_thread)
    body = json.dumps([build_row(number) for number in range(count)]).encode()
    assert (len(body) > client.LARGE) is is_beside
    async with serving(http(200, body)) as server, connected(server.url) as crm:
        assert len(await crm.fetch_users()) == count
    assert [thread is not threading.main_thread() for thread in threads] == [is_beside]
