"""What goes over a WebSocket of Socket Mode: envelopes, and acknowledgements (facts 1.11)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]

JSON_TYPE = "application/json"


@dataclass(eq=False)
class Envelope:
    """One payload on its way; `ack` is the frame that came for it."""

    id: str
    type: str
    payload: Any
    accepts_response_payload: bool
    retry_attempt: int = 0
    retry_reason: str = ""
    sent_to: int = 0
    """The number of the connection."""

    ack: Json | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Acknowledged, given up, or its connection is gone."""

    def build_frame(self) -> str:
        frame: Json = {
            "envelope_id": self.id,
            "type": self.type,
            "accepts_response_payload": self.accepts_response_payload,
            "payload": self.payload,
        }
        if self.type == "events_api":
            frame |= {"retry_attempt": self.retry_attempt, "retry_reason": self.retry_reason}
        return json.dumps(frame)


def wrap(envelope_id: str, body: bytes, headers: Mapping[str, str]) -> Envelope:
    """Return the envelope for what would be this request over HTTP; ValueError if there is none."""
    if headers.get("Content-Type", "").startswith(JSON_TYPE):
        attempt = int(headers.get("X-Slack-Retry-Num", "0"))
        reason = headers.get("X-Slack-Retry-Reason", "")
        return Envelope(envelope_id, "events_api", json.loads(body), False, attempt, reason)
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    if fields.keys() == {"payload"}:
        return Envelope(envelope_id, "interactive", json.loads(fields["payload"]), True)
    return Envelope(envelope_id, "slash_commands", fields, True)


def find_fault(envelope: Envelope | None, frame: Json, connection: int) -> str | None:
    """Return what Slack would make nothing of in an acknowledgement."""
    if envelope is None:
        return f"an acknowledgement of {frame.get('envelope_id')!r}, which was never sent"
    if envelope.sent_to != connection:
        return f"{envelope.type} acknowledged over another connection"
    if envelope.ack is not None:
        return f"{envelope.type} acknowledged a second time"
    if extra := frame.keys() - {"envelope_id", "payload"}:
        return f"{envelope.type} acknowledged with {sorted(extra)}"
    if "payload" not in frame:
        return None
    if not envelope.accepts_response_payload:
        return f"{envelope.type} acknowledged with a payload, which it does not accept"
    if not isinstance(frame["payload"], dict):
        return f"{envelope.type} acknowledged with a payload that is no object"
    return None
