"""What LeadSquared says of leads and of the account, read or refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CrmError, CrmUnavailableError
from bot.leadsquared import wire
from bot.leadsquared.models import Account, Lead, check_lead_id, is_web_host
from bot.leadsquared.phone import PhoneNumber

ASHA = "2b9d1c3e-1111-4222-8333-abcdefabcdef"
BLANK = "3c9d1c3e-1111-4222-8333-abcdefabcdef"
PRIYA = "6f0c2a1e-1111-4222-8333-abcdefabcdef"
NIL = "00000000-0000-0000-0000-000000000000"
SAMPLES = Path(__file__).parents[1] / "samples"
ASHA_RAO = Lead(
    id=ASHA,
    name="Asha Rao",
    email="asha.rao@example.com",
    phones=("+91-9000000001", "+91-9000000002"),
    company="Example Org",
    stage="Prospect",
    owner_id=PRIYA,
    owner_name="Priya Nair",
    owner_email="priya@acme.com",
)


def read_sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def whoami(**fields: object) -> dict[str, object]:
    return {"Id": PRIYA, **fields}


def account_of(user_id: str = PRIYA, **fields: str | None) -> Account:
    return Account(key_owner_id=user_id, **fields)


# -- leads ------------------------------------------------------------------------------------


def test_leads_are_read_with_what_there_is_of_them() -> None:
    assert wire.parse_leads(read_sample("leads")) == [ASHA_RAO, Lead(id=BLANK)]


def test_no_lead_is_an_answer() -> None:
    assert wire.parse_leads([]) == []


def test_a_lead_told_twice_is_one() -> None:
    twice = [{"ProspectID": ASHA}, {"ProspectID": BLANK}, {"ProspectID": ASHA.upper()}]
    assert wire.parse_leads(twice) == [Lead(id=ASHA), Lead(id=BLANK)]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"ProspectID": ASHA},
        "x",
        7,
        [7],
        [None],
        [[]],
        [{}],
        [{"ProspectID": None}],
        [{"ProspectID": NIL}],
        [{"ProspectID": "1054"}],
        [{"ProspectID": ASHA}, {"ProspectID": "x"}],
    ],
)
def test_what_is_not_a_list_of_leads_is_an_error_also_in_part(answer: object) -> None:
    assert type(wire.parse_leads(answer)) is CrmUnavailableError


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"OwnerId": NIL}, Lead(id=ASHA)),
        ({"OwnerId": "nobody"}, Lead(id=ASHA)),
        ({"OwnerId": 7, "OwnerIdName": [], "OwnerIdEmailAddress": {}}, Lead(id=ASHA)),
        ({"Phone": "", "Mobile": " +91-9\n"}, Lead(id=ASHA, phones=("+91-9",))),
        ({"EmailAddress": "none"}, Lead(id=ASHA)),
        ({"Company": "<b>\x00Bäcker\u202e</b>"}, Lead(id=ASHA, company="<b> Bäcker </b>")),
    ],
)
def test_an_odd_value_is_as_good_as_none(fields: dict[str, object], expected: Lead) -> None:
    assert wire.parse_leads([{"ProspectID": ASHA, **fields}]) == [expected]


@pytest.mark.parametrize("value", [None, 7, "", NIL, ASHA[1:], f" {ASHA}", "{" + ASHA + "}"])
def test_what_is_not_a_guid_is_no_lead_id(value: object) -> None:
    with pytest.raises(ValueError, match="must be a LeadSquared lead id"):
        check_lead_id(value)


FIELDS = st.sampled_from(
    ["ProspectID", "FirstName", "EmailAddress", "Phone", "Mobile", "Company", "OwnerId"]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.just(ASHA),
    st.just("\ud8ff"),
)


@given(st.lists(st.dictionaries(FIELDS, VALUES)))
def test_every_list_is_leads_that_can_be_shown_or_an_error(answer: list[dict[str, Any]]) -> None:
    leads = wire.parse_leads(answer)
    if isinstance(leads, CrmError):
        assert type(leads) is CrmUnavailableError
        return
    assert all(lead.id == ASHA for lead in leads)
    for text in [text for lead in leads for text in (lead.name, lead.company, *lead.phones)]:
        assert text.isprintable()
        text.encode()


def test_a_lead_is_kept_only_if_it_is_the_one_that_was_asked_for() -> None:
    leads = [ASHA_RAO, Lead(id=BLANK)]
    assert wire.leads_with_email(leads, " ASHA.rao@example.com") == [ASHA_RAO]
    assert wire.leads_with_email(leads, "rao@example.com") == []
    assert wire.lead_with_id(leads, BLANK.upper()) == leads[1]
    assert wire.lead_with_id(leads, PRIYA) is None


@pytest.mark.parametrize(
    ("number", "count"),
    [("+91-9000000001", 1), ("9000000002", 1), ("919000000001", 1), ("+1-9000000001", 0)],
)
def test_a_lead_is_kept_only_if_it_has_the_number(number: str, count: int) -> None:
    read = PhoneNumber.read(number)
    assert read
    leads = [Lead(id=BLANK, phones=("ask Bob", "")), ASHA_RAO]
    assert wire.leads_with_phone(leads, read) == [ASHA_RAO][:count]


# -- the account ------------------------------------------------------------------------------


def test_the_account_tells_its_hosts_and_country() -> None:
    assert wire.parse_account(read_sample("key_owner")) == account_of(
        "6f0c2a1e-1111-4222-8333-abcdefabcdef",
        web_host="in21.leadsquared.com",
        api_host="api-in21.leadsquared.com",
        country_code=None,
    )
    told = whoami(DefaultCountryCode="91")
    assert wire.parse_account(told) == account_of(web_host=None, country_code="91")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("+91", "91"), (" 1 ", "1"), ("", None), (None, None), (91, None), ("0", None), ("IN", None)],
)
def test_a_country_code_is_digits_or_not_known(code: object, expected: str | None) -> None:
    assert wire.parse_account(whoami(DefaultCountryCode=code)) == account_of(country_code=expected)


@pytest.mark.parametrize(
    ("app", "host"),
    [
        ("run.leadsquared.com", "run.leadsquared.com"),
        ("https://IN21.LeadSquared.com/", "in21.leadsquared.com"),
        ("a.b-c.leadsquared.com", "a.b-c.leadsquared.com"),
        ("leadsquared.com", None),
        ("evilleadsquared.com", None),
        ("leadsquared.com.evil.io", None),
        ("in21.leadsquared.com.", None),
        ("in21.leadsquared.com:8443", None),
        ("http://in21.leadsquared.com", None),
        ("in21.leadsquared.com/x", None),
        ("me@in21.leadsquared.com", None),
        (".leadsquared.com", None),
        ("-a.leadsquared.com", None),
        ("a_b.leadsquared.com", None),
        ("", None),
        (None, None),
        (["in21.leadsquared.com"], None),
    ],
)
def test_a_host_is_leadsquared_s_own_or_not_known(app: object, host: str | None) -> None:
    account = wire.parse_account(whoami(LSQCommonServiceURLs={"app": app}))
    assert account == account_of(web_host=host)
    account = wire.parse_account(whoami(LSQCommonServiceURLs={"api": app}))
    assert account == account_of(api_host=host)
    assert host is None or is_web_host(host)


@pytest.mark.parametrize("urls", [None, [], "x", {}])
def test_an_account_may_not_tell_its_hosts(urls: object) -> None:
    assert wire.parse_account(whoami(LSQCommonServiceURLs=urls)) == account_of()


@pytest.mark.parametrize("answer", [None, [], {}, {"Id": "x"}, 7, "x"])
def test_what_is_not_an_account_is_an_error(answer: object) -> None:
    assert type(wire.parse_account(answer)) is CrmUnavailableError


def test_a_lead_s_page_is_on_the_account_s_host() -> None:
    url = account_of(web_host="in21.leadsquared.com").build_lead_url(ASHA.upper())
    assert url == f"https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID={ASHA}"
    assert account_of().build_lead_url(ASHA) is None


def test_a_page_is_built_for_a_lead_s_id_alone() -> None:
    with pytest.raises(ValueError, match="lead id"):
        account_of(web_host="in21.leadsquared.com").build_lead_url("1&x=2")
