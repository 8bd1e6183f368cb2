"""LeadSquared's word on the keys, and on the host that they belong to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.doctor.findings import Finding, doubt, fine, wrong
from bot.errors import (
    CrmAccessError,
    CrmBusyError,
    CrmConnectError,
    CrmError,
    CrmRateLimitedError,
    CrmRejectedError,
)
from bot.leadsquared.models import KeyOwnerIdentity, is_web_host

NAME = "LeadSquared"
URL = "LEADSQUARED_URL"
KEYS = "LEADSQUARED_ACCESS_KEY"

_NAMED = re.compile(r"(?:[a-z0-9-]+\.)+leadsquared\.com", re.IGNORECASE)
LATER = "Check again in a minute"
CHECK_URL = (
    "Set it to the API host that LeadSquared shows under My Account > Settings > API and Webhooks"
)
CHECK_KEYS = (
    "Copy both keys again from My Account > Settings > API and Webhooks, of an administrator who "
    "is active, and set them in single quotes, as access keys contain a $"
)


@dataclass(frozen=True)
class CrmLook:
    """What `UserByAccessKey.Get` said: whose the keys are, or an error.

    `elsewhere` is what another host said, which was asked because this one is none of the API's:
    the call answers on the host of any region.
    """

    owner: KeyOwnerIdentity | None = None
    error: CrmError | None = None
    elsewhere: KeyOwnerIdentity | None = None
    had_permit: bool = True


def judge(look: CrmLook, url: str) -> Finding:
    """Judge the keys and the host in LEADSQUARED_URL."""
    host = urlsplit(url).hostname or ""
    shown = host if "." in host and "$" not in host else "the host given"
    if look.owner is not None:
        return _judge_host(look.owner, host, shown)
    if look.elsewhere is not None and (right := _api_host(look.elsewhere)):
        return _name_host(_say_no_api(host, shown), right)
    if not look.had_permit:
        what = "not asked, as the limit is used up, the gate is closed, or the database is away"
        return doubt(NAME, what, LATER)
    return _judge_error(look.error, host, shown)


def may_be_no_api(error: CrmError | None) -> bool:
    """Tell whether an answer looks as if another kind of host had given it."""
    if isinstance(error, CrmRateLimitedError | CrmBusyError):
        return False
    if isinstance(error, CrmAccessError):
        return error.status == 404
    return error is not None and not isinstance(error, CrmRejectedError)


def _judge_host(owner: KeyOwnerIdentity, host: str, shown: str) -> Finding:
    right = _api_host(owner)
    whose = owner.name or "a user without a name"
    if right and right != host:
        return _name_host(f"{shown} is not this account's host", right)
    where = f", and {right} is the account's host" if right else ""
    return fine(NAME, f"takes the keys, which are those of {whose}{where}")


def _name_host(what: str, right: str) -> Finding:
    return wrong(URL, f"{what}, so everything else is refused", f"Set it to https://{right}")


def _judge_error(error: CrmError | None, host: str, shown: str) -> Finding:
    if isinstance(error, CrmAccessError) and error.status != 404:
        return _judge_refusal(error)
    if isinstance(error, CrmConnectError):
        return wrong(URL, f"{shown} cannot be reached", CHECK_URL)
    if _is_web_host(host):
        return wrong(URL, _say_no_api(host, shown), CHECK_URL)
    if isinstance(error, CrmRateLimitedError | CrmBusyError):
        return doubt(NAME, "is too busy to answer just now", LATER)
    if isinstance(error, CrmAccessError):
        return wrong(URL, _say_no_api(host, shown), CHECK_URL)
    if isinstance(error, CrmRejectedError):
        step = "Look into LeadSquared, or ask its support"
        return wrong(NAME, f"refuses to say whose the keys are{_quote(error)}", step)
    return wrong(NAME, f"{shown} did not answer as LeadSquared does", CHECK_URL)


def _say_no_api(host: str, shown: str) -> str:
    if _is_web_host(host):
        return f"{shown} is where people sign in, not the API host"
    return f"{shown} has no LeadSquared API"


def _is_web_host(host: str) -> bool:
    return is_web_host(host) and not host.startswith("api")


def _judge_refusal(error: CrmAccessError) -> Finding:
    """Judge a 401 or 403 to the call that every region answers: it is about the keys."""
    named = _NAMED.search(error.detail)
    if named and is_web_host(named[0].lower()):
        return _name_host("LeadSquared names another host for this account", named[0].lower())
    return wrong(KEYS, f"LeadSquared refuses the keys ({error.status}){_quote(error)}", CHECK_KEYS)


def _api_host(owner: KeyOwnerIdentity) -> str | None:
    """Return the account's API host, if it is one that keys may be sent to."""
    host = owner.api_host
    return host if host and is_web_host(host) else None


def _quote(error: CrmError) -> str:
    return f": “{error.detail.rstrip('.')}”" if error.detail else ""
