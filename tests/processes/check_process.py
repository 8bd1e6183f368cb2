"""`python -m bot check` as an operator runs it: an environment in, lines and an exit code out."""

import asyncio
import os
import sys
from dataclasses import dataclass

from tests.processes.bot_process import KEPT, ROOT
from tests.processes.world import SECRETS, World


@dataclass(frozen=True)
class Checked:
    """What one run printed."""

    lines: list[str]
    code: int
    secrets: tuple[str, ...]

    def find(self, name: str) -> str:
        """Return the line about something."""
        found = [line for line in self.lines if line[2:].startswith(f"{name}: ")]
        assert len(found) == 1, f"{name} in {self.lines}"
        return found[0]

    @property
    def wrong(self) -> list[str]:
        return [line for line in self.lines if line.startswith("✗")]

    @property
    def doubtful(self) -> list[str]:
        return [line for line in self.lines if line.startswith("!")]


async def run_check(world: World, **changes: str) -> Checked:
    """Run it with the settings of the bot and some of a test's own; it must show no secret."""
    machine = {name: os.environ[name] for name in KEPT if name in os.environ}
    settings = world.build_settings(**changes)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "check"),
        cwd=ROOT,
        env={**machine, "PYTHONWARNINGS": "error", **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, errors = await child.communicate()
    assert errors.decode() == ""
    given = (changes.get(name, "") for name in changes if name.endswith(("KEY", "TOKEN", "SECRET")))
    secrets = tuple(secret for secret in (*SECRETS, *given) if len(secret) > 4)
    assert not [secret for secret in secrets if secret in said.decode()]
    return Checked(said.decode().splitlines(), child.returncode or 0, secrets)
