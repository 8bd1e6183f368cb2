"""How fast `/notify` is acknowledged with its durable commit, beside a bare Bolt listener.

Run `python -m bench.ack`. Both are real processes on loopback, measured alternately in one run;
the requests are signed and sent one after the other on one connection.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.processes import BOT_TOKEN, SIGNING_SECRET, Target, environment, running, send
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack

ROUNDS = 5
REQUESTS = 60
"""Requests a round and process."""


async def time_acks(session: aiohttp.ClientSession, target: Target, user_id: str) -> list[float]:
    """Return the milliseconds of each acknowledgement."""
    times = []
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        if await send(session, target.url, user_id) != 200:
            raise RuntimeError("not acknowledged")
        times.append((time.perf_counter() - begun) * 1000)
    return times


async def measure() -> None:
    slack = StandInSlack(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
    crm = StandInLeadSquared()
    await slack.start()
    await crm.start()
    alice = slack.people["alice"].id
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'bot.db'}"
        settings = environment(slack, crm, DATABASE_URL=database)
        async with (
            aiohttp.ClientSession() as session,
            running(["bot", "serve"], settings, session, alice) as fresh,
        ):
            pass
        async with (
            aiohttp.ClientSession() as session,
            running(["bot", "serve"], settings, session, alice) as bot,
            running(["bench.bare_bolt"], settings, session, alice) as bare,
        ):
            memory = bot.memory()
            ours: list[float] = []
            theirs: list[float] = []
            for _ in range(ROUNDS):
                ours += await time_acks(session, bot, alice)
                theirs += await time_acks(session, bare, alice)
    await slack.stop()
    await crm.stop()
    report(ours, theirs, fresh, bot, memory)


def report(
    ours: list[float], theirs: list[float], fresh: Target, bot: Target, memory: float
) -> None:
    mine, bare = statistics.median(ours), statistics.median(theirs)
    print(f"acknowledgement p50: {mine:.2f} ms; bare Bolt, default settings: {bare:.2f} ms")
    print(
        f"acknowledgement p99: {percentile(ours, 99):.2f} ms; bare: {percentile(theirs, 99):.2f} ms"
    )
    print(f"ratio of the medians: {mine / bare:.2f} (goal: at most 0.3)")
    print(f"start to first acknowledgement: {bot.started_in:.2f} s (goal: at most 1.5 s)")
    print(f"the same with an empty database: {fresh.started_in:.2f} s")
    print(f"resident memory after start: {memory:.0f} MB (goal: at most 100 MB)")


def percentile(values: list[float], rank: int) -> float:
    return statistics.quantiles(values, n=100)[rank - 1]


if __name__ == "__main__":
    asyncio.run(measure())
