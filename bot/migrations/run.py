"""Bring a database to the newest schema, one process at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection

from bot.errors import ConfigError, StoreBrokenError
from bot.store import faults

LOCK = 4_711_002_501
"""Any number, as long as every process of ours uses the same."""


def upgrade(url: str) -> None:
    """Apply what is missing; others who come at the same time wait and find nothing to do.

    Raises ConfigError for a file that is damaged or no database.
    """
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin_immediate)
    try:
        with faults.named(), engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            command.upgrade(build_config(connection), "head")
    except StoreBrokenError as exc:
        raise ConfigError([f"DATABASE_URL: {engine.url.database} {exc}."]) from exc
    finally:
        engine.dispose()


def build_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _leave_transactions_to_us(connection: object, _record: object) -> None:
    setattr(connection, "isolation_level", None)  # noqa: B010  # its type is the driver's
    cursor = connection.cursor()  # type: ignore[attr-defined]  # the same
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
