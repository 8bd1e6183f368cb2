"""What a bug in a command looks like: one line of the log, and nothing of the environment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRET = "xoxb-1-zQ9kMarker7xW"

PLANTED = """
import sys
import {module}
from bot import cli

def break_(*arguments):
    held = {secret!r}
    raise LookupError("a bug")

{module}.{function} = break_
sys.argv = ["bot", {command!r}]
cli.main()
"""


@pytest.mark.parametrize(
    ("command", "module", "function"),
    [
        ("serve", "bot.config", "load_settings"),
        ("check", "bot.doctor.command", "examine"),
        ("manifest", "bot.manifest", "load_template"),
    ],
)
def test_a_bug_is_logged_without_what_the_variables_held(
    command: str, module: str, function: str
) -> None:
    planted = PLANTED.format(command=command, module=module, function=function, secret=SECRET)
    ended = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", planted],
        cwd=ROOT,
        env={"SLACK_BOT_TOKEN": SECRET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    [line] = ended.stdout.splitlines()
    told = json.loads(line)
    assert told["event"] == "process.failed"
    assert told["exception"].endswith("LookupError: a bug")
    assert SECRET not in ended.stdout + ended.stderr
