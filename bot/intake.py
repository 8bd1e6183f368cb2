"""Slack's requests in: size, signature over the raw bytes, one parse, then Bolt.

Whatever is not signed gets 401 before anything reads it: Bolt alone answers 500 to many malformed
unsigned requests and logs their bodies.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from pydantic import SecretStr
from slack_bolt import BoltResponse
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.observer import UNOBSERVED, Observer
from bot.payloads import is_well_formed
from bot.requests import FollowedApp
from bot.slack_api import Identity

log = structlog.get_logger()

PATH = "/slack/events"

READ_WITHIN = 3.0
"""Seconds for a body to arrive; Slack itself waits no longer for the answer."""

MOST_FIELDS = 100
"""Form fields; Slack sends about fifteen."""


class Intake:
    """The route that Slack posts to."""

    def __init__(self, signing_secret: str, find_app: Callable[[], AsyncApp | None]) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self._find_app = find_app

    async def answer(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READ_WITHIN):
                raw = await _read(request)
        except TimeoutError:
            return web.json_response({"error": "too slow"}, status=408)
        if raw is None or not self._is_signed(request, raw):
            log.warning("intake.signature_refused", size=len(raw or b""))
            return web.json_response({"error": "invalid request"}, status=401)
        body = parse(raw, request.content_type)
        if body is None:
            return _refuse_malformed(raw)
        app = self._find_app()
        if app is None:
            return web.json_response({"error": "starting"}, status=503)
        response = await dispatch(app, body)
        if response is None:
            return _refuse_malformed(raw)
        if response.status == web.HTTPNotFound.status_code:
            log.warning("intake.unhandled", size=len(raw))
        return await to_aiohttp_response(response)

    def _is_signed(self, request: web.Request, raw: bytes) -> bool:
        """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
        try:
            return self._verifier.is_valid(
                body=raw.decode(),
                timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
                signature=request.headers.get("X-Slack-Signature", ""),
            )
        except (ValueError, TypeError, OverflowError):
            return False  # not UTF-8, a timestamp that is no number, a signature not in ASCII


async def _read(request: web.Request) -> bytes | None:
    """Return the body, None if it is not what its headers say.

    Raises HTTPRequestEntityTooLarge beyond the application's limit.
    """
    try:
        return await request.read()
    except (web.RequestPayloadError, ConnectionError):  # the latter: its sender has gone away
        return None


def _refuse_malformed(raw: bytes) -> web.Response:
    log.warning("intake.malformed", size=len(raw))
    return web.json_response({"error": "malformed request"}, status=400)


def parse(raw: bytes, content_type: str) -> dict[str, Any] | None:
    """Return the fields of a command, or the payload of anything else; None if malformed.

    The shapes: https://docs.slack.dev/interactivity/handling-user-interaction
    """
    try:
        if content_type == "application/json":
            body = json.loads(raw)
        else:
            pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
            fields = dict(pairs)
            if len(fields) < len(pairs):
                return None  # which of two would count is not for us to choose
            body = json.loads(fields["payload"]) if "payload" in fields else fields
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


async def dispatch(app: AsyncApp, body: dict[str, Any]) -> BoltResponse | None:
    """Return what the listeners answer; None if the body has another shape than Slack's."""
    if not is_well_formed(body):
        return None
    try:
        # "socket_mode" makes Bolt take the body as parsed here: its own parser drops a form whose
        # text has the word `payload` in it.
        return await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
    except (AttributeError, LookupError, TypeError):
        return None  # Bolt indexes into whatever stands in a body


def build_bolt(
    identity: Identity, bot_token: SecretStr, observer: Observer = UNOBSERVED
) -> AsyncApp:
    """Return Bolt with a fixed identity: it never asks Slack by itself."""
    result = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_id=identity.bot_id,
        bot_user_id=identity.bot_user_id,
        bot_token=bot_token.get_secret_value(),
    )

    async def authorize() -> AuthorizeResult:
        return result

    logger = logging.getLogger("leadsquared-notifier")
    logger.setLevel(logging.ERROR)  # below it Bolt shows what stands in bodies
    return FollowedApp(
        observer=observer,
        name="leadsquared-notifier",
        logger=logger,
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,  # the intake has done it, over the raw bytes
        ssl_check_enabled=False,
    )
