"""Leads for listeners with a deadline: searched while somebody types, or named with `--lead`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import structlog

from bot.clock import Clock
from bot.errors import CrmAccessError, CrmError, CrmRejectedError, UserError
from bot.leads.account import KnownAccount
from bot.leads.found import Found, LeadPage, Several, name_of
from bot.leads.reference import ByEmail, ById, ByPhone, LeadReference
from bot.leads.search import LeadSearch
from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.models import Account, Lead
from bot.leadsquared.phone import PhoneNumber
from bot.plaintext import escape
from bot.replies.ids import BlockId
from bot.replies.reasons import explain_access, quote

log = structlog.get_logger()

T = TypeVar("T")

FIND_WITHIN = 2.0
"""Seconds for a look-up in all, its page included."""

TRY_AGAIN = "Try again, or leave the lead out."


class Leads:
    """Finds leads and their pages in the CRM."""

    def __init__(self, client: LeadSquaredClient, clock: Clock) -> None:
        self._client = client
        self._account = KnownAccount(client, clock)
        self._search = LeadSearch(client, clock)

    async def search(self, view_id: str, text: str) -> Found:
        """Return the leads for what somebody typed into a view so far; within 2.5 s."""
        return await self._search.search(view_id, text)

    async def find(
        self, reference: LeadReference, *, until: float | None = None
    ) -> LeadPage | Several:
        """Return the lead that was named, or all that fit; a UserError says why there is none.

        Takes 2 s at most, and ends by the loop's time `until`: a page that is not known by then is
        left out.
        """
        until = _limit(until)
        self._account.prepare()
        try:
            leads = await _within(until - _now(), self._look_up(reference))
        except (TimeoutError, CrmError) as exc:
            host = await self._find_host(exc, until)
            raise UserError(_explain(exc, host), field=BlockId.LEAD) from exc
        if len(leads) > 1:
            return Several(tuple(leads))
        account = await self._account.wait(until)
        if not leads:
            raise UserError(_say_none(reference, account), field=BlockId.LEAD)
        return LeadPage(leads[0], account.build_lead_url(leads[0].id) if account else None)

    async def find_name(self, reference: ById) -> str:
        """Return what to call a lead that was chosen; raises UserError, and takes 2 s, as `find`.

        It costs no call if the lead was found by a search just now.
        """
        lead = self._search.find_lead(reference.lead_id)
        if lead is None:
            found = await self.find(reference)
            lead = found.lead if isinstance(found, LeadPage) else found.leads[0]
        return name_of(lead)

    async def page_url(self, lead_id: str, *, until: float | None = None) -> str | None:
        """Return the address of a lead's page; None if it cannot be learned in time, as `find`."""
        account = await self._find_account(until)
        return account.build_lead_url(lead_id) if account else None

    async def find_key_owner_id(self, *, until: float | None = None) -> str | None:
        """Return the CRM user whose keys we use; None if it cannot be learned in time."""
        account = await self._find_account(until)
        return account.key_owner_id if account else None

    async def find_api_host(self) -> str | None:
        """Return what LEADSQUARED_URL should name, where that can be learned."""
        return await self._account.find_api_host()

    async def get_account(self) -> Account:
        """Return what is known of the account; raises CrmError as long as that is nothing."""
        return await self._account.get()

    async def _find_account(self, until: float | None) -> Account | None:
        self._account.prepare()
        return await self._account.wait(_limit(until))

    async def _find_host(self, error: Exception, until: float) -> str | None:
        """Return the account's API host for an error that may come of another."""
        if not isinstance(error, CrmAccessError):
            return None
        account = await self._account.wait(until)
        return account.api_host if account else None

    async def _look_up(self, reference: LeadReference) -> list[Lead]:
        match reference:
            case ByEmail(email):
                return await self._client.find_leads_by_email(email, interactive=True)
            case ById(lead_id):
                lead = await self._client.find_lead_by_id(lead_id, interactive=True)
                return [lead] if lead else []
            case ByPhone(number):
                return await self._look_up_phone(number)

    async def _look_up_phone(self, number: PhoneNumber) -> list[Lead]:
        """Ask for the plain form, then for the stored one: which of them matches is not certain."""
        leads = await self._client.find_leads_by_phone(number, interactive=True)
        if leads:
            return leads
        if number.country is None:
            number = number.within((await self._account.get()).country_code)
        if number.stored is None:
            return []
        return await self._client.find_leads_by_phone(number, as_stored=True, interactive=True)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _limit(until: float | None) -> float:
    most = _now() + FIND_WITHIN
    return most if until is None else min(most, until)


async def _within(seconds: float, looking: Coroutine[None, None, T]) -> T:
    """Return what is found in time, or raise TimeoutError.

    `asyncio.timeout` would also wait until the permit is given back, however slow the database is.
    """
    task = asyncio.create_task(looking, name="lead-look-up")
    task.add_done_callback(_note_failure)
    try:
        await asyncio.wait({task}, timeout=max(0.0, seconds))
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()


def _note_failure(task: asyncio.Task[T]) -> None:
    """Log it here: nobody may be left who would hear of it."""
    if not task.cancelled() and (error := task.exception()):
        log.warning("lead.not_looked_up", error=type(error).__name__)


def _explain(error: TimeoutError | CrmError, api_host: str | None) -> str:
    """Say why LeadSquared did not tell about a lead."""
    if isinstance(error, CrmAccessError):
        return explain_access(error.code, api_host)
    if isinstance(error, CrmRejectedError):
        said = quote(error.detail) or "."
        return f"LeadSquared refused to look for this lead{said} Nothing was sent. {TRY_AGAIN}"
    return (
        f"LeadSquared could not be asked for this lead just now, so nothing was sent. {TRY_AGAIN}"
    )


def _say_none(reference: LeadReference, account: Account | None) -> str:
    """Say that nobody has what was given, and what to look at."""
    match reference:
        case ByEmail(email):
            what, advice = f"the e-mail address {escape(email)}", "Check the address"
        case ByPhone(number):
            what = f"the phone number {number.stored or number.plain}"
            advice = "Check the number, and its country code"
        case ById(lead_id, host):
            what, advice = f"the id {lead_id}", "It may have been deleted or merged: check it"
            if host and account and account.web_host and host != account.web_host:
                what += f", which is from {host}"
                advice = f"The pages of this account are on {account.web_host}: check the link"
    advice += ", or leave the lead out."
    return f"LeadSquared has no lead with {what}, so nothing was sent. {advice}"
