"""The answer to `/notify check`: the lines of `python -m bot check`, with the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.doctor.findings import Finding, Mark, summarise
from bot.plaintext import escape
from bot.replies.message import SECTION_MOST, Message, fit

ORDER = list(Mark)[::-1]
WHAT_MOST = 500
"""Characters of what was found, which may be LeadSquared's own words; each may take five."""


@dataclass(frozen=True)
class Listing(Message):
    """A message of many lines: as many sections as they need."""

    lines: tuple[str, ...] = ()

    @property
    def blocks(self) -> list[dict[str, Any]]:
        sections = [""]
        for line in self.lines:
            longer = f"{sections[-1]}\n{line}".strip()
            if len(longer) <= SECTION_MOST:
                sections[-1] = longer
            else:
                sections.append(line)
        return [block for text in sections for block in Message(text).blocks]


def build(findings: Sequence[Finding], waiting_for: Sequence[str] = ()) -> Message:
    """Build the answer; `waiting_for` names what is still being asked."""
    summary = summarise(findings)
    ordered = sorted(findings, key=lambda each: ORDER.index(each.mark))
    lines = [f"*{summary}*", *map(_spell, ordered)]
    if waiting_for:
        lines.append(f"Still asking: {', '.join(waiting_for)}. The answer appears here.")
    return Listing(summary, lines=tuple(lines))


def _spell(finding: Finding) -> str:
    short = replace(finding, what=fit(finding.what, WHAT_MOST))
    line = short.line.removeprefix(f"{finding.mark} {finding.name}: ")
    return f"{finding.mark} *{escape(finding.name)}*: {escape(line)}"
