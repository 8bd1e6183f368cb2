"""One run: a bot, its stand-ins, many connections, and the books at the end."""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from multidict import CIMultiDict

from bot.errors import CommitInDoubtError
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from tests.fuzz.requests import STRANGER, Kind, Request, Requests
from tests.fuzz.seeds import Victim, is_idle, make_victim, record_seeds
from tests.fuzz.target import Target
from tests.processes.accounts import KEY_OWNER
from tests.processes.storage import SqliteStorage
from tests.processes.world import ACCESS_KEY, BOT_TOKEN, SECRET_KEY, SIGNING_SECRET, World

MIB = 1024 * 1024

GROWTH_MOST = 16 * MIB
"""What a run may add after its warm-up. From 25,000 requests on, 70,000 more went from 112 to
115 MiB, up and down between 109 and 116 (measured); a leak of 240 bytes a request would be over
it."""

JUDGED_FROM = 20_000
"""Requests of a run that tells a leak from a young process, whose caches still fill."""

PATIENCE = 20.0
"""Seconds for an answer, on a machine that is busy with the run itself."""

SETTLED_WITHIN = 900.0
"""Seconds for the replies of a whole run: its requests come faster than anybody types."""

RAW_PATIENCE = 0.5
"""Seconds after which a raw connection is given up, as its sender would."""

WARM = 0.25
"""Part of the run after which memory should grow no more."""

SENT = """
    SELECT d.id, n.title, n.content, d.crm_user_id
    FROM deliveries d JOIN notifications n ON n.id = d.notification_id WHERE d.state = 'sent'
"""
OWED = "SELECT count(*) FROM replies WHERE paid_at IS NULL"
LEES = """
    SELECT n.title, d.state, d.attempt
    FROM deliveries d JOIN notifications n ON n.id = d.notification_id WHERE n.sender_id = '{}'
"""


@dataclass
class Report:
    """What a run has shown; `faults` has to be empty."""

    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    memory: list[int] = field(default_factory=list)
    """Bytes, at the warm-up's end and at regular points after it."""
    pushes: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """Bytes by which the bot has grown since the warm-up."""
        return self.memory[-1] - self.memory[0] if self.memory else 0


