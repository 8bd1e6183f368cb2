"""What a check found: a mark, what is so, and one next step where something is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

EX_OK, EX_WRONG, EX_CONFIG = 0, 1, 78
"""All fine, something is wrong, and `serve` cannot even start (sysexits.h)."""

SHORTEST_SECRET = 5
"""Characters; to hide shorter ones would only make the sentences unreadable."""

HIDDEN = "…"


class Mark(StrEnum):
    """How bad it is; each is readable without colour."""

    FINE = "✓"
    DOUBT = "!"
    WRONG = "✗"


@dataclass(frozen=True)
class Finding:
    """One line; `what` and `step` are sentences of plain text without their full stop."""

    mark: Mark
    name: str
    what: str
    step: str = ""
    stops: bool = False
    """`serve` ends with 78 because of it."""

    @property
    def line(self) -> str:
        next_step = f" Next: {self.step}." if self.step else ""
        return _on_one_line(f"{self.mark} {self.name}: {self.what}.{next_step}")


def fine(name: str, what: str) -> Finding:
    return Finding(Mark.FINE, name, what)


def doubt(name: str, what: str, step: str) -> Finding:
    return Finding(Mark.DOUBT, name, what, step)


def wrong(name: str, what: str, step: str, *, stops: bool = False) -> Finding:
    return Finding(Mark.WRONG, name, what, step, stops)


def exit_code(findings: Iterable[Finding]) -> int:
    bad = [each for each in findings if each.mark is Mark.WRONG]
    if any(each.stops for each in bad):
        return EX_CONFIG
    return EX_WRONG if bad else EX_OK


def summarise(findings: Iterable[Finding]) -> str:
    marks = [each.mark for each in findings]
    wrong_ones, doubts = marks.count(Mark.WRONG), marks.count(Mark.DOUBT)
    if not wrong_ones and not doubts:
        return "All fine."
    return f"{count(wrong_ones, 'thing')} wrong, {count(doubts, 'thing')} to look at."


def hide(findings: Iterable[Finding], secrets: Iterable[str]) -> list[Finding]:
    """Leave out what must not be shown, wherever it came from: somebody's answer may repeat it."""
    hidden = sorted((each for each in secrets if len(each) >= SHORTEST_SECRET), key=len)[::-1]
    return [
        replace(each, what=_without(each.what, hidden), step=_without(each.step, hidden))
        for each in findings
    ]


def count(number: int, thing: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def span(seconds: float) -> str:
    """Return a span as people say it."""
    whole = max(0, round(seconds))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if whole >= 2 * size:
            return count(whole // size, unit)
    return count(whole, "second")


def _without(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _on_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
