"""Answers only the sender sees: help, whoami, links, queues, and refusals."""

from __future__ import annotations

from bot.people import Description, Link
from bot.plaintext import escape
from bot.replies.message import duration, echo
from bot.replies.reasons import LINK_HELP, SHORT

HELP = """\
*Put a browser notification in front of a LeadSquared user*
`/notify @priya Callback due | Asha asked for 3 pm`: title, then a bar, then the text
`/notify @priya @lee Standup moved`: several people; one line is the text
`/notify me Remember the proposal`: to yourself
`/notify key-owner Hello`: to the owner of the LeadSquared API keys
`/notify` alone opens a form. On any message: _More actions_, then _Notify in LeadSquared_.

Before the text you may put `--link https://…` (a click opens it), `--icon https://…`, and \
`--private` (only you see the result).

`/notify whoami`: who you are in LeadSquared (or `whoami @priya`)
`/notify test`: a test notification to yourself
`/notify status`: what became of your last one (or `status &lt;id&gt;`)
Admins: `/notify link @priya priya@acme.com` and `/notify unlink @priya`"""


ADMINS_ONLY = (
    "Only admins can do that: Slack workspace admins, and the people whose Slack ids are in the "
    "ADMINS setting. Ask one of them."
)


def queued(recipients: int, seconds: float) -> str:
    """Answer when the result will take a while."""
    people = "1 person" if recipients == 1 else f"{recipients} people"
    return (
        f"Queued for {people}, about {duration(seconds)} at LeadSquared's limit. "
        "The result appears here; no need to send it again."
    )


def described(known: Description) -> str:
    """Answer `/notify whoami`."""
    person, link = known.person, known.link
    email = f" ({escape(person.email)})" if person.email else ""
    slack = f"*{echo(person.name)}* in Slack{email}"
    if link is None:
        reason = SHORT.get(known.problem or "", "not found in LeadSquared")
        return f"{slack} is not linked to a LeadSquared user: {reason}. {LINK_HELP}"
    how = "linked by an admin" if link.linked_by else "matched by e-mail"
    when = f"<!date^{int(link.linked_at)}^{{date_short_pretty}} {{time}}|some time ago>"
    return f"{slack} is {_crm_user(link)} in LeadSquared, {how} {when}."


def linked(name: str, link: Link) -> str:
    return f"Linked: notifications for *{echo(name)}* go to {_crm_user(link)} in LeadSquared."


def _crm_user(link: Link) -> str:
    email = f" ({escape(link.crm_email)})" if link.crm_email else ""
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


def refusal(hint: str, typed: str) -> str:
    """Answer a command that was not taken, and give back what was typed."""
    if not typed.strip():
        return hint
    return f"{hint}\nYou typed:\n```/notify {escape(typed.replace('```', ''))}```"


def unexpected(reference: str) -> str:
    """Answer when something broke that nobody foresaw; the reference is in the log."""
    return f"Something broke on our side; it has been logged as `{reference}`. Try again."


def not_in_place(channel_id: str) -> str:
    return f"Shown here because I may not post in <#{channel_id}>."
