"""The Web API over HTTP: every wire form of facts 9.1, tokens, scopes, faults, and a record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from bot.sandbox.slack.chat_methods import ChatMethods
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.outages import Outages
from bot.sandbox.slack.people import BOT_ID, BOT_USER_ID, TEAM_ID
from bot.sandbox.slack.people_methods import PeopleMethods
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.sockets import METHOD as OPEN_CONNECTION
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.view_methods import ViewMethods
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]

SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "users.info": "users:read",
    "users.list": "users:read",
    "users.lookupByEmail": "users:read.email",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "conversations.open": "im:write",
}
"""What a method needs (facts 4.4); conversations.info and .members depend on the conversation."""

MISTAKES = {
    "unknown_method",
    "missing_scope",
    "invalid_json",
    "invalid_blocks",
    "invalid_arguments",
    "invalid_cursor",
    "no_text",
    "msg_too_long",
    "view_too_large",
    "duplicate_external_id",
    "push_limit_reached",
    "invalid_trigger_id",
    "expired_trigger_id",
    "exchanged_trigger_id",
    "too_many_users",
}
"""Errors that only a mistake of the app brings about; others happen to the best."""

STRUCTURED = {"blocks", "view", "attachments", "metadata"}
FLAGS = {"unfurl_links", "unfurl_media", "link_names", "include_users", "include_disabled"}


@dataclass
class Call:
    """One call; `ok` is None while (or because) it was never answered."""

    method: str
    args: Json
    at: float
    ok: bool | None = None
    error: str | None = None


class WebApi:
    """Answers `/api/<method>`."""

    def __init__(
        self,
        workspace: Workspace,
        views: ViewMethods,
        faults: Faults,
        bot_token: str,
        sockets: Sockets,
    ) -> None:
        self.calls: list[Call] = []
        self.bot_token = bot_token
        self.identity: Json = {}
        """What `auth.test` says in place of the usual, such as `is_enterprise_install`."""
        self._workspace = workspace
        self._sockets = sockets
        self._outages = Outages(faults, workspace.changed)
        self._table: dict[str, Callable[[Json], Json]] = {
            "auth.test": self._identify,
            **ChatMethods(workspace).table,
            **PeopleMethods(workspace).table,
            **views.table,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.match_info["method"], {}, self._workspace.clock())
        self.calls.append(call)
        wrong = read_call(call, request, await request.read())
        token = call.args.pop("token", None) or _find_token(request)
        await self._workspace.changed()

        def answer() -> web.Response:
            return self._answer(call, token, wrong)

        try:
            return await self._outages.serve(request, call.method, answer)
        finally:
            await self._workspace.changed()

    def _answer(self, call: Call, token: str | None, wrong: Refusal | None) -> web.Response:
        headers = {"x-oauth-scopes": ",".join(sorted(self._workspace.scopes))}
        try:
            body = self._run(call, token) if wrong is None else wrong.answer
        except Refusal as refusal:
            wrong, body = refusal, refusal.answer
        if wrong is not None:
            self._record(call, wrong)
        call.ok, call.error = body["ok"], body.get("error")
        return web.json_response(body, headers=headers)

    def _run(self, call: Call, token: str | None) -> Json:
        if call.method == OPEN_CONNECTION:  # the one method of the app-level token
            return self._sockets.issue_url(token)
        method = self._table.get(call.method)
        if method is None:
            raise Refusal("unknown_method", req_method=call.method)
        if not token:
            raise Refusal("not_authed")
        if token.startswith("xapp-"):
            raise Refusal("not_allowed_token_type")
        if token != self.bot_token:
            raise Refusal("invalid_auth")
        needed = SCOPES.get(call.method)
        if needed is not None and needed not in self._workspace.scopes:
            provided = ",".join(sorted(self._workspace.scopes))
            raise Refusal("missing_scope", needed=needed, provided=provided)
        return method(call.args)

    def _record(self, call: Call, refusal: Refusal) -> None:
        if refusal.code in MISTAKES:
            details = refusal.extra.get("response_metadata") or refusal.extra.get("needed") or ""
            self._workspace.complain(f"{call.method}: {refusal.code} {details}".rstrip())

    def _identify(self, _args: Json) -> Json:
        return {
            "ok": True,
            "url": "https://acme.slack.com/",
            "team": "Acme",
            "user": "crm-notifier",
            "team_id": TEAM_ID,
            "user_id": BOT_USER_ID,
            "bot_id": BOT_ID,
            "is_enterprise_install": False,
            **self.identity,
        }


def read_call(call: Call, request: web.Request, raw: bytes) -> Refusal | None:
    """Take in the arguments, even of a call that a fault answers; return what is wrong with it."""
    try:
        call.args = read_args(request, raw)
    except Refusal as refusal:
        return refusal
    return None


def read_args(request: web.Request, raw: bytes) -> Json:
    """Return the arguments, whether in the query, a form or JSON."""
    args: Json = dict(request.query)
    if request.content_type == "application/json" and raw:
        try:
            body = json.loads(raw)
        except ValueError:
            raise Refusal("invalid_json") from None
        if not isinstance(body, dict):
            raise Refusal("invalid_json")
        args |= body
    elif raw:
        args |= dict(parse_qsl(raw.decode(), keep_blank_values=True))
    return {key: _decode(key, value) for key, value in args.items()}


def _decode(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if key in STRUCTURED:
        try:
            return json.loads(value)
        except ValueError:
            raise Refusal("invalid_arguments", [f"/{key}: is not JSON"]) from None
    return value.lower() in ("true", "1") if key in FLAGS else value


def _find_token(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token if scheme == "Bearer" else None
