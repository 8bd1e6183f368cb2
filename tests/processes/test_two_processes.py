"""Two bots on one Postgres: one limit for both, everybody sent once, and both take part."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from bot.sandbox.leadsquared import Counting
from bot.sandbox.slack import Person
from tests.postgres import Postgres
from tests.processes.accounts import check_accounts
from tests.processes.bot_process import BotProcess
from tests.processes.conftest import OpenWorld
from tests.processes.rounds import start_rounds
from tests.processes.storage import PostgresStorage, Storage, open_storage
from tests.processes.world import World

Record = Callable[[str, object], None]

JITTERS = (0.15, 0.6)
ANSWERED = "delivery.answered"


@pytest.fixture
def storage(postgres: Postgres) -> Storage:
    return open_storage(postgres.create())


@dataclass(frozen=True)
class Cell:
    """One way in which the CRM may count and the network may shake."""

    counting: Counting
    jitter: float
    limit: int = 25
    period: float = 1.0
    timeout: float = 10.0

    def __str__(self) -> str:
        return f"{self.counting}, {self.jitter * 1000:g} ms"


@dataclass
class Pair:
    """A world with two bots; Slack talks to the first."""

    world: World
    bots: list[BotProcess]

    def answers(self) -> list[int]:
        """Return how many calls each process made, by its own log."""
        return [bot.count_logged(ANSWERED) for bot in self.bots]

    def hire(self, count: int) -> list[Person]:
        """Add people on both sides; who was not there a minute ago may count as unknown."""
        self.world.crm.add_users(count)
        return self.world.slack.add_people(count)

    async def send(self, people: list[Person], title: str = "Standup") -> None:
        everybody = " ".join(f"@{person.name}" for person in people)
        reply = await self.world.person("alice").command("/notify", f"{everybody} {title} | moved")
        assert reply.ok

    def find_seconds(self) -> float:
        """Return the seconds between the first and the last call."""
        calls = [call.at for call in self.world.crm.calls]
        return max(calls) - min(calls)


OpenPair = Callable[..., Awaitable[Pair]]


@pytest.fixture
def open_pair(open_world: OpenWorld, postgres: Postgres) -> OpenPair:
    async def open_one(cell: Cell) -> Pair:
        world = await open_world(
            cell.limit,
            cell.period,
            cell.jitter,
            cell.counting,
            open_storage(postgres.create()),
        )
        timeout = {"LEADSQUARED_TIMEOUT": str(cell.timeout)}
        second, first = await world.start_bot(**timeout), await world.start_bot(**timeout)
        return Pair(world, [first, second])

    return open_one


async def send_to_many(pair: Pair, recipients: int) -> str:
    """Send, check everything, and say how long it took and who did how much."""
    await pair.send(pair.hire(recipients))
    [card] = await pair.world.sees_cards(1, within=240)
    assert f"✅ {recipients} of {recipients} sent in " in card
    check_accounts(pair.world)
    assert len(pair.world.pushed()) == recipients
    answers = pair.answers()
    assert min(answers) > 0
    assert sum(answers) == recipients
    return f"{pair.find_seconds():.1f} s, {answers[0]} + {answers[1]}"


@pytest.mark.parametrize("counting", Counting)
async def test_both_keep_one_limit(open_pair: OpenPair, counting: Counting) -> None:
    await send_to_many(await open_pair(Cell(counting, jitter=0.03)), 100)


def build_cells(period: float) -> list[Cell]:
    return [
        Cell(counting, jitter, period=period)
        for counting, jitter in itertools.product(Counting, JITTERS)
    ]


@pytest.mark.long
async def test_150_at_leadsquareds_own_limit(
    open_pair: OpenPair, record_testsuite_property: Record
) -> None:
    """All six at once: they share nothing but the machine, which they leave almost idle."""
    cells = build_cells(period=5.0)
    pairs = [await open_pair(cell) for cell in cells]
    found = await asyncio.gather(*(send_to_many(pair, 150) for pair in pairs))
    for cell, result in zip(cells, found, strict=True):
        record_testsuite_property(f"150 by two, {cell}", result)


@pytest.mark.long
@pytest.mark.parametrize("counting", Counting)
@pytest.mark.parametrize("jitter", JITTERS)
async def test_1000_recipients(
    open_pair: OpenPair, record_testsuite_property: Record, counting: Counting, jitter: float
) -> None:
    cell = Cell(counting, jitter)
    result = await send_to_many(await open_pair(cell), 1_000)
    record_testsuite_property(f"1,000 by two, {cell}", result)


@pytest.mark.parametrize("victim", [0, 1], ids=["the one Slack talks to", "the other"])
async def test_one_is_killed_and_comes_back(open_pair: OpenPair, victim: int) -> None:
    pair = await open_pair(Cell(Counting.SLIDING, jitter=0.03, timeout=2.0))
    world = pair.world
    people = pair.hire(100)
    await pair.send(people)
    await world.crm.until(lambda: len(world.crm.pushes) >= 30)
    in_flight = await world.kill(pair.bots[victim])
    pair.bots.append(await world.start_bot(LEADSQUARED_TIMEOUT="2"))
    await pair.send(people[:50], "Lunch")  # so that something is left, however long the start took
    await world.sees_cards(2, within=60)
    check_accounts(world, in_flight=in_flight)
    assert world.states().count("unknown") < world.crm.meter.limit
    assert len(world.states()) == 150
    assert all(pair.answers())


@pytest.mark.long
async def test_either_is_killed_again_and_again(
    open_world: OpenWorld, record_testsuite_property: Record
) -> None:
    rounds = start_rounds(await open_world(jitter=0.03))
    await rounds.run(kills=50, at_once=2)
    await rounds.settle()
    record_testsuite_property("fifty_kills_of_one_of_two", rounds.count())


COMMITS = [
    ("INSERT ON replies", "true", "sent"),
    ("UPDATE OF state ON deliveries", "NEW.state = 'sending'", "unknown"),
    ("UPDATE OF state ON deliveries", "NEW.state = 'sent'", "sent"),
]


@pytest.mark.parametrize(("change", "when", "state"), COMMITS, ids=["accept", "claim", "settle"])
async def test_a_commit_on_its_way_is_done_and_the_other_goes_on(
    open_pair: OpenPair, change: str, when: str, state: str
) -> None:
    """The process dies after it has asked for the commit and before it hears of it."""
    world = (await open_pair(Cell(Counting.SLIDING, jitter=0.0, timeout=2.0))).world
    assert isinstance(world.storage, PostgresStorage)
    async with world.storage.stalling_commit(change, when):
        typed = world.person("alice").command("/notify", "@priya Callback due | 3 pm")
        typing = asyncio.create_task(typed)
        await world.storage.held_up()
        name = world.storage.find_held_up()
        [victim] = [bot for bot in world.processes if bot.name == name]
        await victim.kill()
    assert (await typing).ok == (change != "INSERT ON replies")
    await world.sees_cards(1)
    assert world.states() == [state]
    check_accounts(world, in_flight=[1])
    assert len(world.pushed()) == (state == "sent")
