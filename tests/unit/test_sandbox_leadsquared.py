import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.leadsquared import Counting, Endpoint, FaultKind, StandInLeadSquared
from bot.sandbox.leadsquared.account import Account
from bot.sandbox.leadsquared.faults import AFTER_ACCEPTING, CANNED, RATE_LIMITS
from bot.sandbox.leadsquared.meter import Meter, find_busiest
from tests.unit.sandbox_leadsquared_caller import PUSH, Caller, HandClock

WHOAMI = "/v2/Authentication.svc/UserByAccessKey.Get"
USERS = "/v2/UserManagement.svc/Users.Get"
BY_EMAIL = "/v2/UserManagement.svc/User/Retrieve/ByEmailAddress"
BY_ID = "/v2/UserManagement.svc/User/Retrieve/ByUserId"
LEAD = "/v2/LeadManagement.svc/Leads.GetById"
LEAD_BY_EMAIL = "/v2/LeadManagement.svc/Leads.GetByEmailaddress"
SUCCESS = b'{ "Status": "Success", "Message": { "Message": "Message broadcasted successfully" } }'


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def crm(clock: HandClock) -> AsyncIterator[StandInLeadSquared]:
    stand_in = StandInLeadSquared(clock=clock)
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def caller(crm: StandInLeadSquared) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
        yield Caller(crm, session)


def find_id(crm: StandInLeadSquared, email: str) -> str:
    return next(user.id for user in crm.users if user.email == email)