async def fuzz(
    seed: int,
    count: int,
    connections: int,
    seconds: float,
    on_progress: Callable[[Report], object] = lambda _: None,
) -> Report:
    """Start everything, make one run, and end everything."""
    with tempfile.TemporaryDirectory() as folder:
        slack = StandInSlack(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
        crm = StandInLeadSquared(ACCESS_KEY, SECRET_KEY, limit=1000, period=0.5)
        await slack.start()
        await crm.start()
        world = World(slack, crm, SqliteStorage(Path(folder) / "bot.db"))
        run = Fuzz(world, seed, count, connections, seconds)
        run.on_progress = on_progress
        try:
            return await run.run()
        finally:
            for bot in world.processes:
                if bot.is_running:
                    await bot.kill()
            await slack.stop()
            await crm.stop()


class Fuzz:
    """Sends `count` requests, or as many as fit into `seconds`."""

    def __init__(self, world: World, seed: int, count: int, connections: int, seconds: float):
        self._world = world
        self._seed = seed
        self._count = count
        self._connections = connections
        self._seconds = seconds
        self.report = Report()
        self.on_progress: Callable[[Report], object] = lambda _: None
        self._meant: list[str] = []
        self._in_doubt: list[str] = []
        self._next = 0

    async def run(self) -> Report:
        bot = await self._launch()
        await _let_people_in(self._world)
        seeds = await record_seeds(self._world)
        victim = await make_victim(self._world)
        await is_idle(self._world)
        before, pushed = set(self._world.run_sql(SENT)), len(self._world.crm.pushes)
        lees = self._world.run_sql(LEES.format(victim.person.id))
        requests = Requests(self._world.slack, seeds, victim, self._seed)
        await self._fire(bot, requests)
        await is_idle(self._world)
        await self._world.storage.shows(OWED, (0,), within=SETTLED_WITHIN)
        await self._say_goodbye()
        await is_idle(self._world)
        self.report.pushes = len(self._world.crm.pushes) - pushed
        self.report.faults += self._check_books(before, pushed)
        self.report.faults += self._check_victim(victim, lees)
        self.report.faults += self._check_slack()
        if await bot.get("/readyz") != 200 or await bot.stop() != 0:
            self.report.faults.append("the bot did not end well")
        self.report.faults += bot.faults
        if self.report.requests >= JUDGED_FROM and self.report.growth > GROWTH_MOST:
            self.report.faults.append(f"grew by {self.report.growth / MIB:.1f} MiB")
        if bot.errors:
            self.report.faults.append(f"on stderr: {bot.errors[:2_000]}")
        return self.report

    async def _launch(self) -> Target:
        settings = self._world.build_settings(CONFIRM_ABOVE="5", LEADSQUARED_TIMEOUT="5")
        bot = Target(settings)
        await bot.start()
        self._world.processes.append(bot)
        self._world.slack.bot_url = bot.slack_url
        await bot.logs("bot.ready")
        return bot

    async def _fire(self, bot: Target, requests: Requests) -> None:
        connector = aiohttp.TCPConnector(limit=self._connections)
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        started = time.monotonic()
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            workers = [self._work(session, bot, requests) for _ in range(self._connections)]
            await asyncio.gather(*workers)
        self.report.seconds = time.monotonic() - started

    def _is_over(self, bot: Target, until: float) -> bool:
        return self._next >= self._count or time.monotonic() >= until or not bot.is_running

    async def _work(self, session: aiohttp.ClientSession, bot: Target, requests: Requests) -> None:
        until = time.monotonic() + self._seconds
        while not self._is_over(bot, until):
            number, self._next = self._next, self._next + 1
            request = requests.build(number)
            if request.kind is Kind.RAW:
                await self._send_raw(bot, request)
            else:
                await self._send(session, bot, request, number)
            self._note(bot, number)

    def _note(self, bot: Target, number: int) -> None:
        self.report.requests += 1
        step = max(1, self._count // 20)
        if number % step == 0 and number >= self._count * WARM and bot.is_running:
            self.report.memory.append(bot.read_memory())
        if number % step == 0:
            self.on_progress(self.report)

    async def _send(
        self, session: aiohttp.ClientSession, bot: Target, request: Request, number: int
    ) -> None:
        data = _chunk(request.body) if request.chunked else io.BytesIO(request.body)
        started = time.monotonic()
        try:
            async with session.post(
                bot.slack_url, data=data, headers=CIMultiDict(request.headers)
            ) as response:
                answer = await response.read()
                self._judge(request, response.status, answer, number)
        except (aiohttp.ClientError, TimeoutError) as exc:
            self.report.faults.append(f"request {number}: {type(exc).__name__}")
        self.report.slowest = max(self.report.slowest, time.monotonic() - started)

    def _judge(self, request: Request, status: int, answer: bytes, number: int) -> None:
        self.report.statuses[f"{request.kind} {status}"] += 1
        if status >= 500 or b"Traceback" in answer:
            self.report.faults.append(f"request {number}: {status} {answer[:300]!r}")
        if request.kind is Kind.FORGED and status not in (400, 401, 413):
            self.report.faults.append(f"request {number} was believed: {status}")
        if request.kind is Kind.MEANT:
            self._judge_meant(request, status, answer, number)

    def _judge_meant(self, request: Request, status: int, answer: bytes, number: int) -> None:
        """Note what has to be pushed, or what may have been where the bot itself said so."""
        if CommitInDoubtError.hint.encode() in answer:
            self._in_doubt.append(request.marker)
            self.report.statuses["MEANT in doubt"] += 1
            return
        self._meant.append(request.marker)
        if (status, answer) != (200, b""):
            self.report.faults.append(f"request {number} was not taken: {answer[:300]!r}")

    async def _send_raw(self, bot: Target, request: Request) -> None:
        """Send it, and go away as soon as there is an answer, or none."""
        reader, writer = await asyncio.open_connection("127.0.0.1", int(bot.url.rpartition(":")[2]))
        answer = b""
        try:
            async with asyncio.timeout(RAW_PATIENCE):
                writer.write(request.body)
                await writer.drain()
                answer = await reader.read(200)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()
        status = answer.split(b" ", 2)[1].decode() if answer.startswith(b"HTTP/") else "none"
        self.report.statuses[f"{request.kind} {status}"] += 1
        if status.startswith("5"):
            self.report.faults.append(f"raw {request.body[:80]!r}: {answer!r}")

    async def _say_goodbye(self) -> None:
        """Use the bot once more, as if nothing had been."""
        lee = self._world.person("lee")
        await lee.command("/notify", "@priya Good night | all")
        await lee.sees("“Good night”", timeout=60)

    def _check_books(self, before: set[tuple[object, ...]], pushed: int) -> Iterator[str]:
        """Complain about pushes that no stored delivery accounts for, and about lost ones."""
        sent = Counter(row[1:] for row in self._world.run_sql(SENT) if row not in before)
        pushes = Counter(
            (push.body["Title"], push.body["Content"], push.body.get("UserId", KEY_OWNER))
            for push in self._world.crm.pushes[pushed:]
        )
        if sent != pushes:
            yield f"unasked: {pushes - sent}, not pushed: {sent - pushes}"
        titles = Counter(push.body["Title"] for push in self._world.crm.pushes[pushed:])
        yield from (f"{each} {titles[each]} times" for each in self._meant if titles[each] != 1)
        yield from (f"{each} twice" for each in self._in_doubt if titles[each] > 1)
        believed = self._world.run_sql(
            f"SELECT title FROM notifications WHERE sender_id = '{STRANGER}'"  # noqa: S608  # ours
        )
        yield from (f"stored for a stranger: {row}" for row in believed)

    def _check_victim(self, victim: Victim, before: list[tuple[object, ...]]) -> Iterator[str]:
        lee = victim.person.id
        after = [row for row in self._world.run_sql(LEES.format(lee)) if row[0] != "Good night"]
        if after != before:
            yield f"somebody touched what is Lee's: {before} became {after}"

    def _check_slack(self) -> Iterator[str]:
        """Complain about what the bot was made to say in somebody's name."""
        yield from (each for each in self._world.slack.violations if "pings" in each)
        said = [message.shown for message in self._world.slack.messages]
        yield from (f"said: {each[:300]}" for each in said if f"{Kind.FORGED}x" in each)
        self._world.slack.violations.clear()


async def _let_people_in(world: World) -> None:
    """Have everybody known and linked, so that the run is about requests."""
    for name in ("dev", "lee"):
        await world.person(name).command("/notify", "whoami")


async def _chunk(body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    yield body[len(body) // 2 :]
