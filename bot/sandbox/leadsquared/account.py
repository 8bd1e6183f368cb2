"""The account behind the stand-in: its people, leads and accepted pushes; plain data, no I/O."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SEARCHED = (
    "FirstName",
    "LastName",
    "EmailAddress",
    "Phone",
    "Mobile",
    "Company",
    "City",
    "Country",
)
"""The fields that one client says a quick search looks at."""

Lead = dict[str, str | None]


def make_id(name: str) -> str:
    """Return the GUID that `name` always gets, so that runs can be compared."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"leadsquared:{name}"))


class Matching(StrEnum):
    """How a quick search compares; the documentation does not say which of these."""

    CONTAINS = "contains"
    PREFIX = "prefix"
    EXACT = "exact"

    def fits(self, wanted: str, value: str) -> bool:
        """Tell whether a value, given in lower case as `wanted` is, answers the search."""
        if self is Matching.EXACT:
            return wanted == value
        return value.startswith(wanted) if self is Matching.PREFIX else wanted in value


@dataclass
class CrmUser:
    """One LeadSquared user; tests may change any field while the stand-in runs."""

    id: str
    first: str
    last: str
    email: str
    active: bool = True
    role: str = "Sales_User"
    blocked: bool = False
    """Their browser shows no notifications, so a push to them is refused."""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Push:
    """An accepted notification; `user_id` is the key owner's when the body named nobody."""

    at: float
    user_id: str
    body: dict[str, Any]
    raw: bytes


def _person(
    first: str, last: str, email: str, *, active: bool = True, role: str = "Sales_User"
) -> CrmUser:
    return CrmUser(make_id(email), first, last, email, active, role)


def _default_users() -> list[CrmUser]:
    return [
        _person("CRM", "Admin", "admin@acme.com", role="Administrator"),
        _person("Alice", "Rao", "alice@acme.com", role="Sales_Manager"),
        _person("Priya", "Nair", "priya@acme.com"),
        _person("Lee", "Wong", "lee.wong@acme.com"),
        _person("Dev", "", "dev@acme.com"),
        _person("Ina", "Active", "ina@acme.com", active=False),
    ]


def build_lead(
    first: str, last: str, email: str, phone: str, company: str, owner: CrmUser | None
) -> Lead:
    """Return a lead as the API shows it: every value a string or null, numbers too."""
    return {
        "ProspectID": make_id(f"lead:{email}"),
        "ProspectAutoId": str(1000 + sum(email.encode())),
        "FirstName": first,
        "LastName": last,
        "EmailAddress": email,
        "Phone": phone,
        "Mobile": None,
        "Company": company,
        "ProspectStage": "Prospect",
        "Score": "54",
        "DoNotEmail": "0",
        "StatusCode": "0",
        "IsLead": "1",
        "LeadType": "OT_0",
        "CreatedOn": "2026-01-02 09:00:00.000",
        "LeadLastModifiedOn": "2026-01-05 09:00:00.000",
        "ProspectActivityDate_Max": "2026-01-05 09:00:00.000",
        "OwnerId": owner.id if owner else None,
        "OwnerIdName": f"{owner.first} {owner.last}".strip() if owner else None,
        "OwnerIdEmailAddress": owner.email if owner else None,
    }


def _default_leads(users: list[CrmUser]) -> list[Lead]:
    """Two people called Asha, an owner who has left, nobody's lead, names that need escaping."""
    _, alice, priya, lee, _, ina = users
    return [
        build_lead("Asha", "Rao", "asha.rao@example.com", "+91-9000000001", "Example Org", priya),
        build_lead("Asha", "Menon", "asha.m@example.com", "+91-9000000002", "Menon & Sons", lee),
        build_lead("Ravi", "Kumar", "ravi@example.com", "+91-9000000003", "Kumar Ltd", alice),
        build_lead("Zoë", "Müller", "zoe@example.com", "+49-301234567", "<b>Bäcker</b>", ina),
        build_lead("No", "Owner", "nobody@example.com", "+1-2025550100", "Stray Inc", None),
    ]


@dataclass
class Account:
    """Users, leads and pushes of one LeadSquared account; the keys belong to its first user."""

    users: list[CrmUser] = field(default_factory=_default_users)
    leads: list[Lead] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    phones_as_stored: bool = False
    """Only the stored form `+91-9000000000` finds a lead, as one integrator saw."""
    matching: Matching = Matching.CONTAINS
    search_most: int | None = None
    """Rows a quick search answers with; the documentation does not say how many."""

    def __post_init__(self) -> None:
        self.leads.extend(_default_leads(self.users))

    @property
    def owner(self) -> CrmUser:
        """The user whose keys are used."""
        return self.users[0]

    def add_users(self, count: int) -> list[CrmUser]:
        """Add u001@acme.com and so on, counting on from those already there."""
        first = 1 + sum(bool(re.fullmatch(r"u\d+@acme\.com", user.email)) for user in self.users)
        added = [
            _person("User", f"{number:03}", f"u{number:03}@acme.com")
            for number in range(first, first + count)
        ]
        self.users.extend(added)
        return added

    def find_user(self, user_id: str) -> CrmUser | None:
        return next((user for user in self.users if user.id == user_id.lower()), None)

    def find_active(self, **wanted: str) -> list[CrmUser]:
        """Return the active users whose fields match, without regard to case."""
        return [
            user
            for user in self.users
            if user.active and all(getattr(user, k).lower() == v.lower() for k, v in wanted.items())
        ]

    def search_leads(self, text: str) -> list[Lead]:
        """Return the leads with `text` in a field that is searched, or in the whole name."""
        wanted = text.casefold()
        found = [
            lead
            for lead in self.leads
            if any(self.matching.fits(wanted, value.casefold()) for value in _searched(lead))
        ]
        return found[: self.search_most]

    def find_leads(self, name: str, value: str) -> list[Lead]:
        return [lead for lead in self.leads if (lead[name] or "").lower() == value.lower()]

    def find_leads_by_phone(self, number: str) -> list[Lead]:
        """Return the lead active last among those with this number, in a list of at most one."""
        found = [
            lead
            for lead in self.leads
            if any(number in self._phone_forms(lead[name]) for name in ("Phone", "Mobile"))
        ]
        return sorted(found, key=lambda lead: lead["ProspectActivityDate_Max"] or "")[-1:]

    def _phone_forms(self, stored: str | None) -> set[str]:
        if stored is None:
            return set()
        country, _, local = stored.lstrip("+").rpartition("-")
        as_documented = {local, country + local, f"+{country}{local}"}
        return {stored} if self.phones_as_stored else {stored} | as_documented


def _searched(lead: Lead) -> Iterator[str]:
    yield from (lead.get(name) or "" for name in SEARCHED)
    yield f"{lead['FirstName']} {lead['LastName']}"
