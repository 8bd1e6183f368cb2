"""Switches that make Slack refuse, stall or break, until they are used up or turned off."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

HOOKS = "response_url"
"""The name under which `fail` takes a fault of the response_url host."""


@dataclass
class Fault:
    """What goes wrong and how often; None is for ever.

    An error name, `ratelimited:SECONDS`, an HTTP status, `hang`, `reset` (both before anything is
    done), `hang_after`, `reset_after` (done, but the answer is lost), or `garbage` (200, not JSON).
    """

    kind: str | int
    times: int | None = None


class Faults:
    """By Web API method, and one for response_urls."""

    def __init__(self) -> None:
        self.api: dict[str, Fault | str | int] = {}
        self.hooks: Fault | str | int | None = None
        self.delay = 0.0
        self._released = asyncio.Event()

    def fail(self, method: str, kind: str | int, times: int | None = None) -> None:
        """Make a method, or `response_url`, fail."""
        if method == HOOKS:
            self.hooks = Fault(kind, times)
        else:
            self.api[method] = Fault(kind, times)

    def clear(self) -> None:
        self.api.clear()
        self.hooks = None
        self.delay = 0.0
        self.release()

    def take(self, method: str) -> str | int | None:
        """Return what goes wrong with this call, counting it."""
        fault = self.hooks if method == HOOKS else self.api.get(method)
        if not isinstance(fault, Fault):
            return fault
        if fault.times is None:
            return fault.kind
        if fault.times <= 0:
            return None
        fault.times -= 1
        return fault.kind

    def release(self) -> None:
        """End what hangs now."""
        self._released.set()
        self._released = asyncio.Event()

    async def hang(self) -> None:
        await self._released.wait()

    async def pause(self) -> None:
        """Wait `delay` seconds; a stop ends it early."""
        if self.delay:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.delay):
                    await self._released.wait()
