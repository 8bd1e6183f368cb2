"""Logs: JSON lines on stdout; ids and codes, never bodies, keys or people."""

from __future__ import annotations

import logging
import sys

import structlog

NOISY = ("slack_bolt", "slack_sdk", "aiohttp", "sqlalchemy")
"""Libraries that log whole requests at their lower levels."""


def set_up_logs(level: str) -> None:
    """Send our events and other libraries' warnings to stdout."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
