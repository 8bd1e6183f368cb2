"""The form that is open before somebody at the console: what is written and chosen in it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack import Person, StandInSlack, View

RECIPIENTS, KIND, TITLE, CONTENT = "recipients", "kind", "title", "content"
GROUPS, LEAD, OWNER = "groups", "lead", "owner"

TO = re.compile(r"((?:@\S+\s*)*)(.*)", re.DOTALL)
"""Who a form is for, and what else goes into it."""

CHANGES_WITHIN = 3.0
"""Seconds to wait for a form to change that is about to."""


class OpenForm:
    """Works on the newest form of whoever is named."""

    def __init__(
        self,
        slack: StandInSlack,
        find_person: Callable[[str], Person],
        write: Callable[[str], None],
    ) -> None:
        self._slack = slack
        self._find_person = find_person
        self._write = write

    async def wait_for_inputs(self, person: Person) -> None:
        """Wait a while if the newest form, should there be one, is a notice that may change."""

        def is_ready() -> bool:
            stack = self._slack.views[person]
            return not stack or "submit" in stack[-1].given

        with contextlib.suppress(AssertionError):
            await self._slack.until(lambda _: is_ready(), timeout=CHANGES_WITHIN)

    def fill(self, person: Person, text: str) -> None:
        self._slack.fill(person.view, self._read(text))

    def choose_kind(self, person: Person, text: str) -> None:
        self._slack.fill(person.view, {KIND: text or None})

    async def choose(self, person: Person, menu: str, text: str) -> None:
        """Type into a menu and take the first that it offers; LookupError if none."""
        view = person.view
        reply = await self._slack.suggest(view, menu, text, person)
        for number, option in enumerate(reply.options):
            self._write(f"    {'>' if number == 0 else ' '} {option['text']['text']}")
        if not reply.options:
            raise LookupError(f"The form offers nothing for {text!r}.")
        first = reply.options[0]
        self._slack.fill(view, {menu: [first] if menu == GROUPS else first})

    def tick_owner(self, person: Person) -> None:
        self._slack.fill(person.view, {OWNER: ["owner"]})

    async def submit(self, person: Person, text: str) -> bool:
        """Send the form with what `text` adds; tell whether an answer is to come."""
        values = self._read(text)
        view = person.view
        reply = await person.submit(values)
        for field, error in view.errors.items():
            self._write(f"    ! {field}: {error}" if field else f"    ! {error}")
        return reply.ok and not reply.body

    async def press(self, person: Person, form: View, button: dict[str, Any]) -> None:
        before = form.hash
        await person.press(form, button["action_id"], button.get("value"))
        with contextlib.suppress(AssertionError):
            await self._slack.until(lambda _: form.hash != before, timeout=CHANGES_WITHIN)

    def _read(self, text: str) -> dict[str, Any]:
        """Return what to write into a form, by field."""
        found = TO.fullmatch(text)
        names, rest = found.groups() if found else ("", text)
        title, bar, content = rest.partition("|")
        values: dict[str, Any] = {}
        if names:
            people = [self._find_person(name) for name in names.split()]
            values[RECIPIENTS] = [person.id for person in people]
        if bar:
            values |= {TITLE: title.strip(), CONTENT: content.strip()}
        elif title.strip():
            values[CONTENT] = title.strip()
        return values
