"""The sender: signed requests or envelopes, three seconds of waiting, and what came back."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.sandbox.slack.sockets import Sockets

ACK_WITHIN = 3.0
FORM = "application/x-www-form-urlencoded"
USER_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


@dataclass(frozen=True)
class Reply:
    """What the app answered; status 0 when nothing came."""

    status: int
    body: str
    json: Any
    headers: Mapping[str, str]
    """By lower-case name."""
    ack_seconds: float
    error: str | None = None
    """operation_timeout, dispatch_failed, http_service_error or http_client_error (facts 2.2)."""

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def text(self) -> str:
        """The text of the answer, be it plain or JSON."""
        return str(self.json.get("text", "")) if isinstance(self.json, dict) else self.body

    @property
    def options(self) -> list[dict[str, Any]]:
        """The options of a typeahead's answer, groups opened."""
        found = self.json if isinstance(self.json, dict) else {}
        groups = found.get("option_groups") or []
        return [*(found.get("options") or []), *(one for g in groups for one in g["options"])]


class Delivery:
    """Knows how the app is reached: where it listens and a shared secret, or its WebSockets."""

    def __init__(self, signing_secret: str, clock: Callable[[], float], sockets: Sockets) -> None:
        self.signing_secret = signing_secret
        self.clock = clock
        self.sockets = sockets
        self.url: str | None = None
        self.ack_within = ACK_WITHIN
        self.session: aiohttp.ClientSession | None = None

    def sign(
        self, body: bytes, timestamp: float | None = None, signature: str | None = None
    ) -> dict[str, str]:
        """Return the headers that prove it is Slack (facts 4.1)."""
        at = str(int(self.clock() if timestamp is None else timestamp))
        base = b"v0:" + at.encode() + b":" + body
        digest = hmac.new(self.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {
            "X-Slack-Signature": f"v0={digest}" if signature is None else signature,
            "X-Slack-Request-Timestamp": at,
            "User-Agent": USER_AGENT,
        }

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send these very bytes and headers, or in Socket Mode what they say, without headers."""
        if self.sockets.is_enabled:
            return await self._send_envelope(body, headers)
        if self.session is None or self.url is None:
            raise RuntimeError("start() the stand-in and set bot_url first")
        started = time.perf_counter()
        timeout = aiohttp.ClientTimeout(total=self.ack_within)
        try:
            async with self.session.post(
                self.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                text = await response.text()
                status, names = response.status, response.headers
        except TimeoutError:
            return _build_silence("operation_timeout", started)
        except aiohttp.ClientError:
            return _build_silence("dispatch_failed", started)
        lowered = {name.lower(): value for name, value in names.items()}
        taken = time.perf_counter() - started
        return Reply(status, text, _decode(text), lowered, taken, _find_error(status))

    async def _send_envelope(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        started = time.perf_counter()
        ack = await self.sockets.deliver(body, headers, self.ack_within)
        if isinstance(ack, str):
            return _build_silence(ack, started)
        payload = ack.get("payload")
        text = "" if payload is None else json.dumps(payload)
        return Reply(200, text, payload, {}, time.perf_counter() - started)


def _build_silence(error: str, started: float) -> Reply:
    return Reply(0, "", None, {}, time.perf_counter() - started, error)


def _find_error(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    return "http_service_error" if status >= 500 else "http_client_error"


def _decode(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
