"""The page of `python -m bot sandbox` without a browser: where it is, and a bot that is killed."""

import re
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.processes.sandbox_process import SandboxProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxProcess]:
    process = SandboxProcess()
    await process.start()
    yield process
    await process.stop()
    assert process.errors == ""


def find_page(sandbox: SandboxProcess) -> str:
    found = re.match(r"Open (http://127\.0\.0\.1:\d+) to see Slack and LeadSquared", sandbox.output)
    assert found is not None, sandbox.output
    return found[1]


async def read_bot(session: aiohttp.ClientSession, page: str) -> Any:
    async with session.ws_connect(f"{page}/feed") as feed:
        return (await feed.receive_json())["set"]["status"]["bot"]


async def test_the_page_is_named_first_and_kills_and_starts_the_bot_itself(
    sandbox: SandboxProcess,
) -> None:
    await sandbox.prints("Ctrl-D ends it.")
    page = find_page(sandbox)
    [bot] = sandbox.find_children()
    async with aiohttp.ClientSession() as session:

        async def do(what: str) -> None:
            async with session.post(f"{page}/do/bot", json={"what": what}) as response:
                assert response.status == 200, await response.text()

        await do("kill")
        assert sandbox.find_children() == []
        assert (await read_bot(session, page))["state"] == "stopped"
        await do("start")
        [again] = sandbox.find_children()
        assert again != bot
        told = await read_bot(session, page)
        assert (told["state"], told["starts"]) == ("running", 2)
    sandbox.type("/notify @priya After | the kill")
    await sandbox.prints("✅ Sent to LeadSquared for *Priya Nair*: “After”.")
    assert "ended by itself" not in sandbox.output
