"""What the bot costs before and between requests: its start, its memory, and its idle CPU.

Run `python -m bench.rest` (about two minutes; `--quick` for a few seconds). Starts take turns; a
minute of rest, in three parts, is spent by all at the same time, since nobody does anything in it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp

from bench.command import run_command
from bench.databases import open_databases
from bench.peers import (
    POSTGRES,
    SQLITE,
    Commands,
    Create,
    Side,
    always,
    find_commands,
    run_side,
    run_sides,
)
from bench.rest_report import Cost, build_answer
from bench.results import Answer

SETTLE = 3.0
"""Seconds after the start for what the first request caused."""


@dataclass(frozen=True)
class Size:
    """How often each is started, and the seconds of rest after each start."""

    runs: int
    rest: float


FULL = Size(3, 20.0)
QUICK = Size(1, 2.0)


async def measure(size: Size) -> Answer:
    """Measure, with databases of its own."""
    commands = find_commands()
    costs: dict[str, list[Cost]] = {}
    with open_databases() as databases:
        create: Create = {
            SQLITE: databases.create_bare_sqlite,
            POSTGRES: databases.create_bare_postgres,
        }
        for _ in range(size.runs):
            for name, cost in (await _measure_run(size, commands, create)).items():
                costs.setdefault(name, []).append(cost)
    return build_answer(costs, size.rest)


async def _measure_run(size: Size, commands: Commands, create: Create) -> dict[str, Cost]:
    async with aiohttp.ClientSession() as session:
        urls = {name: make() for name, make in create.items()}
        again: Create = {name: always(url) for name, url in urls.items()}
        first = await _start_once(commands, session, again)
        async with run_sides(commands, session, again) as sides:
            await asyncio.sleep(SETTLE)
            busy = await _rest(sides, size.rest)
            return {
                name: Cost(first[name], side.target.started_in, side.target.memory(), busy[name])
                for name, side in sides.items()
            }


async def _start_once(
    commands: Commands, session: aiohttp.ClientSession, create: Create
) -> dict[str, float]:
    """Start each and end it again; return the seconds it took, with nothing in its database."""
    seconds = {}
    for name, command in commands.items():
        database = create[name]() if name in create else "sqlite:///none"
        async with run_side(command, session, database) as side:
            seconds[name] = side.target.started_in
    return seconds


async def _rest(sides: dict[str, Side], seconds: float) -> dict[str, float]:
    """Let all be for a while; return the percentage of a core that each used."""
    before = {name: side.target.cpu() for name, side in sides.items()}
    await asyncio.sleep(seconds)
    return {
        name: (side.target.cpu() - before[name]) / seconds * 100 for name, side in sides.items()
    }


if __name__ == "__main__":
    run_command(measure, FULL, QUICK)
