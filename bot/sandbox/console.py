"""What is typed happens in the stand-in Slack; what people see there is printed.

So is what reached LeadSquared, to the byte. Lines come from a keyboard or a pipe alike.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from bot.sandbox.home_tab import HomeTab
from bot.sandbox.leadsquared import FaultKind, StandInLeadSquared
from bot.sandbox.open_form import GROUPS, LEAD, OpenForm
from bot.sandbox.slack import Message, Person, StandInSlack
from bot.sandbox.slack.messages import find_actions

HELP = """\
/notify @priya Callback due | Asha asked for 3 pm     what a teammate types (see /notify help)
/notify @sales-team Standup | moved to 11             a user group: then /press Send
/forward                 the message shortcut on the last message in this channel
/forward @priya @lee     the same, and send the form to these people at once
/shortcut                the global shortcut: an empty form
/to @priya Title | Text  fill in the form that is open, and send it; what is left out stays
/fill @priya Title | Text  the same without sending it; then /press Preview shows how it looks
/kind call               choose the kind in the form that is open; /kind alone chooses none
/lead asha               type into the form's lead menu, and choose the first that it offers
/group sales             the same in its menu for user groups; then /to, and /to once more
/owner                   tick "Also notify the lead's owner" in the form
/press Retry             press the newest button whose label begins like this, a form's first
/home                    open the bot's Home tab; /press looks there first, until /in or /as
/as @lee                 be somebody else
/in #random              go to another channel
/people                  who is here, and who they are in LeadSquared
/fault NAME [times]      let LeadSquared answer the next pushes so; /fault alone lists the names
/help                    this list
/quit                    the end; so is the end of the input
Anything else is said as a message in the channel."""

ANSWER_WITHIN = 3.0
"""Seconds to wait for an answer before the next line is read; it is shown whenever it comes."""

ALL_ANSWERS_WITHIN = 150.0
"""Seconds at the end of the input for the answers still to come."""

LOOK_EVERY = 0.1
"""Seconds between looks for something new to show."""

Press = Callable[[dict[str, Any]], Awaitable[None]]


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
        self._home = HomeTab(slack)
        self._form = OpenForm(slack, self._find_person, write)
        self._owed = 0
        self._pushes_shown = 0
        self._messages_shown: dict[str, str] = {}
        self._views_shown: dict[str, str] = {}
        self._lines: dict[str, Callable[[str], Awaitable[None]]] = {
            "/notify": self._notify,
            "/as": self._be,
            "/in": self._go,
            "/people": self._list_people,
            "/forward": self._forward,
            "/shortcut": self._open_form,
            "/to": self._submit,
            "/fill": self._fill,
            "/kind": self._choose_kind,
            "/lead": partial(self._choose, LEAD),
            "/group": partial(self._choose, GROUPS),
            "/owner": self._tick_owner,
            "/press": self._press,
            "/fault": self._set_fault,
            "/home": self._open_home,
            "/help": self._help,
        }

    @property
    def prompt(self) -> str:
        return f"{self._person.name} in {'Home' if self._home.is_open else self._channel}> "

    async def carry_out(self, line: str) -> None:
        """Do what one line says, and show what came of it."""
        word, _, rest = line.strip().partition(" ")
        try:
            if word.startswith("/"):
                await self._find_command(word)(rest.strip())
            elif word:
                await self._person.say(line.strip(), self._channel.name)
        except (LineError, LookupError, ValueError) as exc:
            self._write(f"  ? {exc}")
        await self._wait_for_answers(ANSWER_WITHIN)

    async def watch(self) -> None:
        """Show what happens when it happens, for ever."""
        while True:
            self.show_news()
            await asyncio.sleep(LOOK_EVERY)

    async def finish(self) -> None:
        """Show every answer that is still to come."""
        await self._wait_for_answers(ALL_ANSWERS_WITHIN)
        if (missing := self._owed - self._count_answers()) > 0:
            self._write(f"  ! {missing} of the answers did not come.")

    async def _wait_for_answers(self, seconds: float) -> None:
        with contextlib.suppress(AssertionError):
            await self._slack.until(lambda _: self._count_answers() >= self._owed, timeout=seconds)
        self.show_news()

    def _count_answers(self) -> int:
        """Count what the bot posted of itself, apart from the answer in an acknowledgement.

        A card that shows progress will change into an answer.
        """
        posted = ("chat.postMessage", "chat.postEphemeral", "response_url")
        return sum(
            message.via in posted and not message.text.startswith("⏳")
            for message in self._slack.messages
        )

    def show_news(self) -> None:
        """Print what LeadSquared received and what changed in Slack since the last time."""
        pushes = self._crm.pushes[self._pushes_shown :]
        self._pushes_shown += len(pushes)
        for push in pushes:
            self._write(f"  LeadSquared received: {push.raw.decode()}")
        for message in self._slack.messages:
            before, now = self._messages_shown.get(message.ts), message.shown
            if message.via != "say" and before != now:
                self._messages_shown[message.ts] = now
                self._show(message, "" if before is None else ", changed")
        for view in [view for views in self._slack.views.values() for view in views]:
            if self._views_shown.get(view.id) != view.hash:
                how = "changes the" if view.id in self._views_shown else "opens a"
                self._views_shown[view.id] = view.hash
                self._write_lines(f"  Slack {how} form: ", view.shown)
        if shown := self._home.find_news():
            self._write_lines("  Slack shows the Home tab: ", shown)

    def _show(self, message: Message, how: str) -> None:
        channel = self._slack.find_channel(message.channel)
        seen_by = self._slack.find_person(message.ephemeral_to or "")
        where = f"Slack {channel}" + (" (thread)" if message.thread_ts else "")
        only = f", only {seen_by.name} sees it" if seen_by else ""
        self._write_lines(f"  {where}{only}{how}: ", message.shown)

    def _write_lines(self, head: str, text: str) -> None:
        first, *rest = text.split("\n")
        self._write("\n".join([head + first, *(f"    {line}" for line in rest)]))

    def _find_command(self, word: str) -> Callable[[str], Awaitable[None]]:
        if word not in self._lines:
            raise LineError(f"{word} is no command here. /help lists them.")
        return self._lines[word]

    async def _notify(self, text: str) -> None:
        forms = self._open_forms()
        reply = await self._person.command("/notify", text, channel=self._channel.name)
        taken = reply.ok and (not reply.body or reply.text.startswith("Queued"))
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
        await self._form.wait_for_inputs(self._person)
        if text:
            self.show_news()
            await self._submit(text)

    async def _open_form(self, _text: str) -> None:
        await self._person.use_shortcut("notify_global")

    async def _fill(self, text: str) -> None:
        self._form.fill(self._person, text)

    async def _choose_kind(self, text: str) -> None:
        self._form.choose_kind(self._person, text)

    async def _choose(self, menu: str, text: str) -> None:
        await self._form.choose(self._person, menu, text)

    async def _tick_owner(self, _text: str) -> None:
        self._form.tick_owner(self._person)

    async def _submit(self, text: str) -> None:
        self._owed += await self._form.submit(self._person, text)

    async def _press(self, label: str) -> None:
        if not label:
            raise LineError("/press takes the label of a button, or how it begins.")
        for button, press in self._find_buttons():
            if _label(button).lower().startswith(label.lower()):
                await press(button)
                return
        raise LineError(f"@{self._person.name} sees no button that begins with {label!r}.")

    def _find_buttons(self) -> Iterator[tuple[dict[str, Any], Press]]:
        """Yield what can be pressed, the newest first: a form's, the Home tab's, messages'."""
        for form in reversed(self._slack.views[self._person]):
            for button in find_actions(form.blocks):
                yield button, partial(self._form.press, self._person, form)
        for button in self._home.buttons:
            yield button, self._press_at_home
        for message in reversed(self._slack.visible_to(self._person)):
            for button in find_actions(message.blocks):
                yield button, partial(self._press_button, message)

    async def _press_at_home(self, button: dict[str, Any]) -> None:
        self._owed += await self._home.press(button)

    async def _press_button(self, message: Message, button: dict[str, Any]) -> None:
        """Press; all buttons but Cancel, which changes its message, are answered by a new one."""
        reply = await self._person.press(message, button["action_id"], button.get("value"))
        if reply.ok and not _label(button).startswith("Cancel"):
            self._owed += 1

    async def _open_home(self, _text: str) -> None:
        await self._home.open(self._person)

    async def _be(self, text: str) -> None:
        self._person = self._find_person(text)
        self._home.leave()

    async def _go(self, text: str) -> None:
        name = text.removeprefix("#")
        if name not in self._slack.channels:
            places = map(str, self._slack.channels.values())
            raise LineError("/in takes one of: " + ", ".join(places))
        self._channel = self._slack.channels[name]
        self._home.leave()

    def _find_person(self, text: str) -> Person:
        name = text.removeprefix("@").rstrip(",")
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
        if not (times or "1").isdecimal():
            raise LineError(f"/fault {name} takes a number of times, not {times!r}.")
        self._crm.faults.next("push", FaultKind(name), times=int(times or 1))

    async def _help(self, _text: str) -> None:
        self._write(HELP)


def _label(button: dict[str, Any]) -> str:
    text = button.get("text")
    return str(text["text"]) if isinstance(text, dict) else ""
