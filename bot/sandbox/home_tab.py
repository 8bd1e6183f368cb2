"""The Home tab of whoever is at the console, while they look at it."""

from __future__ import annotations

import contextlib
from typing import Any

from bot.sandbox.slack import Person, StandInSlack, View
from bot.sandbox.slack.messages import find_actions

PUBLISHED_WITHIN = 3.0
"""Seconds to wait for the tab after it was opened; what comes later is shown when it comes."""


class HomeTab:
    """One visitor at a time."""

    def __init__(self, slack: StandInSlack) -> None:
        self._slack = slack
        self._visitor: Person | None = None
        self._shown = ""

    @property
    def is_open(self) -> bool:
        return self._visitor is not None

    @property
    def buttons(self) -> list[dict[str, Any]]:
        view = self._find_view(self._visitor)
        return list(find_actions(view.blocks)) if view else []

    async def open(self, person: Person) -> None:
        """Go there; raises LookupError if the bot publishes none."""
        before = self._find_view(person)
        old = before.hash if before else None
        await person.open_home()

        def is_new(_: StandInSlack) -> bool:
            view = self._find_view(person)
            return view is not None and view.hash != old

        with contextlib.suppress(AssertionError):
            await self._slack.until(is_new, PUBLISHED_WITHIN)
        if self._find_view(person) is None:
            raise LookupError("The bot has published no Home tab.")
        self._visitor, self._shown = person, ""

    def leave(self) -> None:
        self._visitor = None

    def find_news(self) -> str:
        """Return what the tab shows, if it has changed."""
        view = self._find_view(self._visitor)
        if view is None or view.shown == self._shown:
            return ""
        self._shown = view.shown
        return self._shown

    async def press(self, button: dict[str, Any]) -> bool:
        """Press; tell whether a message will answer: not if the tab changes, or a form opens."""
        if self._visitor is None:
            raise LookupError("nobody is at the Home tab")
        forms = len(self._slack.views[self._visitor])
        action_id = button["action_id"]
        reply = await self._visitor.press(self._visitor.home, action_id, button.get("value"))
        opened = len(self._slack.views[self._visitor]) != forms
        return reply.ok and not opened and action_id != "cancel"

    def _find_view(self, person: Person | None) -> View | None:
        return self._slack.homes.get(person) if person else None
