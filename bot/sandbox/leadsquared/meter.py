"""How the stand-in counts calls, and how it says that there were too many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Counting(StrEnum):
    """The documentation does not say which of these LeadSquared uses."""

    SLIDING = "sliding"
    FIXED = "fixed"
    TOKEN_BUCKET = "token_bucket"


@dataclass
class Refusal:
    """What a call over the limit is answered with: 429, 403 and 200 have all been seen."""

    status: int = 429
    typed: bool = True
    """Whether the body carries ExceptionType."""
    retry_after: str | None = None
    limit: int | None = None
    """The N of the message, when it shall differ from the limit in force."""
    period: float | None = None


class Meter:
    """Admits at most `limit` calls per `period`; a refused call takes no place."""

    def __init__(self, limit: int, period: float, counting: str = Counting.SLIDING) -> None:
        self.limit = limit
        self.period = period
        self.counting = Counting(counting)
        self._admitted: deque[float] = deque()
        self._refilled_at: float | None = None
        self._tokens = 0.0

    def admit(self, at: float) -> bool:
        """Count a call that arrives at `at`; False means that it is refused."""
        if self.counting == Counting.TOKEN_BUCKET:
            return self._take_token(at)
        while self._admitted and self._is_past(self._admitted[0], at):
            self._admitted.popleft()
        if len(self._admitted) >= self.limit:
            return False
        self._admitted.append(at)
        return True

    def _is_past(self, then: float, at: float) -> bool:
        if self.counting == Counting.FIXED:
            return then // self.period < at // self.period
        return at - then >= self.period

    def _take_token(self, at: float) -> bool:
        if self._refilled_at is None:
            self._tokens = float(self.limit)
        else:
            gained = (at - self._refilled_at) * self.limit / self.period
            self._tokens = min(float(self.limit), self._tokens + gained)
        self._refilled_at = at
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def find_busiest(times: Iterable[float], period: float) -> int:
    """Return how many of `times` fall into the fullest half-open window of `period`."""
    window: deque[float] = deque()
    most = 0
    for at in sorted(times):
        window.append(at)
        while at - window[0] >= period:
            window.popleft()
        most = max(most, len(window))
    return most
