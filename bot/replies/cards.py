"""The outcome card and the status of a notification: true for every recipient, and short."""

from __future__ import annotations

from collections.abc import Sequence

from bot.notification import FINAL, Delivery, Notification, Report, State
from bot.plaintext import escape
from bot.replies.ids import ActionId
from bot.replies.message import Button, Message, count_people, duration, echo, join_names
from bot.replies.reasons import (
    ADVICE,
    advise,
    is_named,
    name_of,
    sentence_of,
    waiting_for,
    words_of,
)

MARKS = {State.SENT: "✅", State.UNKNOWN: "⚠️", State.PENDING: "⏳", State.SENDING: "⏳"}

GROUPS = (
    ("not linked", (State.UNLINKED,)),
    ("uncertain, not repeated", (State.UNKNOWN,)),
    ("failed", (State.REJECTED, State.UNAVAILABLE)),
    ("taken back", (State.CANCELLED,)),
    ("still open", (State.PENDING, State.SENDING)),
)

RETRYABLE = (State.REJECTED, State.UNAVAILABLE, State.UNLINKED)
"""Nothing was sent to these, so sending cannot be twice."""

HOPELESS = ("bot", "guest", "external", "deactivated", "unknown_person")
"""Codes of people for whom pressing Retry changes nothing."""

MOST_LINES = 40
"""Recipients listed one by one in a status; the rest are counted."""


def outcome(report: Report, *, alone: bool = False) -> Message:
    """Build the card for the place where the sender asked; `alone` if only they see it."""
    text = _one(report, alone=alone) if len(report.deliveries) == 1 else _many(report)
    context = [_source(report)]
    if twins := _twins(report.deliveries):
        context.append(twins)
    buttons = _again_buttons(report)
    if len(report.deliveries) > 1:
        buttons.append(Button(ActionId.DETAILS, "Details", report.notification_id))
    return Message(text, tuple(context), tuple(buttons))


def progress(report: Report, seconds_left: float) -> Message:
    """Build the same card while outcomes are missing."""
    title = echo(report.notification.title)
    if len(report.deliveries) == 1:
        (delivery,) = report.deliveries
        to = f" to *{name_of(delivery)}*" if is_named(delivery) else ""
        text = f"⏳ On its way{to}: “{title}”."
    else:
        sent = sum(each.state is State.SENT for each in report.deliveries)
        left = f", about {duration(seconds_left)} left" if seconds_left >= 1 else ""
        counts = f"{sent} of {len(report.deliveries)} sent in {duration(report.seconds)}{left}"
        ended = [each for each in report.deliveries if each.state in FINAL]
        text = "\n".join([f"⏳ {counts}: “{title}”.", *_group_lines(ended)])
    if waiting := waiting_for(report.deliveries):
        text += f"\n{waiting}"
    buttons = (
        Button(ActionId.CANCEL, "Cancel what is still waiting", report.notification_id),
        Button(ActionId.DETAILS, "Details", report.notification_id),
    )
    return Message(text, (_source(report),), buttons)


def _source(report: Report) -> str:
    return f"From {echo(report.sender_name)} · `/notify status {report.notification_id}`"


def _again_buttons(report: Report) -> list[Button]:
    """Return what can be done about this outcome."""
    found = report.notification_id
    failed = sum(_is_retryable(each) for each in report.deliveries)
    unknown = sum(each.state is State.UNKNOWN for each in report.deliveries)
    buttons = []
    if failed:
        buttons.append(Button(ActionId.RETRY, _label("Retry", failed, report), found))
    if unknown:
        buttons.append(Button(ActionId.SEND_AGAIN, _label("Send again", unknown, report), found))
    return buttons


def _is_retryable(delivery: Delivery) -> bool:
    return delivery.state in RETRYABLE and delivery.code not in HOPELESS


def _label(words: str, count: int, report: Report) -> str:
    return words if len(report.deliveries) == 1 else f"{words} {count}"


def _one(report: Report, *, alone: bool) -> str:
    delivery = report.deliveries[0]
    title = echo(report.notification.title)
    if delivery.state is State.SENT:
        opens = _opens(report.notification)
        return f"✅ Sent to LeadSquared for *{name_of(delivery)}*: “{title}”.{opens}"
    why = sentence_of(delivery, alone=alone, api_host=report.api_host)
    return f"{_mark(delivery)} {why}\n“{title}”"


