import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox.leadsquared import Matching, StandInLeadSquared
from bot.sandbox.leadsquared.account import Account, Lead, build_lead
from tests.unit.sandbox_leadsquared_caller import Caller, HandClock

SEARCH = "/v2/LeadManagement.svc/Leads.GetByQuickSearch"
LEAD = "/v2/LeadManagement.svc/Leads.GetById"
LEAD_BY_EMAIL = "/v2/LeadManagement.svc/Leads.GetByEmailaddress"
LEAD_BY_PHONE = "/v2/LeadManagement.svc/RetrieveLeadByPhoneNumber"
QUESTIONS = [
    (SEARCH, "key", "asha"),
    (LEAD, "id", "2b9d1c3e-1111-4222-8333-abcdefabcdef"),
    (LEAD_BY_EMAIL, "emailaddress", "asha.rao@example.com"),
    (LEAD_BY_PHONE, "phone", "9000000001"),
]


@pytest.fixture
async def crm() -> AsyncIterator[StandInLeadSquared]:
    stand_in = StandInLeadSquared(clock=HandClock())
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def caller(crm: StandInLeadSquared) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
        yield Caller(crm, session)


def find_user_id(crm: StandInLeadSquared, email: str) -> str:
    return next(user.id for user in crm.users if user.email == email)


async def test_leads_are_found_by_every_documented_key(
    crm: StandInLeadSquared, caller: Caller
) -> None:
    asha = crm.leads[0]
    assert await caller.get(LEAD, id=str(asha["ProspectID"])) == [asha]
    assert await caller.get(LEAD_BY_EMAIL, emailaddress="ASHA.RAO@example.com") == [asha]
    assert await caller.get(LEAD_BY_PHONE, phone="9000000001") == [asha]
    assert await caller.get(SEARCH, key="asha rao") == [asha]
    assert len(await caller.get(SEARCH, key="asha")) == 2
    assert await caller.get(SEARCH, key="nothing like it") == []
    assert await caller.get(LEAD, id="no such id") == []
    assert all(value is None or isinstance(value, str) for value in asha.values())
    assert asha["OwnerId"] == find_user_id(crm, "priya@acme.com")


def test_a_phone_number_finds_the_lead_that_was_active_last() -> None:
    account = Account()
    assert StandInLeadSquared().leads == account.leads
    twin = build_lead("Asha", "Twin", "twin@example.com", "+91-9000000001", "", None)
    twin["ProspectActivityDate_Max"] = "2026-02-01 00:00:00.000"
    account.leads.append(twin)
    for form in ("9000000001", "919000000001", "+919000000001", "+91-9000000001"):
        assert account.find_leads_by_phone(form) == [twin]
    account.phones_as_stored = True
    assert account.find_leads_by_phone("9000000001") == []
    assert account.find_leads_by_phone("+91-9000000001") == [twin]


def name_all(leads: list[Lead]) -> list[str]:
    return [f"{lead['FirstName']} {lead['LastName']}" for lead in leads]


@pytest.mark.parametrize(
    ("matching", "text", "names"),
    [
        (Matching.CONTAINS, "SHA", ["Asha Rao", "Asha Menon"]),
        (Matching.CONTAINS, "-90000", ["Asha Rao", "Asha Menon", "Ravi Kumar"]),
        (Matching.CONTAINS, "asha m", ["Asha Menon"]),
        (Matching.CONTAINS, "zoe@", ["Zoë Müller"]),
        (Matching.CONTAINS, "zoe m", []),
        (Matching.CONTAINS, "prospect", []),
        (Matching.PREFIX, "sha", []),
        (Matching.PREFIX, "Ash", ["Asha Rao", "Asha Menon"]),
        (Matching.PREFIX, "menon", ["Asha Menon"]),
        (Matching.EXACT, "asha", ["Asha Rao", "Asha Menon"]),
        (Matching.EXACT, "ash", []),
        (Matching.EXACT, "asha rao", ["Asha Rao"]),
    ],
)
def test_a_quick_search_matches_in_the_chosen_way(
    matching: Matching, text: str, names: list[str]
) -> None:
    account = Account(matching=matching)
    assert name_all(account.search_leads(text)) == names


def test_a_quick_search_looks_at_city_and_country_and_has_its_most() -> None:
    account = Account()
    account.leads[0]["City"] = "Pune"
    account.leads[1]["Country"] = "Puntland"
    assert name_all(account.search_leads("pun")) == ["Asha Rao", "Asha Menon"]
    account.search_most = 1
    assert name_all(account.search_leads("pun")) == ["Asha Rao"]


@pytest.mark.parametrize(("path", "parameter", "value"), QUESTIONS)
async def test_every_question_about_leads_is_a_get_with_its_own_parameter_alone(
    crm: StandInLeadSquared, caller: Caller, path: str, parameter: str, value: str
) -> None:
    for query in ({}, {parameter: ""}, {"q": value}, {parameter: value, "page": "2"}):
        status, raw, _ = await caller.call("GET", path, params=query)
        assert (status, json.loads(raw)["ExceptionType"]) == (500, "MXInvalidInputException")
    status, _, headers = await caller.call("POST", path, params={parameter: value})
    assert (status, headers["Allow"]) == (405, "GET")
    assert len(crm.violations) == 5


@pytest.mark.parametrize(("path", "parameter", "value"), QUESTIONS)
async def test_every_question_about_leads_needs_the_keys_in_one_form_or_the_other(
    crm: StandInLeadSquared, caller: Caller, path: str, parameter: str, value: str
) -> None:
    wrong = caller.headers | {"x-LSQ-AccessKey": "other"}
    query = {parameter: value}
    assert (await caller.call("GET", path, params=query, headers=wrong))[0] == 401
    assert crm.violations == []
    keys = {"accessKey": crm.access_key, "secretKey": crm.secret_key}
    assert (await caller.call("GET", path, params=query | keys, headers={}))[0] == 200
    assert crm.violations == [f"GET {path}: keys in the URL"]
    assert crm.calls[-1].query == query


@pytest.mark.parametrize(("path", "parameter", "value"), QUESTIONS)
async def test_every_question_about_leads_counts_for_the_rate(
    crm: StandInLeadSquared, caller: Caller, path: str, parameter: str, value: str
) -> None:
    crm.meter.limit = 1
    statuses = [(await caller.call("GET", path, params={parameter: value}))[0] for _ in range(2)]
    assert statuses == [200, 429]
    assert crm.find_busiest() == 2


@pytest.mark.parametrize("form", ["900 000 0001", "900-000-0001", "+91 9000000001", "00000001"])
def test_a_phone_number_with_spaces_or_cut_short_finds_nobody(form: str) -> None:
    assert Account().find_leads_by_phone(form) == []


def test_a_phone_number_is_looked_for_in_phone_and_mobile_alone() -> None:
    account = Account()
    account.leads[0]["Mobile"] = "+91-8000000001"
    account.leads[1]["Company"] = "8000000002"
    assert account.find_leads_by_phone("918000000001") == [account.leads[0]]
    assert account.find_leads_by_phone("8000000002") == []
