"""Rounds of typing and killing at random moments, by one random source."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections import Counter
from dataclasses import dataclass, field

from bot.sandbox.slack import Reply
from tests.processes.accounts import check_accounts, has_card, read_entries, read_titles
from tests.processes.bot_process import BotProcess
from tests.processes.world import World

log = logging.getLogger(__name__)

PEOPLE = 120
BIG = 15
"""Recipients of the one big send of a round: about what the limit lets a round send."""

SENDERS = ("priya", "lee", "dev", "omar")
TIMEOUT = "2"
DURING_BOOT = 0.2
"""Share of the kills that may come before the bot is ready."""

SECONDS_EACH = 0.2
"""Seconds a recipient may take in the end, on a busy machine; the limit asks for a tenth of it."""

STILL_OPEN = "SELECT id FROM deliveries WHERE state IN ('pending', 'sending')"


@dataclass
class Typed:
    """One command, and what its sender saw of it."""

    title: str
    recipients: int
    reply: Reply | None = None

    @property
    def accepted(self) -> bool:
        """Silence is yes, and so is an estimate."""
        if self.reply is None or not self.reply.ok:
            return False
        return not self.reply.body or self.reply.text.startswith("Queued")


@dataclass
class Rounds:
    """Starts a bot, types, and kills one of those that run; then once more."""

    world: World
    random: random.Random
    standing: list[BotProcess] = field(default_factory=list)
    typed: list[Typed] = field(default_factory=list)
    in_flight: set[int] = field(default_factory=set)
    """The deliveries that were being sent at any of the kills."""

    async def run(self, kills: int, *, at_once: int = 1) -> None:
        """Kill so many times; `at_once` is how many bots run when one of them is killed."""
        while len(self.standing) < at_once - 1:
            self.standing.append(await self._launch())
        for _ in range(kills):
            self.standing.append(bot := await self._launch())
            typing = asyncio.create_task(self._type_a_lot(bot))
            if self.random.random() > DURING_BOOT:
                await bot.logs("bot.ready")
            await asyncio.sleep(self.random.uniform(0, 1.0))
            victim = self.standing.pop(self.random.randrange(at_once))
            self.in_flight |= await self.world.kill(victim)
            await typing
            self.world.let_a_minute_pass()

    async def settle(self) -> None:
        """Let a last bot finish, and check the books."""
        await (await self._launch()).logs("bot.ready")
        left = len(self.world.run_sql(STILL_OPEN))
        await self.world.storage.shows(STILL_OPEN, within=30 + left * SECONDS_EACH)
        titles = read_titles(self.world)
        await self.world.slack.until(
            lambda _: all(has_card(self.world, title) for title in titles), timeout=60
        )
        await self.world.storage.shows("SELECT id FROM replies WHERE paid_at IS NULL", within=20)
        check_accounts(self.world, in_flight=self.in_flight)
        self._check_acceptance()

    def count(self) -> str:
        """Say how much of what there was."""
        states = self.world.states()
        accepted = sum(typed.accepted for typed in self.typed)
        return (
            f"{len(self.typed)} typed, {accepted} accepted, {states.count('sent')} sent, "
            f"{states.count('unknown')} unknown, {len(self.in_flight)} in flight"
        )

    async def _launch(self) -> BotProcess:
        return await self.world.launch(LEADSQUARED_TIMEOUT=TIMEOUT)

    async def _type_a_lot(self, bot: BotProcess) -> None:
        """Send to many once, and to a few from several people, as long as the bot lives."""
        await bot.ready_or_dead()
        many = self.random.sample(range(1, PEOPLE + 1), BIG)
        few = [self.random.sample(range(1, PEOPLE + 1), 2) for _ in SENDERS]
        sends = map(self._type, ("alice", *SENDERS), (many, *few))
        await asyncio.gather(*sends)

    async def _type(self, sender: str, people: list[int]) -> None:
        typed = Typed(f"Note {len(self.typed) + 1}", len(people))
        self.typed.append(typed)
        await asyncio.sleep(self.random.uniform(0, 0.4))
        mentions = " ".join(f"@u{number:03}" for number in people)
        text = f"{mentions} {typed.title} | by {sender}"
        typed.reply = await self.world.person(sender).command("/notify", text)

    def _check_acceptance(self) -> None:
        """Check that each command was stored with everybody or not at all."""
        stored = Counter(entry.title for entry in read_entries(self.world))
        for typed in self.typed:
            found = stored.pop(typed.title, 0)
            allowed = {typed.recipients} if typed.accepted else {0, typed.recipients}
            assert found in allowed, typed
        assert not stored


def start_rounds(world: World) -> Rounds:
    seed = secrets.randbelow(10**6)
    log.warning("the seed of these rounds is %d", seed)  # shown when they fail
    world.slack.add_people(PEOPLE)
    world.crm.add_users(PEOPLE)
    world.crm.latency = 0.05
    return Rounds(world, random.Random(seed))  # noqa: S311  # nothing secret
