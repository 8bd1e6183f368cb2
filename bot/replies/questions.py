"""What is asked before a draft is sent: as an answer with buttons, and as a modal."""

from __future__ import annotations

from typing import Any

from bot.notification import State
from bot.questions import Question, SecondEnter
from bot.replies.compose import plain
from bot.replies.ids import ActionId, CallbackId
from bot.replies.message import Button, Message, duration


def ask(question: Question) -> Message:
    """Build the answer that asks; its buttons carry the drafts' ids."""
    again = Button(ActionId.SEND_DRAFT, "Send again anyway", question.draft_id)
    return Message(told_before(question), buttons=(again,))


def modal(question: Question) -> dict[str, Any]:
    """Build the modal that asks; it carries the draft's id."""
    text = told_before(question)
    return {
        "type": "modal",
        "callback_id": CallbackId.CONFIRM,
        "title": plain("Send it again?"),
        "submit": plain("Send again anyway"),
        "close": plain("Close"),
        "private_metadata": question.draft_id,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}],
    }


def told_before(question: SecondEnter) -> str:
    """Say what became of the earlier one, and that nothing was sent this time."""
    states = question.states
    if State.UNKNOWN in states:
        fate = "LeadSquared gave no clear answer, so it may or may not have arrived"
    elif State.PENDING in states or State.SENDING in states:
        fate = "it is still on its way"
    elif states == {State.SENT}:
        fate = "it was sent"
    else:
        fate = "it was sent to some of them; its card says to whom"
    ago = duration(question.seconds_ago)
    return f"You sent this {ago} ago, and {fate}. Nothing was sent this time."
