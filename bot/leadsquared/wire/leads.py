"""Leads: searched by what somebody types, or looked up by what names one."""

from __future__ import annotations

from bot.errors import CrmError, CrmUnavailableError
from bot.leadsquared.models import Lead, check_lead_id
from bot.leadsquared.phone import PhoneNumber
from bot.leadsquared.wire.answers import attempt
from bot.leadsquared.wire.request import Request

_SERVICE = "/v2/LeadManagement.svc"


def search_request(text: str) -> Request:
    """https://apidocs.leadsquared.com/quick-search/ (how it matches, and its most: not documented)

    The overview speaks of POST; every known client uses GET.
    """
    return Request("GET", f"{_SERVICE}/Leads.GetByQuickSearch", {"key": text})


def lead_by_id_request(lead_id: str) -> Request:
    """https://apidocs.leadsquared.com/get-lead-by-id/"""
    return Request("GET", f"{_SERVICE}/Leads.GetById", {"id": check_lead_id(lead_id)})


def leads_by_email_request(email: str) -> Request:
    """https://apidocs.leadsquared.com/get-a-lead-by-email-id/"""
    path = f"{_SERVICE}/Leads.GetByEmailaddress"
    return Request("GET", path, {"emailaddress": email.strip().lower()})


def leads_by_phone_request(number: str) -> Request:
    """https://apidocs.leadsquared.com/get-lead-by-phone/ (`Leads.GetByPhone` does not exist)"""
    return Request("GET", f"{_SERVICE}/RetrieveLeadByPhoneNumber", {"phone": number})


def parse_leads(answer: object) -> list[Lead] | CrmError:
    """Read an array of leads, each once; a malformed one spoils all.

    One lead of two would be taken for the one that was meant.
    """
    if not isinstance(answer, list):
        return CrmUnavailableError()
    leads = [lead for lead in map(attempt(Lead.from_wire), answer) if lead]
    if len(leads) < len(answer):
        return CrmUnavailableError()
    return list({lead.id: lead for lead in leads}.values())


def leads_with_email(leads: list[Lead], email: str) -> list[Lead]:
    """Return the leads with exactly this e-mail."""
    return [lead for lead in leads if lead.email == email.strip().lower()]


def leads_with_phone(leads: list[Lead], number: PhoneNumber) -> list[Lead]:
    """Return the leads that can be reached under this number."""
    return [
        lead
        for lead in leads
        if any(stored and stored.is_same(number) for stored in map(PhoneNumber.read, lead.phones))
    ]


def lead_with_id(leads: list[Lead], lead_id: str) -> Lead | None:
    """Return the lead with exactly this id."""
    return next((lead for lead in leads if lead.id == lead_id.lower()), None)
