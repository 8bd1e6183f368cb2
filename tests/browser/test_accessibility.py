from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # has none
from playwright.async_api import expect

from tests.browser.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRAVE = ("serious", "critical")


async def find_faults(sandbox: Sandbox) -> list[str]:
    """Return what axe finds grave, in light and in dark."""
    found: list[str] = []
    for scheme in ("light", "dark"):
        await sandbox.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results: dict[str, Any] = (await Axe().run(sandbox.page)).response
        found += [
            f"{scheme}: {violation['id']} at {node['html']}"
            for violation in results["violations"]
            if violation["impact"] in GRAVE
            for node in violation["nodes"]
        ]
    return found


async def test_slack_and_leadsquared_side_by_side(sandbox: Sandbox) -> None:
    await sandbox.say("Asha asked for 3 pm, @alice `code`")
    await sandbox.say("/notify help")
    await sandbox.sees("Put a browser notification in front of a LeadSquared user")
    await sandbox.say("/notify @priya Callback seen | Asha asked for 3 pm")
    await sandbox.is_notified("Callback seen")
    await sandbox.page.get_by_role("list", name="Received").locator("summary").first.click()
    await sandbox.composer.press_sequentially("@")
    assert await find_faults(sandbox) == []


async def test_a_form_with_an_error_and_an_open_menu(sandbox: Sandbox) -> None:
    await sandbox.use_shortcut()
    form = await sandbox.opens_form("Notify in LeadSquared")
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_role("textbox", name="Text")).to_have_attribute("aria-invalid", "true")
    await form.get_by_role("combobox", name="To").fill("pri")
    await expect(form.get_by_role("option", name="Priya Nair")).to_be_visible()
    assert await find_faults(sandbox) == []


async def test_the_switches_and_the_wire(sandbox: Sandbox) -> None:
    await sandbox.say("/notify @priya Callback wired | Asha asked for 3 pm")
    await sandbox.is_notified("Callback wired")
    await sandbox.open_drawer("Switches")
    assert await find_faults(sandbox) == []
    await sandbox.open_drawer("Wire")
    requests = sandbox.page.get_by_role("list", name="Requests").get_by_role("button")
    await requests.filter(has_text="Browser.Push").first.click()
    await expect(sandbox.page.get_by_label("Request: headers and body")).to_be_visible()
    assert await find_faults(sandbox) == []


async def test_the_home_tab_and_a_narrow_screen(sandbox: Sandbox) -> None:
    await sandbox.go("LeadSquared Notifier")
    await expect(sandbox.page.get_by_role("button", name="Send a notification")).to_be_visible()
    assert await find_faults(sandbox) == []
    await sandbox.page.set_viewport_size({"width": 390, "height": 844})
    assert await find_faults(sandbox) == []
    width = await sandbox.page.evaluate("document.documentElement.scrollWidth")
    assert width == 390
