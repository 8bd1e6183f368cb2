"""The database of a check that runs beside the bot, or before its first start."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from aiolimiter import AsyncLimiter
from sqlalchemy.engine import make_url

from bot.background import Watch
from bot.clock import SystemClock
from bot.config import Settings
from bot.doctor import store as judging
from bot.doctor.findings import Finding
from bot.doctor.permits import Free, Patient
from bot.errors import StoreError
from bot.leadsquared.client import Permits
from bot.rate_gate import RateGate
from bot.store.checkup import Checkup, CheckupStore, inspect_file
from bot.store.database import Database, open_database
from bot.store.gate import GateStore, Limits
from bot.store.overview import OverviewStore
from bot.store.tables import SCHEMA_REVISION

PERMIT_WITHIN = 6.0
"""Seconds that the call of a check waits for its turn."""


class Storage:
    """Opens the database if there is one; makes none, and migrates none."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = asyncio.Event()
        self._may_be_busy = True  # a bot may be calling, for all that is known
        self._database: Database | None = None
        self._gate: GateStore | None = None
        self._rate_gate: RateGate | None = None

    async def look(self) -> Sequence[Finding]:
        try:
            checkup = await self._read()
        except FileNotFoundError:
            self._may_be_busy = False
            return [judging.judge_absent()]
        except StoreError as exc:
            return [judging.judge_error(exc)]
        else:
            return self._judge(checkup)
        finally:
            self._known.set()

    def skip(self) -> None:
        """Look at nothing: which database it is cannot be told."""
        self._known.set()

    async def get_permits(self) -> Permits:
        """Return what lets a call go out, once it is known whether a bot has a gate here."""
        await self._known.wait()
        if self._rate_gate is not None:
            return Patient(self._rate_gate, PERMIT_WITHIN)
        return Free(after=self._settings.leadsquared_rate_period if self._may_be_busy else 0.0)

    async def close(self) -> None:
        if self._rate_gate is not None:
            await self._rate_gate.drain()
        if self._database is not None:
            await self._database.close()

    async def _read(self) -> Checkup:
        settings = self._settings
        if settings.uses_sqlite:
            path = Path(str(make_url(settings.database_url).database))
            revision = await asyncio.to_thread(inspect_file, path)
            if revision is None or revision < SCHEMA_REVISION:
                return Checkup("SQLite", sqlite3.sqlite_version, revision)
        self._database = open_database(settings.database_url)
        limits = Limits(
            settings.leadsquared_rate_limit,
            settings.leadsquared_rate_period,
            settings.reserved,
            settings.leadsquared_timeout,
        )
        self._gate = GateStore(self._database, limits, settings.leadsquared_url)
        overview = OverviewStore(self._database, self._gate, deliver_within=settings.deliver_within)
        return await CheckupStore(self._database, self._gate, overview).read()

    def _judge(self, checkup: Checkup) -> Sequence[Finding]:
        if checkup.overview is None:
            self._may_be_busy = False
        elif self._gate is not None:
            limits = self._gate.limits
            limiter = AsyncLimiter(limits.limit, limits.period)
            self._rate_gate = RateGate(self._gate, limiter, SystemClock(), Watch())
        return judging.judge(checkup, revision=SCHEMA_REVISION, url=self._settings.leadsquared_url)
