"""What the value of a setting must be: types that return it in one form, or say what is wrong.

A check raises ValueError, whose text goes on after the name of the setting.
"""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def _split(value: Any) -> Any:
    return tuple(re.findall(r"[^\s,]+", value)) if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _add_scheme(value: Any) -> Any:
    return f"https://{value}" if isinstance(value, str) and "://" not in value else value


def _check_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must begin with https:// (http:// only on this machine)")
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be a plain address without user name, query or #")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("must have a valid port") from None  # urlsplit's own words show it
    return value


def _check_crm_url(value: str) -> str:
    parts = urlsplit(_check_url(value))
    if parts.path.rstrip("/") not in ("", "/v2"):
        raise ValueError("must be the API host alone, without a path")
    return urlunsplit((parts.scheme, parts.netloc, "", "", ""))


def _check_https(value: str) -> str:
    if not is_for_everybody(value):
        raise ValueError("must begin with https:// and be plain ASCII")
    return value


def is_for_everybody(url: str) -> bool:
    """Tell whether a notification may carry it: other people's browsers fetch it."""
    return url.isascii() and urlsplit(url).scheme == "https"


def end_with_slash(value: str) -> str:
    return value if value.endswith("/") else value + "/"


def _check_bot_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"xoxb-[!-~]+", value.get_secret_value()):
        raise ValueError("must be the bot token, which begins with xoxb-")
    return value


def _check_app_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"xapp-[!-~]+", value.get_secret_value()):
        raise ValueError("must be an app-level token, which begins with xapp-")
    return value


def _check_header_value(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("must be one word of ASCII characters")
    return value


def check_database_url(value: str) -> str:
    """Return SQLAlchemy's form of the address that hosts give; ValueError for other databases."""
    for given, driver in (
        ("sqlite://", "sqlite://"),
        ("postgres://", "postgresql+psycopg://"),
        ("postgresql://", "postgresql+psycopg://"),
    ):
        if value.startswith(given):
            value = driver + value.removeprefix(given)
            break
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError("must begin with sqlite:// or postgres://") from None
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("must begin with sqlite:// or postgres://")
    if url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("must name a file: memory does not survive a restart")
    return value


def find_password(database_url: str) -> list[str]:
    """Return the password in an address, if it has one."""
    password = make_url(database_url).password
    return [password] if isinstance(password, str) else []


def _check_usergroup(value: str) -> str:
    if not re.fullmatch(r"S[A-Z0-9]+", value):
        raise ValueError("must be the id of one user group, which begins with S")
    return value


Lower = BeforeValidator(_lower)
LowerWords = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(lambda value: _split(_lower(value)))
]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Secret = Annotated[SecretStr, AfterValidator(_check_header_value)]
WebUrl = Annotated[str, AfterValidator(_check_url)]
DatabaseUrl = Annotated[str, AfterValidator(check_database_url)]
FolderUrl = Annotated[WebUrl, AfterValidator(end_with_slash)]
PublicFolderUrl = Annotated[WebUrl, AfterValidator(_check_https), AfterValidator(end_with_slash)]
CrmUrl = Annotated[str, BeforeValidator(_add_scheme), AfterValidator(_check_crm_url)]
BotToken = Annotated[SecretStr, AfterValidator(_check_bot_token)]
AppToken = Annotated[SecretStr, AfterValidator(_check_app_token)]
UserGroup = Annotated[str, AfterValidator(_check_usergroup)]
