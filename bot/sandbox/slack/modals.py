"""The modals in front of people and their Home tabs: opening, stacking, replacing."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.blocks import complete_blocks
from bot.sandbox.slack.inputs import build_values
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.views import STACK, View, check_view, is_too_large
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]


class Modals:
    """Raises Refusal where Slack refuses."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def open(self, person: Person, given: Any) -> View:
        """Put a modal in front of what else the person has open, as a stack of its own."""
        return self._add(person, self._check(given, "modal"), None)

    def push(self, top: View, given: Any) -> View:
        stack = self._workspace.views[top.person]
        if sum(view.root_id == top.root_id for view in stack) >= STACK:
            raise Refusal("push_limit_reached")
        return self._add(top.person, self._check(given, "modal"), top)

    def update(self, view: View, given: Any, expected_hash: str | None = None) -> View:
        if expected_hash is not None and expected_hash != view.hash:
            raise Refusal("hash_conflict")
        checked = self._check(given, str(view.given["type"]), view)
        view.replace(checked, self._next_hash(), self._next_block_id)
        return view

    def publish(self, person: Person, given: Any, expected_hash: str | None = None) -> View:
        home = self._workspace.homes.get(person)
        if home is not None:
            return self.update(home, given, expected_hash)
        view = self._build(person, self._check(given, "home"), None)
        self._workspace.homes[person] = view
        return view

    def close(self, view: View) -> None:
        view.is_open = False
        stack = self._workspace.views[view.person]
        if view in stack:
            stack.remove(view)

    def close_all(self, view: View) -> None:
        for one in [*self._workspace.views[view.person]]:
            if one.root_id == view.root_id:
                self.close(one)

    def find(self, view_id: str | None, external_id: str | None) -> View | None:
        """Return the view of this id, open or a Home tab."""
        for view in self._list():
            if view_id == view.id or (external_id and external_id == view.external_id):
                return view
        return None

    def _list(self) -> list[View]:
        stacks = [view for stack in self._workspace.views.values() for view in stack]
        return [*stacks, *self._workspace.homes.values()]

    def _check(self, given: Any, kind: str, own: View | None = None) -> Json:
        problems = check_view(given, kind)
        if problems:
            raise Refusal("invalid_arguments", problems)
        view: Json = given
        if is_too_large(view):
            raise Refusal("view_too_large")
        external_id = view.get("external_id")
        others = [one for one in self._list() if one is not own]
        if external_id and any(one.external_id == external_id for one in others):
            raise Refusal("duplicate_external_id")
        return view

    def _add(self, person: Person, given: Json, top: View | None) -> View:
        view = self._build(person, given, top)
        self._workspace.views[person].append(view)
        return view

    def _build(self, person: Person, given: Json, top: View | None) -> View:
        view_id = self._workspace.next_id("V")
        blocks = complete_blocks(given["blocks"], self._next_block_id)
        return View(
            id=view_id,
            person=person,
            given=given | {"blocks": blocks},
            hash=self._next_hash(),
            root_id=top.root_id if top else view_id,
            previous_id=top.id if top else None,
            values=build_values(blocks),
            read=self._workspace.read,
        )

    def _next_hash(self) -> str:
        return self._workspace.next_ts() + ".h"

    def _next_block_id(self) -> str:
        return self._workspace.next_id("b")
