"""What is worth counting: the core tells an observer, `bot.metrics` counts.

A method here is called in the middle of the work, so none may wait or fail. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Observer(Protocol):
    """Hears of everything; labels are words of ours, of which there are few."""

    def answered(self, kind: str, seconds: float) -> None:
        """A request of Slack's has its acknowledgement."""

    def broke(self) -> None:
        """A request met a bug of ours, and its sender was given a reference."""

    def moved(self, states: Mapping[str, int]) -> None:
        """So many deliveries have come into these states, and it is committed."""

    def waited(self, purpose: str, seconds: float) -> None:
        """A call to LeadSquared has its permit."""

    def called(self, operation: str, outcome: str, seconds: float) -> None:
        """A call to LeadSquared has ended."""

    def asked(self, method: str, outcome: str) -> None:
        """A call to Slack has ended; `outcome` is `ok`, or why not."""

    def replied(self, outcome: str) -> None:
        """A reply owed was `paid`, `put_off` or `lost`."""


class Unobserved:
    """Nobody listens."""

    def answered(self, kind: str, seconds: float) -> None: ...

    def broke(self) -> None: ...

    def moved(self, states: Mapping[str, int]) -> None: ...

    def waited(self, purpose: str, seconds: float) -> None: ...

    def called(self, operation: str, outcome: str, seconds: float) -> None: ...

    def asked(self, method: str, outcome: str) -> None: ...

    def replied(self, outcome: str) -> None: ...


UNOBSERVED = Unobserved()
