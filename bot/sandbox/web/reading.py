"""What an action says, read field by field; everything wrong with it is told."""

from __future__ import annotations

import json
import math
from typing import Any

from bot.sandbox.slack import Message, Person, View
from bot.sandbox.web.stage import Stage

Json = dict[str, Any]

TEXT_MOST = 40_000


class BadRequestError(Exception):
    """The page asks for something that makes no sense."""


class Wanted:
    """One action's fields; LookupError for what does not exist, BadRequestError for the rest."""

    def __init__(self, stage: Stage, raw: bytes) -> None:
        self._stage = stage
        try:
            fields = json.loads(raw)
        except (ValueError, RecursionError):
            raise BadRequestError("the body is not JSON") from None
        if not isinstance(fields, dict):
            raise BadRequestError("the body is not an object")
        self._fields: Json = fields

    def has(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        if not isinstance(value, str) or len(value) > TEXT_MOST:
            raise BadRequestError(f"{name} must be a text")
        return value

    def flag(self, name: str) -> bool:
        value = self._fields.get(name)
        if not isinstance(value, bool):
            raise BadRequestError(f"{name} must be true or false")
        return value

    def number(self, name: str, least: float, most: float) -> float:
        value = self._fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRequestError(f"{name} must be a number")
        if not (math.isfinite(value) and least <= value <= most):
            raise BadRequestError(f"{name} must be from {least:g} to {most:g}")
        return value

    def whole(self, name: str, least: int, most: int) -> int:
        number = self.number(name, least, most)
        if number != int(number):
            raise BadRequestError(f"{name} must be a whole number")
        return int(number)

    def times(self) -> int | None:
        """Return how often; None is for ever."""
        return self.whole("times", 1, 10_000) if self.has("times") else None

    def any(self, name: str) -> Any:
        return self._fields.get(name)

    def values(self) -> Json:
        value = self._fields.get("values", {})
        if not isinstance(value, dict):
            raise BadRequestError("values must be an object")
        return value

    def person(self) -> Person:
        found = self._stage.slack.find_person(self.text("person"))
        if found not in self._stage.actors or found is None:
            raise LookupError("nobody here has that id")
        return found

    def message(self, person: Person, name: str = "message") -> Message:
        ts = self.text(name)
        for message in self._stage.slack.visible_to(person):
            if message.ts == ts:
                return message
        raise LookupError(f"{person.name} sees no message {ts}")

    def view(self, person: Person) -> View:
        view_id = self.text("view")
        for view in self._stage.slack.views[person]:
            if view.id == view_id:
                return view
        raise LookupError(f"{person.name} has no form {view_id} open")

    def channel(self, person: Person) -> str:
        """Return the id of a conversation that this person is in."""
        channel = self._stage.slack.find_channel(self.text("channel"))
        if channel is None or person.id not in channel.members:
            raise LookupError(f"{person.name} is in no such channel")
        return channel.id
