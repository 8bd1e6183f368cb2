"""What goes to LeadSquared and what comes back, checked; the CRM's own words stay in here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from bot.links import check_link

DEFAULT_MAX_BYTES = 2048
"""Title and content together: https://apidocs.leadsquared.com/push-browser-notifications-to-users/"""

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NIL_GUID = "00000000-0000-0000-0000-000000000000"
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_WEB_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+leadsquared\.com")
_COUNTRY_CODE = re.compile(r"\+?([1-9][0-9]{0,2})")
_SURROGATE = re.compile("[\ud800-\udfff]")


def check_crm_user_id(value: object) -> str:
    """Return a CRM user id in lower case; the nil GUID is nobody, so it is refused as well."""
    if guid := _find_guid(value):
        return guid
    raise ValueError("must be a LeadSquared user id, like 6f0c2a1e-1111-4222-8333-abcdefabcdef")


def check_lead_id(value: object) -> str:
    """Return a lead's id in lower case."""
    if guid := _find_guid(value):
        return guid
    raise ValueError("must be a LeadSquared lead id, like 2b9d1c3e-1111-4222-8333-abcdefabcdef")


def _find_guid(value: object) -> str | None:
    guid = value.lower() if isinstance(value, str) else ""
    return guid if _GUID.fullmatch(guid) and guid != _NIL_GUID else None


CrmUserId = Annotated[str, AfterValidator(check_crm_user_id)]
LeadId = Annotated[str, AfterValidator(check_lead_id)]
HttpsLink = Annotated[str, AfterValidator(check_link)]


