"""The host of response_urls (facts 2.1, 9.2): five posts in half an hour, even where no bot is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.slack.chat_methods import check_thread
from bot.sandbox.slack.faults import HOOKS, Faults
from bot.sandbox.slack.messages import Message
from bot.sandbox.slack.outages import Outages
from bot.sandbox.slack.posts import check_post
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.tickets import ResponseUrl, Tickets
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]

TYPES = ("ephemeral", "in_channel", None)


@dataclass
class HookPost:
    """One post; `status` is None while (or because) it was never answered."""

    url: str
    body: Json
    at: float
    status: int | None = None
    error: str | None = None


class Hooks:
    """Answers `/commands/…`, `/app/…` and `/actions/…`."""

    def __init__(self, workspace: Workspace, tickets: Tickets, faults: Faults) -> None:
        self.posts: list[HookPost] = []
        self._workspace = workspace
        self._tickets = tickets
        self._outages = Outages(faults, workspace.changed)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        post = HookPost(str(request.url), {}, self._workspace.clock())
        self.posts.append(post)
        raw = await request.read()
        await self._workspace.changed()

        def answer() -> web.Response:
            return self._answer(post, request.path, raw)

        try:
            return await self._outages.serve(request, HOOKS, answer)
        finally:
            await self._workspace.changed()

    def _answer(self, post: HookPost, path: str, raw: bytes) -> web.Response:
        try:
            self._use(post, self._tickets.urls.get(path), raw)
        except Refusal as refusal:
            post.error = refusal.code
            post.status = 404 if refusal.code in ("no_service", "expired_url", "used_url") else 400
            details = refusal.extra.get("response_metadata", "")
            self._workspace.complain(f"response_url: {refusal.code} {details}".rstrip())
            return web.Response(status=post.status, text=refusal.code)
        post.status = 200
        return web.Response(text="ok")

    def _use(self, post: HookPost, url: ResponseUrl | None, raw: bytes) -> None:
        post.body = _read_body(raw)
        if url is None:
            raise Refusal("no_service")
        refusal = url.find_refusal(self._workspace.clock())
        if refusal is not None:
            raise Refusal(refusal)
        self._apply(url, post.body)
        url.uses += 1

    def _apply(self, url: ResponseUrl, body: Json) -> None:
        original = self._find_original(url, body)
        if body.get("delete_original") and original is not None:
            original.deleted = True
            return
        text, blocks = check_post(self._workspace, "response_url", body)
        if body.get("response_type") not in TYPES:
            raise Refusal("invalid_payload")
        if body.get("replace_original") and original is not None:
            self._check_stays(original, body)
            original.edit(text, blocks)
            return
        public = body.get("response_type") == "in_channel"
        message = self._workspace.build_message(
            url.channel, self._workspace.bot, text, blocks, "response_url"
        )
        message.ephemeral_to = None if public else url.person.id
        message.thread_ts = self._find_thread(url, body)
        message.unfurls = (
            body.get("unfurl_links") is not False or body.get("unfurl_media") is not False
        )
        self._workspace.add_message(message)

    def _find_original(self, url: ResponseUrl, body: Json) -> Message | None:
        wanted = body.get("replace_original") or body.get("delete_original")
        if wanted and url.original is None:
            # it acts on the message that held the button, never on a command or a person's message
            self._workspace.complain("response_url: there is no original to replace or delete")
        return url.original

    def _check_stays(self, original: Message, body: Json) -> None:
        if original.ephemeral_to and body.get("response_type") == "in_channel":
            self._workspace.complain("response_url: an ephemeral message cannot become public")

    def _find_thread(self, url: ResponseUrl, body: Json) -> str | None:
        thread_ts = body.get("thread_ts")
        if not thread_ts:
            return None
        check_thread(self._workspace, "response_url", url.channel, str(thread_ts))
        if "/app/" in url.url and body.get("replace_original") is not False:
            self._workspace.complain("response_url: in a thread without replace_original: false")
        return str(thread_ts)


def _read_body(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refusal("invalid_payload") from None
    if not isinstance(body, dict):
        raise Refusal("invalid_payload")
    return body
