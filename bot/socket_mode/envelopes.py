"""Socket Mode's envelopes: a frame in, the listeners, and the acknowledgement out.

Silence tells Slack that an envelope failed: a person sees an error, an event comes once more.
The frames: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp

from bot.intake import dispatch

log = structlog.get_logger()

Frame = dict[str, Any]


def read_frame(text: str) -> Frame:
    """Return what a frame says; nothing if it is no JSON object."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return frame if isinstance(frame, dict) else {}


class Envelopes:
    """Hands payloads to Bolt, and what it answers back to Slack."""

    def __init__(self, app: AsyncApp) -> None:
        self._app = app

    async def answer(self, frame: Frame) -> str | None:
        """Return the acknowledgement of an envelope; None where there must be none."""
        payload = frame.get("payload")
        response = await dispatch(self._app, payload) if isinstance(payload, dict) else None
        if response is None:
            log.warning("envelope.malformed", type=_name_type(frame))
            return None
        if response.status != 200:
            log.warning("envelope.refused", type=_name_type(frame), status=response.status)
            return None
        return json.dumps({"envelope_id": frame["envelope_id"], **_build_payload(frame, response)})


def _build_payload(frame: Frame, response: BoltResponse) -> Frame:
    if not response.body:
        return {}
    if frame.get("accepts_response_payload") is False:
        log.warning("envelope.answer_dropped", type=_name_type(frame))
        return {}
    if response.first_headers().get("content-type", "").startswith("application/json"):
        return {"payload": json.loads(response.body)}
    return {"payload": {"text": response.body}}


def _name_type(frame: Frame) -> str:
    return str(frame.get("type"))[:40]
