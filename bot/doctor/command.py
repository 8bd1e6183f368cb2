"""What `python -m bot check` prints, and the code it ends with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from bot.doctor.examination import examine
from bot.doctor.findings import exit_code, summarise


def check(environment: Mapping[str, str]) -> tuple[list[str], int]:
    """Return the lines, and 0 if nothing is wrong, 78 if `serve` would not start, else 1."""
    with _silence():
        findings = asyncio.run(examine(environment))
    return [*(each.line for each in findings), "", summarise(findings)], exit_code(findings)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the log quiet: what the parts log of a failure, a line says better."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        structlog.reset_defaults()
        logging.disable(logging.NOTSET)
