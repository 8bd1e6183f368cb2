"""Fresh databases of both kinds, which are gone afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bot.migrations.run import upgrade
from tests.postgres import Postgres, running_postgres


@dataclass
class Databases:
    """Each call gives the address of another; they lie on the disk and survive a power cut."""

    folder: Path
    server: Postgres
    numbers: count[int] = field(default_factory=count)

    def create_sqlite(self) -> str:
        """Return one with all tables."""
        file = self.folder / "empty.db"
        if not file.exists():
            upgrade(f"sqlite:///{file}")
        return f"sqlite:///{shutil.copy(file, self._name_file())}"

    def create_postgres(self) -> str:
        """Return one with all tables."""
        return self.server.create()

    def create_bare_sqlite(self) -> str:
        """Return one that does not exist yet."""
        return f"sqlite:///{self._name_file()}"

    def create_bare_postgres(self) -> str:
        """Return one without a table, as a host hands it out."""
        name = f"bare_{next(self.numbers)}"
        self.server.execute(f"CREATE DATABASE {name}")
        return self.server.url(name)

    def _name_file(self) -> Path:
        return self.folder / f"{next(self.numbers)}.db"


async def settle_disk() -> None:
    """Have everything written that anybody wrote: the next commit would wait for it."""
    await asyncio.to_thread(os.sync)


@contextmanager
def open_databases() -> Iterator[Databases]:
    """Start a Postgres from the wheel, with `fsync` as on a host."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with running_postgres(folder / "postgres", fsync=True) as server:
            yield Databases(folder, server)
