import pytest

from bot.errors import UserError
from bot.leads.addressing import NO_LEAD, build_recipients, needs_key_owner, put_behind
from bot.leads.found import LeadPage
from bot.leadsquared.models import Lead
from bot.notification import (
    Addressee,
    CrmRecipient,
    KeyOwner,
    LeadOwner,
    Notification,
    Recipient,
    SlackUser,
)

ASHA = "2b9d1c3e-1111-4222-8333-abcdefabcdef"
PRIYA = "6f0c2a1e-1111-4222-8333-abcdefabcdef"
OTHER = "7f0c2a1e-1111-4222-8333-abcdefabcdef"
LEAD = Lead(id=ASHA, name="Asha Rao", owner_id=PRIYA, owner_name="Priya Nair")
ALICE, OWNER, KEY_OWNER = SlackUser("U0ALICE01"), LeadOwner(), KeyOwner()
NAMED = CrmRecipient(PRIYA, "Priya Nair")
BOTH = CrmRecipient(PRIYA, "Priya Nair (also key-owner)")


@pytest.mark.parametrize(
    ("addressees", "key_owner_id", "recipients"),
    [
        ([OWNER], None, [NAMED]),
        ([OWNER], PRIYA, [NAMED]),
        ([ALICE, OWNER], None, [ALICE, NAMED]),
        ([ALICE, KEY_OWNER], PRIYA, [ALICE, KEY_OWNER]),
        ([OWNER, KEY_OWNER, ALICE], OTHER, [NAMED, KEY_OWNER, ALICE]),
        ([OWNER, KEY_OWNER, ALICE], PRIYA, [BOTH, ALICE]),
        ([KEY_OWNER, ALICE, OWNER], PRIYA, [ALICE, BOTH]),
    ],
)
def test_the_owner_of_the_lead_gets_it_by_name_and_once(
    addressees: list[Addressee], key_owner_id: str | None, recipients: list[Recipient]
) -> None:
    assert build_recipients(addressees, LEAD, key_owner_id) == tuple(recipients)
    assert needs_key_owner(addressees) == (OWNER in addressees and KEY_OWNER in addressees)


def test_without_a_lead_nobody_is_left_out_silently() -> None:
    assert build_recipients([ALICE, KEY_OWNER], None, None) == (ALICE, KEY_OWNER)
    with pytest.raises(UserError, match=NO_LEAD) as refused:
        build_recipients([ALICE, OWNER], None, None)
    assert refused.value.field == "lead"


def test_a_lead_without_an_owner_is_refused_only_where_the_owner_is_wanted() -> None:
    stray = LEAD.model_copy(update={"owner_id": None, "name": "<Stray>"})
    assert build_recipients([ALICE], stray, None) == (ALICE,)
    with pytest.raises(UserError, match="&lt;Stray&gt; has no owner in LeadSquared") as refused:
        build_recipients([ALICE, OWNER], stray, None)
    assert refused.value.field == "owner"


@pytest.mark.parametrize(
    ("name", "company", "called"),
    [
        ("Asha Rao", "Example Org", "Asha Rao"),
        ("", "Example Org", "Example Org"),
        ("", "", "a lead without a name"),
    ],
)
def test_who_has_no_name_is_called_something_that_is_no_address(
    name: str, company: str, called: str
) -> None:
    lead = Lead(id=ASHA, name=name, company=company, email="asha@example.com", owner_id=PRIYA)
    page = LeadPage(lead, "https://in21.leadsquared.com/")
    assert put_behind(Notification("Due", "hi"), page).lead_name == called
    owner = CrmRecipient(PRIYA, f"the owner of {called}")
    assert build_recipients([OWNER], lead, None) == (owner,)


def test_behind_the_click_is_the_lead_s_page_or_nothing() -> None:
    given = Notification("Due", "hi", click_url="https://in21.leadsquared.com/found/in/the/text")
    page = LeadPage(LEAD, "https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID=1")
    assert put_behind(given, page) == Notification("Due", "hi", page.url, None, "Asha Rao")
    unknown = Notification("Due", "hi", None, None, "Asha Rao")
    assert put_behind(given, LeadPage(LEAD, None)) == unknown
