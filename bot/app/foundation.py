"""What every part of one process stands on: settings, clock, database, and the gate."""

from __future__ import annotations

import random
from collections.abc import Callable

from aiolimiter import AsyncLimiter

from bot.background import Watch
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.errands import Errands
from bot.metrics import Metrics
from bot.rate_gate import RateGate
from bot.store.database import open_database
from bot.store.gate import Limits
from bot.store.schema import bring_up
from bot.store.store import Store


class Foundation:
    """Nothing here talks to Slack or LeadSquared yet; tests give `clock`, `now` and `limiter`."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        now: Callable[[], float] | None = None,
        limiter: AsyncLimiter | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.random = random.SystemRandom().random
        self.watch = Watch()
        self.metrics = Metrics(settings.metrics_token, self.clock)
        self.errands = Errands(self.watch)
        self.database = open_database(settings.database_url, now=now)
        self.database.on_broken = self.watch.fail
        self.database.observer = self.metrics
        limits = Limits(
            settings.leadsquared_rate_limit,
            settings.leadsquared_rate_period,
            settings.reserved,
            settings.leadsquared_timeout,
        )
        self.store = Store(
            self.database,
            limits,
            settings.leadsquared_url,
            deliver_within=settings.deliver_within,
            hourly_limit=settings.hourly_limit,
        )
        limiter = limiter or AsyncLimiter(limits.limit, limits.period)
        self.gate = RateGate(self.store.gate, limiter, self.clock, self.watch, self.metrics)

    async def open(self) -> None:
        """Bring the database up to date; raises StoreError, and ConfigError for a broken file."""
        await bring_up(self.database)
        await self.store.gate.prepare()
        self.metrics.read_gauges = self.store.gauges.read

    async def drain(self, seconds: float) -> None:
        """Let what nobody awaits end: slots on their way back, commits, errands."""
        await self.gate.drain()
        await self.store.outbox.drain()
        await self.errands.drain(seconds)
