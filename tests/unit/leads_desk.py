"""The bot's leads beside the real stand-in, with a gate and a time that tests move by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from bot.leads.finder import Leads
from bot.leadsquared.client import LeadSquaredClient, Permits
from bot.leadsquared.session import open_session
from bot.sandbox.leadsquared import Endpoint, StandInLeadSquared
from tests.clock import FrozenClock


class HandGate:
    """Gives a permit as long as it is open; nothing but interactive work may ask."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.back = asyncio.Event()
        self.takes_back = asyncio.Event()
        self.takes_back.set()
        self.waiting = 0
        self.error: Exception | None = None

    @asynccontextmanager
    async def permit(self, *, interactive: bool = False) -> AsyncIterator[None]:
        assert interactive, "somebody waits for every look-up"
        if self.error:
            raise self.error
        self.waiting += 1
        try:
            if not self.open.is_set():
                await self.open.wait()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self.back.set()
            await asyncio.shield(asyncio.ensure_future(self.takes_back.wait()))


class LoopTime:
    """The event loop's own time, standing still until moved: what waits in it ends at once.

    After `GRACE` real seconds it runs again, so that a test that hangs fails.
    """

    GRACE = 20.0

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._real = loop.time
        self._begun = loop.time()
        self._ahead = 0.0
        loop.time = self._read  # type: ignore[method-assign]

    def _read(self) -> float:
        late = self._real() - self._begun - self.GRACE
        return self._begun + self._ahead + max(0.0, late)

    async def forward(self, seconds: float) -> None:
        self._ahead += seconds
        await settle()


async def settle() -> None:
    """Let everything go on that can go on without the network."""
    for _ in range(10):
        await asyncio.sleep(0)


@dataclass
class Desk:
    """One process's leads; `questions` is what the stand-in was asked about them, in order."""

    crm: StandInLeadSquared
    leads: Leads
    gate: HandGate
    clock: FrozenClock
    time: LoopTime

    @property
    def questions(self) -> list[str]:
        asked = [call for call in self.crm.calls if call.endpoint is not Endpoint.WHOAMI]
        return [text for call in asked for text in call.query.values()]

    @property
    def asked_who(self) -> int:
        return sum(call.endpoint is Endpoint.WHOAMI for call in self.crm.calls)


@asynccontextmanager
async def open_desk(clock: FrozenClock, permits: Permits | None = None) -> AsyncIterator[Desk]:
    """Start a stand-in and what asks it; anything it did not expect fails the test."""
    crm = StandInLeadSquared(clock=clock.time)
    await crm.start()
    gate = HandGate()
    async with open_session() as session:
        client = LeadSquaredClient(
            session,
            base_url=crm.url,
            access_key=SecretStr(crm.access_key),
            secret_key=SecretStr(crm.secret_key),
            timeout=10,
            gate=permits or gate,
        )
        yield Desk(crm, Leads(client, clock), gate, clock, LoopTime())
        await crm.stop()
    assert crm.violations == []
