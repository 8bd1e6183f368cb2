import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bot.errors import CrmError, StoreUnavailableError, UserError
from bot.leads.account import KEEP, TRY_AGAIN
from bot.leads.found import LeadPage, Several
from bot.leads.reference import read_lead_reference
from bot.leadsquared.models import Account
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.leadsquared.answers import build_error
from bot.sandbox.leadsquared.faults import CANNED
from tests.clock import FrozenClock
from tests.unit.leads_desk import Desk, open_desk, settle

PAGE = "https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID="
NOWHERE = "3c9d1c3e-1111-4222-8333-abcdefabcdef"
AWAY = "could not be asked for this lead just now, so nothing was sent"
TICK = 0.01


@pytest.fixture
async def desk(clock: FrozenClock) -> AsyncIterator[Desk]:
    async with open_desk(clock) as opened:
        yield opened


def page_of(desk: Desk, index: int = 0) -> str:
    return PAGE + str(desk.crm.leads[index]["ProspectID"])


async def find(desk: Desk, text: str) -> LeadPage:
    found = await desk.leads.find(read_lead_reference(text))
    assert isinstance(found, LeadPage)
    return found


async def refuse(desk: Desk, text: str) -> str:
    with pytest.raises(UserError) as refused:
        await desk.leads.find(read_lead_reference(text))
    return refused.value.hint


# -- the lead that is named -------------------------------------------------------------------


async def test_a_lead_is_found_by_email_with_its_owner_and_its_page(desk: Desk) -> None:
    found = await find(desk, "Asha.Rao@example.com")
    assert (found.lead.name, found.lead.owner_name) == ("Asha Rao", "Priya Nair")
    assert found.lead.owner_id == desk.crm.leads[0]["OwnerId"]
    assert found.url == page_of(desk)
    assert desk.questions == ["asha.rao@example.com"]


async def test_a_lead_is_found_by_its_id_or_the_address_of_its_page(desk: Desk) -> None:
    lead_id = str(desk.crm.leads[1]["ProspectID"])
    for text in (lead_id.upper(), page_of(desk, 1), f"<{page_of(desk, 1)}&amp;pageNumber=1>"):
        found = await find(desk, text)
        assert (found.lead.name, found.url) == ("Asha Menon", page_of(desk, 1))
    assert desk.questions == [lead_id] * 3


async def test_a_lead_of_ours_is_found_whatever_host_its_link_names(desk: Desk) -> None:
    found = await find(desk, page_of(desk).replace("in21", "app"))
    assert found.url == page_of(desk)


@pytest.mark.parametrize(
    ("as_stored", "text", "questions"),
    [
        (False, "+91 90000 00001", ["919000000001"]),
        (False, "9000000001", ["9000000001"]),
        (True, "+91 90000 00001", ["919000000001", "+91-9000000001"]),
        (True, "9000000001", ["9000000001", "+91-9000000001"]),
        (True, "09000000001", ["09000000001", "+91-9000000001"]),
    ],
)
async def test_a_phone_number_is_tried_plain_and_then_as_it_is_stored(
    desk: Desk, as_stored: bool, text: str, questions: list[str]
) -> None:
    desk.crm.account.phones_as_stored = as_stored
    assert (await find(desk, text)).lead.name == "Asha Rao"
    assert desk.questions == questions


async def test_a_number_without_its_country_is_not_guessed_in_another(desk: Desk) -> None:
    desk.crm.account.phones_as_stored = True
    hint = await refuse(desk, "301234567")
    assert hint.startswith("LeadSquared has no lead with the phone number 301234567, so nothing")
    assert desk.questions == ["301234567", "+91-301234567"]


async def test_without_the_account_s_country_there_is_one_form_to_try(desk: Desk) -> None:
    desk.crm.account.phones_as_stored = True
    desk.crm.api.country_code = ""
    assert "no lead with the phone number 9000000001" in await refuse(desk, "9000000001")
    assert desk.questions == ["9000000001"]


