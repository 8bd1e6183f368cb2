import socket

import pytest

from tests.processes.world import BOT_TOKEN, World

EX_CONFIG = 78
REQUIRED = (
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "LEADSQUARED_ACCESS_KEY",
    "LEADSQUARED_SECRET_KEY",
)


async def explain(world: World, **changes: str) -> list[str]:
    """Start a bot that must not start, and return the lines it leaves on stderr."""
    bot = await world.launch(**changes)
    assert await bot.ends() == EX_CONFIG
    return bot.errors.splitlines()


async def test_missing_settings_end_it_with_78_and_one_line_each(world: World) -> None:
    lines = await explain(world, **dict.fromkeys(REQUIRED, ""))
    assert [line.split(":")[0] for line in lines] == list(REQUIRED)
    assert all(": is missing. Example: " in line for line in lines)


async def test_wrong_settings_are_named_with_what_would_be_right_and_never_repeated(
    world: World,
) -> None:
    wrong = {
        "SLACK_BOT_TOKEN": "xoxp-WRONG-1",
        "LEADSQUARED_URL": "http://WRONG.example.com",
        "LEADSQUARED_SECRET_KEY": "WRONG key",
        "LEADSQUARED_RATE_LIMIT": "WRONG",
        "DATABASE_URL": "mysql://user:WRONG@host/name",
        "PORT": "99999999",
    }
    lines = await explain(world, **wrong)
    assert [line.split(":")[0] for line in lines] == list(wrong)
    assert "WRONG" not in "".join(lines)


async def test_a_token_that_slack_refuses_is_named_and_not_shown(world: World) -> None:
    world.slack.faults.fail("auth.test", "invalid_auth")
    [line] = await explain(world)
    assert line.startswith("SLACK_BOT_TOKEN: Slack refused it (invalid_auth).")
    assert BOT_TOKEN not in line


async def test_a_port_in_use_is_named(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        [line] = await explain(world, PORT=str(port))
    assert line.startswith(f"PORT: {port} cannot be bound")


async def test_a_host_that_forgets_its_files_needs_another_database(world: World) -> None:
    [line] = await explain(world, DYNO="web.1")
    assert line.startswith("DATABASE_URL: this host (DYNO is set) deletes local files")


async def test_sqlite_on_such_a_host_can_be_insisted_on(world: World) -> None:
    bot = await world.start_bot(DYNO="web.1", ALLOW_EPHEMERAL_SQLITE="1")
    assert await bot.get("/readyz") == 200


@pytest.mark.parametrize("command", ["serve", "migrate"])
async def test_every_command_ends_with_78_when_it_cannot_be_configured(
    world: World, command: str
) -> None:
    """`migrate` needs nothing but the database, and says so alone."""
    bot = await world.launch(DATABASE_URL="oracle://x", command=command)
    assert await bot.ends() == EX_CONFIG
    [line] = bot.errors.splitlines()
    assert line.startswith("DATABASE_URL: must begin with sqlite:// or postgres://.")
