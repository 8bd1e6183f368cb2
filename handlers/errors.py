"""The one error listener: a sentence where the person is, and a reference for what is ours."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import BoltResponse

from bot.directory import Directory
from bot.errands import Errands
from bot.errors import BotError, SlackRefusedError, StoreError, UserError
from bot.leads.found import Hint
from bot.observer import UNOBSERVED, Observer
from bot.plaintext import from_mrkdwn, from_typed, mentioned_users
from bot.replies import BlockId, CallbackId, answers
from bot.replies.compose import notice_modal
from bot.replies.lead_options import HINTS, hint_option
from bot.replies.message import cut
from bot.requests import find_reference
from bot.slack_api import SlackApi
from handlers.patience import NAMES_WITHIN

log = structlog.get_logger()


@dataclass(frozen=True)
class ErrorListener:
    """Answers what a listener raised; its response is the acknowledgement."""

    directory: Directory
    slack: SlackApi
    errands: Errands
    observer: Observer = UNOBSERVED

    async def answer(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        hint = self._explain(error)
        if _is_repetition(error):
            return BoltResponse(status=200, body="")
        if "command" in body:
            typed = str(body.get("text") or "")
            names = {} if _is_late(error) else await self._find_names(typed)
            return _json(_refuse(hint, from_typed(typed, names)))
        if body.get("type") == "view_submission":
            return _json(_refuse_view(hint, error, body.get("view")))
        if body.get("type") == "block_suggestion":  # at every keystroke: no place for a message
            return _json(_refuse_typing(hint, error, body.get("action_id")))
        self.errands.run("refusal", self._tell(body, hint))
        return BoltResponse(status=200, body="")

    def _explain(self, error: Exception) -> str:
        if isinstance(error, BotError):
            code = getattr(error, "code", None)
            log.info("request.refused", error=type(error).__name__, code=code)
            return error.hint
        if isinstance(error, TimeoutError):
            log.warning("request.timed_out")
            return answers.TOO_SLOW
        reference = find_reference()
        log.error("request.failed", reference=reference, exc_info=error)
        self.observer.broke()
        return answers.unexpected(reference)

    async def _find_names(self, typed: str) -> dict[str, str]:
        """Return the names of the people in a text, as far as they can be had at once."""
        try:
            async with asyncio.timeout(NAMES_WITHIN):
                return await self.directory.fetch_names(mentioned_users(typed))
        except (StoreError, TimeoutError):
            return {}

    async def _tell(self, body: dict[str, Any], hint: str) -> None:
        """Tell somebody who used a shortcut, which has no answer of its own."""
        if response_url := body.get("response_url"):
            said = {"text": hint, "response_type": "ephemeral", "replace_original": False}
            await self.slack.respond(response_url, said)
        else:
            await self.slack.post(body["user"]["id"], hint, [])


def _is_repetition(error: Exception) -> bool:
    """Tell whether this came before: its trigger has opened a form, which was answer enough."""
    return isinstance(error, SlackRefusedError) and error.code == "exchanged_trigger_id"


def _is_late(error: Exception) -> bool:
    """Tell whether the database, or all of the listener's time, is gone."""
    return isinstance(error, StoreError | TimeoutError)


def _refuse(hint: str, typed: str) -> dict[str, Any]:
    ephemeral = {"response_type": "ephemeral"}
    if blocks := answers.refusal_blocks(hint, typed):
        return {**ephemeral, "text": cut(hint, answers.TEXT_MOST), "blocks": blocks}
    return {**ephemeral, "text": answers.refusal(hint, typed)}


def _refuse_typing(hint: str, error: Exception, menu: Any) -> dict[str, Any]:
    """Answer in the list that was to be offered; what was typed is not yet meant to be sent."""
    late = menu == BlockId.LEAD and isinstance(error, TimeoutError)
    return {"options": [hint_option(HINTS[Hint.TOO_SLOW] if late else from_mrkdwn(hint, {}))]}


def _refuse_view(hint: str, error: Exception, view: Any) -> dict[str, Any]:
    """Answer at the field, where Slack reads no marks, or in place of a view that has none."""
    if isinstance(view, dict) and view.get("callback_id") == CallbackId.CONFIRM:
        return {"response_action": "update", "view": notice_modal(hint)}
    field = error.field if isinstance(error, UserError) else None
    return {
        "response_action": "errors",
        "errors": {field or BlockId.CONTENT: from_mrkdwn(hint, {})},
    }


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(
        status=200, body=json.dumps(body), headers={"Content-Type": ["application/json"]}
    )
