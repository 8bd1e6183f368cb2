"""Poolers hand every transaction to another session: nothing of ours may outlive one."""

import re
from pathlib import Path

import pytest

from tests.pooler import Pooler
from tests.postgres import Postgres
from tests.processes.world import World

STATEMENT = re.compile(r"LOG:  (?:statement|execute <unnamed>): *(.*)")
NAMED = re.compile(r"LOG:  execute (?!<unnamed>)")
SESSION_LEVEL = re.compile(
    r"^(SET (?!LOCAL|TRANSACTION)|RESET|DISCARD|LISTEN|UNLISTEN|PREPARE|EXECUTE|DEALLOCATE|LOAD)"
    r"|CREATE TEMP|WITH HOLD|pg_(try_)?advisory_lock"
    r"|set_config\((?!.*true)",
    re.IGNORECASE,
)


async def work(world: World) -> None:
    """Use what there is: all the tables, both kinds of locks, and a draft."""
    alice = world.person("alice")
    everybody = "@priya @lee @omar key-owner Callback due | 3 pm"
    assert (await alice.command("/notify", everybody)).ok
    await world.sees_cards(1)
    assert "You sent this" in (await alice.command("/notify", everybody)).text
    assert "Alice" in (await alice.command("/notify", "whoami")).text
    assert "sent" in (await alice.command("/notify", "status")).text
    for number in range(10):
        assert (await alice.command("/notify", f"@dev Number {number} | 3 pm")).ok
    cards = await world.sees_cards(11)
    assert all("Sent to LeadSquared" in card for card in cards[1:])


async def test_through_a_pooler_everything_works_and_no_statement_changes_a_session(
    world: World, postgres: Postgres
) -> None:
    postgres.execute("CREATE DATABASE pooled")
    postgres.execute("ALTER DATABASE pooled SET log_statement = 'all'")
    pooler = Pooler(postgres.folder, "pooled")
    await pooler.start()
    bot = await world.start_bot(DATABASE_URL=pooler.url)
    await work(world)
    assert await bot.stop() == 0
    assert not [
        event for event in bot.events if event["event"].endswith((".store_missed", "failed"))
    ]
    assert pooler.turns > 100
    await pooler.stop()
    check_statements(postgres.folder / "log")


def check_statements(log: Path) -> None:
    said = re.sub(
        r"[ \t]*\n\t[ \t]*", " ", log.read_text(encoding="utf-8")
    )  # one line for an entry
    statements = STATEMENT.findall(said)
    assert any(each.startswith("CREATE TABLE notifications") for each in statements)
    assert any(each.startswith("INSERT INTO notifications") for each in statements)
    assert [each for each in statements if SESSION_LEVEL.search(each)] == []
    assert NAMED.findall(said) == []


@pytest.mark.parametrize(
    ("statement", "is_found"),
    [
        ("SET statement_timeout = 1", True),
        ("SET LOCAL statement_timeout = 1", False),
        ("SELECT set_config('a', 'b', false)", True),
        ("SELECT set_config('a', 'b', true)", False),
        ("SELECT pg_advisory_lock(1)", True),
        ("SELECT pg_advisory_xact_lock(1)", False),
        ("PREPARE x AS SELECT 1", True),
    ],
)
def test_what_changes_a_session_would_be_found(statement: str, is_found: bool) -> None:
    assert bool(SESSION_LEVEL.search(statement)) is is_found