def _opens(notification: Notification) -> str:
    if not notification.lead_name:
        return ""
    lead = f"lead *{echo(notification.lead_name)}*"
    if notification.click_url:
        return f" Opens {lead}."
    return f" A click opens nothing: LeadSquared did not tell where {lead} has its page."


def _many(report: Report) -> str:
    deliveries = report.deliveries
    sent = any(each.state is State.SENT for each in deliveries)
    opens = _opens(report.notification) if sent else ""
    lines = [f"{_counts(report)}: “{echo(report.notification.title)}”.{opens}"]
    lines += _group_lines(deliveries)
    if advice := _advice(deliveries, report.api_host):
        lines.append(advice)
    return "\n".join(lines)


def _counts(report: Report) -> str:
    states = [each.state for each in report.deliveries]
    sent = states.count(State.SENT)
    if sent:
        mark = "✅" if sent == len(states) else "⚠️"
        return f"{mark} {sent} of {len(states)} sent in {duration(report.seconds)}"
    if State.UNKNOWN in states:  # they may have arrived
        return f"⚠️ None of {len(states)} sent for certain"
    return f"❌ None of {len(states)} sent"


def _group_lines(deliveries: Sequence[Delivery]) -> list[str]:
    lines = []
    for label, states in GROUPS:
        group = [each for each in deliveries if each.state in states]
        if group:
            lines.append(f"{len(group)} {label}: {_listed(group)}.")
    return lines


def _listed(group: Sequence[Delivery]) -> str:
    """Return names by reason, so that each reason is said once."""
    by_reason: dict[str, list[Delivery]] = {}
    for delivery in group:
        by_reason.setdefault(words_of(delivery), []).append(delivery)
    return "; ".join(_told(each, reason) for reason, each in by_reason.items())


def _told(group: Sequence[Delivery], reason: str) -> str:
    names = [name_of(each) for each in group if is_named(each)]
    if not names and group[0].code == "unknown_person":
        return f"{count_people(len(group))} Slack does not know"
    people = join_names(names, others=len(group) - len(names))
    return f"{people} ({reason})" if reason else people


def _advice(deliveries: Sequence[Delivery], api_host: str | None) -> str:
    """Return the sentence for what concerns everybody: the keys, the rights, the address."""
    codes = {delivery.code for delivery in deliveries}
    return next((advise(code, api_host) for code in ADVICE if code in codes), "")


def _twins(deliveries: Sequence[Delivery]) -> str:
    """Name those who shared one call, because they are one CRM user."""
    by_position = {each.position: each for each in deliveries}
    pairs = [
        f"{name_of(each)} and {name_of(by_position[each.twin_position])}"
        for each in deliveries
        if each.twin_position is not None
    ]
    if not pairs:
        return ""
    more = f" and {len(pairs) - 5} more" if len(pairs) > 5 else ""
    return f"One LeadSquared user, notified once: {'; '.join(pairs[:5])}{more}."


def status(report: Report) -> Message:
    """Build the answer to `/notify status`, for the sender's eyes."""
    lines = [f"*{echo(report.notification.title)}*", echo(report.notification.content)]
    alone = len(report.deliveries) == 1
    shown = report.deliveries[:MOST_LINES]
    lines += [f"{_mark(each)} {_status_line(each, in_full=alone)}" for each in shown]
    more = len(report.deliveries) - MOST_LINES
    if more > 0:
        lines.append(f"… and {more} more.")
    if report.notification.click_url:
        lines.append(f"Click opens {escape(report.notification.click_url)}")
    when = f"<!date^{int(report.accepted_at)}^Accepted {{date_short_pretty}} {{time}}|Accepted>"
    context = (f"{when} · {report.notification_id}",)
    buttons = () if report.is_open else tuple(_again_buttons(report))
    return Message("\n".join(lines), context, buttons)


def _status_line(delivery: Delivery, *, in_full: bool) -> str:
    if delivery.state is State.SENT:
        return f"*{name_of(delivery)}*: sent to LeadSquared"
    if in_full and delivery.state in FINAL:
        return sentence_of(delivery, alone=True)
    return f"*{name_of(delivery)}*: {words_of(delivery, alone=True) or 'taken back'}"


def _mark(delivery: Delivery) -> str:
    return MARKS.get(delivery.state, "❌")
