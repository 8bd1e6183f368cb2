"""The Procfile, run by honcho as Heroku, Dokku and Scalingo run it."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.processes.bot_process import BotProcess
from tests.processes.world import World

STOPPED_BY_SIGTERM = 143
"""What honcho itself ends with, however its processes ended."""


class HonchoProcess(BotProcess):
    """`honcho start` in the checkout, which knows the settings from a file such as .env.example."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        super().__init__(settings)
        self._port = settings.pop("PORT")
        self._file = folder / "honcho.env"
        self._file.write_text("".join(f"{name}='{settings[name]}'\n" for name in settings))
        for name in settings:
            del self.environment[name]
        scripts = Path(sys.executable).parent
        self.environment["PATH"] = f"{scripts}:{self.environment['PATH']}"
        del self.environment["PORT"], self.environment["PYTHONWARNINGS"]

    def build_command(self) -> Sequence[str]:
        options = ("--env", str(self._file), "--port", self._port, "--no-prefix")
        return (sys.executable, "-m", "honcho", "start", *options)

    def read_line(self, line: bytes) -> dict[str, Any]:
        """Take honcho's own words, such as `web.1 stopped (rc=0)`, for events."""
        return (
            super().read_line(line) if line.startswith(b"{") else {"event": line.decode().strip()}
        )


async def test_what_the_procfile_starts_sends_and_ends_in_order(
    world: World, tmp_path: Path
) -> None:
    honcho = HonchoProcess(world.build_settings(), tmp_path)
    await honcho.start()
    world.processes.append(honcho)
    world.slack.bot_url = honcho.slack_url
    await honcho.logs("bot.ready")
    assert (await honcho.get("/healthz"), await honcho.get("/readyz")) == (200, 200)
    await world.person("alice").command("/notify", "@priya Callback due | Asha asked for 3 pm")
    [card] = await world.sees_cards(1)
    assert "Sent to LeadSquared for *Priya Nair*" in card
    world.crm.latency = 0.5
    await world.person("alice").command("/notify", "@lee Standup | moved to 11")
    await world.pushes_begin(2)
    honcho.send(signal.SIGTERM)
    assert await honcho.ends() == STOPPED_BY_SIGTERM
    assert not honcho.has_logged("bot.left_replies")
    assert world.states() == ["sent", "sent"]
    assert len(world.cards()) == 2
