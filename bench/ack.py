"""How fast `/notify` is acknowledged with its durable commit, beside listeners that only ack.

Run `python -m bench.ack` (about two minutes; `--quick` for a few seconds). All are real processes
on loopback that take turns; the requests are signed beforehand, each is a notification of its own.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from itertools import product

import aiohttp
from sqlalchemy import create_engine, text

from bench.ack_report import Load, Results, build_answer
from bench.command import run_command
from bench.databases import open_databases, settle_disk
from bench.peers import OURS, POSTGRES, SQLITE, Commands, Side, always, find_commands, run_sides
from bench.requests import Request, build_request, post
from bench.results import Answer

WARM_UP = 25
"""Requests before each load that are not counted: connections open, and slots are taken."""


@dataclass(frozen=True)
class Size:
    """How much is measured: requests by number of connections, in one run of one process."""

    runs: int
    requests: dict[int, int]


FULL = Size(3, {1: 400, 16: 800, 64: 1_600})
QUICK = Size(1, {1: 20, 16: 64})


async def measure(size: Size) -> Answer:
    """Measure, with databases of its own."""
    commands = find_commands()
    with open_databases() as databases:
        urls = {SQLITE: databases.create_sqlite(), POSTGRES: databases.create_postgres()}
        results = await _measure_all(size, commands, urls)
        stored = {name: _count_stored(urls[name]) for name in OURS}
    return build_answer(results, stored, WARM_UP)


async def _measure_all(size: Size, commands: Commands, urls: dict[str, str]) -> Results:
    """Load each process in turn, in every run and at every number of connections."""
    results: Results = {}
    create = {name: always(url) for name, url in urls.items()}
    unlimited = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=unlimited) as session,
        run_sides(commands, session, create) as sides,
    ):
        for _, connections in product(range(size.runs), size.requests):
            for name, side in sides.items():
                await settle_disk()
                await put_load(session, side, connections, WARM_UP)
                load = await put_load(session, side, connections, size.requests[connections])
                results.setdefault(name, {}).setdefault(connections, []).append(load)
    return results


async def put_load(
    session: aiohttp.ClientSession, side: Side, connections: int, requests: int
) -> Load:
    """Send so many requests over so many connections, each the next as soon as one is answered."""
    waiting = iter([build_request(side.world.alice) for _ in range(requests)])
    times: list[float] = []
    statuses: list[int] = []

    async def send_next() -> None:
        for request in waiting:
            taken, status = await _time(session, side.target.url, request)
            times.append(taken)
            statuses.append(status)

    used = side.target.cpu()
    await asyncio.gather(*(send_next() for _ in range(connections)))
    cpu = (side.target.cpu() - used) * 1000 / requests
    return Load(times, cpu, sum(status != 200 for status in statuses))


async def _time(session: aiohttp.ClientSession, url: str, request: Request) -> tuple[float, int]:
    """Return the milliseconds to the whole answer, and its status."""
    begun = time.perf_counter()
    status = await post(session, url, request)
    return (time.perf_counter() - begun) * 1000, status


def _count_stored(url: str) -> int:
    """Return how many notifications the database holds."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM notifications")).scalar_one()
    engine.dispose()
    return int(found)


if __name__ == "__main__":
    run_command(measure, FULL, QUICK)
