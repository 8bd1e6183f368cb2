"""How close 150 calls come to the physical bound, and how many the CRM refuses.

Run `python -m bench.rate` (about nine minutes; `--quick` for one). The CRM counts 25 calls per 5 s
when they arrive, after a random delay. The cells mostly wait, so many run beside each other, with
beginnings that share a period evenly; one cell is run alone as well, to show that this is fair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.command import run_command
from bench.databases import Databases, open_databases
from bench.rate_cells import (
    SETTINGS,
    BotCell,
    Outcome,
    PeerCells,
    Setting,
    run_wave,
    spread_offsets,
)
from bench.rate_peers import PEERS
from bench.rate_report import BOT, PAIR, SHIPPED, Results, build_answer
from bench.results import Answer

SHARED_PEERS = ("aiolimiter", "pyrate", "limits", "token")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    runs: int
    calls: int
    settings: Sequence[Setting]
    peers: Sequence[str] = tuple(PEERS)
    shared_peers: Sequence[str] = SHARED_PEERS
    waves: int = 2
    """In how many parts those that are one process run: more, and each has less beside it."""


FULL = Size(3, 150, SETTINGS)
QUICK = Size(1, 50, SETTINGS[1:2], waves=1)


@dataclass
class Measurement:
    """One process's or several processes' results, as they come in."""

    size: Size
    databases: Databases
    results: Results = field(default_factory=dict)
    alone: Outcome | None = None

    async def run(self) -> None:
        """Run every cell in every run; everybody takes turns with everybody."""
        single = [BOT, SHIPPED, *(PEERS[peer].title for peer in self.size.peers)]
        pairs = [PAIR, *map(name_pair, self.size.shared_peers)]
        self.results = {title: {} for title in [*single, *pairs]}  # in the order of the tables
        for _ in range(self.size.runs):
            await self._run_single()
            await self._run_pairs()
        setting = self.size.settings[-1]
        alone = BotCell(setting, self.size.calls, 0, self.databases.create_sqlite())
        [[self.alone]] = await run_wave([alone])

    async def _run_single(self) -> None:
        cells: dict[str, list[BotCell | PeerCells]] = {}
        for title, reserved in ((BOT, 0), (SHIPPED, 2)):  # one in each wave
            cells[title] = [
                BotCell(each, self.size.calls, reserved, self.databases.create_sqlite())
                for each in self.size.settings
            ]
        for peer in self.size.peers:
            cells[PEERS[peer].title] = [PeerCells(peer, self.size.settings, self.size.calls)]
        for first in range(self.size.waves):
            wave = list(cells)[first :: self.size.waves]
            await self._run_wave({title: cells[title] for title in wave})

    async def _run_pairs(self) -> None:
        cells: dict[str, list[BotCell | PeerCells]] = {
            PAIR: [
                BotCell(each, self.size.calls, 0, self.databases.create_postgres(), processes=2)
                for each in self.size.settings
            ]
        }
        for peer in self.size.shared_peers:
            title = name_pair(peer)
            cells[title] = [PeerCells(peer, self.size.settings, self.size.calls, processes=2)]
        await self._run_wave(cells)

    async def _run_wave(self, cells: dict[str, list[BotCell | PeerCells]]) -> None:
        outcomes = await run_wave(
            spread_offsets([cell for group in cells.values() for cell in group])
        )
        found = iter(outcomes)
        for title, group in cells.items():
            flat = [outcome for _ in group for outcome in next(found)]
            for setting, outcome in zip(self.size.settings, flat, strict=True):
                self.results[title].setdefault(setting, []).append(outcome)


def name_pair(peer: str) -> str:
    how = "each for itself" if PEERS[peer].share is None else "one `MultiprocessBucket`"
    return f"{PEERS[peer].title}, two processes, {how}"


async def measure(size: Size) -> Answer:
    """Measure, with databases of its own."""
    with open_databases() as databases:
        measurement = Measurement(size, databases)
        await measurement.run()
    return build_answer(size.calls, measurement.results, measurement.alone)


if __name__ == "__main__":
    run_command(measure, FULL, QUICK)
