"""The one error listener: a sentence where the person is, and a reference for what is ours."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import BoltResponse

from bot.directory import Directory
from bot.errors import BotError, SlackError, StoreError, UserError
from bot.plaintext import from_typed, mentioned_users
from bot.replies import BlockId, answers
from bot.slack_api import SlackApi
from handlers.patience import TELL_WITHIN

log = structlog.get_logger()


@dataclass(frozen=True)
class ErrorListener:
    """Answers what a listener raised; its response is the acknowledgement."""

    directory: Directory
    slack: SlackApi

    async def answer(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        hint = _explain(error)
        if "command" in body:
            return _json(_refuse(hint, await self._read_typed(body)))
        if body.get("type") == "view_submission":
            field = error.field if isinstance(error, UserError) else None
            errors = {field or BlockId.CONTENT: hint}
            return _json({"response_action": "errors", "errors": errors})
        await self._tell(body, hint)
        return BoltResponse(status=200, body="")

    async def _read_typed(self, body: dict[str, Any]) -> str:
        """Return what was typed, with the names of the people in it."""
        typed = str(body.get("text") or "")
        try:
            async with asyncio.timeout(TELL_WITHIN):
                names = await self.directory.fetch_names(mentioned_users(typed))
        except (StoreError, TimeoutError):
            names = {}
        return from_typed(typed, names)

    async def _tell(self, body: dict[str, Any], hint: str) -> None:
        """Tell somebody who used a shortcut, which has no answer of its own."""
        try:
            async with asyncio.timeout(TELL_WITHIN):
                if response_url := body.get("response_url"):
                    said = {"text": hint, "response_type": "ephemeral", "replace_original": False}
                    await self.slack.respond(response_url, said)
                else:
                    await self.slack.post(body["user"]["id"], hint, [])
        except (SlackError, TimeoutError) as exc:
            log.warning("refusal.not_shown", error=type(exc).__name__)


def _refuse(hint: str, typed: str) -> dict[str, Any]:
    ephemeral = {"response_type": "ephemeral"}
    if blocks := answers.refusal_blocks(hint, typed):
        return {**ephemeral, "text": hint, "blocks": blocks}
    return {**ephemeral, "text": answers.refusal(hint, typed)}


def _explain(error: Exception) -> str:
    if isinstance(error, BotError):
        log.info("request.refused", error=type(error).__name__)
        return error.hint
    if isinstance(error, TimeoutError):
        log.warning("request.too_slow")
        return answers.TOO_SLOW
    reference = secrets.token_hex(4)
    log.error("request.failed", reference=reference, exc_info=error)
    return answers.unexpected(reference)


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(
        status=200, body=json.dumps(body), headers={"Content-Type": ["application/json"]}
    )
