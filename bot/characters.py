"""Characters that nobody sees and that change what others see; pure."""

from __future__ import annotations

import re
import unicodedata

UNPRINTABLE = ("Cc", "Cs")
"""Unicode categories: control characters, and halves of characters."""

OVERRIDES = "\u202d\u202e"
"""Make the letters behind them run the other way: `gpj.exe` reads as `exe.jpg`."""

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn what stands behind them, also what somebody else wrote there. The marks for a
single place (U+200E, U+200F) and the joiners that Indic scripts need are none of these."""


def untwist(text: str) -> str:
    """Return text without the marks that turn what stands behind it."""
    return _TURNING.sub("", text)


def printable(name: str) -> str:
    """Return a name on one line that changes nothing around it."""
    kept = (each for each in " ".join(name.split()) if _is_shown(each))
    return " ".join(untwist("".join(kept)).split())


def _is_shown(character: str) -> bool:
    return unicodedata.category(character) not in UNPRINTABLE
