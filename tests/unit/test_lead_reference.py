import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.leads.reference import ByEmail, ById, ByPhone, LeadReference, read_lead_reference
from bot.leadsquared.phone import PhoneNumber

ASHA = "2b9d1c3e-1111-4222-8333-abcdefabcdef"
HOST = "in21.leadsquared.com"
PAGE = f"https://{HOST}/LeadManagement/LeadDetails?LeadID={ASHA}"
PAGE_OF_ASHA = ById(ASHA, HOST)
INDIAN = ByPhone(PhoneNumber("91", "9000000001"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Asha@Example.com", ByEmail("asha@example.com")),
        (" asha+1@example.com ", ByEmail("asha+1@example.com")),
        ("<mailto:Asha@example.com|asha@example.com>", ByEmail("asha@example.com")),
        ("“asha@example.com”", ByEmail("asha@example.com")),
        ("a&amp;b@example.com", ByEmail("a&b@example.com")),
        ("+91 90000 00001", INDIAN),
        ("+91\u00a09000000001", INDIAN),
        ("<tel:+919000000001|+91 90000 00001>", INDIAN),
        ("'+91-9000000001'", INDIAN),
        ("9000000001", ByPhone(PhoneNumber(None, "9000000001"))),
        (ASHA.upper(), ById(ASHA)),
        (PAGE, PAGE_OF_ASHA),
        (f"<{PAGE}>", PAGE_OF_ASHA),
        (f"<{PAGE}&amp;pageNumber=1|{PAGE[:20]}…>", PAGE_OF_ASHA),
        (f"{PAGE}&amp;pageNumber=1#top", PAGE_OF_ASHA),
        (f"HTTPS://IN21.LeadSquared.com/leadmanagement/LEADDETAILS/?leadid={ASHA}", PAGE_OF_ASHA),
        (PAGE.replace("in21", "run").replace("?", "?x=1&"), ById(ASHA, "run.leadsquared.com")),
        (f"{PAGE}&LeadID={ASHA.upper()}", PAGE_OF_ASHA),
    ],
)
def test_a_lead_is_named_in_four_ways(text: str, expected: LeadReference) -> None:
    assert read_lead_reference(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Asha",
        "Asha Rao",
        "@asha",
        "asha@",
        "asha@x@y.com",
        "a b@example.com",
        "asha\ud800@example.com",
        "asha\x00@example.com",
        "<@U0ASHA>",
        "12345",
        ASHA[1:],
        "00000000-0000-0000-0000-000000000000",
        "in21.leadsquared.com/LeadManagement/LeadDetails",
        "a@" + "x" * 2000,
    ],
)
def test_what_names_no_lead_is_refused_with_the_ways_to_write_it(text: str) -> None:
    with pytest.raises(UserError) as refused:
        read_lead_reference(text)
    hint = refused.value.hint
    assert "names no lead" in hint
    assert "`--lead asha.rao@example.com`, `--lead +919000000001`" in hint


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://[x/",
        PAGE.replace("https", "http"),
        PAGE.replace(HOST, "evil.io"),
        PAGE.replace(HOST, f"{HOST}.evil.io"),
        PAGE.replace(HOST, f"{HOST}:8443"),
        PAGE.replace(HOST, f"evil.io\\@{HOST}"),
        PAGE.replace(HOST, f"me@{HOST}"),
        PAGE.replace("LeadDetails", "LeadList"),
        PAGE.replace("LeadID", "OpportunityId"),
        f"https://{HOST}/LeadManagement/LeadDetails",
        PAGE[:-1],
        f"{PAGE}&LeadID=3c9d1c3e-1111-4222-8333-abcdefabcdef",
        PAGE + "&a=1" * 100,
    ],
)
def test_an_address_that_is_not_the_page_of_one_lead_is_refused(url: str) -> None:
    with pytest.raises(UserError) as refused:
        read_lead_reference(url)
    assert "is not the page of one lead" in refused.value.hint


def test_a_refusal_pings_nobody() -> None:
    with pytest.raises(UserError) as refused:
        read_lead_reference("<!channel>")
    assert "<!" not in refused.value.hint


@given(st.text() | st.text(alphabet="<>|@:+0123456789-./&?=leadmanagementLeadID "))
def test_every_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = read_lead_reference(text)
    except UserError as exc:
        exc.hint.encode(errors="surrogatepass")
    else:
        assert isinstance(reference, ByEmail | ByPhone | ById)


@given(st.sampled_from([PAGE, "asha@example.com", "+91 9000000001"]), st.text(max_size=3))
def test_what_surrounds_a_reference_is_never_part_of_an_id(known: str, more: str) -> None:
    try:
        reference = read_lead_reference(known + more)
    except UserError:
        return
    if isinstance(reference, ById):
        assert reference == ById(ASHA, HOST)