async def test_leads_that_share_an_address_are_all_returned_to_choose_from(desk: Desk) -> None:
    desk.crm.leads[1]["EmailAddress"] = "asha.rao@example.com"
    found = await desk.leads.find(read_lead_reference("asha.rao@example.com"))
    assert isinstance(found, Several)
    assert [lead.name for lead in found.leads] == ["Asha Rao", "Asha Menon"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("no@example.com", "no lead with the e-mail address no@example.com, so nothing was sent"),
        ("a&amp;b@example.com", "address a&amp;b@example.com"),
        ("+91 80000 00001", "no lead with the phone number +91-8000000001, so nothing was sent"),
        (NOWHERE, f"no lead with the id {NOWHERE}, so nothing was sent. It may have been deleted"),
        (
            f"https://us11.leadsquared.com/LeadManagement/LeadDetails?LeadID={NOWHERE}",
            f"no lead with the id {NOWHERE}, which is from us11.leadsquared.com, so nothing was "
            "sent. The pages of this account are on in21.leadsquared.com: check the link",
        ),
        (PAGE + NOWHERE, f"no lead with the id {NOWHERE}, so nothing was sent"),
    ],
)
async def test_a_lead_that_does_not_exist_is_said_to(desk: Desk, text: str, what: str) -> None:
    assert what in await refuse(desk, text)


# -- when LeadSquared does not tell -----------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (FaultKind.UNAVAILABLE_503, AWAY),
        (FaultKind.RATE_LIMIT_429, AWAY),
        (FaultKind.HTML_200, AWAY),
        (FaultKind.NULL_200, AWAY),
        (FaultKind.UNAUTHORIZED_401, "LeadSquared refused our keys, so nothing was sent. An admin"),
        (FaultKind.FORBIDDEN_403, "does not let our keys do this, so nothing was sent"),
        (FaultKind.NOT_FOUND_404, "nothing at the address we use, so nothing was sent"),
        (FaultKind.MX_500, "LeadSquared refused to look for this lead: “"),
    ],
)
@pytest.mark.parametrize("text", ["asha.rao@example.com", NOWHERE, "+919000000001"])
async def test_a_failed_look_up_is_never_called_no_lead(
    desk: Desk, text: str, fault: FaultKind, hint: str
) -> None:
    desk.crm.faults.always("*", fault)
    assert hint in await refuse(desk, text)


async def test_a_failed_look_up_is_logged_without_whom_it_was_for(desk: Desk) -> None:
    await desk.leads.get_account()
    desk.crm.faults.next("lead_by_email", "unavailable_503")
    with capture_logs() as logs:
        await refuse(desk, "asha.rao@example.com")
        await settle()
    event = {"event": "lead.not_looked_up", "error": "CrmUnavailableError"}
    assert logs == [event | {"log_level": "warning"}]


async def test_what_leadsquared_says_pings_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = build_error(500, "MXUnknown", "no <!channel> & co")
    monkeypatch.setitem(CANNED, FaultKind.MX_500, loud)
    desk.crm.faults.next("lead_by_id", "mx_500")
    assert "this lead: “no &lt;!channel&gt; &amp; co”. Nothing" in await refuse(desk, NOWHERE)


async def test_a_half_failed_search_by_phone_is_not_called_no_lead(desk: Desk) -> None:
    """The plain form found nobody, and the stored one could not be built."""
    desk.crm.account.phones_as_stored = True
    desk.crm.faults.always("whoami", "unavailable_503")
    assert "could not be asked" in await refuse(desk, "9000000001")


@pytest.mark.parametrize("slow_database", [False, True])
async def test_a_look_up_takes_no_longer_than_two_seconds(desk: Desk, slow_database: bool) -> None:
    desk.crm.faults.next("lead_by_email", "hang")
    looking = asyncio.create_task(refuse(desk, "asha.rao@example.com"))
    await desk.crm.until(lambda: len(desk.crm.calls) == 2)
    if slow_database:
        desk.gate.takes_back.clear()
    await desk.time.forward(1.9)
    assert not looking.done()
    await desk.time.forward(0.1)
    assert looking.done()
    assert "could not be asked for this lead just now" in await looking
    desk.gate.takes_back.set()


async def test_a_listener_that_is_cancelled_leaves_no_look_up_behind(desk: Desk) -> None:
    await desk.leads.get_account()
    desk.gate.open.clear()
    gone = asyncio.create_task(find(desk, "asha.rao@example.com"))
    await settle()
    assert desk.gate.waiting == 1
    gone.cancel()
    await settle()
    assert gone.cancelled()
    assert desk.gate.waiting == 0


async def test_a_look_up_without_a_permit_takes_no_longer_either(desk: Desk) -> None:
    desk.gate.open.clear()
    looking = asyncio.create_task(refuse(desk, "asha.rao@example.com"))
    await settle()
    await desk.time.forward(2.0)
    assert looking.done()
    assert "could not be asked for this lead just now" in await looking
    assert desk.crm.calls == []


