"""What a measurement hands to the writer: plain data, whatever was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Spread:
    """The median of several runs, and the lowest and highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        found = list(values)
        return cls(statistics.median(found), min(found), max(found))

    def show(self, digits: int = 1) -> str:
        """Return it as people read it: `5.2 (5.0–5.9)`, or `0` where all runs agree."""
        median, low, high = (f"{n:,.{digits}f}" for n in (self.median, self.low, self.high))
        return median if low == high else f"{median} ({low}–{high})"


@dataclass(frozen=True)
class Goal:
    """What was aimed at, what was found, and whether that is enough."""

    aim: str
    found: str
    met: bool


@dataclass(frozen=True)
class Table:
    """Rows of text; the first column names what the others tell about."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """Bars side by side: a group of them for each entry of `groups`, one bar for each series."""

    name: str
    title: str
    unit: str
    groups: Sequence[str]
    series: Mapping[str, Sequence[Spread | None]]
    logarithmic: bool = False
    line: tuple[str, float] | None = None
    """What all are to be compared with, and where it lies."""


@dataclass(frozen=True)
class Answer:
    """The answer to one question: how it was measured, and what came out."""

    title: str
    short: str
    """What to conclude, in a sentence or two."""
    method: Sequence[str]
    """Paragraphs."""
    tables: Sequence[Table]
    goals: Sequence[Goal] = ()
    pictures: Sequence[Picture] = ()
    notes: Sequence[str] = ()
    """What to keep in mind: list items under the tables."""


def at_most(aim: str, limit: float, worst: float, unit: str = "", digits: int = 1) -> Goal:
    """Return the goal that `worst` is at most `limit`."""
    found = f"{worst:,.{digits}f}{unit}"
    return Goal(f"{aim} ≤ {limit:,g}{unit}", found, worst <= limit)


def percentile(values: Sequence[float], rank: int) -> float:
    """Return the value that `rank` percent of them do not exceed (at least two values)."""
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]
