"""Slack's requests in: size, signature over the raw bytes, one parse, then Bolt.

Whatever is not signed gets 401 before anything reads it: Bolt alone answers 500 to many malformed
unsigned requests and logs their bodies.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

log = structlog.get_logger()

PATH = "/slack/events"

MOST_FIELDS = 100
"""Form fields; Slack sends about fifteen."""


class Intake:
    """The route that Slack posts to."""

    def __init__(self, signing_secret: str, find_app: Callable[[], AsyncApp | None]) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self._find_app = find_app

    async def answer(self, request: web.Request) -> web.Response:
        raw = await request.read()  # aiohttp answers 413 beyond the application's limit
        if not self._is_signed(request, raw):
            log.warning("intake.signature_refused", size=len(raw))
            return web.json_response({"error": "invalid request"}, status=401)
        body = parse(raw, request.content_type)
        if body is None:
            log.warning("intake.malformed", size=len(raw))
            return web.json_response({"error": "malformed request"}, status=400)
        app = self._find_app()
        if app is None:
            return web.json_response({"error": "starting"}, status=503)
        # "socket_mode" makes Bolt take the body as parsed here: its own parser drops a form
        # whose text has the word `payload` in it.
        bolt_request = AsyncBoltRequest(
            mode="socket_mode", body=body, headers=dict(request.headers)
        )
        return await to_aiohttp_response(await app.async_dispatch(bolt_request))

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


def parse(raw: bytes, content_type: str) -> dict[str, Any] | None:
    """Return the fields of a command, or the payload of anything else; None if malformed.

    The shapes: https://docs.slack.dev/interactivity/handling-user-interaction
    """
    try:
        if content_type == "application/json":
            body = json.loads(raw)
        else:
            fields = dict(
                parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
            )
            body = json.loads(fields["payload"]) if "payload" in fields else fields
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
