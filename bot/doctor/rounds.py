"""The looks of a check, each with a deadline; none that fails or hangs stops another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from bot.doctor.findings import Finding, wrong

GRACE = 1.0
"""Seconds for a look that is given up to give back what it holds."""


@dataclass(frozen=True)
class Look:
    """One look at something outside; `step` is the next one if it does not end in time."""

    name: str
    take: Callable[[], Coroutine[Any, Any, Sequence[Finding]]]
    within: float
    step: str


async def take(look: Look) -> Sequence[Finding]:
    """Return what a look found, or that it failed."""
    looking = asyncio.create_task(look.take(), name=f"look at {look.name}")
    try:
        await asyncio.wait({looking}, timeout=look.within)
    finally:
        is_late = looking.cancel()
    if is_late:
        await asyncio.wait({looking}, timeout=GRACE)
        return [wrong(look.name, f"gave no answer within {look.within:g} s", look.step)]
    if (error := looking.exception()) is not None:
        what = f"could not be checked ({type(error).__name__})"
        return [wrong(look.name, what, "Report this, with what the bot's log says")]
    return looking.result()
