"""A stand-in whose clock is not the app's."""

from __future__ import annotations

import time
from email.utils import formatdate

from aiohttp import web


def redate(response: web.StreamResponse, shift: float | None) -> None:
    """Let the `Date` of an answer be off by so many seconds; None leaves it out."""
    if shift is None:
        del response.headers["Date"]
    elif shift:
        response.headers["Date"] = formatdate(time.time() + shift, usegmt=True)
