"""The one error listener: a sentence where the person is, and a reference for what is ours."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import BoltResponse

from bot.errors import BotError, SlackError, UserError
from bot.plaintext import from_typed
from bot.replies import BlockId, answers
from bot.slack_api import SlackApi

log = structlog.get_logger()


@dataclass(frozen=True)
class ErrorListener:
    """Answers what a listener raised; its response is the acknowledgement."""

    slack: SlackApi

    async def answer(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        hint = _explain(error)
        if "command" in body:
            text = answers.refusal(hint, from_typed(str(body.get("text") or ""), {}))
            return _json({"response_type": "ephemeral", "text": text})
        if body.get("type") == "view_submission":
            field = error.field if isinstance(error, UserError) else None
            errors = {field or BlockId.CONTENT: hint}
            return _json({"response_action": "errors", "errors": errors})
        await self._tell(body, hint)
        return BoltResponse(status=200, body="")

    async def _tell(self, body: dict[str, Any], hint: str) -> None:
        """Tell somebody who used a shortcut, which has no answer of its own."""
        try:
            if response_url := body.get("response_url"):
                message = {"text": hint, "response_type": "ephemeral", "replace_original": False}
                await self.slack.respond(response_url, message)
            else:
                await self.slack.post(body["user"]["id"], hint, [])
        except SlackError as exc:
            log.warning("refusal.not_shown", error=type(exc).__name__)


def _explain(error: Exception) -> str:
    if isinstance(error, BotError):
        log.info("request.refused", error=type(error).__name__)
        return error.hint
    reference = secrets.token_hex(4)
    log.error("request.failed", reference=reference, exc_info=error)
    return answers.unexpected(reference)


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(
        status=200, body=json.dumps(body), headers={"Content-Type": ["application/json"]}
    )
