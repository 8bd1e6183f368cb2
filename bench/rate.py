"""How close 150 recipients come to the physical bound, and whether the CRM ever refuses.

Run `python -m bench.rate` (about two minutes). The CRM counts 25 calls in a sliding window of 5 s
at arrival, after a random delay. The bound: 150 calls need five whole periods after the first.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.processes import BOT_TOKEN, SIGNING_SECRET, environment, running, send
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack

RECIPIENTS = 150
LIMIT, PERIOD = 25, 5.0
BOUND = (RECIPIENTS / LIMIT - 1) * PERIOD
CASES = ((0.15, 0, 1.05), (0.6, 0, 1.13), (0.15, 2, None))
"""Most delay before the call is counted, the reserve, and the goal for the ratio."""


async def measure(jitter: float, reserved: int) -> tuple[float, int, int]:
    """Return the seconds from the first to the last arrival, the refusals, and the pushes."""
    slack = StandInSlack(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
    crm = StandInLeadSquared(limit=LIMIT, period=PERIOD, clock=time.monotonic, jitter=jitter)
    await slack.start()
    await crm.start()
    people = slack.add_people(RECIPIENTS)
    crm.add_users(RECIPIENTS)
    alice = slack.people["alice"].id
    with tempfile.TemporaryDirectory() as folder:
        settings = environment(
            slack,
            crm,
            DATABASE_URL=f"sqlite:///{Path(folder) / 'bot.db'}",
            LEADSQUARED_RESERVED=str(reserved),
            CONFIRM_ABOVE="0",
        )
        async with (
            aiohttp.ClientSession() as session,
            running(["bot", "serve"], settings, session, alice) as bot,
        ):
            first = slack.people["priya"].mention
            await send(session, bot.url, alice, f"{first} The roster | is read for this one")
            await crm.until(lambda: len(crm.pushes) == 2)
            await asyncio.sleep(PERIOD + 0.5 + jitter)  # these calls leave the window
            mentions = " ".join(f"<@{person.id}>" for person in people)
            begun = time.monotonic()
            await send(session, bot.url, alice, f"{mentions} To all | of you")
            await crm.until(lambda: len(crm.pushes) == RECIPIENTS + 2, timeout=120)
            taken = crm.pushes[-1].at - begun
    await slack.stop()
    await crm.stop()
    return taken, len(crm.refusals), len(crm.pushes) - 2


async def main() -> None:
    print(f"{RECIPIENTS} recipients, {LIMIT} calls per {PERIOD:g} s; the bound is {BOUND:g} s")
    for jitter, reserved, goal in CASES:
        taken, refusals, pushes = await measure(jitter, reserved)
        aim = f" (goal: at most {goal})" if goal else ""
        print(
            f"delay 0 to {jitter * 1000:.0f} ms, reserve {reserved}: {taken:.2f} s, "
            f"{taken / BOUND:.3f} of the bound{aim}, {pushes} sent, {refusals} refused"
        )


if __name__ == "__main__":
    asyncio.run(main())