def count_bytes(title: str, content: str) -> int:
    """Return how much of LeadSquared's limit a text takes."""
    return sum(len(text.encode(errors="surrogatepass")) for text in (title, content))


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class BrowserPush(_Frozen):
    """One notification for one CRM user; nobody in particular cannot be said."""

    user_id: CrmUserId | Literal["KEY_OWNER"] = Field(serialization_alias="UserId")
    title: str = Field(serialization_alias="Title")
    content: str = Field(serialization_alias="Content")
    click_url: HttpsLink | None = Field(default=None, serialization_alias="ClickURL")
    icon_url: HttpsLink | None = Field(default=None, serialization_alias="IconURL")

    @classmethod
    def create(
        cls,
        *,
        user_id: str,
        title: str,
        content: str,
        click_url: str | None = None,
        icon_url: str | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> Self:
        """Return a push whose text fits `max_bytes`; the plain constructor allows the default."""
        fields = {"user_id": user_id, "title": title, "content": content}
        links = {"click_url": click_url, "icon_url": icon_url}
        return cls.model_validate(fields | links, context={"max_bytes": max_bytes})

    @model_validator(mode="after")
    def _check_text(self, info: ValidationInfo) -> Self:
        most = (info.context or {}).get("max_bytes", DEFAULT_MAX_BYTES)
        for name, text in (("title", self.title), ("content", self.content)):
            if not text.strip():
                raise ValueError(f"the {name} must not be empty")
            if "\0" in text:
                raise ValueError(f"the {name} must not contain a NUL character")
            if _SURROGATE.search(text):
                raise ValueError(f"the {name} must not contain half a character")
        size = count_bytes(self.title, self.content)
        if size > most:
            raise ValueError(f"title + content is {size:,} bytes; LeadSquared takes {most:,}")
        return self


@dataclass(frozen=True, slots=True)
class CrmUser:
    """A LeadSquared user; `name` is empty where the CRM has none.

    Plain, since a roster holds all of an account: as a checked model 50,000 take 20 MB more.
    """

    id: str
    name: str = ""
    email: str | None = None
    active: bool = True

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Read one element of any of the three user answers, or raise `ValueError`.

        The list call says `ID` and `StatusCode` (0 is active); the look-ups say `UserId`, and
        leave inactive users out: https://apidocs.leadsquared.com/get-users
        """
        fields = _mapping(data)
        return cls(
            id=check_crm_user_id(fields.get("ID") or fields.get("UserId") or fields.get("UserID")),
            name=_words(fields.get("FirstName"), fields.get("LastName")),
            email=_first_email(fields.get("EmailAddress")),
            active=str(fields.get("StatusCode") or 0) == "0",
        )


class KeyOwnerIdentity(_Frozen):
    """Whose keys these are, and which hosts serve their account."""

    id: CrmUserId
    name: str = ""
    email: str | None = None
    api_host: str | None = None
    web_host: str | None = None

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Read the answer of `UserByAccessKey.Get`, or raise `ValueError`.

        The e-mail is in `PassPhrase`, and `EmailAddress` null, in the vendor's own sample:
        https://apidocs.leadsquared.com/user-authentication/
        """
        fields = _mapping(data)
        hosts = fields.get("LSQCommonServiceURLs")
        hosts = hosts if isinstance(hosts, Mapping) else {}
        return cls(
            id=check_crm_user_id(fields.get("Id")),
            name=_words(fields.get("Name")),
            email=_first_email(fields.get("EmailAddress"), fields.get("PassPhrase")),
            api_host=_find_host(hosts.get("api")),
            web_host=_find_host(hosts.get("app")),
        )


class Account(_Frozen):
    """What we need to know of the account; None where it does not say.

    The hosts are LeadSquared's own: people follow links to one, and keys are sent to the other.
    """

    key_owner_id: CrmUserId
    web_host: str | None = None
    api_host: str | None = None
    country_code: str | None = None

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Read the answer of `UserByAccessKey.Get`, or raise `ValueError`.

        The web host cannot be computed from the API's: https://apidocs.leadsquared.com/user-authentication/
        """
        fields = _mapping(data)
        hosts = fields.get("LSQCommonServiceURLs")
        hosts = hosts if isinstance(hosts, Mapping) else {}
        web_host, api_host = (_find_host(hosts.get(name)) for name in ("app", "api"))
        code = _COUNTRY_CODE.fullmatch(_words(fields.get("DefaultCountryCode")))
        return cls(
            key_owner_id=check_crm_user_id(fields.get("Id")),
            web_host=web_host if web_host and is_web_host(web_host) else None,
            api_host=api_host if api_host and is_web_host(api_host) else None,
            country_code=code[1] if code else None,
        )

    def build_lead_url(self, lead_id: str) -> str | None:
        """https://apidocs.leadsquared.com/leadsquared-converse-system-notification-to-users/"""
        if self.web_host is None:
            return None
        return f"https://{self.web_host}/LeadManagement/LeadDetails?LeadID={check_lead_id(lead_id)}"


class Lead(_Frozen):
    """A lead; texts are empty, and the rest None, where the CRM has nothing.

    `phones` are as stored there; `owner_id` is the CRM user to notify.
    """

    id: LeadId
    name: str = ""
    email: str | None = None
    phones: tuple[str, ...] = ()
    company: str = ""
    stage: str = ""
    owner_id: CrmUserId | None = None
    owner_name: str = ""
    owner_email: str | None = None

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Read a lead, or raise `ValueError`: https://apidocs.leadsquared.com/get-a-lead-by-email-id/"""
        fields = _mapping(data)
        numbers = (_words(fields.get(name)) for name in ("Phone", "Mobile"))
        return cls(
            id=check_lead_id(fields.get("ProspectID")),
            name=_words(fields.get("FirstName"), fields.get("LastName")),
            email=_first_email(fields.get("EmailAddress")),
            phones=tuple(number for number in numbers if number),
            company=_words(fields.get("Company")),
            stage=_words(fields.get("ProspectStage")),
            owner_id=_find_guid(fields.get("OwnerId")),
            owner_name=_words(fields.get("OwnerIdName")),
            owner_email=_first_email(fields.get("OwnerIdEmailAddress")),
        )


def is_web_host(host: str) -> bool:
    """Tell whether a host in lower case is one of LeadSquared's own."""
    return bool(_WEB_HOST.fullmatch(host))


def _mapping(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError("must be a JSON object")  # noqa: TRY004 - callers catch ValueError alone
    return data


def _words(*parts: object) -> str:
    """Join what there is of a name into one printable line."""
    text = " ".join(part for part in parts if isinstance(part, str))
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _first_email(*candidates: object) -> str | None:
    texts = (text.strip().lower() for text in candidates if isinstance(text, str))
    return next((text for text in texts if text.isprintable() and _EMAIL.fullmatch(text)), None)


def _find_host(value: object) -> str | None:
    """Return a bare host name in lower case; integrators saw one without scheme or slash."""
    text = value.strip().lower() if isinstance(value, str) else ""
    host = text.removeprefix("https://").removesuffix("/")
    return host if host.isascii() and _HOST.fullmatch(host) else None
