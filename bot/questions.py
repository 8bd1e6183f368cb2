"""What must be asked before anything is sent; each question holds drafts, of which one may be sent.

Pure: `replies` has the words.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.notification import State


@dataclass(frozen=True)
class SecondEnter:
    """The same went to the same people a moment ago; the draft sends it once more."""

    draft_id: str
    notification_id: str
    seconds_ago: float
    states: frozenset[State]
    """Of the earlier one's recipients."""


Question = SecondEnter
