"""The lead that somebody names behind `--lead`: by e-mail, phone, id or the address of its page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from bot.errors import UserError
from bot.leadsquared.models import check_lead_id, is_web_host
from bot.leadsquared.phone import PhoneNumber
from bot.links import check_link
from bot.plaintext import echo, unescape


@dataclass(frozen=True)
class ByEmail:
    """An e-mail address, in lower case."""

    email: str


@dataclass(frozen=True)
class ByPhone:
    """A number that is a lead's Phone or Mobile."""

    number: PhoneNumber


@dataclass(frozen=True)
class ById:
    """A lead's id; `host` is where its page was said to be."""

    lead_id: str
    host: str | None = None


LeadReference = ByEmail | ByPhone | ById

MOST_CHARACTERS = 2000
PAGE_PATH = "/leadmanagement/leaddetails"
"""In lower case; https://apidocs.leadsquared.com/leadsquared-converse-system-notification-to-users/"""

EXAMPLES = (
    "`--lead asha.rao@example.com`, `--lead +919000000001`, the lead's id, or the address of its "
    "page: `--lead https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID=…`"
)

_EMAIL = re.compile(r"[^\s@<>|,]+@[^\s@<>|,]+")
_QUOTES = "\"'\u2018\u2019“”„‟«»"


def read_lead_reference(text: str) -> LeadReference:
    """Return what names a lead, bare or as Slack's token; a UserError says how to write it."""
    bare = _take_out(text)
    if bare.isprintable() and len(bare) <= MOST_CHARACTERS:
        if bare.lower().startswith(("https:", "http:")):
            return _read_page(bare)
        if _EMAIL.fullmatch(bare):
            return ByEmail(bare.lower())
        if number := PhoneNumber.read(bare):
            return ByPhone(number)
        if lead_id := _find_lead_id(bare):
            return ById(lead_id)
    raise UserError(
        f"“{echo(text)}” names no lead. Write its e-mail address, phone number, id or page: "
        f"{EXAMPLES}."
    )


def _take_out(text: str) -> str:
    """Return what stands in quotes or in a token, with its entities decoded once."""
    bare = text.strip().strip(_QUOTES).strip()
    if bare.startswith("<"):
        bare = bare[1:].partition("|")[0].removesuffix(">")
    bare = bare.removeprefix("mailto:").removeprefix("tel:")
    return unescape(bare).strip().replace("\u00a0", " ")


def _read_page(url: str) -> ById:
    """https://apidocs.leadsquared.com/leadsquared-converse-system-notification-to-users/"""
    try:
        parts = urlsplit(check_link(url))
        fields = parse_qsl(parts.query, max_num_fields=100)
    except ValueError:
        raise _refuse_page(url) from None
    ids = {value.lower() for name, value in fields if name.lower() == "leadid"}
    lead_id = _find_lead_id(ids.pop()) if len(ids) == 1 else None
    is_page = parts.path.lower().rstrip("/") == PAGE_PATH and is_web_host(parts.netloc.lower())
    if not is_page or lead_id is None:
        raise _refuse_page(url)
    return ById(lead_id, parts.netloc.lower())


def _find_lead_id(text: str) -> str | None:
    try:
        return check_lead_id(text)
    except ValueError:
        return None


def _refuse_page(url: str) -> UserError:
    return UserError(
        f"“{echo(url)}” is not the page of one lead in LeadSquared. Open the lead there and copy "
        "the address: `--lead https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID=…`. "
        "To open any other page, use `--link https://…`."
    )
