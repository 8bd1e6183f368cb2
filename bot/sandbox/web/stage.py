"""What the page shows and drives: both stand-ins, the bot between them, and the wires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import Person, StandInSlack
from bot.sandbox.wiretap import Wiretap

ACTORS = ("alice", "priya", "omar", "inactive", "gus")
"""Whom one can be: an admin, a colleague, and three to whom something is special."""


class Bot(Protocol):
    """The process between the stand-ins."""

    @property
    def url(self) -> str: ...

    @property
    def state(self) -> str:
        """starting, running or stopped."""

    @property
    def starts(self) -> int: ...

    async def start(self) -> None: ...

    async def kill(self) -> None: ...


@dataclass
class Stage:
    """Everything; `tell` is called after changes that the stand-ins do not notice themselves."""

    slack: StandInSlack
    crm: StandInLeadSquared
    bot: Bot
    tap: Wiretap
    tell: Callable[[], None] = field(default=lambda: None)

    @property
    def actors(self) -> list[Person]:
        return [self.slack.people[name] for name in ACTORS]
