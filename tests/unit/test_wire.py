import json
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import (
    CrmAccessError,
    CrmBusyError,
    CrmError,
    CrmRateLimitedError,
    CrmRedirectedError,
    CrmRejectedError,
    CrmUnavailableError,
    CrmUncertainError,
    CrmUntypedError,
)
from bot.leadsquared import wire
from bot.leadsquared.models import Account, BrowserPush, CrmUser, KeyOwnerIdentity
from bot.leadsquared.wire import Sent, decode_lookup, decode_push

ASHA = "6f0c2a1e-1111-4222-8333-abcdefabcdef"
BOB = "7a1d3b2f-2222-4333-8444-bcdefabcdefa"
SAMPLES = Path(__file__).parents[1] / "samples"

PUSH_SAMPLES: dict[str, type[Sent | CrmError]] = {
    "push_rate_limit_429": CrmRateLimitedError,
    "push_rate_limit_403": CrmRateLimitedError,
    "push_rate_limit_200": CrmRateLimitedError,
    "push_mx_500": CrmRejectedError,
    "push_mx_200": CrmRejectedError,
    "push_sent_200": Sent,
    "push_access_401": CrmAccessError,
    "push_access_403": CrmAccessError,
    "push_access_404": CrmAccessError,
    "push_busy_503": CrmBusyError,
    "push_redirect_302": CrmRedirectedError,
    "push_bad_request_400": CrmUntypedError,
    "push_no_type_500": CrmUncertainError,
    "push_html_502": CrmUncertainError,
    "push_empty_200": CrmUncertainError,
    "push_foreign_200": CrmUncertainError,
}

OUTCOMES = {
    Sent,
    CrmRateLimitedError,
    CrmAccessError,
    CrmRejectedError,
    CrmRedirectedError,
    CrmUntypedError,
    CrmBusyError,
    CrmUncertainError,
}


def read_sample(name: str) -> tuple[int, dict[str, str], bytes]:
    head, _, body = (SAMPLES / f"{name}.http").read_bytes().partition(b"\n\n")
    status_line, _, fields = head.partition(b"\n")
    return int(status_line.split()[1]), dict(BytesParser().parsebytes(fields).items()), body


def error(exception_type: object, message: object = "text", **more: object) -> bytes:
    fields = {"Status": "Error", "ExceptionType": exception_type, "ExceptionMessage": message}
    return json.dumps(fields | more).encode()


def outcome(status: int, body: bytes = b"", **headers: str) -> Sent | CrmError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return decode_push(status, named, body)


def rate_limited(status: int, body: bytes = b"", **headers: str) -> CrmRateLimitedError:
    result = outcome(status, body, **headers)
    assert isinstance(result, CrmRateLimitedError)
    return result


def failed(status: int, body: bytes = b"") -> CrmError:
    result = outcome(status, body)
    assert isinstance(result, CrmError)
    return result


# -- requests ---------------------------------------------------------------------------------


def test_a_push_names_its_user_and_leaves_out_what_is_absent() -> None:
    push = BrowserPush(user_id=ASHA, title="Hot lead", content="Asha opened — prices")
    assert wire.build_push(push) == {
        "UserId": ASHA,
        "Title": "Hot lead",
        "Content": "Asha opened — prices",
    }


def test_a_push_carries_its_links() -> None:
    push = BrowserPush(
        user_id=ASHA, title="a", content="b", click_url="https://x/1", icon_url="https://x/2"
    )
    fields = wire.build_push(push)
    assert (fields["ClickURL"], fields["IconURL"]) == ("https://x/1", "https://x/2")


def test_user_id_is_left_out_for_the_owner_of_the_keys_only() -> None:
    push = BrowserPush(user_id="KEY_OWNER", title="a", content="b")
    assert wire.build_push(push) == {"Title": "a", "Content": "b"}


def test_a_push_is_the_only_request_that_changes_something() -> None:
    push = BrowserPush(user_id=ASHA, title="a", content="ü")
    request = wire.push_request(push)
    assert (request.method, request.path) == ("POST", "/v2/Notifier.svc/Browser.Push")
    assert request.body == f'{{"UserId": "{ASHA}", "Title": "a", "Content": "ü"}}'.encode()
    assert request.mutates
    assert request.max_bytes == 64 * 1024


