"""What is typed happens in the stand-in Slack; what people see there is printed.

So is what reached LeadSquared, to the byte. Lines come from a keyboard or a pipe alike.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox.leadsquared import FaultKind, StandInLeadSquared
from bot.sandbox.slack import Message, Reply, StandInSlack

HELP = """\
/notify @priya Callback due | Asha asked for 3 pm     what a teammate types (see /notify help)
/forward                 the message shortcut on the last message in this channel
/forward @priya @lee     the same, and send the form to these people at once
/shortcut                the global shortcut: an empty form
/to @priya Title | Text  fill in the form that is open, and send it (the title and text may be left)
/as @lee                 be somebody else
/in #random              go to another channel
/people                  who is here, and who they are in LeadSquared
/fault NAME [times]      let LeadSquared answer the next pushes so; /fault alone lists the names
/help                    this list
/quit                    the end; so is the end of the input
Anything else is said as a message in the channel."""

CARD_WITHIN = 3.0
"""Seconds to wait for a card before the next line is read; it is printed whenever it comes."""

ALL_CARDS_WITHIN = 150.0
"""Seconds at the end of the input for the cards still to come."""

RECIPIENTS, TITLE, CONTENT = "recipients", "title", "content"

MENTION = re.compile(r"@([a-z0-9-]+)")


class LineError(Exception):
    """A line that cannot be carried out; its text says why."""


class Console:
    """One person at a time, in one channel at a time."""

    def __init__(
        self, slack: StandInSlack, crm: StandInLeadSquared, write: Callable[[str], None]
    ) -> None:
        self._slack = slack
        self._crm = crm
        self._write = write
        self._person = slack.people["alice"]
        self._channel = slack.channels["sales"]
        self._owed = 0
        self._messages_shown = 0
        self._pushes_shown = 0
        self._views_shown: list[Any] = []
        self._lines: dict[str, Callable[[str], Awaitable[None]]] = {
            "/as": self._be,
            "/in": self._go,
            "/people": self._list_people,
            "/forward": self._forward,
            "/shortcut": self._open_form,
            "/to": self._submit,
            "/fault": self._set_fault,
            "/help": self._help,
        }

    @property
    def prompt(self) -> str:
        return f"{self._person.name} in {self._channel}> "

    async def carry_out(self, line: str) -> None:
        """Do what one line says, and show what came of it."""
        word, _, rest = line.strip().partition(" ")
        try:
            if word in self._lines:
                await self._lines[word](rest.strip())
            elif word.startswith("/"):
                await self._command(word, rest.strip())
            elif word:
                await self._person.say(line.strip(), self._channel.name)
        except (LineError, LookupError) as exc:
            self._write(f"  ? {exc}")
        await self.wait_for_cards(CARD_WITHIN)

    async def finish(self) -> None:
        """Show every card that is still to come."""
        await self.wait_for_cards(ALL_CARDS_WITHIN)
        if self._owed > self._cards():
            self._write(f"  ! {self._owed - self._cards()} cards did not come")

    async def wait_for_cards(self, seconds: float) -> None:
        try:
            await self._slack.until(lambda _slack: self._cards() >= self._owed, timeout=seconds)
        except AssertionError:
            return
        finally:
            self.show_news()

    def show_news(self) -> None:
        """Print what LeadSquared received and what appeared in Slack since the last time."""
        pushes = self._crm.pushes[self._pushes_shown :]
        messages = self._slack.messages[self._messages_shown :]
        self._pushes_shown += len(pushes)
        self._messages_shown += len(messages)
        for push in pushes:
            self._write(f"  LeadSquared received: {push.raw.decode()}")
        for message in messages:
            if message.via != "say":
                self._show(message)
        for view in [view for views in self._slack.views.values() for view in views]:
            if (view, view.errors) not in self._views_shown:
                self._views_shown.append((view, view.errors))
                self._write_lines("  Slack opens a form: ", view.shown)
                for field, error in view.errors.items():
                    self._write(f"    ! {field}: {error}")

    def _show(self, message: Message) -> None:
        channel = self._slack.find_channel(message.channel)
        seen_by = self._slack.find_person(message.ephemeral_to or "")
        where = f"Slack {channel}" + (" (thread)" if message.thread_ts else "")
        only = f", only {seen_by.name} sees it" if seen_by else ""
        self._write_lines(f"  {where}{only}: ", message.shown)

    def _write_lines(self, head: str, text: str) -> None:
        first, *rest = text.split("\n")
        self._write("\n".join([head + first, *(f"    {line}" for line in rest)]))

    def _cards(self) -> int:
        """Count what the bot posted of itself, apart from answers to a command."""
        posted = ("chat.postMessage", "response_url")
        return sum(message.via in posted for message in self._slack.messages)

    async def _command(self, word: str, text: str) -> None:
        forms = self._open_forms()
        reply = await self._slack.command(self._person, word, text, channel=self._channel.name)
        said = str((reply.json or {}).get("text", "")) if reply.body else ""
        taken = reply.ok and (not reply.body or said.startswith("Queued"))
        if taken and self._open_forms() == forms:
            self._owed += 1

    def _open_forms(self) -> int:
        return len(self._slack.views[self._person])

    async def _forward(self, text: str) -> None:
        said = [
            message
            for message in self._slack.visible_to(self._person, self._channel)
            if message.ephemeral_to is None
        ]
        if not said:
            raise LineError("There is no message to forward. Say something first.")
        await self._person.use_shortcut("notify_message", said[-1])
        if text:
            self.show_news()
            await self._submit(text)

    async def _open_form(self, _text: str) -> None:
        await self._person.use_shortcut("notify_global")

    async def _submit(self, text: str) -> None:
        names = MENTION.findall(text)
        title, bar, content = MENTION.sub("", text).partition("|")
        values: dict[str, Any] = {RECIPIENTS: [self._find_person(name).id for name in names]}
        if bar:
            values |= {TITLE: title.strip(), CONTENT: content.strip()}
        elif title.strip():
            values[CONTENT] = title.strip()
        reply: Reply = await self._person.submit(values)
        if reply.ok and not reply.body:
            self._owed += 1

    async def _be(self, text: str) -> None:
        self._person = self._find_person(text.removeprefix("@"))

    async def _go(self, text: str) -> None:
        self._channel = self._slack.get_channel(text.removeprefix("#"))

    def _find_person(self, name: str) -> Any:
        if name not in self._slack.people:
            raise LineError(f"Nobody here is called @{name}. /people lists them.")
        return self._slack.people[name]

    async def _list_people(self, _text: str) -> None:
        users = {user.email: user for user in self._crm.users}
        for person in self._slack.people.values():
            user = users.get((person.email or "").lower())
            crm = "not in LeadSquared" if user is None else f"LeadSquared {user.id}"
            active = "" if user is None or user.active else ", deactivated there"
            self._write(f"  @{person.name}: {person.real_name}, {crm}{active}")

    async def _set_fault(self, text: str) -> None:
        name, _, times = text.partition(" ")
        if name not in {str(kind) for kind in FaultKind}:
            raise LineError("/fault takes one of: " + ", ".join(str(kind) for kind in FaultKind))
        self._crm.faults.next("push", FaultKind(name), times=int(times or 1))

    async def _help(self, _text: str) -> None:
        self._write(HELP)
