"""A PostgreSQL server that stops, ends sessions, locks or is cut off, under a running bot."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from bot.sandbox.child import find_free_port
from bot.sandbox.leadsquared import FaultKind
from tests.postgres import Postgres, running_postgres
from tests.processes.bot_process import BotProcess
from tests.processes.conftest import OpenWorld
from tests.processes.world import World
from tests.proxy import Proxy, open_proxy

TYPED = "@priya Callback due | Asha asked for 3 pm"
IN_DOUBT = "I could not confirm that this was stored. If it was, the result appears here."
NOTHING_STORED = "The bot's database is not available, so nothing was stored or sent."
FINAL = {"sent", "unknown"}
EVERY_TABLE = "LOCK TABLE notifications, deliveries, replies IN ACCESS EXCLUSIVE MODE"
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server of these tests' own, so that nobody else is disturbed."""
    with running_postgres(tmp_path_factory.mktemp("own") / "data") as own:
        yield own


@dataclass
class Base:
    """One database, seen from outside."""

    server: Postgres
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.server.create()

    @property
    def name(self) -> str:
        return self.url.partition("?")[0].rpartition("/")[2]

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as other:
            yield other

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        with self.connected() as other:
            return other.execute(statement.encode()).fetchall()

    def states(self) -> list[str]:
        return [str(row[0]) for row in self.execute("SELECT state FROM deliveries ORDER BY id")]

    def titles(self) -> set[str]:
        return {str(row[0]) for row in self.execute("SELECT title FROM notifications")}


@pytest.fixture
def base(server: Postgres) -> Base:
    return Base(server)


@pytest.fixture
async def proxy(server: Postgres) -> AsyncIterator[Proxy]:
    async with open_proxy(server.folder) as opened:
        yield opened


def has_failed(bot: BotProcess) -> bool:
    return bot.has_logged("process.failed") or bot.has_logged("request.failed")


# The server goes, and comes back.


async def test_a_server_that_stops_is_waited_for_and_nothing_is_lost(
    world: World, base: Base
) -> None:
    world.crm.faults.next("push", FaultKind.HANG)
    bot = await world.start_bot(DATABASE_URL=base.url, LEADSQUARED_TIMEOUT="60")
    alice = world.person("alice")
    assert (await alice.command("/notify", TYPED)).ok
    await world.pushes_begin(1)
    await asyncio.to_thread(base.server.stop)
    world.crm.release()
    await bot.logs("dispatcher.store_missed")
    assert NOTHING_STORED in (await alice.command("/notify", "@lee Another | one")).text
    assert (await bot.get("/healthz"), await bot.get("/readyz")) == (200, 503)
    await asyncio.to_thread(base.server.start)
    await world.person("alice").sees("Sent to LeadSquared for *Priya Nair*")
    assert (await alice.command("/notify", "@lee Third | one")).ok
    await world.person("alice").sees("“Third”")
    assert base.states() == ["sent", "sent"]
    assert world.count_pushes_begun() == 2
    assert not has_failed(bot)


async def test_a_server_that_refuses_connections_at_the_start_is_connected_to_when_it_comes(
    world: World, base: Base
) -> None:
    port, proxy = find_free_port(), Proxy(base.server.folder)
    bot = await world.launch(DATABASE_URL=proxy.url(base.name, port))
    await bot.logs("bot.waiting", what="database", reason="OperationalError")
    assert (await bot.get("/healthz"), await bot.get("/readyz")) == (200, 503)
    await proxy.start(port)
    await bot.logs("bot.ready")
    assert await bot.get("/readyz") == 200
    assert (await world.person("alice").command("/notify", TYPED)).ok
    await world.sees_cards(1)
    assert await bot.stop() == 0
    await proxy.stop()


async def test_sessions_that_are_ended_again_and_again_cost_no_notification(
    open_world: OpenWorld, base: Base
) -> None:
    """One that ends while a claim is committed leaves that delivery unknown, and it is said."""
    world = await open_world(limit=8, period=0.5)
    people = world.slack.add_people(40)
    world.crm.add_users(40)
    bot = await world.start_bot(DATABASE_URL=base.url)
    everybody = " ".join(f"@{person.name}" for person in people)
    assert (await world.person("alice").command("/notify", f"{everybody} Standup | moved")).ok
    with base.connected() as other:
        for begun in range(4, 40, 4):
            await world.pushes_begin(begun)
            other.execute(END_SESSIONS)
    [card] = await world.sees_cards(1, within=40)
    states = Counter(base.states())
    assert states.keys() <= FINAL
    assert f"{states['sent']} of 40 sent" in card
    assert max(Counter(world.pushed()).values()) == 1
    assert states["sent"] <= len(world.pushed())
    assert not has_failed(bot)


# A commit whose answer never came.


@pytest.mark.parametrize("commits", [True, False])
async def test_a_connection_cut_at_the_commit_is_said_to_be_in_doubt_and_the_truth_appears(
    world: World, base: Base, proxy: Proxy, commits: bool
) -> None:
    bot = await world.start_bot(DATABASE_URL=proxy.url(base.name))
    alice = world.person("alice")
    await alice.command("/notify", "@lee First | one")
    await world.sees_cards(1)
    proxy.cut_commit_after("INSERT INTO notifications", lets_commit_through=commits)
    assert IN_DOUBT in (await alice.command("/notify", TYPED)).text
    assert proxy.cuts == 1
    again = await alice.command("/notify", TYPED)
    if commits:
        assert "You sent this" in again.text
    cards = await world.sees_cards(2)
    assert len(cards) == len(base.states()) == len(world.pushed()) == 2
    assert not has_failed(bot)


async def test_an_outcome_whose_commit_was_cut_is_stored_once(
    world: World, base: Base, proxy: Proxy
) -> None:
    world.crm.faults.next("push", FaultKind.HANG)
    bot = await world.start_bot(DATABASE_URL=proxy.url(base.name), LEADSQUARED_TIMEOUT="60")
    await world.person("alice").command("/notify", TYPED)
    await world.pushes_begin(1)
    proxy.cut_commit_after("primary_delivery", lets_commit_through=True)
    world.crm.release()
    await bot.logs("dispatcher.store_missed", error="CommitInDoubtError")
    await world.sees_cards(1)
    assert base.states() == ["sent"]
    assert world.count_pushes_begun() == 1


# Every connection is busy.


async def test_while_every_connection_is_busy_nothing_is_accepted_that_is_not_stored(
    world: World, base: Base
) -> None:
    bot = await world.start_bot(DATABASE_URL=base.url)
    alice = world.person("alice")
    await alice.command("/notify", "@lee First | one")
    await world.sees_cards(1)
    with base.connected() as other, other.transaction():
        other.execute(EVERY_TABLE)
        replies = await asyncio.gather(
            *(alice.command("/notify", f"@priya Title {n} | one") for n in range(8))
        )
    assert all(IN_DOUBT in each.text or NOTHING_STORED in each.text for each in replies)
    assert any(NOTHING_STORED in each.text for each in replies)
    refused = {f"Title {n}" for n, each in enumerate(replies) if NOTHING_STORED in each.text}
    assert (await alice.command("/notify", "@dev Last | one")).ok
    await alice.sees("“Last”")
    assert base.titles().isdisjoint(refused)
    assert set(base.states()) == {"sent"}
    assert not has_failed(bot)
