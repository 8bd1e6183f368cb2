"""The bodies LeadSquared answers with, as documented or as integrators saw them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.leadsquared.account import CrmUser, make_id
from bot.sandbox.leadsquared.meter import Refusal

PUSH_SUCCESS = (
    b'{ "Status": "Success", "Message": { "Message": "Message broadcasted successfully" } }'
)
"""https://apidocs.leadsquared.com/push-browser-notifications-to-users/"""

MADE_UP = "MXMadeUpByTheStandInException"
"""No error of Browser.Push has been published, so nothing may depend on this name."""


@dataclass(frozen=True)
class Answer:
    """A status, a body and its headers, not yet on the wire."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def build_json(data: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(data, ensure_ascii=False).encode())


def build_error(status: int, kind: str, message: str) -> Answer:
    """Return the documented envelope, https://apidocs.leadsquared.com/error-handling/."""
    return build_json(
        {"Status": "Error", "ExceptionType": kind, "ExceptionMessage": message}, status
    )


def build_refusal(style: Refusal, limit: int, period: float) -> Answer:
    """Return a refusal for rate, https://apidocs.leadsquared.com/rate-limits/."""
    shown_limit = style.limit if style.limit is not None else limit
    shown_period = style.period if style.period is not None else period
    body = {"Status": "Error"}
    if style.typed:
        body["ExceptionType"] = "MXAPIRateLimitExceededException"
    body["ExceptionMessage"] = (
        f"API calls exceeded the limit of {shown_limit} in {shown_period:g} second(s)"
    )
    headers = {} if style.retry_after is None else {"Retry-After": style.retry_after}
    raw = json.dumps(body).encode()
    return Answer(style.status, raw, headers=headers)


def build_whoami(owner: CrmUser, api_host: str, app_host: str, country_code: str) -> dict[str, Any]:
    """Return the key owner; the address is in PassPhrase, EmailAddress is null."""
    return {
        "Class": "1",
        "Group": "1",
        "SubRegionId": "1",
        "Id": owner.id,
        "Name": f"{owner.first} {owner.last}",
        "PassPhrase": owner.email,
        "Role": owner.role,
        "EmailAddress": None,
        "SessionId": "",
        "TimeZone": "Asia/Kolkata",
        "TokenId": None,
        "Type": "ApplicationUser",
        "OrgDisplayName": "Acme",
        "OrgId": make_id("org"),
        "OrgShortCode": "12345",
        "OrgUniqueName": "t20200101000000",
        "DefaultCountryCode": country_code,
        "Country": "India",
        "CustomerType": "text",
        "Plan": None,
        "UserType": "Regular",
        "MobileServiceURLs": {"ReportsURL": "", "FileUploadURL": "", "MobileNotificationURL": ""},
        "LSQCommonServiceURLs": {
            "api": api_host,
            "app": app_host,
            "tracking": "tracker.example.com",
        },
    }


def build_listed_user(user: CrmUser) -> dict[str, Any]:
    """Return a row of Users.Get: the id is `ID` there, and nobody without a group has the key."""
    row = {
        "ID": user.id,
        "FirstName": user.first,
        "LastName": user.last,
        "EmailAddress": user.email,
        "Role": user.role,
        "StatusCode": 0 if user.active else 1,
        "Tag": None,
        "IsPhoneCallAgent": False,
    }
    return row | ({"MemberOfGroups": list(user.groups)} if user.groups else {})


def build_retrieved_user(user: CrmUser) -> dict[str, Any]:
    """Return an element of User/Retrieve: the id is `UserId` there."""
    return {
        "UserId": user.id,
        "FirstName": user.first,
        "LastName": user.last,
        "EmailAddress": user.email,
        "AssociatedPhoneNumbers": "+91-9000000000",
        "DateFormat": "mm/dd/yy",
        "TimeZone": "Asia/Kolkata",
        "Role": user.role,
        "IsPhoneCallAgent": False,
        "OrgId": 12345,
        "CompanyName": "Acme",
        "UserType": 0,
        "Groups": [{"Id": make_id(f"group:{name}"), "Name": name} for name in user.groups],
    }
