"""Ends what time has ended: leases, ages, and what was kept long enough."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bot.clock import Clock
from bot.store.claims import Claims
from bot.store.retention import Retention
from bot.worker import Worker

log = structlog.get_logger()

FORGET_EVERY = 3600.0


class Janitor(Worker):
    """Looks once a second."""

    name = "janitor"

    def __init__(
        self,
        claims: Claims,
        retention: Retention,
        clock: Clock,
        *,
        keep_days: float,
        on_settled: Callable[[], None],
    ) -> None:
        super().__init__(clock)
        self._claims = claims
        self._retention = retention
        self._keep_days = keep_days
        self._on_settled = on_settled
        self._forgot_at = float("-inf")

    async def step(self) -> bool:
        """Sweep once; False, as there is nothing to do until some time has passed."""
        if swept := await self._claims.sweep():
            log.info("deliveries.ran_out_of_time", count=swept)
            self._on_settled()
        if self._clock.time() - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = self._clock.time()  # also if it fails: there is time
            if forgotten := await self._retention.forget(keep_days=self._keep_days):
                log.info("notifications.forgotten", count=forgotten)
        return False