async def test_a_push_is_recorded_and_answered_byte_for_byte_as_documented(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    priya = find_id(crm, "priya@acme.com")
    assert await caller.push({"UserId": priya, "ClickURL": "", "IconURL": "https://x/i.png"}) == (
        200,
        SUCCESS,
    )
    (push,) = crm.pushes
    assert (push.user_id, push.at, push.body["Title"]) == (priya, 1000.0, "Callback due")
    assert json.loads(push.raw) == push.body
    assert crm.violations == []


async def test_a_push_to_nobody_goes_to_the_owner_of_the_keys(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    await caller.push()
    assert crm.pushes[0].user_id == crm.account.owner.id
    assert crm.account.owner.email == "admin@acme.com"
    assert "UserId" not in crm.pushes[0].body


@pytest.mark.parametrize("field", ["active", "blocked"])
async def test_a_user_who_cannot_be_reached_is_refused_with_a_name_nobody_may_know(
    crm: StandInLeadSquared, caller: Caller, field: str
) -> None:
    dev = next(user for user in crm.users if user.first == "Dev")
    setattr(dev, field, field == "blocked")
    status, raw = await caller.push({"UserId": dev.id})
    assert status == 500
    assert json.loads(raw)["ExceptionType"].startswith("MXMadeUp")
    assert crm.pushes == []
    assert crm.violations == []


@pytest.mark.parametrize(
    ("change", "status", "violation"),
    [
        ({"Colour": "red"}, 400, "unknown field Colour"),
        ({"Title": None}, 400, "Title is not a string"),
        ({"UserId": None}, 400, "UserId is not a string"),
        ({"UserId": ""}, 500, "UserId is not a GUID"),
        ({"UserId": "priya@acme.com"}, 500, "UserId is not a GUID"),
        ({"UserId": "6f0c2a1e-1111-4222-8333-abcdefabcdef"}, 500, "is unknown"),
        ({"Title": "é" * 700, "Content": "x" * 649}, 500, "are 2049 bytes"),
        ({"Title": "", "Content": ""}, 500, "are empty"),
        ({"ClickURL": "http://in21.leadsquared.com/"}, 500, "ClickURL is not an https"),
        ({"ClickURL": "https://[x/"}, 500, "ClickURL is not an https"),
        ({"IconURL": "https://"}, 500, "IconURL is not an https"),
    ],
)
async def test_a_wrong_push_is_refused_and_noted(
    crm: StandInLeadSquared, caller: Caller, change: dict[str, Any], status: int, violation: str
) -> None:
    answered, raw = await caller.push(change)
    assert answered == status
    assert json.loads(raw)["Status"] == "Error"
    assert any(violation in text for text in crm.violations)
    assert crm.pushes == []


async def test_title_and_content_may_fill_the_2048_bytes(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    assert (await caller.push({"Title": "é" * 700, "Content": "x" * 648}))[0] == 200
    assert crm.violations == []


@pytest.mark.parametrize(
    ("raw", "violation"),
    [
        (b"{", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'{"Title":"a\xff","Content":"b"}', "not a JSON object"),
        (b'{"Title":"a","Title":"b","Content":"c"}', "not a JSON object"),
        (b"[" * 200_000, "not a JSON object"),
        (b'{"Title":"only"}', "Content is missing"),
    ],
)
async def test_a_body_that_is_no_push_is_refused_and_noted(
    crm: StandInLeadSquared, caller: Caller, raw: bytes, violation: str
) -> None:
    status, _ = await caller.push(raw)
    assert status in (400, 500)
    assert any(violation in text for text in crm.violations)


async def test_a_push_must_say_that_it_is_json(crm: StandInLeadSquared, caller: Caller) -> None:
    status, _, _ = await caller.call("POST", PUSH, data={"Title": "a", "Content": "b"})
    assert status == 400
    assert "wrong content type" in crm.violations[0]


async def test_keys_in_the_url_work_but_are_noted_and_never_recorded(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    keys = {"accessKey": crm.access_key, "secretKey": crm.secret_key}
    status, _, _ = await caller.call("GET", USERS, params=keys, headers={})
    assert status == 200
    assert crm.violations == [f"GET {USERS}: keys in the URL"]
    assert crm.calls[0].query == {}


async def test_each_missing_key_is_noted(crm: StandInLeadSquared, caller: Caller) -> None:
    status, raw, _ = await caller.call("GET", USERS, headers={"x-LSQ-AccessKey": crm.access_key})
    assert status == 401
    assert json.loads(raw)["Status"] == "Error"
    assert crm.violations == [f"GET {USERS}: header x-LSQ-SecretKey missing"]


async def test_wrong_keys_and_a_deactivated_owner_are_401_without_a_note(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    wrong = caller.headers | {"x-LSQ-SecretKey": "other"}
    assert (await caller.call("GET", WHOAMI, headers=wrong))[0] == 401
    crm.account.owner.active = False
    assert (await caller.call("GET", WHOAMI))[0] == 401
    assert crm.violations == []


async def test_the_wrong_region_names_the_right_host_and_still_says_who_we_are(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.api.right_host = "api-in21.leadsquared.com"
    status, raw = await caller.push()
    assert status == 401
    assert b"api-in21.leadsquared.com" in raw
    me = await caller.get(WHOAMI)
    assert me["LSQCommonServiceURLs"]["api"] == "api-in21.leadsquared.com"


async def test_unknown_paths_and_wrong_methods_are_noted(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    assert (await caller.call("GET", "/v2/LeadManagement.svc/Leads.GetByPhone"))[0] == 404
    status, _, headers = await caller.call("GET", PUSH)
    assert (status, headers["Allow"]) == (405, "POST")
    await caller.call("GET", USERS, data=b"surprise")
    assert ["unknown path" in crm.violations[0], "wrong method" in crm.violations[1]] == [True] * 2
    assert "GET with a body" in crm.violations[2]


async def test_the_key_owner_has_the_address_in_pass_phrase(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    me = await caller.get(WHOAMI)
    assert (me["Id"], me["PassPhrase"], me["EmailAddress"]) == (
        crm.users[0].id,
        "admin@acme.com",
        None,
    )
    assert me["LSQCommonServiceURLs"]["api"] == crm.url.removeprefix("http://")
    assert me["LSQCommonServiceURLs"]["app"] == crm.api.app_host == "in21.leadsquared.com"
    assert me["DefaultCountryCode"] == crm.api.country_code == "91"
    assert "Status" not in me


async def test_the_roster_lists_the_inactive_and_calls_the_id_id(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.users[2].groups = ("Delhi",)
    rows = {row["EmailAddress"]: row for row in await caller.get(USERS)}
    assert set(rows) == {
        "admin@acme.com",
        "alice@acme.com",
        "priya@acme.com",
        "lee.wong@acme.com",
        "dev@acme.com",
        "ina@acme.com",
    }
    assert rows["ina@acme.com"]["StatusCode"] == 1
    assert rows["priya@acme.com"]["ID"] == find_id(crm, "priya@acme.com")
    assert rows["priya@acme.com"]["MemberOfGroups"] == ["Delhi"]
    assert "MemberOfGroups" not in rows["dev@acme.com"]


async def test_a_user_is_found_by_address_or_id_unless_inactive_or_unknown(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    priya = find_id(crm, "priya@acme.com")
    assert (await caller.get(BY_EMAIL, emailAddress="Priya@Acme.com"))[0]["UserId"] == priya
    assert (await caller.get(BY_ID, userId=priya.upper()))[0]["EmailAddress"] == "priya@acme.com"
    assert await caller.get(BY_EMAIL, emailAddress="ina@acme.com") == []
    assert await caller.get(BY_ID, UserId=find_id(crm, "ina@acme.com")) == []
    assert await caller.get(BY_EMAIL, emailAddress="nobody@acme.com") == []
    assert crm.violations == []


def test_added_users_count_on_and_are_the_same_in_every_run() -> None:
    account = Account()
    first = account.add_users(2)
    assert [user.email for user in first + account.add_users(1)] == [
        "u001@acme.com",
        "u002@acme.com",
        "u003@acme.com",
    ]
    assert first == Account().add_users(2)


@pytest.mark.parametrize(
    ("path", "query"),
    [(LEAD_BY_EMAIL, {"email": "asha.rao@example.com"}), (LEAD, {}), (USERS, {"page": "2"})],
)
async def test_a_misspelt_or_missing_parameter_is_an_error_not_an_empty_list(
    crm: StandInLeadSquared, caller: Caller, path: str, query: dict[str, str]
) -> None:
    status, raw, _ = await caller.call("GET", path, params=query)
    assert status == 500
    assert json.loads(raw)["ExceptionType"] == "MXInvalidInputException"
    assert "unknown or missing parameter" in crm.violations[0]


async def test_the_call_after_the_limit_is_refused_until_a_period_has_passed(
    crm: StandInLeadSquared, caller: Caller, clock: HandClock
) -> None:
    for _ in range(25):
        assert (await caller.push())[0] == 200
    clock.now += 4.999
    status, raw, headers = await caller.call("GET", WHOAMI)
    assert status == 429
    assert json.loads(raw) == {
        "Status": "Error",
        "ExceptionType": "MXAPIRateLimitExceededException",
        "ExceptionMessage": "API calls exceeded the limit of 25 in 5 second(s)",
    }
    assert "Retry-After" not in headers
    clock.now += 0.001
    assert (await caller.push())[0] == 200
    assert [call.path for call in crm.refusals] == [WHOAMI]
    assert [call.counted for call in crm.calls] == [True] * 25 + [False, True]
    assert crm.find_busiest() == 26


async def test_the_refusal_comes_in_the_chosen_style(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.meter.limit = 0
    crm.refusal.status, crm.refusal.typed, crm.refusal.retry_after = 403, False, "7"
    crm.refusal.limit, crm.refusal.period = 10, 2.5
    status, raw, headers = await caller.call("GET", WHOAMI)
    assert (status, headers["Retry-After"]) == (403, "7")
    assert json.loads(raw) == {
        "Status": "Error",
        "ExceptionMessage": "API calls exceeded the limit of 10 in 2.5 second(s)",
    }


def test_a_fixed_window_lets_twice_the_limit_through_around_its_edge() -> None:
    meter = Meter(2, 5.0, "fixed")
    assert [meter.admit(at) for at in (4.8, 4.9, 4.95, 5.0, 5.1, 9.9)] == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]


def test_a_token_bucket_starts_full_and_drips() -> None:
    meter = Meter(2, 5.0, Counting.TOKEN_BUCKET)
    assert [meter.admit(at) for at in (0.0, 0.0, 2.4, 2.6, 100.0, 100.0, 100.0)] == [
        True,
        True,
        False,
        True,
        True,
        True,
        False,
    ]


def test_the_busiest_window_is_half_open() -> None:
    assert find_busiest([], 5.0) == 0
    assert find_busiest([0.0, 5.0, 1.0, 4.0, 5.5], 5.0) == 4


async def test_jitter_is_waited_for_before_the_call_is_counted(
    monkeypatch: pytest.MonkeyPatch, clock: HandClock
) -> None:
    async def pass_time(seconds: float) -> None:
        clock.now += seconds

    arrivals = []
    for seed in (7, 7, 8):
        clock.now = 0.0
        crm = StandInLeadSquared(clock=clock, jitter=0.5, seed=seed)
        await crm.start()
        async with aiohttp.ClientSession() as session:
            with monkeypatch.context() as patch:
                patch.setattr("bot.sandbox.leadsquared.server.asyncio.sleep", pass_time)
                await Caller(crm, session).push()
        await crm.stop()
        arrivals.append(crm.calls[0].at)
    assert 0 < arrivals[0] <= 0.5
    assert arrivals[0] == arrivals[1] != arrivals[2]


@pytest.mark.parametrize("kind", sorted(CANNED))
async def test_a_canned_fault_is_answered_once_and_nothing_is_accepted(
    crm: StandInLeadSquared, caller: Caller, kind: FaultKind
) -> None:
    crm.faults.next("push", kind.value)
    answer = CANNED[kind]
    assert await caller.push() == (answer.status, answer.body)
    assert (crm.calls[0].fault, crm.calls[0].status) == (kind, answer.status)
    assert crm.pushes == []
    assert await caller.push() == (200, SUCCESS)


@pytest.mark.parametrize(("kind", "status"), RATE_LIMITS.items())
async def test_a_rate_limit_can_be_forced_in_each_form(
    crm: StandInLeadSquared, caller: Caller, kind: FaultKind, status: int
) -> None:
    crm.faults.always("*", kind)
    answered, raw = await caller.push()
    assert answered == status
    assert b"exceeded the limit of 25 in 5 second(s)" in raw
    assert len(crm.refusals) == 1
    assert crm.pushes == []


async def test_a_followed_redirect_looks_like_success_and_is_noted(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.next("push", "redirect_302")
    assert await caller.push(allow_redirects=True) == (200, SUCCESS)
    assert crm.violations == ["GET /moved: a redirect was followed"]
    assert crm.pushes == []


@pytest.mark.parametrize(
    ("kind", "accepted"), [("reset_before", 0), ("reset_after", 1), ("close_after", 1)]
)
async def test_a_dropped_connection_may_hide_an_accepted_push(
    crm: StandInLeadSquared, caller: Caller, kind: str, accepted: int
) -> None:
    crm.faults.next("push", kind)
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.push()
    assert len(crm.pushes) == accepted
    assert crm.calls[0].status is None


async def test_a_reset_is_a_reset_and_a_close_is_none(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.next("push", "reset_after")
    with pytest.raises(aiohttp.ClientOSError):
        await caller.push()
    crm.faults.next("push", "close_after")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await caller.push()


async def test_a_cut_body_ends_before_its_promised_length(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.next("push", "cut_body")
    with pytest.raises(aiohttp.ClientPayloadError):
        await caller.push()
    assert len(crm.pushes) == 1


async def test_a_trickle_brings_the_whole_answer_byte_by_byte(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.trickle = 0.0
    crm.faults.next("push", "trickle")
    assert await caller.push() == (200, SUCCESS)


async def test_a_trickle_ends_when_the_stand_in_stops(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.trickle = 60.0
    crm.faults.next("push", "trickle")
    push = asyncio.create_task(caller.push())
    await crm.until(lambda: bool(crm.calls and crm.calls[0].status))
    await crm.stop()
    with pytest.raises(aiohttp.ClientPayloadError):
        await push


async def test_a_huge_body_goes_on_until_the_reader_leaves(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.next("users", "huge_body")
    async with caller.session.get(crm.url + USERS, headers=caller.headers) as response:
        start = await response.content.readexactly(1 << 20)
        assert start.rstrip().endswith(b"]")
        response.close()
    assert len(await caller.get(USERS)) == 6


async def test_a_huge_body_is_more_than_any_reader_should_take(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.next("push", "huge_body")
    _, raw = await caller.push()
    assert len(raw) > 32 << 20
    assert json.loads(raw)["Status"] == "Success"


async def test_a_gzip_bomb_is_small_on_the_wire(crm: StandInLeadSquared) -> None:
    crm.faults.next("push", "gzip_bomb")
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        _, raw = await Caller(crm, session).push()
    assert len(raw) < 1 << 20
    assert zlib.decompressobj(wbits=31).decompress(raw, 200).startswith(SUCCESS)
    assert len(gzip.decompress(raw)) > 32 << 20


@pytest.mark.parametrize(("kind", "accepted_at_once"), [("hang", 0), ("hang_after", 1)])
async def test_a_hanging_push_goes_on_when_released(
    crm: StandInLeadSquared, caller: Caller, kind: str, accepted_at_once: int
) -> None:
    crm.faults.next("push", kind)
    push = asyncio.create_task(caller.push())
    await crm.until(lambda: len(crm.calls) == 1 and len(crm.pushes) == accepted_at_once)
    assert await caller.push() == (200, SUCCESS)
    assert not push.done()
    crm.release()
    assert await push == (200, SUCCESS)
    assert len(crm.pushes) == 2


async def test_stopping_cuts_what_hangs_and_may_be_done_twice(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.always("push", "hang")
    push = asyncio.create_task(caller.push())
    await crm.until(lambda: len(crm.calls) == 1)
    await crm.stop()
    await crm.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await push
    assert crm.pushes == []


async def test_a_stopped_stand_in_starts_again_and_can_hang_again(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    await crm.stop()
    with pytest.raises(RuntimeError, match="start the stand-in"):
        await crm.accept_connections()
    await crm.start()
    crm.faults.next("push", "hang")
    push = asyncio.create_task(caller.push())
    await crm.until(lambda: len(crm.calls) == 1)
    crm.release()
    assert (await push)[0] == 200


async def test_connections_can_be_refused_and_taken_again_on_the_same_port(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    await caller.push()
    await crm.refuse_connections()
    await crm.refuse_connections()
    with pytest.raises(aiohttp.ClientConnectorError):
        await caller.push()
    await crm.accept_connections()
    await crm.accept_connections()
    assert await caller.push() == (200, SUCCESS)
    await crm.stop()
    await crm.refuse_connections()


async def test_refusing_connections_lets_a_call_under_way_end(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.next("push", "hang")
    push = asyncio.create_task(caller.push())
    await crm.until(lambda: len(crm.calls) == 1)
    await crm.refuse_connections()
    crm.release()
    assert await push == (200, SUCCESS)


async def test_a_fault_may_show_after_the_push_was_accepted_all_the_same(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.next("push", "html_502", accepts=True)
    assert (await caller.push())[0] == 502
    assert len(crm.pushes) == 1
    assert FaultKind.HTML_502 not in AFTER_ACCEPTING


async def test_faults_come_in_order_and_can_be_cleared(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    lee, dev = find_id(crm, "lee.wong@acme.com"), find_id(crm, "dev@acme.com")
    crm.faults.always("push", "empty_500")
    crm.faults.always("push", "html_502")
    crm.faults.for_user(lee, "mx_400", times=1)
    crm.faults.next("push", "teapot_418", times=2)
    statuses = [(await caller.push({"UserId": who}))[0] for who in (lee, dev, lee, lee, dev)]
    assert statuses == [418, 418, 400, 502, 502]
    assert (await caller.call("GET", USERS))[0] == 200
    crm.faults.clear()
    assert (await caller.push({"UserId": dev}))[0] == 200


async def test_a_fault_for_a_user_spares_the_others_and_broken_bodies(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.for_user(crm.account.owner.id, "mx_500")
    assert (await caller.push())[0] == 500
    assert (await caller.push({"UserId": find_id(crm, "dev@acme.com")}))[0] == 200
    assert [(await caller.push(raw))[0] for raw in (b"{", b"[]", b'{"UserId":1}')] == [400] * 3


def test_a_misspelt_fault_is_an_error_at_once() -> None:
    crm = StandInLeadSquared()
    with pytest.raises(ValueError, match="not a valid"):
        crm.faults.next("pushes", "hang")
    with pytest.raises(ValueError, match="not a valid"):
        crm.faults.always(Endpoint.PUSH, "hangs")


async def test_latency_delays_the_answer_not_the_push(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.latency = 60.0
    push = asyncio.create_task(caller.push())
    await crm.until(lambda: len(crm.pushes) == 1)
    assert crm.calls[0].status is None
    await crm.stop()
    assert await push == (200, SUCCESS)


async def test_waiting_in_vain_fails_with_a_summary(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    crm.faults.next("*", "unavailable_503")
    await caller.push()
    await caller.push({"Colour": "red"})
    with pytest.raises(AssertionError) as failed:
        await crm.until(lambda: len(crm.pushes) == 1, timeout=0.01)
    text = str(failed.value)
    assert "2 calls, 0 pushes, 0 refused for rate, 1 violations" in text
    assert "-> 503 (unavailable_503)" in text
    assert "violation: POST /v2/Notifier.svc/Browser.Push: unknown field Colour" in text
