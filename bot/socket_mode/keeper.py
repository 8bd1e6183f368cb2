"""Keeps a connection up for as long as the process runs.

A fresh one-time URL for every try, and the next connection before Slack closes the last.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from bot.background import Tasks, Watch
from bot.backoff import Backoff
from bot.clock import Clock
from bot.config import EXAMPLES
from bot.errors import ConfigError, SlackError, SlackRateLimitedError, SlackRefusedError
from bot.socket_mode.envelopes import Envelopes
from bot.socket_mode.link import Link, Socket

log = structlog.get_logger()

LINGER = 20.0
"""Seconds that a connection which Slack is about to close stays open beside the next."""

STEADY = 30.0
"""Seconds after which the end of a connection is nothing unusual: the next is made at once."""

RECONNECTING = Backoff(first=1.0, most=30.0, repeats=0)
"""Waits between tries, for ever."""

END_WITHIN = 1.0
"""Seconds at the end for a connection to notice that it is closed."""

AWAY = 60.0
"""Seconds without a connection that make an error of it."""


class SocketMode:
    """A connection, and another one beside it only while one takes over from the other."""

    name = "socket mode"

    def __init__(
        self,
        open_socket: Callable[[], Awaitable[Socket]],
        envelopes: Envelopes,
        clock: Clock,
        random: Callable[[], float],
        watch: Watch,
    ) -> None:
        self.begun = asyncio.Event()
        """Set with the first connection, and at the end if there never was one."""
        self.has_connected = False
        self._open_socket = open_socket
        self._envelopes = envelopes
        self._clock = clock
        self._random = random
        self._tasks = Tasks(watch)
        self._links: set[Link] = set()
        self._last_up = clock.time()
        self._never = asyncio.Event()
        self._is_stopping = False
        self._deadline: asyncio.Timeout | None = None  # while it keeps connected

    @property
    def is_connected(self) -> bool:
        return bool(self._links)

    def stop(self) -> None:
        """Acknowledge what is in hand, hang up and end."""
        if self._deadline is not None and not self._is_stopping:
            self._deadline.reschedule(asyncio.get_running_loop().time())
        self._is_stopping = True

    async def run(self) -> None:
        """Stay connected until stopped; raises ConfigError if Slack refuses the app token.

        That is at the start; what it refuses later is tried again.
        """
        deadline = asyncio.timeout(0 if self._is_stopping else None)
        try:
            async with deadline as self._deadline:
                await self._keep_connected()
        except TimeoutError:
            if not deadline.expired():
                raise
        finally:
            self._deadline = None
            await asyncio.gather(*(link.close() for link in self._links))
            await self._tasks.drain(END_WITHIN)
            self.begun.set()

    async def _keep_connected(self) -> None:
        failures = 0  # in a row; a connection that was good for less than STEADY is one, too
        while True:
            try:
                lasted = await self._hold(await self._connect())
                failures = 0 if lasted >= STEADY else failures + 1
                pause = self._find_pause(failures - 1)  # the first of them is replaced at once
            except SlackError as exc:
                failures += 1
                pause = max(self._find_pause(failures), self._weigh(exc, failures))
            if pause:
                await self._clock.wait(self._never, pause)

    def _find_pause(self, failures: int) -> float:
        return RECONNECTING.delay(min(failures, 10), self._random()) if failures > 0 else 0.0

    async def _connect(self) -> Link:
        """Return a connection that is up; those before it are closed when they are done."""
        before = list(self._links)
        async with contextlib.AsyncExitStack() as stack:
            socket = await self._open_socket()
            stack.push_async_callback(socket.close)
            link = Link(socket, self._envelopes)
            hello = await link.greet()
            stack.pop_all()
        log.info("socket_mode.connected", connections=hello.get("num_connections"))
        self._links.add(link)
        self._tasks.start("link", self._follow(link))
        for old in before:
            self._tasks.start("link's end", self._retire(old))
        self.has_connected = True
        self.begun.set()
        return link

    async def _follow(self, link: Link) -> None:
        await link.run()
        self._links.discard(link)
        self._last_up = self._clock.time()

    async def _hold(self, link: Link) -> float:
        """Wait until a connection is to be replaced; return how many seconds it was good for."""
        since = self._clock.time()
        await link.expiring.wait()
        return self._clock.time() - since

    async def _retire(self, link: Link) -> None:
        """Leave closing to Slack, which may still send over it, but not for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await link.closed.wait()
        await link.close()

    def _weigh(self, exc: SlackError, failures: int) -> float:
        """Say that there is no connection; return how many seconds Slack wants us to wait."""
        if isinstance(exc, SlackRefusedError) and not self.has_connected:
            example = EXAMPLES["SLACK_APP_TOKEN"]
            line = f"SLACK_APP_TOKEN: Slack refused it ({exc.code}). Example: {example}"
            raise ConfigError([line]) from exc
        away = 0.0 if self._links else self._clock.time() - self._last_up
        say = log.error if away >= AWAY else log.warning
        error, reason = type(exc).__name__, str(exc)
        say("socket_mode.waiting", error=error, reason=reason, tries=failures, seconds=round(away))
        return exc.retry_after if isinstance(exc, SlackRateLimitedError) else 0.0
