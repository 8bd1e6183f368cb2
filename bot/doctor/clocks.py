"""This machine's clock against those of the answers."""

from __future__ import annotations

from collections.abc import Iterable

from bot.doctor.findings import Finding, doubt, fine, span, wrong

DOUBTFUL = 30.0
DEADLY = 240.0
"""Seconds; Slack's signatures are refused from 300 on:
https://docs.slack.dev/authentication/verifying-requests-from-slack"""

NAME = "Clock"
STEP = "Let the host set its clock by NTP, then start the bot again"


def judge(skews: Iterable[float | None]) -> Finding:
    """Judge by whatever is off most."""
    known = [skew for skew in skews if skew is not None]
    if not known:
        return doubt(NAME, "nobody told the time, so it could not be compared", "Check again")
    worst = max(known, key=abs)
    if abs(worst) <= DOUBTFUL:
        return fine(NAME, "right")
    off = f"{span(abs(worst))} {'behind' if worst > 0 else 'ahead'}"
    if abs(worst) <= DEADLY:
        return doubt(NAME, f"this machine is {off}", STEP)
    what = f"this machine is {off}, so Slack's requests are taken for forged ones and refused"
    return wrong(NAME, what, STEP)
