"""The command beside the bot and before its start; the mistakes it finds are in the other file."""

import re

from bot.sandbox.leadsquared import FaultKind
from tests.postgres import Postgres
from tests.processes.check_process import run_check
from tests.processes.conftest import OpenWorld
from tests.processes.storage import open_storage
from tests.processes.world import World


async def test_a_bot_that_runs_as_it_should_gets_ticks_alone(world: World) -> None:
    await world.start_bot()
    checked = await run_check(world)
    assert checked.lines[-2:] == ["", "All fine."]
    assert [line[0] for line in checked.lines[:-2]] == ["✓"] * 12
    assert checked.code == 0
    assert "Slack takes it in Acme" in checked.find("SLACK_BOT_TOKEN")
    assert "all 5 that the manifest asks for" in checked.find("Scopes")
    assert "those of CRM Admin" in checked.find("LeadSquared")
    assert "25 calls in 0.5 s, " in checked.find("Limit")
    assert "0 of 0 the bot has met are linked" in checked.find("Teammates")


async def test_before_the_first_start_it_makes_nothing(open_world: OpenWorld) -> None:
    world = await open_world()
    checked = await run_check(world)
    assert (checked.wrong, checked.code) == ([], 0)
    assert checked.find("Database") == (
        "! Database: is not there yet. Next: Start the bot, which makes it."
    )
    assert "takes the keys" in checked.find("LeadSquared")
    assert list(world.database.parent.iterdir()) == []


async def test_its_one_call_to_leadsquared_holds_a_permit_of_the_account(world: World) -> None:
    await world.start_bot()
    used = "SELECT count(*) FROM slots WHERE free_at > 0"
    assert world.run_sql(used) == [(0,)]
    await run_check(world)
    assert world.run_sql(used) == [(1,)]
    assert len(world.crm.calls) == 1


async def test_a_gate_that_is_closed_is_not_passed_and_said(world: World) -> None:
    await world.start_bot()
    world.run_sql(
        "UPDATE gates SET closed_until = (julianday('now') - 2440587.5) * 86400.0 + 40, "
        "probing = true"
    )
    before = len(world.crm.calls)
    checked = await run_check(world)
    assert len(world.crm.calls) == before
    assert checked.find("LeadSquared").startswith("! LeadSquared: not asked")
    assert "and none for the next " in checked.find("Limit")
    assert (checked.wrong, checked.code) == ([], 0)


async def test_everything_that_hangs_is_given_up_and_stops_nothing_else(world: World) -> None:
    world.slack.faults.fail("auth.test", "hang")
    world.crm.faults.always("*", FaultKind.HANG)
    checked = await run_check(world)
    assert checked.find("Slack").startswith("✗ Slack: gave no answer within 6 s")
    assert checked.find("LeadSquared").startswith("✗ LeadSquared")
    assert checked.find("Database").startswith("✓ Database: SQLite")
    assert checked.code == 1
    world.slack.faults.clear()
    world.crm.release()


async def test_settings_that_stop_serve_are_all_named_and_the_rest_is_still_checked(
    world: World,
) -> None:
    checked = await run_check(world, LEADSQUARED_ACCESS_KEY="", LEADSQUARED_RATE_LIMIT="many")
    assert checked.code == 78
    assert [line.split(":")[0] for line in checked.wrong] == [
        "✗ LEADSQUARED_ACCESS_KEY",
        "✗ LEADSQUARED_RATE_LIMIT",
    ]
    assert checked.find("SLACK_BOT_TOKEN").startswith("✓")
    assert checked.find("Database").startswith("✓")
    assert checked.find("LeadSquared") == (
        "! LeadSquared: not asked. Next: Mend LEADSQUARED_ACCESS_KEY first, then check again."
    )


async def test_a_token_that_slack_refuses_stops_serve_too(world: World) -> None:
    world.slack.faults.fail("auth.test", "token_revoked")
    checked = await run_check(world)
    assert checked.code == 78
    assert "it was revoked" in checked.find("SLACK_BOT_TOKEN")


async def test_beside_a_bot_on_postgres(open_world: OpenWorld, postgres: Postgres) -> None:
    world = await open_world(beside=open_storage(postgres.create()))
    await world.start_bot()
    checked = await run_check(world)
    assert (checked.wrong, checked.doubtful, checked.code) == ([], [], 0)
    found = re.fullmatch(
        r"✓ Database: Postgres [0-9.]+, ([0-9]+) of ([0-9]+) connections in use\.",
        checked.find("Database"),
    )
    assert found is not None
    assert 1 < int(found[1]) < int(found[2])


async def test_before_the_first_start_on_postgres_it_makes_no_tables(
    open_world: OpenWorld, postgres: Postgres
) -> None:
    postgres.execute("CREATE DATABASE without_tables")
    world = await open_world(beside=open_storage(postgres.url("without_tables")))
    checked = await run_check(world)
    assert (checked.wrong, checked.code) == ([], 0)
    assert checked.find("Tables").startswith("! Tables: are not there yet.")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert world.run_sql(tables) == [(0,)]


async def test_a_postgres_that_lets_nobody_in_is_named_in_its_own_words(
    open_world: OpenWorld, postgres: Postgres
) -> None:
    """LeadSquared is asked all the same, once no call of a bot can be in the same period."""
    world = await open_world(beside=open_storage(postgres.url("no_such_name")))
    checked = await run_check(world)
    assert checked.code == 1
    [line] = checked.wrong
    assert line.startswith("✗ DATABASE_URL: the database cannot be used: ")
    assert 'database "no_such_name" does not exist' in line
    assert "takes the keys" in checked.find("LeadSquared")
