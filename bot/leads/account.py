"""The account's hosts and country, asked for once a day; the last answer is kept if need be."""

from __future__ import annotations

import asyncio

import structlog

from bot.clock import Clock
from bot.errors import CrmError
from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.models import Account

log = structlog.get_logger()

KEEP = 24 * 3600.0
"""Seconds an answer serves; then it is asked for again."""

TRY_AGAIN = 300.0
"""Seconds an older answer serves after asking again failed."""

ASK_WITHIN = 2.0
"""Seconds that somebody waits who can do without the answer."""


class KnownAccount:
    """What `UserByAccessKey.Get` last said of the account."""

    def __init__(self, client: LeadSquaredClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._account: Account | None = None
        self._serves_until = float("-inf")
        self._reading: asyncio.Task[Account] | None = None
        self._idle_until = float("-inf")  # for those who can do without

    async def get(self) -> Account:
        """Return the account; raises CrmError or StoreError as long as nothing is known of it.

        A caller who gives up does not end the asking.
        """
        if self._account is not None and not self._is_old:
            return self._account
        return await asyncio.shield(self._refresh())

    def prepare(self) -> None:
        """Start asking if nothing is known that serves."""
        if self._is_old:
            self._refresh()

    async def wait(self, until: float) -> Account | None:
        """Return what is known once the asking under way has ended, or at `until` by the loop."""
        if self._reading is not None and not self._reading.done():
            seconds = until - asyncio.get_running_loop().time()
            await asyncio.wait({self._reading}, timeout=max(0.0, seconds))
        return self._account

    async def find_api_host(self) -> str | None:
        """Return the host that LEADSQUARED_URL should name; None if it cannot be learned in time.

        One that is wrong does not hide it: this call answers on the host of any region. Keys that
        are refused do, and are tried no more than once in a while.
        """
        if self._account is None and self._clock.time() >= self._idle_until:
            self._idle_until = self._clock.time() + TRY_AGAIN
            self.prepare()
        account = await self.wait(asyncio.get_running_loop().time() + ASK_WITHIN)
        return account.api_host if account else None

    @property
    def _is_old(self) -> bool:
        return self._clock.time() >= self._serves_until

    def _refresh(self) -> asyncio.Task[Account]:
        """Ask, or join who is asking."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="account")
            self._reading.add_done_callback(_note_failure)
        return self._reading

    async def _read(self) -> Account:
        try:
            account, serves = await self._client.fetch_account(interactive=True), KEEP
        except CrmError:
            if self._account is None:
                raise
            account, serves = self._account, TRY_AGAIN
        self._account, self._serves_until = account, self._clock.time() + serves
        return account


def _note_failure(reading: asyncio.Task[Account]) -> None:
    """Log it here: nobody may be left who would hear of it."""
    if not reading.cancelled() and (error := reading.exception()):
        log.warning("account.not_found", error=type(error).__name__)
