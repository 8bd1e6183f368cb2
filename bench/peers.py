"""What answers `/notify`: this bot on either database, and the bare listeners beside it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bench.node_peer import prepare_node
from bench.processes import BOT, Target, World, open_world, running

SQLITE = "this bot, SQLite"
POSTGRES = "this bot, Postgres"
DEFAULT = "bare Bolt, default settings"
BEFORE = "bare Bolt, `process_before_response`"
NODE = "bare @slack/bolt on Node"
OURS = (SQLITE, POSTGRES)
BARE_BOLT = (sys.executable, "-m", "bench.bare_bolt")
NOT_MEASURED = "not measured: no Node"

Commands = dict[str, Sequence[str]]
"""How each is started; without Node's where there is none."""


Create = dict[str, Callable[[], str]]
"""Makes the database of those that have one, or gives the address of the one it has."""


@dataclass(frozen=True)
class Side:
    """One that answers, and the world it answers in."""

    target: Target
    world: World


def find_commands() -> Commands:
    """Return what can be measured here."""
    commands: Commands = {
        SQLITE: BOT,
        POSTGRES: BOT,
        DEFAULT: BARE_BOLT,
        BEFORE: (*BARE_BOLT, "before"),
    }
    node = prepare_node()
    return commands if node is None else {**commands, NODE: node}


def always(url: str) -> Callable[[], str]:
    """Return what gives the same database every time."""
    return lambda: url


@asynccontextmanager
async def run_side(
    command: Sequence[str], session: aiohttp.ClientSession, database: str, **more: str
) -> AsyncIterator[Side]:
    """Run one between stand-ins of its own; `more` are further settings."""
    async with open_world() as world:
        settings = world.build_settings(DATABASE_URL=database, **more)
        async with running(command, settings, session, world.alice) as target:
            yield Side(target, world)


@asynccontextmanager
async def run_sides(
    commands: Commands, session: aiohttp.ClientSession, create: Create
) -> AsyncIterator[dict[str, Side]]:
    """Run all of them side by side; `create` makes the databases of those that have one."""
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                run_side(command, session, create[name]() if name in create else "sqlite:///none")
            )
            for name, command in commands.items()
        }
