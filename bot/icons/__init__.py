"""The pictures of the presets, served where notifications and Slack can fetch them.

`bench/draw_icons.py` draws them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from aiohttp import ETag, web

from bot.presets import Preset

PATH = "/icons/"

HEADERS = {"Cache-Control": "public, max-age=2592000", "X-Content-Type-Options": "nosniff"}
"""Thirty days; browsers and Slack's image proxy ask again with the ETag."""


class Icons:
    """One route for the four files; they are read once, so a path can lead nowhere else."""

    def __init__(self, folder: Path = Path(__file__).parent) -> None:
        names = [preset.icon_file for preset in Preset]
        self._files: Mapping[str, bytes] = {name: (folder / name).read_bytes() for name in names}

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get(PATH + "{name}", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer with a picture, or 304 to whoever has it already."""
        picture = self._files.get(request.match_info["name"])
        if picture is None:
            raise web.HTTPNotFound
        tag = hashlib.sha256(picture).hexdigest()[:16]
        known = request.if_none_match or ()
        if any(each.value in (tag, "*") for each in known):
            response = web.Response(status=304, headers=HEADERS)
        else:
            response = web.Response(body=picture, content_type="image/png", headers=HEADERS)
        response.etag = ETag(tag)
        return response