@pytest.mark.parametrize(
    ("request_", "path", "params", "max_bytes"),
    [
        (wire.key_owner_request(), "Authentication.svc/UserByAccessKey.Get", {}, 2**20),
        (wire.users_request(), "UserManagement.svc/Users.Get", {}, 2**25),
        (
            wire.user_by_email_request(" Asha+1@Example.com"),
            "UserManagement.svc/User/Retrieve/ByEmailAddress",
            {"emailAddress": "asha+1@example.com"},
            2**20,
        ),
        (
            wire.user_by_id_request(ASHA.upper()),
            "UserManagement.svc/User/Retrieve/ByUserId",
            {"userId": ASHA},
            2**20,
        ),
        (
            wire.search_request("Asha & Co"),
            "LeadManagement.svc/Leads.GetByQuickSearch",
            {"key": "Asha & Co"},
            2**20,
        ),
        (
            wire.lead_by_id_request(ASHA.upper()),
            "LeadManagement.svc/Leads.GetById",
            {"id": ASHA},
            2**20,
        ),
        (
            wire.leads_by_email_request(" Asha+1@Example.com"),
            "LeadManagement.svc/Leads.GetByEmailaddress",
            {"emailaddress": "asha+1@example.com"},
            2**20,
        ),
        (
            wire.leads_by_phone_request("+91-9000000001"),
            "LeadManagement.svc/RetrieveLeadByPhoneNumber",
            {"phone": "+91-9000000001"},
            2**20,
        ),
    ],
)
def test_look_ups_read_and_are_bounded(
    request_: wire.Request, path: str, params: dict[str, str], max_bytes: int
) -> None:
    assert (request_.method, request_.path) == ("GET", f"/v2/{path}")
    assert (request_.params, request_.max_bytes) == (params, max_bytes)
    assert request_.body is None
    assert not request_.mutates


# -- the table --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "expected"), PUSH_SAMPLES.items())
def test_every_sample_answer_to_a_push_fits_its_row(
    name: str, expected: type[Sent | CrmError]
) -> None:
    assert type(decode_push(*read_sample(name))) is expected


def test_every_sample_is_used() -> None:
    assert {path.stem for path in SAMPLES.glob("push_*.http")} == set(PUSH_SAMPLES)


RATE_LIMIT_TEXT = "API calls exceeded the limit of 25 in 5 second(s)"
DEEP = b"[" * 200_000
ENDLESS = b'{"Status":' * 100_000


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        # the rate limit comes before everything else, whatever the status
        (429, b"", CrmRateLimitedError),
        (429, b'{"Status":"Success"}', CrmRateLimitedError),
        (429, error("MXInvalidInputException"), CrmRateLimitedError),
        (200, error("MXAPIRateLimitExceededException"), CrmRateLimitedError),
        (401, error("mxapiratelimitexceededexception"), CrmRateLimitedError),
        (500, error("MXOther", RATE_LIMIT_TEXT), CrmRateLimitedError),
        (403, error(None, RATE_LIMIT_TEXT.upper()), CrmRateLimitedError),
        (403, RATE_LIMIT_TEXT.encode(), CrmRateLimitedError),
        (403, json.dumps(RATE_LIMIT_TEXT).encode(), CrmRateLimitedError),
        (503, json.dumps({"Message": RATE_LIMIT_TEXT}).encode(), CrmRateLimitedError),
        (500, error("MXDailyLimit", "exceeded the limit"), CrmRejectedError),
        # a typed refusal, whatever the status
        (500, error("MXUnknown"), CrmRejectedError),
        (503, error("MXUnknown"), CrmRejectedError),
        (200, error("MXUnknown"), CrmRejectedError),
        (302, error("MXUnknown"), CrmRejectedError),
        (403, error("MXUnAuthorizedAccessException"), CrmRejectedError),
        (404, error("MXUnknown"), CrmRejectedError),
        (500, b'{"ExceptionType":" mxUnknown "}', CrmRejectedError),
        (200, b'{"Status":"Success","ExceptionType":"MXUnknown"}', CrmRejectedError),
        # success
        (200, b'{"Status":"Success"}', Sent),
        (201, b'{"Status":"SUCCESS","ExceptionType":null}', Sent),
        (299, b'\xef\xbb\xbf{"Status":" success "}', Sent),
        (300, b'{"Status":"Success"}', CrmRedirectedError),
        (500, b'{"Status":"Success"}', CrmUncertainError),
        (199, b'{"Status":"Success"}', CrmUncertainError),
        # the keys, the rights or the address
        (401, b"", CrmAccessError),
        (401, error("MXInvalidAccessDetailsException"), CrmAccessError),
        (403, error("NullReferenceException"), CrmAccessError),
        (404, b"not found", CrmAccessError),
        # by status alone
        (503, b"", CrmBusyError),
        (503, error("NullReferenceException"), CrmBusyError),
        (304, b"", CrmRedirectedError),
        (400, b"<html>", CrmUntypedError),
        (408, b"", CrmUntypedError),
        (499, b"", CrmUntypedError),
        # everything else
        (100, b"", CrmUncertainError),
        (200, b" ", CrmUncertainError),
        (200, b"null", CrmUncertainError),
        (200, b"0", CrmUncertainError),
        (200, b'"Success"', CrmUncertainError),
        (200, b'["Status", "Success"]', CrmUncertainError),
        (200, b'{"Status":"Succ', CrmUncertainError),
        (200, b'{"Status":true}', CrmUncertainError),
        (200, b'{"Status":"Success","Wait":NaN}', CrmUncertainError),
        (200, b'{"Status":"Success","Wait":-Infinity}', CrmUncertainError),
        (200, '{"Status":"Success","Name":"é"}'.encode("latin-1"), CrmUncertainError),
        (200, b'{"Status":"Success","N":' + b"9" * 5000 + b"}", CrmUncertainError),
        (200, b'{"Status":"Error"}', CrmUncertainError),
        (200, error("NullReferenceException"), CrmUncertainError),
        (200, error(["MXUnknown"]), CrmUncertainError),
        (200, DEEP, CrmUncertainError),
        (200, ENDLESS, CrmUncertainError),
        (500, error("NullReferenceException"), CrmUncertainError),
        (500, b"", CrmUncertainError),
        (502, b"<html>", CrmUncertainError),
        (504, b"", CrmUncertainError),
        (599, b"", CrmUncertainError),
    ],
)
def test_the_first_row_that_fits_counts(
    status: int, body: bytes, expected: type[Sent | CrmError]
) -> None:
    assert type(outcome(status, body)) is expected


