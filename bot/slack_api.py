"""Slack's Web API and `response_url`, with every failure turned into one of our errors.

Responses and errors: https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackRateLimitedError, SlackRefusedError, SlackUnavailableError
from bot.notification import Card
from bot.observer import UNOBSERVED, Observer
from bot.slack_client import counted

Blocks = list[dict[str, Any]]

PAGE = 200
"""People per page of `users.list`, as Slack recommends."""

UPDATE_MOST = 4_000
"""Characters of text that `chat.update` takes; `chat.postMessage` takes ten times as many."""

LONGEST_PAUSE = 60.0
"""Seconds of `Retry-After` that we believe."""

TOKEN_REFUSED = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
"""The token is wrong for every call, until somebody mends it."""

NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError, ValueError, TypeError, AttributeError)
"""What a call may raise; the last two are the SDK's own, on an answer that is no JSON object."""

ANSWER_MOST = 1024
"""Bytes of an answer of a `response_url` that are read; it is two letters."""

CHANGED_SINCE = {"hash_conflict", "not_found"}
"""What Slack calls a view that has another hash by now, and one that was closed."""

HEARTBEAT = 10.0
"""Seconds of silence before a WebSocket is asked for a sign of life; it has half as long for it."""

CLOSED_WITHIN = 1.0
"""Seconds for Slack to agree to the end of a WebSocket."""

TRANSIENT = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}


@dataclass(frozen=True)
class Identity:
    """Who the bot token belongs to."""

    team_id: str
    bot_id: str
    bot_user_id: str
    team: str = ""
    is_for_all: bool = False
    """Installed for all workspaces of an organisation."""


@dataclass(frozen=True)
class OpenView:
    """A view as it was when Slack last told of it."""

    view_id: str
    hash: str


