"""The routes of the stand-in: what was asked in, an answer and a note of every mistake out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from bot.sandbox.leadsquared.account import Account, CrmUser, Push
from bot.sandbox.leadsquared.answers import (
    MADE_UP,
    PUSH_SUCCESS,
    Answer,
    build_error,
    build_json,
    build_listed_user,
    build_retrieved_user,
    build_whoami,
)
from bot.sandbox.leadsquared.faults import Endpoint
from bot.sandbox.leadsquared.push import find_mistakes

BAD_INPUT = "MXInvalidInputException"
BAD_KEYS = "MXInvalidAccessDetailsException"
KEY_PARAMETERS = {"accesskey", "secretkey"}
"""Matched without regard to case, as in https://apidocs.leadsquared.com/capture-lead/."""


@dataclass(frozen=True)
class Incoming:
    """One request; names in `query` are in lower case, those in `headers` in any."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    at: float


@dataclass(frozen=True)
class Route:
    """Where an endpoint lives, and the one parameter it needs."""

    endpoint: Endpoint
    method: str = "GET"
    parameter: str | None = None


_LEADS = "/v2/LeadManagement.svc"
_PEOPLE = "/v2/UserManagement.svc"
ROUTES = {
    "/v2/Notifier.svc/Browser.Push": Route(Endpoint.PUSH, "POST"),
    "/v2/Authentication.svc/UserByAccessKey.Get": Route(Endpoint.WHOAMI),
    f"{_PEOPLE}/Users.Get": Route(Endpoint.USERS),
    f"{_PEOPLE}/User/Retrieve/ByEmailAddress": Route(
        Endpoint.USER_BY_EMAIL, parameter="emailaddress"
    ),
    f"{_PEOPLE}/User/Retrieve/ByUserId": Route(Endpoint.USER_BY_ID, parameter="userid"),
    f"{_LEADS}/Leads.GetByQuickSearch": Route(Endpoint.SEARCH, parameter="key"),
    f"{_LEADS}/Leads.GetById": Route(Endpoint.LEAD_BY_ID, parameter="id"),
    f"{_LEADS}/Leads.GetByEmailaddress": Route(Endpoint.LEAD_BY_EMAIL, parameter="emailaddress"),
    f"{_LEADS}/RetrieveLeadByPhoneNumber": Route(Endpoint.LEAD_BY_PHONE, parameter="phone"),
}


class _RefusedError(Exception):
    """Ends a request early with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Api:
    """Answers as LeadSquared documents it, and notes in `violations` what it would not like."""

    def __init__(self, account: Account, access_key: str, secret_key: str) -> None:
        self.account = account
        self.access_key = access_key
        self.secret_key = secret_key
        self.violations: list[str] = []
        self.own_host = ""
        self.right_host: str | None = None
        """Set it, and this host is the wrong region for all but UserByAccessKey.Get."""
        self.app_host = "in21.leadsquared.com"
        self.country_code = "91"
        self._readers: dict[Endpoint, Callable[[str], list[dict[str, Any]]]] = {
            Endpoint.USERS: lambda _: list(map(build_listed_user, account.users)),
            Endpoint.USER_BY_EMAIL: lambda email: self._retrieve(account.find_active(email=email)),
            Endpoint.USER_BY_ID: lambda user_id: self._retrieve(account.find_active(id=user_id)),
            Endpoint.SEARCH: lambda text: list(map(dict, account.search_leads(text))),
            Endpoint.LEAD_BY_ID: lambda lead_id: list(
                map(dict, account.find_leads("ProspectID", lead_id))
            ),
            Endpoint.LEAD_BY_EMAIL: lambda email: list(
                map(dict, account.find_leads("EmailAddress", email))
            ),
            Endpoint.LEAD_BY_PHONE: lambda number: list(
                map(dict, account.find_leads_by_phone(number))
            ),
        }

    def find_endpoint(self, path: str) -> Endpoint | None:
        route = ROUTES.get(path)
        return route.endpoint if route else None

    def find_target(self, incoming: Incoming) -> str | None:
        """Return whom a push is for, however broken it is; None for every other call."""
        if self.find_endpoint(incoming.path) is not Endpoint.PUSH:
            return None
        try:
            body = json.loads(incoming.raw)
        except (ValueError, RecursionError):
            return None
        named = body.get("UserId", self.account.owner.id) if isinstance(body, dict) else None
        return named.lower() if isinstance(named, str) else None

    def answer(self, incoming: Incoming) -> Answer:
        """Return what the real API would; an accepted push is recorded."""
        try:
            route = self._check_route(incoming)
            self._check_keys(incoming, route)
            if route.endpoint is Endpoint.PUSH:
                return self._push(incoming)
            return self._read(incoming, route)
        except _RefusedError as refused:
            return refused.answer

    def _note(self, incoming: Incoming, what: str) -> None:
        self.violations.append(f"{incoming.method} {incoming.path}: {what}")

    def _refuse(self, incoming: Incoming, what: str, answer: Answer) -> NoReturn:
        self._note(incoming, what)
        raise _RefusedError(answer)

    def _check_route(self, incoming: Incoming) -> Route:
        if incoming.path == "/moved":
            self._refuse(incoming, "a redirect was followed", Answer(200, PUSH_SUCCESS))
        route = ROUTES.get(incoming.path)
        if route is None:
            self._refuse(incoming, "unknown path", Answer(404, b"<h1>Not Found</h1>", "text/html"))
        if incoming.method != route.method:
            answer = Answer(405, b"", "text/html", {"Allow": route.method})
            self._refuse(incoming, f"wrong method, it takes {route.method}", answer)
        if route.method == "GET" and incoming.raw:
            self._note(incoming, "GET with a body")
        return route

    def _check_keys(self, incoming: Incoming, route: Route) -> None:
        in_url = KEY_PARAMETERS & set(incoming.query)
        if in_url:
            self._note(incoming, "keys in the URL")
        given = []
        for name in ("AccessKey", "SecretKey"):
            key = incoming.headers.get(f"x-LSQ-{name}", incoming.query.get(name.lower()))
            if key is None:
                self._note(incoming, f"header x-LSQ-{name} missing")
            given.append(key)
        if given != [self.access_key, self.secret_key] or not self.account.owner.active:
            raise _RefusedError(build_error(401, BAD_KEYS, "Invalid Access Details provided."))
        if self.right_host and route.endpoint is not Endpoint.WHOAMI:
            message = f"Invalid API host. Use {self.right_host} for this account."
            raise _RefusedError(build_error(401, BAD_KEYS, message))

    def _read(self, incoming: Incoming, route: Route) -> Answer:
        given = {name: value for name, value in incoming.query.items() if name != route.parameter}
        unknown = sorted(set(given) - KEY_PARAMETERS)
        value = incoming.query.get(route.parameter or "", "")
        if unknown or (route.parameter and not value):
            bad = unknown[0] if unknown else f"{route.parameter}"
            error = build_error(500, BAD_INPUT, f"Invalid Input! Parameter Name: {bad}")
            self._refuse(incoming, f"unknown or missing parameter {bad}", error)
        if route.endpoint is Endpoint.WHOAMI:
            api_host = self.right_host or self.own_host
            me = build_whoami(self.account.owner, api_host, self.app_host, self.country_code)
            return build_json(me)
        return build_json(self._readers[route.endpoint](value))

    @staticmethod
    def _retrieve(users: list[CrmUser]) -> list[dict[str, Any]]:
        return list(map(build_retrieved_user, users))

    def _push(self, incoming: Incoming) -> Answer:
        body = self._parse(incoming)
        shape, sense = find_mistakes(body)
        for mistake in [*shape, *sense]:
            self._note(incoming, mistake)
        if shape:
            return build_error(400, BAD_INPUT, f"Invalid Input! {shape[0]}")
        target = self.account.owner
        if "UserId" in body:
            target = self._find_target_user(incoming, body["UserId"])
        if sense:
            return build_error(500, MADE_UP, f"Invalid notification: {sense[0]}")
        if not target.active or target.blocked:
            return build_error(500, MADE_UP, "The notification could not be shown to this user.")
        self.account.pushes.append(Push(incoming.at, target.id, body, incoming.raw))
        return Answer(200, PUSH_SUCCESS)

    def _find_target_user(self, incoming: Incoming, user_id: str) -> CrmUser:
        user = self.account.find_user(user_id)
        if user is None:
            error = build_error(500, MADE_UP, "The user does not exist.")
            self._refuse(incoming, f"UserId {user_id!r} is unknown", error)
        return user

    def _parse(self, incoming: Incoming) -> dict[str, Any]:
        kind = incoming.headers.get("Content-Type", "")
        if kind.lower().replace(" ", "") not in (
            "application/json",
            "application/json;charset=utf-8",
        ):
            self._refuse(
                incoming,
                f"wrong content type {kind!r}",
                build_error(400, BAD_INPUT, "Invalid content type"),
            )
        try:
            body = json.loads(incoming.raw.decode(), object_pairs_hook=_build_object)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            error = build_error(400, BAD_INPUT, "Invalid JSON")
            self._refuse(incoming, "the body is not a JSON object", error)
        return body


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a name occurs twice")
    return dict(pairs)
