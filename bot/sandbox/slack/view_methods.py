"""The views.* methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.modals import Modals
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.views import View
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]


class ViewMethods:
    """One bound method for each method of the Web API."""

    def __init__(self, workspace: Workspace, modals: Modals, tickets: Tickets) -> None:
        self._workspace = workspace
        self._modals = modals
        self._tickets = tickets
        self.home_tab = True
        self.table: dict[str, Callable[[Json], Json]] = {
            "views.open": self.open,
            "views.push": self.push,
            "views.update": self.update,
            "views.publish": self.publish,
        }

    def open(self, args: Json) -> Json:
        return _answer(self._modals.open(self._use_trigger(args), args.get("view")))

    def push(self, args: Json) -> Json:
        person = self._use_trigger(args)
        stack = self._workspace.views[person]
        if not stack:
            raise Refusal("not_found")
        return _answer(self._modals.push(stack[-1], args.get("view")))

    def update(self, args: Json) -> Json:
        view = self._modals.find(args.get("view_id"), args.get("external_id"))
        if view is None:
            raise Refusal("not_found")
        return _answer(self._modals.update(view, args.get("view"), args.get("hash")))

    def publish(self, args: Json) -> Json:
        person = self._workspace.find_person(str(args.get("user_id") or ""))
        if person is None or person.deleted:
            raise Refusal("invalid_arguments", ["/user_id: is nobody"])
        if not self.home_tab:
            raise Refusal("not_enabled")
        return _answer(self._modals.publish(person, args.get("view"), args.get("hash")))

    def _use_trigger(self, args: Json) -> Person:
        person, error = self._tickets.use_trigger(str(args.get("trigger_id") or ""))
        if person is None:
            raise Refusal(str(error))
        return person


def _answer(view: View) -> Json:
    return {"ok": True, "view": view.build_payload(values={})}
