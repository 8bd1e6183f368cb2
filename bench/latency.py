"""From Enter to the push: idle, and for one person's notification during a send to a thousand.

Run `python -m bench.latency`, or with `sqlite` or `postgres` for one of them (about two minutes
each). The goals are the same on both.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import aiohttp

from bench.processes import BOT_TOKEN, SIGNING_SECRET, Target, environment, running, send
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from tests.postgres import running_postgres

SINGLES = 60
CROWD = 1_000
BESIDE = 30


async def time_single(
    session: aiohttp.ClientSession, bot: Target, crm: StandInLeadSquared, sender: str, text: str
) -> tuple[float, float]:
    """Send one notification; return the milliseconds from Enter and from its acknowledgement."""
    begun = time.monotonic()
    await send(session, bot.url, sender, text)
    acknowledged = time.monotonic()
    title = text.rpartition("> ")[2].partition(" |")[0]

    def find() -> list[float]:
        return [push.at for push in crm.pushes if push.body["Title"] == title]

    await crm.until(lambda: bool(find()), timeout=30)
    arrived = find()[0]
    return (arrived - begun) * 1000, (arrived - acknowledged) * 1000


async def measure(database: str, url: str) -> None:
    """Measure one bot between the stand-ins, and print what was found."""
    slack = StandInSlack(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
    crm = StandInLeadSquared(clock=time.monotonic)
    await slack.start()
    await crm.start()
    crowd = " ".join(person.mention for person in slack.add_people(CROWD))
    crm.add_users(CROWD)
    alice, priya = slack.people["alice"].id, slack.people["priya"].mention
    settings = environment(slack, crm, DATABASE_URL=url)
    async with (
        aiohttp.ClientSession() as session,
        running(["bot", "serve"], settings, session, alice) as bot,
    ):
        await time_single(session, bot, crm, alice, f"{priya} Warm | up")
        idle = []
        for number in range(SINGLES):
            await asyncio.sleep(0.25)  # below the limit, so that no slot is waited for
            text = f"{priya} Idle {number} | x"
            idle.append(await time_single(session, bot, crm, alice, text))
        used = bot.cpu()
        await asyncio.sleep(10)
        rest = bot.cpu() - used
        await send(session, bot.url, alice, f"{crowd} To all | of you")
        beside = []
        for number in range(BESIDE):
            await asyncio.sleep(2.7)  # two of these in a period is what the reserve is for
            text = f"{priya} Beside {number} | x"
            beside.append(await time_single(session, bot, crm, alice, text))
    await slack.stop()
    await crm.stop()
    after_ack = [after for _, after in idle]
    cuts = statistics.quantiles(after_ack, n=100)
    p95 = statistics.quantiles([whole for whole, _ in beside], n=20)[18]
    print(f"{database} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the end):")
    print(f"idle, acknowledgement to push: p50 {cuts[49]:.1f} ms (goal: at most 6)")
    print(f"idle, acknowledgement to push: p99 {cuts[98]:.1f} ms (goal: at most 20)")
    print(f"idle, Enter to push: p50 {statistics.median(whole for whole, _ in idle):.1f} ms")
    print(f"idle CPU over 10 s: {rest * 10:.1f} % (goal: at most 1 %)")
    print(f"beside {CROWD} recipients, Enter to push: p95 {p95:.0f} ms (goal: at most 1,000 ms)")
    print(f"refused by the CRM: {len(crm.refusals)}")


def main(databases: list[str]) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for database in databases or ["sqlite", "postgres"]:
            url = f"sqlite:///{folder / 'bot.db'}"
            if database == "postgres":
                server = running_postgres(folder / "postgres", fsync=True)
                url = stack.enter_context(server).create()
            asyncio.run(measure(database, url))


if __name__ == "__main__":
    main(sys.argv[1:])
