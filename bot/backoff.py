"""How long to wait before a repeat, and how often to repeat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Seconds until the next try; arithmetic only, no clock, no randomness of its own."""

    first: float
    most: float
    repeats: int

    def delay(self, repeat: int, jitter: float) -> float:
        """Return the wait before repeat number `repeat` (from 1); `jitter` is in [0, 1)."""
        return min(self.most, self.first * 2.0 ** (repeat - 1)) * (0.5 + jitter / 2)


UNREACHABLE = Backoff(first=5.0, most=60.0, repeats=5)
"""No connection, or a look-up that failed: five repeats within about two minutes."""

BUSY = Backoff(first=5.0, most=60.0, repeats=3)
"""503 without a decision."""

REPLY = Backoff(first=2.0, most=300.0, repeats=60)
"""A reply that Slack did not take: kept trying for several hours."""
