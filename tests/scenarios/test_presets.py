import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot import icons
from bot.presets import Preset
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.world import World

SIGNATURE = "\n— Alice Rao, Slack"
PUBLIC_URL = "https://notifier.example.com"


async def notify(world: World, text: str) -> dict[str, Any]:
    """Type `/notify` and return the JSON that reached LeadSquared."""
    alice = world.slack.people["alice"]
    await alice.command("/notify", text)
    await alice.sees("Sent to LeadSquared")
    [body] = world.pushed()
    return body


async def test_a_missed_call_has_its_title_and_icon(open_world: OpenWorld) -> None:
    world = await open_world(public_url=PUBLIC_URL)
    assert await notify(world, "@priya --as call Asha called at 3 pm") == {
        "UserId": world.crm_id("priya@acme.com"),
        "Title": "Missed call",
        "Content": f"Asha called at 3 pm{SIGNATURE}",
        "IconURL": "https://notifier.example.com/icons/call.png",
    }
    await world.slack.people["alice"].sees("for *Priya Nair*: “Missed call”.")


async def test_a_title_and_an_icon_of_ones_own_win(open_world: OpenWorld) -> None:
    world = await open_world(public_url=PUBLIC_URL)
    text = "@priya --as hot --icon https://x.io/i.png Big deal | Asha is on the pricing page"
    body = await notify(world, text)
    assert (body["Title"], body["IconURL"]) == ("Big deal", "https://x.io/i.png")


@pytest.mark.parametrize(
    ("settings", "icon"),
    [
        ({}, None),
        ({"public_url": "http://127.0.0.1:3000"}, None),
        ({"public_url": f"{PUBLIC_URL}/bot/"}, f"{PUBLIC_URL}/bot/icons/sms.png"),
        ({"icon_base_url": "https://cdn.io/i"}, "https://cdn.io/i/sms.png"),
        ({"public_url": PUBLIC_URL, "icon_base_url": "https://cdn.io/"}, "https://cdn.io/sms.png"),
    ],
)
async def test_an_icon_is_sent_only_where_everybody_can_fetch_it(
    open_world: OpenWorld, settings: dict[str, Any], icon: str | None
) -> None:
    world = await open_world(**settings)
    assert (await notify(world, "@priya --as sms Asha wrote")).get("IconURL") == icon


async def fetch(world: World, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    url = str(world.slack.bot_url).removesuffix("/slack/events") + path
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, response.headers, await response.read()


@pytest.mark.parametrize("preset", Preset)
async def test_icons_are_served_to_be_kept(world: World, preset: Preset) -> None:
    path = f"/icons/{preset}.png"
    status, headers, body = await fetch(world, path)
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert headers["Cache-Control"] == "public, max-age=2592000"
    assert body == (Path(icons.__file__).parent / f"{preset}.png").read_bytes()
    tag = headers["ETag"]
    assert tag == f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    status, headers, body = await fetch(world, path, **{"If-None-Match": tag})
    assert (status, headers["ETag"], body) == (304, tag, b"")
    assert headers["Cache-Control"] == "public, max-age=2592000"
    assert (await fetch(world, path, **{"If-None-Match": '"other"'}))[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/icons/",
        "/icons/__init__.py",
        "/icons/fax.png",
        "/icons/call.png/",
        "/icons/../config.py",
        "/icons/..%2Fconfig.py",
        "/icons/%2e%2e/config.py",
        "/icons/%2Fetc%2Fpasswd",
        "/icons/call.png%00",
    ],
)
async def test_nothing_else_is_served_there(world: World, path: str) -> None:
    assert (await fetch(world, "/icons/call.png"))[0] == 200
    assert await ask_plainly(world, path) == b"HTTP/1.1 404 Not Found"


async def ask_plainly(world: World, path: str) -> bytes:
    """Return the status line for a path that no client has made harmless."""
    address = urlsplit(str(world.slack.bot_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    request = f"GET {path} HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.partition(b"\r\n")[0]