async def test_without_the_database_the_listener_hears_of_it(desk: Desk) -> None:
    desk.gate.error = StoreUnavailableError()
    with pytest.raises(StoreUnavailableError):
        await desk.leads.find(read_lead_reference("asha.rao@example.com"))


# -- the account and its pages ----------------------------------------------------------------


async def test_the_account_is_asked_for_once_a_day(desk: Desk) -> None:
    owner_id = desk.crm.account.owner.id
    account = Account(key_owner_id=owner_id, web_host="in21.leadsquared.com", country_code="91")
    assert await asyncio.gather(*(desk.leads.get_account() for _ in range(3))) == [account] * 3
    desk.clock.forward(KEEP - TICK)
    await find(desk, "asha.rao@example.com")
    assert desk.asked_who == 1
    desk.crm.api.app_host = "run.leadsquared.com"
    desk.clock.forward(TICK)
    found = await find(desk, "asha.rao@example.com")
    assert found.url == page_of(desk).replace("in21", "run")
    assert desk.asked_who == 2


@pytest.mark.parametrize("host", ["", "evil.io", "in21.leadsquared.com.io", "x@leadsquared.com"])
async def test_no_page_is_better_than_one_elsewhere(desk: Desk, host: str) -> None:
    desk.crm.api.app_host = host
    found = await find(desk, "asha.rao@example.com")
    assert (found.lead.name, found.url) == ("Asha Rao", None)
    assert await desk.leads.page_url(found.lead.id) is None


async def test_a_lead_is_found_though_its_page_cannot_be_learned(desk: Desk) -> None:
    desk.crm.faults.next("whoami", "unavailable_503")
    assert (await find(desk, "asha.rao@example.com")).url is None
    assert desk.asked_who == 1
    assert (await find(desk, "asha.rao@example.com")).url == page_of(desk)


async def test_a_lead_is_not_kept_waiting_by_its_page(desk: Desk) -> None:
    desk.crm.faults.next("whoami", "hang")
    finding = asyncio.create_task(find(desk, "asha.rao@example.com"))
    await desk.gate.back.wait()
    await desk.time.forward(1.9)
    assert not finding.done()
    await desk.time.forward(0.1)
    assert finding.done()
    assert (await finding).url is None
    desk.crm.release()
    assert await desk.leads.page_url((await finding).lead.id) == page_of(desk)
    assert desk.asked_who == 1


async def test_the_page_of_a_known_lead_takes_no_look_up(desk: Desk) -> None:
    assert await desk.leads.page_url(NOWHERE) == PAGE + NOWHERE
    assert desk.questions == []


async def test_a_refresh_that_fails_keeps_what_was_known_and_is_tried_again(desk: Desk) -> None:
    await desk.leads.get_account()
    desk.clock.forward(KEEP)
    desk.crm.faults.next("whoami", "unavailable_503")
    desk.crm.api.app_host = "run.leadsquared.com"
    for _ in range(2):
        assert (await desk.leads.get_account()).web_host == "in21.leadsquared.com"
    assert desk.asked_who == 2
    desk.clock.forward(TRY_AGAIN)
    assert (await desk.leads.get_account()).web_host == "run.leadsquared.com"
    assert desk.asked_who == 3


async def test_a_refresh_that_hangs_keeps_nobody_from_the_old_page(desk: Desk) -> None:
    await desk.leads.get_account()
    desk.clock.forward(KEEP)
    desk.crm.faults.next("whoami", "hang")
    asking = asyncio.create_task(desk.leads.page_url(NOWHERE))
    await desk.crm.until(lambda: desk.asked_who == 2)
    await desk.time.forward(2.0)
    assert asking.done()
    assert await asking == PAGE + NOWHERE


async def test_an_account_that_was_never_learned_is_an_error(desk: Desk) -> None:
    desk.crm.faults.next("whoami", "unavailable_503")
    with pytest.raises(CrmError):
        await desk.leads.get_account()
    assert (await desk.leads.get_account()).country_code == "91"


async def test_a_failure_that_nobody_waits_for_any_more_is_logged_and_no_more(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.crm.faults.next("lead_by_email", "unavailable_503")
    desk.crm.faults.next("whoami", "hang")
    await refuse(desk, "asha.rao@example.com")
    desk.gate.back.clear()
    with capture_logs() as logs:
        await desk.crm.stop()
        await desk.gate.back.wait()
        await settle()
    gc.collect()
    assert [entry["event"] for entry in logs] == ["account.not_found"]
    assert caplog.records == []  # asyncio would complain of an exception that was never retrieved
