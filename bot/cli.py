"""`python -m bot serve | check | manifest | migrate | sandbox`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

app = typer.Typer(
    help="LeadSquared Notifier: browser notifications for LeadSquared users, sent from Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

EX_CONFIG = 78
"""sysexits.h: the configuration is wrong; starting again will not help."""


@app.command()
def serve() -> None:
    """Answer Slack on $PORT, with settings from the environment."""
    from bot.config import load_settings
    from bot.logs import set_up_logs
    from bot.server import serve as run

    settings = load_settings(dict(os.environ))
    set_up_logs(settings.log_level, settings.secrets)
    asyncio.run(run(settings))


@app.command()
def check() -> None:
    """Look for what is wrong: a line for each thing, with the next step. Changes nothing."""
    from bot.doctor.command import check as run

    lines, code = run(dict(os.environ))
    print("\n".join(lines))  # noqa: T201  # the command line is where printing belongs
    raise typer.Exit(code)


@app.command()
def manifest(
    url: Annotated[
        str | None,
        typer.Option(envvar="PUBLIC_URL", help="The public https address of the bot."),
    ] = None,
    socket: Annotated[
        bool, typer.Option("--socket", help="For Socket Mode, without an address.")
    ] = False,
) -> None:
    """Print the Slack app manifest for this deployment, ready to paste."""
    from bot.manifest import fill, load_template

    print(fill(load_template(), url, socket=socket), end="")  # noqa: T201  # to be piped


@app.command()
def migrate() -> None:
    """Bring the database of DATABASE_URL to the newest schema."""
    from bot.config import load_database_url
    from bot.logs import set_up_logs
    from bot.migrations.run import upgrade
    from bot.setting_types import find_password

    url = load_database_url()
    set_up_logs("info", find_password(url))
    upgrade(url)


@app.command()
def sandbox(
    socket: Annotated[bool, typer.Option("--socket", help="Let the bot use Socket Mode.")] = False,
) -> None:
    """Try it all without accounts: stand-ins for Slack and LeadSquared, and the bot between."""
    from bot.sandbox.run import run

    raise typer.Exit(run(socket_mode=socket))


def main() -> None:
    """Run the command line.

    Settings that cannot work end it with 78 and a line for each; anything else that ends the bot
    is logged and ends it with 1, so that the host starts it again.
    """
    from bot.errors import ConfigError

    try:
        app()
    except ConfigError as exc:
        _end_misconfigured([exc])
    except ExceptionGroup as group:
        wrong, others = group.split(ConfigError)
        if wrong is None or others is not None:
            _end_broken(group)
        else:
            _end_misconfigured(wrong.exceptions)
    except Exception as exc:  # noqa: BLE001  # the last boundary: logged, with a code for the host
        _end_broken(exc)


def _end_misconfigured(errors: Sequence[Exception]) -> NoReturn:
    for error in errors:
        print(error, file=sys.stderr)  # noqa: T201  # the command line is where printing belongs
    sys.exit(EX_CONFIG)


def _end_broken(error: Exception) -> NoReturn:
    import structlog

    from bot.logs import set_up_logs

    if not structlog.is_configured():  # its defaults would show the values of all variables
        set_up_logs("info")
    structlog.get_logger().error("process.failed", exc_info=error)
    sys.exit(1)
