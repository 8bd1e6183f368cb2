"""One call to LeadSquared, and how much of its answer is read."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PUSH_MAX_BYTES = 64 * 1024
SEARCH_MAX_BYTES = 1024 * 1024
ROSTER_MAX_BYTES = 32 * 1024 * 1024
"""How much of an answer is read; more is an error, never a shorter list."""

Shrink = Callable[[dict[str, Any]], object]
"""Returns what is kept of each object of an answer, while the rest of it is still being read."""


@dataclass(frozen=True)
class Request:
    """One call, without host and keys."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str] | None = None
    max_bytes: int = SEARCH_MAX_BYTES
    mutates: bool = False
    shrink: Shrink | None = None

    @property
    def name(self) -> str:
        """What LeadSquared calls it: the end of its path."""
        return self.path.rpartition("/")[2]

    @property
    def body(self) -> bytes | None:
        """The JSON as UTF-8, which is never longer than its escaped form."""
        if self.json is None:
            return None
        return jsonlib.dumps(self.json, ensure_ascii=False).encode()
