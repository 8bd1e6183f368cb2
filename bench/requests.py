"""Signed `/notify` requests as Slack sends them, each with a text and a trigger of its own."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Request:
    """One request, ready to go: what is timed is the answer, not the signing."""

    body: str
    headers: dict[str, str]


def build_request(user_id: str, text: str = "") -> Request:
    """Build one `/notify`; without `text`, one to the key owner like no other."""
    number = next(_numbers)
    fields = {
        "command": "/notify",
        "text": text or f"key-owner Hello | number {number}",
        "team_id": "T0ACME001",
        "user_id": user_id,
        "channel_id": "C0SALES01",
        "trigger_id": f"{os.getpid()}.{number}.{time.time_ns()}",
    }
    body = urlencode(fields)
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=stamp, body=body)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": str(signature),
    }
    return Request(body, headers)


async def post(session: aiohttp.ClientSession, url: str, request: Request) -> int:
    """Post it and return the status."""
    async with session.post(url, data=request.body, headers=request.headers) as response:
        await response.read()
        return response.status


async def send(session: aiohttp.ClientSession, url: str, user_id: str, text: str = "") -> int:
    """Build and post one, and return the status."""
    return await post(session, url, build_request(user_id, text))
