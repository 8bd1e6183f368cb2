"""The CRM's users, whose keys ours are, and what their account says of itself."""

from __future__ import annotations

from typing import Any

from bot.errors import CrmError, CrmUnavailableError
from bot.leadsquared.models import Account, CrmUser, KeyOwnerIdentity, check_crm_user_id
from bot.leadsquared.wire.answers import attempt
from bot.leadsquared.wire.request import ROSTER_MAX_BYTES, Request


def key_owner_request() -> Request:
    """https://apidocs.leadsquared.com/user-authentication/ (answers on the host of any region)"""
    return Request("GET", "/v2/Authentication.svc/UserByAccessKey.Get")


def users_request() -> Request:
    """https://apidocs.leadsquared.com/get-users (everybody in one answer; no paging documented)"""
    path = "/v2/UserManagement.svc/Users.Get"
    return Request("GET", path, max_bytes=ROSTER_MAX_BYTES, shrink=shrink_user)


def shrink_user(fields: dict[str, Any]) -> object:
    """Return a row of the list as its user, which takes a third; leave the rest to `parse_users`.

    An error stays what it is, whatever else it holds.
    """
    if "ID" not in fields or "ExceptionType" in fields or "Status" in fields:
        return fields
    return attempt(CrmUser.from_wire)(fields) or fields


def user_by_email_request(email: str) -> Request:
    """https://apidocs.leadsquared.com/get-user-by-email-id/"""
    path = "/v2/UserManagement.svc/User/Retrieve/ByEmailAddress"
    return Request("GET", path, {"emailAddress": email.strip().lower()})


def user_by_id_request(user_id: str) -> Request:
    """https://apidocs.leadsquared.com/get-user-by-id/"""
    path = "/v2/UserManagement.svc/User/Retrieve/ByUserId"
    return Request("GET", path, {"userId": check_crm_user_id(user_id)})


def parse_users(answer: object) -> list[CrmUser] | CrmError:
    """Read an array of users; a malformed one is left out, but not all of them."""
    if not isinstance(answer, list):
        return CrmUnavailableError()
    users = [user for user in map(_read_user, answer) if user]
    # "Nobody" must be what the CRM said, or a person would be called unlinked.
    return CrmUnavailableError() if answer and not users else users


def _read_user(element: object) -> CrmUser | None:
    return element if isinstance(element, CrmUser) else attempt(CrmUser.from_wire)(element)


def parse_key_owner(answer: object) -> KeyOwnerIdentity | CrmError:
    """Read whose keys these are."""
    return attempt(KeyOwnerIdentity.from_wire)(answer) or CrmUnavailableError()


def parse_account(answer: object) -> Account | CrmError:
    """Read the same answer for where the account's pages are."""
    return attempt(Account.from_wire)(answer) or CrmUnavailableError()


def find_by_email(users: list[CrmUser], email: str) -> CrmUser | None:
    """Return the user with exactly this e-mail, an active one first."""
    matches = [user for user in users if user.email == email.strip().lower()]
    return min(matches, key=lambda user: not user.active, default=None)


def find_by_id(users: list[CrmUser], user_id: str) -> CrmUser | None:
    """Return the user with exactly this id."""
    return next((user for user in users if user.id == user_id.lower()), None)
