"""How the Web API says no."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Refusal(Exception):  # noqa: N818  # Slack answers it with status 200
    """`{"ok": false, "error": code}`, with what else the method tells."""

    def __init__(self, code: str, problems: Iterable[str] = (), **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra
        messages = [f"[ERROR] {problem}" for problem in problems]
        if messages:
            self.extra["response_metadata"] = {"messages": messages}

    @property
    def answer(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, **self.extra}