WORDS = st.sampled_from(
    ["Error", "success", "SUCCESS", "MXUnknown", "MXAPIRateLimitExceeded", RATE_LIMIT_TEXT, "x\0"]
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), WORDS, st.just("\ud800")
)
KEYS = st.sampled_from(["Status", "ExceptionType", "ExceptionMessage", "Message", "Other"])
OBJECTS = st.recursive(
    VALUES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8
)
BODIES = st.one_of(
    st.binary(),
    OBJECTS.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["utf-8-sig", "utf-16", "utf-32", "latin-1"]).map(
        lambda encoding: '{"Status": "Success"}'.encode(encoding)
    ),
)
HEADERS = st.dictionaries(st.sampled_from(["Retry-After", "retry-after", "X"]), st.text())


@given(st.integers(100, 599), HEADERS, BODIES)
def test_every_answer_to_a_push_fits_exactly_one_row(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    result = decode_push(status, headers, body)
    assert type(result) in OUTCOMES
    if isinstance(result, Sent):
        assert 200 <= status < 300
    else:
        assert len(result.detail) <= 300
        assert result.detail.isprintable()
        result.detail.encode()


@given(st.integers(100, 599), HEADERS, BODIES)
def test_every_answer_to_a_look_up_is_json_or_an_error(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    result = decode_lookup(status, headers, body)
    if isinstance(result, CrmError):
        assert isinstance(result, CrmRejectedError | CrmUnavailableError)
    else:
        assert 200 <= status < 300
    parsed = wire.parse_users(result), wire.parse_key_owner(result)
    assert isinstance(parsed[0], list | CrmUnavailableError)
    assert isinstance(parsed[1], KeyOwnerIdentity | CrmUnavailableError)
    assert isinstance(wire.parse_leads(result), list | CrmUnavailableError)
    assert isinstance(wire.parse_account(result), Account | CrmUnavailableError)


# -- what a refusal teaches -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "limit", "period"),
    [
        ("API calls exceeded the limit of 20 in 5 second(s)", 20, 5.0),
        ("API calls exceeded the limit of 3 in 2.5 seconds", 3, 2.5),
        ("API calls exceeded the limit of 10000 in 60 second(s)", 10_000, 60.0),
        ("API calls exceeded the limit of 0 in 5 second(s)", 1, 5.0),
        ("API calls exceeded the limit of 10001 in 5 second(s)", None, None),
        ("API calls exceeded the limit of 10000 in 86400 second(s)", None, None),
        ("API calls exceeded the limit of 25 in 0 second(s)", None, None),
        (f"API calls exceeded the limit of {'9' * 5000} in 5 second(s)", None, None),
        (f"API calls exceeded the limit of 5 in {'9' * 5000} second(s)", None, None),
    ],
)
def test_a_refusal_teaches_a_limit_that_makes_sense(
    message: str, limit: int | None, period: float | None
) -> None:
    told = rate_limited(200, error("MXUnknown", message))
    assert (told.limit, told.period) == (limit, period)


def test_a_refusal_without_numbers_teaches_nothing() -> None:
    told = rate_limited(429)
    assert (told.limit, told.period, told.retry_after, told.detail) == (None, None, 0.0, "")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("0", 0.0),
        ("-1", 0.0),
        ("nan", 0.0),
        ("inf", 0.0),
        ("1e9", 0.0),
        ("٣", 0.0),
        ("", 0.0),
        ("9" * 400, 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after_counts_as_seconds_or_not_at_all(value: str, seconds: float) -> None:
    assert rate_limited(429, retry_AFTER=value).retry_after == seconds


# -- what a person may read of it -------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (error("MXUnknown", "  No\r\n\tsuch\x00 user\u202e "), "No such user"),
        (error("MXUnknown", "x" * 301), "x" * 299 + "…"),
        (error("MXUnknown", "x" * 300), "x" * 300),
        (error("MXUnknown", "half \ud83d of an emoji"), "half of an emoji"),
        (error("MXUnknown", "<!DOCTYPE html><p>no"), ""),
        (error("MXUnknown", "see <HTML>"), ""),
        (error("MXUnknown", None, Message="from Message"), "from Message"),
        (error("MXUnknown", "", Message={"Message": "nested"}), "nested"),
        (error("MXUnknown", 7, Message={"Message": 7}), ""),
        (error("MXUnknown", "1 < 2"), "1 < 2"),
    ],
)
def test_detail_is_the_message_on_one_printable_line(body: bytes, detail: str) -> None:
    assert failed(500, body).detail == detail


