"""The examples that people are given can be followed in the sandbox as they stand."""

import re
from pathlib import Path

import pytest

from bot.leads.reference import EXAMPLES
from bot.replies.answers import HELP
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.run import complete_account

ROOT = Path(__file__).parents[2]
GIVEN = {
    "help": HELP,
    "a lead that is none": EXAMPLES,
    "using.md": (ROOT / "docs" / "using.md").read_text("utf-8"),
}


@pytest.fixture
def crm() -> StandInLeadSquared:
    crm = StandInLeadSquared()
    complete_account(crm)
    return crm


@pytest.mark.parametrize("text", GIVEN.values(), ids=GIVEN)
def test_a_lead_of_an_example_is_one_lead_of_the_sandbox(
    crm: StandInLeadSquared, text: str
) -> None:
    named = re.findall(r"--lead ([\w.+]+@[\w.]+|\+\d+)", text)
    assert named
    for lead in named:
        assert len(crm.account.find_leads("EmailAddress", lead)) == 1 or (
            crm.account.find_leads_by_phone(lead)
        ), lead


@pytest.mark.parametrize("name", ["help", "using.md"])
def test_whom_an_example_links_to_is_a_user_of_the_sandbox(
    crm: StandInLeadSquared, name: str
) -> None:
    named = re.findall(r"/notify link @\w+ ([\w.]+@[\w.]+)", GIVEN[name])
    assert named
    assert all(crm.account.find_active(email=email) for email in named)


def test_one_address_of_the_sandbox_fits_two_leads_so_that_one_is_asked(
    crm: StandInLeadSquared,
) -> None:
    assert len(crm.account.find_leads("EmailAddress", "zoe@example.com")) == 2
    ids = [lead["ProspectID"] for lead in crm.leads]
    assert len(set(ids)) == len(ids)
