"""What is asked before a draft is sent: as an answer with buttons, and as a modal."""

from __future__ import annotations

from typing import Any

from bot.notification import State
from bot.plaintext import escape, shorten
from bot.questions import LeadChoice, ManyRecipients, Question, SecondEnter, WhichLead
from bot.replies.compose import notice_modal, plain
from bot.replies.ids import ActionId, CallbackId
from bot.replies.message import Button, Message, duration, echo, fit, join_names

NAME_BYTES = 60
"""Bytes of a name or a handle here: escaped, that is up to five times as many characters."""

MOST_GROUPS = 5
"""Groups named."""

QUICK = 2.0
"""Seconds up to which nobody needs to be told how long it takes."""

LABEL_MOST = 75
"""Characters of a button: https://docs.slack.dev/reference/block-kit/block-elements/button-element/"""

FIELD_BYTES = 80
"""Bytes of what is shown of a lead, each: ten leads fit into one section."""


def ask(question: Question) -> Message:
    """Build the answer that asks; its buttons carry the drafts' ids."""
    match question:
        case SecondEnter():
            again = Button(ActionId.SEND_DRAFT, "Send again anyway", question.draft_id)
            return Message(told_before(question), buttons=(again,))
        case ManyRecipients():
            send = Button(ActionId.SEND_DRAFT, _send_label(question), question.draft_id)
            return Message(told_many(question), _told_unlinked(question), (send,))
        case WhichLead():
            return _ask_which(question)


def _ask_which(question: WhichLead) -> Message:
    numbered = list(enumerate(question.choices, start=1))
    lines = [f"{number}. {_describe(choice)}" for number, choice in numbered]
    buttons = tuple(
        Button(
            ActionId.SEND_DRAFT, fit(f"{number}. {each.name}", LABEL_MOST), each.draft_id, number
        )
        for number, each in numbered
    )
    return Message("\n".join([_count(question), *lines]), _left_out(question), buttons)


def _count(question: WhichLead) -> str:
    leads = len(question.choices) + question.more + question.ownerless
    return f"{leads} leads fit. Nothing was sent yet. Which one do you mean?"


def _describe(choice: LeadChoice) -> str:
    owner = f"owner {choice.owner}" if choice.owner else ""
    shown = [_show(each) for each in (choice.contact, owner) if each]
    return " · ".join([f"*{_show(choice.name)}*", *shown])


def _show(text: str) -> str:
    return escape(shorten(text, FIELD_BYTES))


def _left_out(question: WhichLead) -> tuple[str, ...]:
    lines = []
    if question.more:
        lines.append(f"And {question.more} more: name it more exactly.")
    if question.ownerless:
        lines.append(f"{question.ownerless} of them cannot be chosen: no owner in LeadSquared.")
    return tuple(lines)


def modal(question: Question) -> dict[str, Any]:
    """Build the modal that asks; it carries the draft's id."""
    match question:
        case SecondEnter():
            title, submit = "Send it again?", "Send again anyway"
        case ManyRecipients():
            title, submit = "Send to so many?", _send_label(question)
        case WhichLead():  # a form names its lead by id, of which there is one
            return notice_modal(_count(question))
    return {
        "type": "modal",
        "callback_id": CallbackId.CONFIRM,
        "title": plain(title),
        "submit": plain(submit),
        "close": plain("Close"),
        "private_metadata": question.draft_id,
        "blocks": ask(question).without_buttons().blocks,
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


def told_many(question: ManyRecipients) -> str:
    """Say to how many it would go, about how long that takes, and that nothing is sent yet."""
    people = "1 person" if question.recipients == 1 else f"{question.recipients} people"
    takes = f", in about {duration(question.seconds)}" if question.seconds > QUICK else ""
    return (
        f"Nothing is sent yet. “{echo(question.title)}” would go to *{people}*"
        f"{_from_groups(question.groups)}{takes}."
    )


def _from_groups(groups: tuple[str, ...]) -> str:
    """Name the groups among the recipients; Slack does not always tell their names."""
    if not groups:
        return ""
    names = [f"@{_brief(handle)}" for handle in groups if handle][:MOST_GROUPS]
    if not names:
        return ", with everybody in " + ("that group" if len(groups) == 1 else "those groups")
    more = len(groups) - len(names)
    others = f" and {more} more" if more else ""
    return f", with everybody in {join_names(names)}{others}"


def _told_unlinked(question: ManyRecipients) -> tuple[str, ...]:
    """Name those of whom it is known that nothing can be sent to them."""
    count = question.unlinked_count
    if not count:
        return ()
    names = join_names([_brief(name) for name in question.unlinked])
    more = count - len(question.unlinked)
    others = f" and {more} more" if more else ""
    are = "is" if count == 1 else "are"
    return (
        f"{names}{others} {are} not linked to LeadSquared (a bot, a guest, deactivated, or without "
        "an e-mail address), so nothing would be sent to them.",
    )


def _send_label(question: ManyRecipients) -> str:
    return f"Send to {question.recipients}"


def _brief(text: str) -> str:
    return escape(shorten(" ".join(text.split()), NAME_BYTES))
