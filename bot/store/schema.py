"""Is the schema the one this code needs? If it is behind, a child process brings it up.

Alembic is not imported here: it would cost the server memory and start-up time.
"""

from __future__ import annotations

import asyncio
import sys

import structlog
from sqlalchemy import Connection, inspect, text

from bot.errors import ConfigError, StoreBrokenError, StoreUnavailableError
from bot.store.database import Database
from bot.store.tables import SCHEMA_REVISION

log = structlog.get_logger()


async def bring_up(database: Database) -> None:
    """Migrate if needed.

    Raises StoreUnavailableError if that fails, and ConfigError for a file that is damaged or no
    database: starting again will not mend it.
    """
    try:
        await database.check()
        is_behind = await _is_behind(database)
    except StoreBrokenError as exc:
        raise ConfigError([str(exc)]) from exc
    if is_behind:
        log.info("schema.migrating", to=SCHEMA_REVISION)
        await _migrate_in_child()


async def _is_behind(database: Database) -> bool:
    """Tell whether a migration is missing; a newer schema is fine, migrations only add."""
    found = await database.transact(read_version)
    return found is None or found < SCHEMA_REVISION


def read_version(connection: Connection) -> str | None:
    """Return the revision of a database's tables; None if none of ours are there."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


async def _migrate_in_child() -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "migrate")
    if await child.wait() != 0:
        raise StoreUnavailableError(f"migrate ended with {child.returncode}")