class SlackApi:
    """The calls the bot makes; each raises SlackRefusedError or SlackUnavailableError."""

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._client = client
        self._session = session
        self._observer = observer

    async def get_identity(self) -> Identity:
        data = await _ask(self._client.auth_test())
        return Identity(
            str(data.get("team_id")),
            str(data.get("bot_id")),
            str(data.get("user_id")),
            str(data.get("team") or ""),
            data.get("is_enterprise_install") is True,
        )

    async def get_socket_url(self, app_token: SecretStr) -> str:
        token = app_token.get_secret_value()
        data = await _ask(self._client.apps_connections_open(app_token=token))
        return str(data.get("url"))

    async def open_socket(self, app_token: SecretStr) -> aiohttp.ClientWebSocketResponse:
        """Open a connection of Socket Mode, by a URL that is good for this one try."""
        url = await self.get_socket_url(app_token)
        try:
            return await self._session.ws_connect(
                url,
                heartbeat=HEARTBEAT,
                proxy=self._client.proxy,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSED_WITHIN),
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
            status = getattr(exc, "status", "no connection")  # the text has the URL
            raise SlackUnavailableError(f"{type(exc).__name__}, {status}") from None

    async def fetch_user(self, user_id: str) -> dict[str, Any]:
        data = await _ask(self._client.users_info(user=user_id))
        user = data.get("user")
        if not isinstance(user, dict):
            raise SlackUnavailableError("users.info without a user")
        return user

    async def fetch_user_pages(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield everybody in the workspace, page by page, at the pace Slack allows."""
        cursor = ""
        while True:
            try:
                data = await _ask(self._client.users_list(limit=PAGE, cursor=cursor))
            except SlackRateLimitedError as exc:
                await asyncio.sleep(exc.retry_after)
                continue
            yield [user for user in data.get("members") or () if isinstance(user, dict)]
            cursor = (data.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def fetch_group_members(self, group_id: str) -> list[str]:
        """Return the ids of everybody in a user group, whatever they are here."""
        data = await _ask(self._client.usergroups_users_list(usergroup=group_id))
        return [user_id for user_id in data.get("users") or () if isinstance(user_id, str)]

    async def fetch_groups(self) -> list[dict[str, Any]]:
        """Return all user groups without their members, those that are deactivated too."""
        data = await _ask(self._client.usergroups_list(include_disabled=True))
        return [group for group in data.get("usergroups") or () if isinstance(group, dict)]

    async def open_view(self, trigger_id: str, view: dict[str, Any]) -> OpenView:
        """Open a view, and return what to update it by."""
        data = await _ask(self._client.views_open(trigger_id=trigger_id, view=view))
        opened = data.get("view")
        if not isinstance(opened, dict):
            raise SlackUnavailableError("views.open without a view")
        return OpenView(str(opened.get("id")), str(opened.get("hash")))

    async def update_view(self, opened: OpenView, view: dict[str, Any]) -> None:
        """Replace a view, unless it was closed or changed meanwhile; inputs keep what was typed.

        That holds for the same block and action ids: https://github.com/slackapi/bolt-js/issues/290
        """
        update = self._client.views_update(view_id=opened.view_id, hash=opened.hash, view=view)
        try:
            await _ask(update)
        except SlackRefusedError as exc:
            if exc.code not in CHANGED_SINCE:
                raise

    async def publish_view(self, user_id: str, view: dict[str, Any]) -> None:
        """Replace what somebody's Home tab shows."""
        await _ask(self._client.views_publish(user_id=user_id, view=view))

    async def post(
        self, channel: str, text: str, blocks: Blocks, *, thread_ts: str | None = None
    ) -> Card | None:
        """Post a message; a user id as `channel` opens the direct message with them.

        Returns what to update it by, unless Slack left that out.
        """
        data = await _ask(
            self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=blocks,
                thread_ts=thread_ts,
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        posted_in, ts = data.get("channel"), data.get("ts")
        return Card(posted_in, ts) if isinstance(posted_in, str) and isinstance(ts, str) else None

    async def update(self, card: Card, text: str, blocks: Blocks) -> None:
        """Replace what a message of ours says; this notifies nobody."""
        text = text[:UPDATE_MOST]  # the blocks are what is seen
        await _ask(
            self._client.chat_update(channel=card.channel, ts=card.ts, text=text, blocks=blocks)
        )

    async def respond(self, response_url: str, body: dict[str, Any]) -> None:
        """Use a `response_url` once; our own POST, because Bolt's never raises.

        Only Slack's own hosts are posted to, whatever a payload names.
        """
        if not _is_at(response_url, str(self._client.base_url)):
            raise SlackRefusedError("response_url_elsewhere")
        with counted(self._observer, "response_url"):
            await self._respond(response_url, body)

    async def _respond(self, response_url: str, body: dict[str, Any]) -> None:
        try:
            async with self._session.post(
                response_url, json=body, allow_redirects=False
            ) as response:
                answer = await _read(response.content)
                status, headers = response.status, response.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise SlackUnavailableError(type(exc).__name__) from None  # the text has the URL
        _check_status(status, headers.get("Retry-After"))
        if status >= 300 or not _is_ok(answer):
            raise SlackRefusedError(f"response_url_{status}")


def _is_at(url: str, api_url: str) -> bool:
    """Tell whether a URL is on the host of the Web API, or below it, as hooks.slack.com is."""
    try:
        there, api = urlsplit(url), urlsplit(api_url)
    except ValueError:
        return False
    host, own = there.hostname or "", api.hostname or ""
    return there.scheme == api.scheme and (host == own or host.endswith(f".{own}"))


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Return all of a short answer, and nothing of a long one."""
    try:
        await content.readexactly(ANSWER_MOST)
    except asyncio.IncompleteReadError as exc:
        return exc.partial
    return b""


def _is_ok(answer: bytes) -> bool:
    """Tell whether a `response_url` took it: `ok`, or what the Web API says in its place.

    A page of HTML with status 200 is somebody else's answer.
    """
    if answer.strip() == b"ok":
        return True
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and data.get("ok") is True


async def _ask(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    try:
        data = (await call).data
    except SlackApiError as exc:
        raise _explain(exc) from None  # the cause may show what was sent
    except NO_ANSWER as exc:
        raise SlackUnavailableError(type(exc).__name__) from None
    if not isinstance(data, dict):
        raise SlackUnavailableError("not JSON")
    return data


def _explain(exc: SlackApiError) -> SlackRefusedError | SlackUnavailableError:
    """Decode defensively: the SDK leaves odd things in `response` when a body is not JSON."""
    response: Any = exc.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    data = getattr(response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    headers = getattr(response, "headers", None) or {}
    try:
        _check_status(429 if code == "ratelimited" else status, headers.get("Retry-After"))
    except SlackUnavailableError as unavailable:
        return unavailable
    if not isinstance(code, str) or code in TRANSIENT:
        return SlackUnavailableError(f"status {status}, {code}")
    return SlackRefusedError(code)


def _check_status(status: int, retry_after: str | None) -> None:
    if status == 429:
        raise SlackRateLimitedError(_seconds(retry_after))
    if status >= 500:
        raise SlackUnavailableError(f"status {status}")


def _seconds(retry_after: str | None) -> float:
    try:
        return min(max(float(retry_after or ""), 1.0), LONGEST_PAUSE)
    except ValueError:
        return 1.0
