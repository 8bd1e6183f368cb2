"""The three's conversation: a line for each request, and the whole of one on demand."""

from __future__ import annotations

import json
from typing import Any

from bot.sandbox.slack.envelopes import JSON_TYPE, wrap
from bot.sandbox.slack.sending import Sent
from bot.sandbox.web.masks import mask_text, show_body, show_headers
from bot.sandbox.web.stage import Stage
from bot.sandbox.wiretap import Exchange

Json = dict[str, Any]

LISTED = 200
"""Of each direction, the newest."""


class Wires:
    """What Slack sent is numbered `s1`, `s2` …; what the bot sent `b1`, `b2` …"""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def list_newest(self) -> dict[str, Json]:
        sent, exchanges = [*self._stage.slack.sent], [*self._stage.tap.exchanges]
        return {f"s{one.number}": _sum_up_sent(one) for one in sent[-LISTED:]} | {
            f"b{one.number}": _sum_up_exchange(one) for one in exchanges[-LISTED:]
        }

    def show(self, line: str) -> Json:
        """Return both bodies and the headers; LookupError when it is forgotten or never was."""
        for sent in self._stage.slack.sent:
            if f"s{sent.number}" == line:
                return _show_sent(sent, over_socket=self._stage.slack.uses_sockets)
        for exchange in self._stage.tap.exchanges:
            if f"b{exchange.number}" == line:
                return _show_exchange(exchange)
        raise LookupError(f"there is no request {line}")


def _sum_up_sent(sent: Sent) -> Json:
    reply = sent.reply
    return {
        "at": sent.at,
        "from": "slack",
        "to": "bot",
        "what": mask_text(sent.what),
        "status": reply.status if reply else None,
        "error": reply.error if reply else None,
        "seconds": reply.ack_seconds if reply else None,
    }


def _sum_up_exchange(exchange: Exchange) -> Json:
    path = exchange.path.partition("?")[0]
    return {
        "at": exchange.at,
        "from": "bot",
        "to": exchange.receiver,
        "what": f"{exchange.method} {mask_text(_shorten(path))}",
        "status": exchange.status,
        "error": "cut" if exchange.is_cut else None,
        "seconds": exchange.seconds,
    }


def _shorten(path: str) -> str:
    """Return a method's own name: `chat.postMessage`, `Browser.Push`."""
    if path.startswith("/v2/"):
        return path.partition(".svc/")[2] or path
    return path.removeprefix("/api/")


def _show_sent(sent: Sent, *, over_socket: bool) -> Json:
    reply = sent.reply
    answer = None
    if reply is not None and reply.status:
        answer = {
            "line": "acknowledged" if over_socket else f"{reply.status}",
            "headers": show_headers(reply.headers),
            "body": show_body(reply.body.encode(), reply.headers.get("content-type", "")),
        }
    return {
        "request": _show_envelope(sent) if over_socket else _show_post(sent),
        "answer": answer,
        "silence": reply.error if reply is not None else None,
    }


def _show_post(sent: Sent) -> Json:
    return {
        "line": f"POST /slack/events ({mask_text(sent.what)})",
        "headers": show_headers(sent.headers),
        "body": show_body(sent.body, sent.headers.get("Content-Type", "")),
    }


def _show_envelope(sent: Sent) -> Json:
    """Show what went over the WebSocket, where nothing is signed and there are no headers."""
    envelope = wrap("", sent.body, sent.headers)
    frame = {"type": envelope.type, "payload": envelope.payload}
    return {
        "line": f"WebSocket {envelope.type} ({mask_text(sent.what)})",
        "headers": {},
        "body": show_body(json.dumps(frame).encode(), JSON_TYPE),
    }


def _show_exchange(exchange: Exchange) -> Json:
    answer = None
    if exchange.status is not None:
        answer = {
            "line": f"{exchange.status}",
            "headers": show_headers(exchange.answer_headers),
            "body": show_body(exchange.answer, exchange.answer_headers.get("Content-Type", "")),
        }
    return {
        "request": {
            "line": f"{exchange.method} {mask_text(exchange.path)}",
            "headers": show_headers(exchange.headers),
            "body": show_body(exchange.body, exchange.headers.get("Content-Type", "")),
        },
        "answer": answer,
        "silence": "the connection was cut" if exchange.is_cut else None,
    }
