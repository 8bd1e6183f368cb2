"""The stand-in's switches: one kind for every way an answer can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.leadsquared.answers import MADE_UP, Answer, build_error


class Endpoint(StrEnum):
    """What a fault can be set for; ANY is all of them, and every other path."""

    PUSH = "push"
    WHOAMI = "whoami"
    USERS = "users"
    USER_BY_EMAIL = "user_by_email"
    USER_BY_ID = "user_by_id"
    SEARCH = "search"
    LEAD_BY_ID = "lead_by_id"
    LEAD_BY_EMAIL = "lead_by_email"
    LEAD_BY_PHONE = "lead_by_phone"
    ANY = "*"


class FaultKind(StrEnum):
    """What goes wrong instead of, or after, the real answer."""

    RATE_LIMIT_429 = "rate_limit_429"
    RATE_LIMIT_403 = "rate_limit_403"
    RATE_LIMIT_200 = "rate_limit_200"
    MX_500 = "mx_500"
    MX_400 = "mx_400"
    MX_200 = "mx_200"
    MX_WITHOUT_STATUS = "mx_without_status"
    NULL_REFERENCE = "null_reference"
    UNAUTHORIZED_401 = "unauthorized_401"
    FORBIDDEN_403 = "forbidden_403"
    NOT_FOUND_404 = "not_found_404"
    UNAVAILABLE_503 = "unavailable_503"
    REDIRECT_302 = "redirect_302"
    TEAPOT_418 = "teapot_418"
    EMPTY_200 = "empty_200"
    HTML_200 = "html_200"
    BROKEN_JSON_200 = "broken_json_200"
    NULL_200 = "null_200"
    ERROR_WITHOUT_TYPE_200 = "error_without_type_200"
    EMPTY_500 = "empty_500"
    HTML_502 = "html_502"
    HANG = "hang"
    HANG_AFTER = "hang_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    CLOSE_AFTER = "close_after"
    CUT_BODY = "cut_body"
    TRICKLE = "trickle"
    HUGE_BODY = "huge_body"
    GZIP_BOMB = "gzip_bomb"


RATE_LIMITS = {
    FaultKind.RATE_LIMIT_429: 429,
    FaultKind.RATE_LIMIT_403: 403,
    FaultKind.RATE_LIMIT_200: 200,
}

AFTER_ACCEPTING = {
    FaultKind.HANG_AFTER,
    FaultKind.RESET_AFTER,
    FaultKind.CLOSE_AFTER,
    FaultKind.CUT_BODY,
    FaultKind.TRICKLE,
    FaultKind.HUGE_BODY,
    FaultKind.GZIP_BOMB,
}
"""In these the CRM did its work, and only the answer is lost."""

_HTML = "text/html"
_BAD_INPUT = "MXInvalidInputException"

CANNED = {
    FaultKind.MX_500: build_error(500, MADE_UP, "Refused by the stand-in, status 500."),
    FaultKind.MX_400: build_error(400, _BAD_INPUT, "Invalid Input! Parameter Name: Title"),
    FaultKind.MX_200: build_error(200, "MXDuplicateEntryException", "Duplicate entry 'x'"),
    FaultKind.MX_WITHOUT_STATUS: Answer(
        500,
        b'{"ExceptionType":"MXUnknownAttributeException",'
        b'"ExceptionMessage":"Attribute(s) does not exist - mx_A."}',
    ),
    FaultKind.NULL_REFERENCE: build_error(
        500, "NullReferenceException", "There was an error processing the request."
    ),
    FaultKind.UNAUTHORIZED_401: build_error(
        401, "MXInvalidAccessDetailsException", "Invalid Access Details provided."
    ),
    FaultKind.FORBIDDEN_403: Answer(403, b"<h1>Forbidden</h1>", _HTML),
    FaultKind.NOT_FOUND_404: Answer(404, b"<h1>Not Found</h1>", _HTML),
    FaultKind.UNAVAILABLE_503: Answer(503, b"<h1>Service Unavailable</h1>", _HTML),
    FaultKind.REDIRECT_302: Answer(302, headers={"Location": "/moved"}),
    FaultKind.TEAPOT_418: Answer(418, b"I'm a teapot", "text/plain"),
    FaultKind.EMPTY_200: Answer(200),
    FaultKind.HTML_200: Answer(200, b"<html><body>Please sign in</body></html>", _HTML),
    FaultKind.BROKEN_JSON_200: Answer(200, b'{"Status": "Success", "Message": '),
    FaultKind.NULL_200: Answer(200, b"null"),
    FaultKind.ERROR_WITHOUT_TYPE_200: Answer(200, b'{"Status":"Error"}'),
    FaultKind.EMPTY_500: Answer(500),
    FaultKind.HTML_502: Answer(502, b"<html><body>Bad Gateway</body></html>", _HTML),
}


@dataclass
class Fault:
    """One switch; `accepts` says whether the CRM does its work before the fault shows."""

    endpoint: Endpoint
    kind: FaultKind
    accepts: bool
    times: int | None = None
    user_id: str | None = None

    def fits(self, endpoint: Endpoint | None, user_id: str | None) -> bool:
        return self.endpoint in (Endpoint.ANY, endpoint) and self.user_id in (None, user_id)


class Faults:
    """Which faults are switched on: `next` goes before `for_user`, and that before `always`."""

    def __init__(self) -> None:
        self._next: list[Fault] = []
        self._for_user: list[Fault] = []
        self._always: list[Fault] = []

    def next(
        self, endpoint: str, kind: str, times: int = 1, *, accepts: bool | None = None
    ) -> None:
        """Let the next `times` calls of `endpoint` go wrong; several of these form a queue."""
        self._next.append(self._build(endpoint, kind, accepts, times=times))

    def always(self, endpoint: str, kind: str, *, accepts: bool | None = None) -> None:
        """Let every call of `endpoint` go wrong, until `clear`; the last one set counts."""
        self._always.insert(0, self._build(endpoint, kind, accepts))

    def for_user(
        self, user_id: str, kind: str, times: int | None = None, *, accepts: bool | None = None
    ) -> None:
        """Let pushes to this user go wrong: `times` of them, or all until `clear`."""
        self._for_user.append(
            self._build(Endpoint.PUSH, kind, accepts, times=times, user_id=user_id)
        )

    def clear(self) -> None:
        """Switch everything off; calls already hanging stay so until they are released."""
        for faults in (self._next, self._for_user, self._always):
            faults.clear()

    def list_set(self) -> list[Fault]:
        """Return what is switched on, in the order in which it is looked at."""
        return [*self._next, *self._for_user, *self._always]

    def take(self, endpoint: Endpoint | None, user_id: str | None) -> Fault | None:
        """Return the fault for one call, and use it up by one."""
        for faults in (self._next, self._for_user, self._always):
            fault = next((one for one in faults if one.fits(endpoint, user_id)), None)
            if fault is None:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times < 1:
                    faults.remove(fault)
            return fault
        return None

    @staticmethod
    def _build(
        endpoint: str,
        kind: str,
        accepts: bool | None,
        *,
        times: int | None = None,
        user_id: str | None = None,
    ) -> Fault:
        which = FaultKind(kind)
        works = which in AFTER_ACCEPTING if accepts is None else accepts
        return Fault(Endpoint(endpoint), which, works, times, user_id)
