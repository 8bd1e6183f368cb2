"""Logs: one JSON line per event on stdout; ids and codes, never bodies, keys or people.

On a terminal the same is laid out for reading. `bot.redaction` has the last word on every line,
those of libraries and tracebacks too.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog

from bot.redaction import Redactor

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

NOISY = ("slack_bolt", "slack_sdk", "aiohttp", "sqlalchemy")
"""Libraries that log whole requests at their lower levels."""


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in stubs only
    """Says that a line failed, in place of the line: logging would print all of it to stderr."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        structlog.get_logger().error(
            "log.failed", logger=record.name, record_level=record.levelname
        )


def set_up_logs(level: str, secrets: Iterable[str] = ()) -> None:
    """Send our events and other libraries' warnings to stdout, without the `secrets`."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.format_exc_info,
    ]
    last: list[structlog.typing.Processor] = [
        Redactor(secrets),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _choose_renderer(),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = _Handler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)
    logging.captureWarnings(True)
    sys.unraisablehook = _log_ignored
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _log_ignored(ignored: UnraisableHookArgs) -> None:
    """Log what Python cannot raise, such as an error of a finalizer; it would go to stderr."""
    structlog.get_logger().warning("exception.ignored", exc_info=ignored.exc_value)


def _choose_renderer() -> structlog.typing.Processor:
    if sys.stdout.isatty():
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer()
