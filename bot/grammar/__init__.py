"""What a person types after `/notify`, turned into a command; pure.

Nothing is guessed: what can be read in two ways is refused with the way to write either.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.grammar.send import Send, read_send
from bot.grammar.subcommands import (
    Check,
    Help,
    Link,
    SendTest,
    Status,
    Unlink,
    Whoami,
    find_subcommand,
)

__all__ = [
    "Check",
    "Command",
    "Compose",
    "Help",
    "Link",
    "Send",
    "SendTest",
    "Status",
    "Unlink",
    "Whoami",
    "parse",
]


@dataclass(frozen=True)
class Compose:
    """Open the form."""


Command = Check | Compose | Help | Whoami | SendTest | Status | Link | Unlink | Send


def parse(text: str, *, sender_id: str) -> Command:
    """Return the command that was typed; a UserError says what is wrong and what to write."""
    text = text.strip()
    if not text:
        return Compose()
    return find_subcommand(text, sender_id) or read_send(text, sender_id)
