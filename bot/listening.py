"""The web server around the application: what it reads, how long it waits, what it logs.

It reads requests as they came: the signature is over the bytes that were sent, and nothing is
unpacked for a stranger. Of what is no HTTP, the kind alone is logged, not what somebody sent.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

log = structlog.get_logger()

IDLE_MOST = 620.0
"""Seconds in which a connection may wait for the headers of a request; longer than any host's
router keeps one open, so that none is closed while a request is on its way."""


class _QuietLog(logging.LoggerAdapter[logging.Logger]):
    """Leaves out of a complaint about a request what the request said."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        error = kwargs.get("exc_info")
        if isinstance(error, HttpProcessingError):
            log.info("intake.not_read", error=type(error).__name__)
        else:
            super().exception(msg, *args, **kwargs)


def build_runner(app: web.Application, *, shutdown_timeout: float) -> web.AppRunner:
    """Return what serves an application; `shutdown_timeout` is for requests under way."""
    return web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=shutdown_timeout,
        auto_decompress=False,
        keepalive_timeout=IDLE_MOST,
        logger=_QuietLog(logging.getLogger("aiohttp.server")),
    )