@pytest.mark.parametrize("body", [b"<html>no", b"plain text", b"", b"\xff", b"[]", b"7"])
def test_detail_is_empty_where_there_is_no_message(body: bytes) -> None:
    assert failed(400, body).detail == ""


def test_access_errors_keep_their_status() -> None:
    refused = failed(404, error(None, "no such path"))
    assert isinstance(refused, CrmAccessError)
    assert (refused.status, refused.detail) == (404, "no such path")


# -- look-ups ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, b"[]", CrmRateLimitedError),
        (200, error("MXAPIRateLimitExceededException"), CrmRateLimitedError),
        (403, error(None, RATE_LIMIT_TEXT), CrmRateLimitedError),
        (500, error("MXUnknown"), CrmRejectedError),
        (200, error("MXUnknown"), CrmRejectedError),
        (401, error("MXInvalidAccessDetailsException"), CrmAccessError),
        (403, b"", CrmAccessError),
        (404, b"[]", CrmAccessError),
        (200, b"", CrmUnavailableError),
        (200, b"<html>", CrmUnavailableError),
        (200, b'{"Status":"error"}', CrmUnavailableError),
        (200, error("NullReferenceException"), CrmUnavailableError),
        (302, b"[]", CrmUnavailableError),
        (400, b"[]", CrmUnavailableError),
        (500, b"[]", CrmUnavailableError),
        (503, b"", CrmUnavailableError),
    ],
)
def test_a_look_up_fails_without_doubt(status: int, body: bytes, expected: type[CrmError]) -> None:
    assert type(decode_lookup(status, {}, body)) is expected


@pytest.mark.parametrize("value", [[], [{"ID": ASHA}], {"Id": ASHA}, None, 0, ""])
def test_a_successful_look_up_is_its_json(value: Any) -> None:
    assert decode_lookup(200, {}, json.dumps(value).encode()) == value


def test_a_malformed_user_is_left_out() -> None:
    users = wire.parse_users([{"ID": "x"}, {"ID": ASHA}, None, "text", {}])
    assert users == [CrmUser(id=ASHA)]


def test_nobody_is_an_answer() -> None:
    assert wire.parse_users([]) == []


@pytest.mark.parametrize("answer", [None, {}, {"ID": ASHA}, "x", 7, [7], [{"Error": "no"}]])
def test_what_is_not_a_list_of_users_is_an_error(answer: object) -> None:
    assert type(wire.parse_users(answer)) is CrmUnavailableError


@pytest.mark.parametrize("answer", [None, [], {}, {"Id": "x"}, 7])
def test_what_is_not_a_key_owner_is_an_error(answer: object) -> None:
    assert type(wire.parse_key_owner(answer)) is CrmUnavailableError


def test_a_user_is_found_by_the_whole_e_mail_whatever_its_case() -> None:
    users = [CrmUser(id=BOB, email="not-asha@x.com"), CrmUser(id=ASHA, email="asha@x.com")]
    assert wire.find_by_email(users, " Asha@X.com ") == users[1]
    assert wire.find_by_email(users, "sha@x.com") is None


def test_of_two_users_with_one_e_mail_the_active_one_is_found() -> None:
    left = CrmUser(id=BOB, email="asha@x.com", active=False)
    here = CrmUser(id=ASHA, email="asha@x.com")
    assert wire.find_by_email([left, here], "asha@x.com") == here
    assert wire.find_by_email([left], "asha@x.com") == left


def test_a_user_is_found_by_id_whatever_its_case() -> None:
    assert wire.find_by_id([CrmUser(id=ASHA)], ASHA.upper()) == CrmUser(id=ASHA)
    assert wire.find_by_id([CrmUser(id=ASHA)], BOB) is None
