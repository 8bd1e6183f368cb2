"""The bot under fire: a real process whose log is read line by line, and whose memory is known."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.fuzz.requests import Kind
from tests.fuzz.seeds import TEXT
from tests.processes.bot_process import BotProcess
from tests.processes.world import SECRETS

FORBIDDEN = (
    *SECRETS,
    TEXT,
    *(f"{kind}x" for kind in Kind),
    "VICTIM",
    "@acme.com",
    "/commands/T0",
    "/actions/T0",
    "/app/T0",
    "Traceback",
)
"""What no line of a log may have: keys, what people wrote, who they are, where to answer them."""

LOUD = ("error", "critical")
EXPECTED = ("reply.lost",)
"""What is said aloud, and rightly: payloads name places and people that Slack does not know."""

MOST_KEPT = 50
READ_AT_ONCE = 65_536
LONGEST = 8_000
"""Characters of a line in a log that is still for reading."""


class Target(BotProcess):
    """Keeps what is wrong with its log, and no more of it than a test may wait for."""

    faults: list[str]

    async def _read_log(self) -> None:
        assert self._child.stdout is not None
        self.faults = []
        rest = b""
        while chunk := await self._child.stdout.read(READ_AT_ONCE):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._look_at(line.decode(errors="replace"))
            async with self._changed:
                self._changed.notify_all()
        async with self._changed:
            self._log_ended = True
            self._changed.notify_all()

    def _look_at(self, line: str) -> None:
        if fault := _find_fault(line):
            self.faults.append(f"{fault}: {line[:300]} … {line[-600:]}")
        self._keep(line)

    def _keep(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            return
        self.events = [*self.events[-MOST_KEPT:], event]

    def read_memory(self) -> int:
        """Return the bytes of memory that it holds (Linux)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def _find_fault(line: str) -> str | None:
    if len(line) > LONGEST:
        return f"{len(line)} characters in one line"
    for word in FORBIDDEN:
        if word in line:
            return f"{word!r} in the log"
    try:
        said = json.loads(line)
    except ValueError:
        return "no JSON in the log"
    is_loud = said["level"] in LOUD and said["event"] not in EXPECTED
    return f"{said['level']} in the log" if is_loud else None
