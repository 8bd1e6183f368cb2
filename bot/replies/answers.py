"""Answers only the sender sees: help, whoami, links, queues, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.people import Description, Link
from bot.plaintext import escape
from bot.replies.ids import ActionId
from bot.replies.message import Button, Message, count_people, cut, duration, echo, mrkdwn
from bot.replies.reasons import UNASKED, why_not_linked

HELP = """\
*Put a browser notification in front of a LeadSquared user*
`/notify @priya Callback due | Asha asked for 3 pm`: title, then a bar, then the text
`/notify @priya @lee Standup moved`: several people; one line is the text
`/notify @sales-team Standup moved`: everybody in a user group, once you have confirmed it
`/notify me Remember the proposal`: to yourself
`/notify owner --lead asha.rao@example.com Callback due`: to the owner of a lead
`/notify key-owner Hello`: to the owner of the LeadSquared API keys
`/notify` alone opens a form. On any message: _More actions_, then _Notify in LeadSquared_.

Before the text you may put `--lead` and a lead's e-mail address, phone number, id or page (a \
click opens it), `--link https://…` (a click opens that instead), `--icon https://…`, \
`--as sms`, `email`, `call` or `hot` (gives title and icon: `--as call Asha called at 3 pm`), and \
`--private` (only you see the result).

`/notify whoami`: who you are in LeadSquared (or `whoami @priya`)
`/notify test`: a test notification to yourself
`/notify status`: what became of your last one (or `status &lt;id&gt;`)
Admins: `/notify link @priya priya@acme.com`, `/notify unlink @priya` and `/notify check`"""


ADMINS_ONLY = (
    "Only admins can do that: Slack workspace admins, and the people whose Slack ids are in the "
    "ADMINS setting. Ask one of them."
)


def queued(notification_id: str, recipients: int, seconds: float) -> Message:
    """Answer when the result will take a while."""
    text = (
        f"Queued for {count_people(recipients)}, about {duration(seconds)} at LeadSquared's limit. "
        "The result appears here; no need to send it again."
    )
    buttons = (
        Button(ActionId.CANCEL, "Cancel what is still waiting", notification_id),
        Button(ActionId.DETAILS, "Details", notification_id),
    )
    return Message(text, buttons=buttons)


ON_ITS_WAY = "On its way; the result appears here."

TAKEN_BEFORE = (
    "This question was answered before, and it is sent once only. Its result appears here."
)


def reopened(presser: str) -> str:
    """Tell on the card that its buttons were pressed, in their place."""
    return f"{echo(presser)} is sending it again; the new result appears below."


GONE = "This notification is too old: it has been deleted. Send a new one with `/notify`."

NOTHING_TO_REOPEN = "There is nothing left to send again here: it was done already."


def cancelled(count: int) -> str:
    """Answer the Cancel button."""
    if count == 0:
        return "There was nothing left to take back: everything has been sent or settled."
    people = "1 recipient" if count == 1 else f"{count} recipients"
    return f"Taken back for {people} before it was sent. The result of the rest appears here."


NOT_YOURS = (
    "Only the person who sent this notification, and admins, can do that. Ask them, or send "
    "your own with `/notify`."
)


def described(known: Description) -> str:
    """Answer `/notify whoami`."""
    person, link = known.person, known.link
    email = f" ({echo(person.email)})" if person.email else ""
    slack = f"*{echo(person.name)}* in Slack{email}"
    if link is None and known.problem == UNASKED:
        return f"{slack}: LeadSquared could not be asked just now who they are there. Try again."
    if link is None:
        return f"{slack} is not linked to a LeadSquared user: {why_not_linked(known)}"
    how = "linked by an admin" if link.linked_by else "matched by e-mail"
    when = f"<!date^{int(link.linked_at)}^{{date_short_pretty}} {{time}}|some time ago>"
    return f"{slack} is {_crm_user(link)} in LeadSquared, {how} {when}."


def linked(name: str, link: Link) -> str:
    return f"Linked: notifications for *{echo(name)}* go to {_crm_user(link)} in LeadSquared."


def _crm_user(link: Link) -> str:
    email = f" ({echo(link.crm_email)})" if link.crm_email else ""
    return f"*{echo(link.crm_name)}*{email}"


def unlinked(name: str, *, was_linked: bool) -> str:
    if was_linked:
        return (
            f"Unlinked *{echo(name)}*. From now on they are matched by e-mail again; to point "
            "them somewhere else, use `/notify link`."
        )
    return f"*{echo(name)}* had no stored link, so nothing changed. They are matched by e-mail."


def no_such_notification(notification_id: str | None) -> str:
    if notification_id is None:
        return "You have not sent a notification yet. Try `/notify test`."
    return (
        f"You have sent no notification `{echo(notification_id)}`. "
        "`/notify status` alone shows your last one."
    )


TOO_SLOW = (
    "I could not finish this in the time Slack gives me. If it was stored, the result appears "
    "here; if a form should have opened, try again."
)

TEXT_MOST = 4_000
"""Characters of a message's text beyond which Slack advises blocks."""

PART_MOST = 2_900
"""Characters of a section, with room for the marks around them."""


def refusal(hint: str, typed: str) -> str:
    """Say why a command was not taken, and give back what was typed."""
    if not typed.strip():
        return hint
    return f"{hint}\nYou typed:\n```{_show(typed)}```"


def refusal_blocks(hint: str, typed: str) -> list[dict[str, Any]]:
    """Build the same in blocks, if it is too long for a text; nothing typed is cut."""
    if len(refusal(hint, typed)) <= TEXT_MOST:
        return []
    parts = [cut(hint, PART_MOST)]
    if typed.strip():
        parts[0] += "\nYou typed:"
        parts += [f"```{part}```" for part in _split(_show(typed))]
    return [{"type": "section", "text": mrkdwn(part)} for part in parts]


def _show(typed: str) -> str:
    return escape(f"/notify {typed.replace('```', '')}")


def _split(escaped: str) -> Iterator[str]:
    """Yield pieces that fit into a section each; no entity is cut."""
    while len(escaped) > PART_MOST:
        last = escaped.rfind("&", PART_MOST - len("&amp"), PART_MOST)
        whole = last < 0 or ";" in escaped[last:PART_MOST]
        end = PART_MOST if whole else last
        yield escaped[:end]
        escaped = escaped[end:]
    yield escaped


def unexpected(reference: str) -> str:
    """Answer when something broke that nobody foresaw; the reference is in the log."""
    return f"Something broke on our side; it has been logged as `{reference}`. Try again."


def not_in_place(channel_id: str) -> str:
    return f"Shown here because I may not post in <#{channel_id}>."
