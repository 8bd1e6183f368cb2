from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.chromium import ARGS, find_chromium
from tests.browser.sandbox import WITHIN, Sandbox, open_sandbox
from tests.processes.sandbox_process import SandboxProcess

MISSING = "NO CHROMIUM FOUND: the tests in a browser were not run (CHROMIUM names another one)"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_chromium() is not None:
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=MISSING))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any(MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(MISSING, red=True, bold=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start one for each worker; its tests share its event loop, so each module is marked so."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGS))
        expect.set_options(timeout=WITHIN)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def process() -> AsyncIterator[SandboxProcess]:
    """One sandbox for each worker, as it takes seconds to start."""
    async with _running() as process:
        yield process


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox(browser: Browser, process: SandboxProcess) -> AsyncIterator[Sandbox]:
    """Open a page for each test; what others said is still there: say what nobody else says."""
    async with _open_page(browser, process) as opened:
        yield opened
        await opened.tidy_up()


@pytest_asyncio.fixture(loop_scope="session")
async def own_sandbox(browser: Browser) -> AsyncIterator[Sandbox]:
    """A sandbox in which nothing has happened yet, to be killed or slowed down at will."""
    async with _running() as process, _open_page(browser, process) as opened:
        yield opened


@asynccontextmanager
async def _running() -> AsyncIterator[SandboxProcess]:
    process = SandboxProcess()
    await process.start()
    yield process
    await process.stop()
    assert process.errors == ""


@asynccontextmanager
async def _open_page(browser: Browser, process: SandboxProcess) -> AsyncIterator[Sandbox]:
    opened = await open_sandbox(browser, process)
    yield opened
    await opened.context.close()
    assert opened.problems == []
