import asyncio
from typing import Any

import pytest

from bot.background import Watch
from bot.directory import Directory
from bot.errands import Errands
from bot.homes import REFRESH_EVERY, Homes
from bot.notification import Place, State, Summary
from bot.people import Description, Person, Standing
from bot.sandbox.slack.messages import show_blocks
from bot.store.database import Database
from bot.store.reports import Reports
from tests.clock import FrozenClock
from tests.fakes import FakeSlack
from tests.store import Store


class Everybody(Directory):
    """Knows everybody at once, as a member who is not linked."""

    def __init__(self) -> None: ...

    async def get_sender(self, user_id: str) -> Person:
        return Person(user_id, user_id, None, Standing.MEMBER, is_admin=False)

    async def describe(self, user_id: str) -> Description:
        return Description(await self.get_sender(user_id), None, "no_email")

    def is_admin(self, person: Person) -> bool:
        return False


class Numbered(Reports):
    """Finds one notification, titled by how often somebody has looked."""

    def __init__(self) -> None:
        self.looks = 0

    async def find_recent(self, sender_id: str, most: int = 20) -> list[Summary]:
        self.looks += 1
        return [Summary("n1", f"Look {self.looks}", 0.0, {(State.SENT, None): 2}, ())]


class SlowSlack(FakeSlack):
    """Takes what it is given in the order of its own choice: the first one last."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.first = asyncio.Event()

    async def publish_view(self, user_id: str, view: dict[str, Any]) -> None:
        if not self.asked.is_set():
            self.asked.set()
            await self.first.wait()
        await super().publish_view(user_id, view)


class Stage:
    def __init__(self, store: Store, slack: FakeSlack, clock: FrozenClock) -> None:
        self.slack, self.clock = slack, clock
        self.errands = Errands(Watch())
        self.homes = Homes(
            Everybody(),
            Numbered(),
            store.overview,
            slack,
            self.errands,
            clock,
            check_place=_allow,
        )

    def titles(self) -> list[str]:
        shown = ["\n".join(show_blocks(view["blocks"])) for _, view in self.slack.homes]
        return [text.partition("“")[2].partition("”")[0] for text in shown]


def _allow(_: Place) -> None: ...


@pytest.fixture
async def store(database: Database) -> Store:
    return Store(database)


async def test_who_came_longest_ago_is_forgotten_first(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(store, FakeSlack(), clock)
    monkeypatch.setattr("bot.homes.MOST_VISITS", 2)
    for user_id in ("UA", "UB", "UA", "UC"):
        stage.homes.show(user_id)
    await stage.errands.drain(5)
    clock.forward(REFRESH_EVERY)
    stage.slack.homes.clear()
    for user_id in ("UA", "UB", "UC"):
        stage.homes.refresh(user_id)
    while await stage.homes.step():
        pass
    assert [user_id for user_id, _ in stage.slack.homes] == ["UA", "UC"]


async def test_an_older_reading_does_not_replace_a_newer_one(
    store: Store, clock: FrozenClock
) -> None:
    slack = SlowSlack()
    stage = Stage(store, slack, clock)
    stage.homes.show("UA")
    await slack.asked.wait()
    stage.homes.show("UA")
    for _ in range(50):
        await asyncio.sleep(0)
    slack.first.set()
    await stage.errands.drain(5)
    assert stage.titles() == ["Look 1", "Look 2"]


async def test_nobody_who_was_not_there_is_shown_anything(store: Store, clock: FrozenClock) -> None:
    stage = Stage(store, FakeSlack(), clock)
    stage.homes.refresh("UA")
    assert not await stage.homes.step()
    assert stage.slack.homes == []
