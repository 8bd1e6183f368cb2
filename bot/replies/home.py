"""The App Home tab: who one is, what one sent last, and for admins how the bot is doing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.notification import Report, State, Summary
from bot.overview import MOST_COUNTED, LastError, Overview
from bot.people import Description, Person
from bot.plaintext import escape
from bot.replies.answers import described
from bot.replies.cards import GROUPS, HOPELESS, RETRYABLE, status
from bot.replies.compose import plain
from bot.replies.ids import ActionId
from bot.replies.message import Button, Message, duration, echo, join_names
from bot.replies.reasons import ADVICE, SHORT, name_of, words_of

Json = dict[str, Any]

AWAY = "I could not read your notifications just now. Open this tab again in a moment."

EMPTY = """\
You have sent nothing yet. Use the button above, or write in any channel:
`/notify test`: a test notification to yourself
`/notify @priya Callback due | Asha asked for 3 pm`: title, then a bar, then the text"""

HELP = "`/notify help` in any channel shows everything you can write."

LONG_WAIT = 120.0
"""Seconds in the queue from which on an admin should look what holds it up."""


@dataclass(frozen=True)
class Home:
    """What one person's tab shows."""

    person: Person
    description: Description | None
    """Who they are in LeadSquared; None while that is looked up."""
    recent: Sequence[Summary]
    closed: str = ""
    """Why nothing may be sent from here; empty if it may."""
    overview: Overview | None = None
    """For admins alone."""


def build_view(home: Home) -> Json:
    """Build the tab."""
    blocks = [*_build_head(home), *_build_recent(home.recent)]
    if home.overview is not None:
        blocks += [{"type": "divider"}, *_section("*For admins*")]
        for line in _describe_bot(home.overview):
            blocks += _section(line)
    return {"type": "home", "blocks": blocks}


def build_notice(text: str) -> Json:
    """Build the tab of somebody who is shown nothing, and why."""
    return {"type": "home", "blocks": _section(text)}


def build_details(report: Report) -> Json:
    """Build the modal that tells what became of each recipient."""
    return {
        "type": "modal",
        "title": plain("Details"),
        "close": plain("Close"),
        "blocks": status(report).without_buttons().blocks,
    }


def _build_head(home: Home) -> list[Json]:
    if home.description is None:
        who = f"*{echo(home.person.name)}* in Slack; LeadSquared is still being asked."
    else:
        who = described(home.description)
    if home.closed:
        return Message(f"{who}\n{home.closed}", (HELP,)).blocks
    send = Button(ActionId.COMPOSE, "Send a notification", "new")
    return Message(who, (HELP,), (send,)).blocks


def _build_recent(recent: Sequence[Summary]) -> list[Json]:
    blocks: list[Json] = [{"type": "divider"}]
    if not recent:
        return [*blocks, *_section(EMPTY)]
    blocks += _section("*Your last notifications*")
    for each in recent:
        blocks += Message(_describe(each), buttons=tuple(_find_buttons(each))).blocks
    return blocks


def _section(text: str) -> list[Json]:
    return Message(text).blocks


def _describe(summary: Summary) -> str:
    """Say what went to whom, when, and what became of it."""
    when = _date(summary.accepted_at)
    line = f"{_mark(summary)} “{echo(summary.title)}” to {_recipients(summary)} · {when}"
    fate = _fate(summary)
    return f"{line}\n{fate[0].upper()}{fate[1:]}"


def _recipients(summary: Summary) -> str:
    names = [name_of(each) for each in summary.first]
    more = summary.recipients - len(names)
    shown = join_names(names)
    return f"{shown} and {more} more" if more > 0 else shown


def _mark(summary: Summary) -> str:
    if summary.is_open:
        return "⏳"
    sent = summary.count(State.SENT)
    if sent == summary.recipients:
        return "✅"
    return "⚠️" if sent or summary.count(State.UNKNOWN) else "❌"


def _fate(summary: Summary) -> str:
    if summary.recipients != 1:
        sent = f"{summary.count(State.SENT)} of {summary.recipients} sent"
        return " · ".join([sent, *_count_groups(summary)])
    [delivery] = summary.first
    if delivery.state is State.SENT:
        return "sent to LeadSquared"
    label = next(label for label, states in GROUPS if delivery.state in states)
    why = words_of(delivery)
    return f"{label}: {why}" if why in SHORT.values() else label


def _count_groups(summary: Summary) -> Iterator[str]:
    for label, states in GROUPS:
        if count := summary.count(*states):
            yield f"{count} {label}"


def _find_buttons(summary: Summary) -> Iterator[Button]:
    """Yield what can be done about it, as its card has it."""
    found, alone = summary.notification_id, summary.recipients == 1
    if failed := summary.count(*RETRYABLE, but_not=HOPELESS):
        yield Button(ActionId.RETRY, "Retry" if alone else f"Retry {failed}", found)
    if unknown := summary.count(State.UNKNOWN):
        yield Button(ActionId.SEND_AGAIN, "Send again" if alone else f"Send again {unknown}", found)
    if summary.is_open:
        yield Button(ActionId.CANCEL, "Cancel what is still waiting", found)
    yield Button(ActionId.DETAILS, "Details", found)


def _describe_bot(overview: Overview) -> Iterator[str]:
    """Yield a line for each thing, with the next step where something is wrong."""
    yield _describe_people(overview)
    yield _describe_queue(overview)
    yield _describe_limit(overview)
    yield _describe_error(overview.last_error)


def _describe_people(overview: Overview) -> str:
    linked = f"*Teammates*: {_number(overview.linked)} of {_number(overview.members)} linked"
    missing = overview.members - overview.linked
    if not missing:
        return f"{linked} (of those the bot has met)."
    names = [echo(name) for name in overview.not_linked]
    more = missing - len(names)
    rest = f" and {_number(more)} more" if more > 0 else ""
    return (
        f"{linked} (of those the bot has met). Not linked: {join_names(names)}{rest}. "
        "Each is looked up by e-mail when somebody notifies them; `/notify whoami @them` says why "
        "not, `/notify link @them &lt;their LeadSquared e-mail&gt;` links them."
    )


def _describe_queue(overview: Overview) -> str:
    if not overview.pending:
        return "*Queue*: empty."
    waiting = f"{_number(overview.pending)} waiting, the oldest for {duration(overview.oldest)}"
    line = f"*Queue*: {waiting}."
    if overview.oldest < LONG_WAIT:
        return line
    return f"{line} If it does not become shorter, look into the bot's log."


def _describe_limit(overview: Overview) -> str:
    line = f"*Limit*: {overview.limit} calls in {overview.period:g} s"
    if overview.closed:
        line += f", and none for the next {duration(overview.closed)} after a refusal"
    if not overview.is_learned:
        return f"{line}."
    return (
        f"{line}. That is less than the settings say: LeadSquared refused more. If it stays so, "
        "set LEADSQUARED_RATE_LIMIT and LEADSQUARED_RATE_PERIOD to it."
    )


def _describe_error(error: LastError | None) -> str:
    if error is None:
        return "*Last LeadSquared error*: none lately."
    said = f": “{echo(error.detail)}”" if error.detail else ""
    advice = f" {ADVICE[error.code]}" if error.code in ADVICE else ""
    words = SHORT.get(error.code, escape(error.code))
    return f"*Last LeadSquared error*: {_date(error.at)}, {words}{said}.{advice}"


def _number(count: int) -> str:
    return f"{count:,} or more" if count >= MOST_COUNTED else f"{count:,}"


def _date(at: float) -> str:
    return f"<!date^{int(at)}^{{date_short_pretty}} {{time}}|some time ago>"
