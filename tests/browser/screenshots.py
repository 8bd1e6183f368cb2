"""`make screenshots`: the README's pictures, taken from the running page as a person plays it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path

from playwright.async_api import Browser, FloatRect, Locator, async_playwright, expect

from tests.browser.chromium import ARGS, find_chromium
from tests.browser.sandbox import WITHIN, Sandbox, open_sandbox
from tests.processes.sandbox_process import SandboxProcess

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SCALE = 1.5
"""Pixels of the picture for each of the page."""

SAME_TIME = "Date.prototype.toLocaleTimeString = () => '2:41 PM';"
"""Every message is of the same minute, so that a picture changes when the page does."""

CLOSE_TO_A_THIRD = re.compile(r"⏳ [4-7]\d of 150 sent in")


@dataclass(frozen=True)
class Scene:
    """One picture: what is played, and the part of the page that is kept, with a page so large."""

    name: str
    play: Callable[[Sandbox], Awaitable[Locator]]
    size: tuple[int, int]


async def play_command(sandbox: Sandbox) -> Locator:
    """A command's card and its notification, while the next command is completed."""
    await sandbox.be("Omar Aziz")
    await sandbox.say("Asha Rao just rang: can @priya call her at 3 pm?")
    await sandbox.sees("just rang")
    await sandbox.be("Alice Rao")
    await sandbox.say("/notify @priya Callback due | Asha asked for 3 pm")
    await sandbox.is_notified("Callback due")
    await sandbox.sees("✅ Sent to LeadSquared for Priya Nair")
    await sandbox.composer.press_sequentially("/notify @le")
    offered = sandbox.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    await expect(offered).to_have_text(["@leeLee Wong"])
    return sandbox.page.get_by_role("main")


async def play_form(sandbox: Sandbox) -> Locator:
    """The form for a missed call from a lead, with its preview."""
    await sandbox.say("/notify")
    form = await sandbox.opens_form("Notify in LeadSquared")
    await form.get_by_role("combobox", name="To").fill("pri")
    await form.get_by_role("option", name="Priya Nair").click()
    await form.get_by_role("combobox", name="Kind").click()
    await form.get_by_role("option", name="Missed call").click()
    await form.get_by_role("textbox", name="Text").fill("She would like to be called at 3 pm")
    await form.get_by_role("combobox", name="Lead").press_sequentially("asha")
    await form.get_by_role("option", name="Asha Rao").click()
    await form.get_by_role("button", name="Preview").click()
    preview = form.get_by_text("A click opens the lead's page")
    await expect(preview).to_be_visible()
    await sandbox.page.mouse.wheel(0, 5_000)
    await expect(preview).to_be_in_viewport(ratio=1)
    return form


async def play_notification(sandbox: Sandbox) -> Locator:
    """What the LeadSquared user gets."""
    await sandbox.say("/notify @priya --as call --lead asha.rao@example.com Asha asked for 3 pm")
    shown = await sandbox.is_notified("Missed call", "Asha asked for 3 pm")
    await expect(shown.get_by_role("img")).to_have_js_property("complete", value=True)
    return sandbox.page.locator(".desk")


async def play_crowd(sandbox: Sandbox) -> Locator:
    """A send to 150 people on its way, at the pace of the account."""
    switches = await sandbox.open_drawer("Switches")
    await switches.get_by_role("button", name="Send to 150 people").click()
    asked = await sandbox.sees("would go to 150 people")
    await asked.get_by_role("button", name="Send to 150").click()
    await expect(sandbox.messages.get_by_text(CLOSE_TO_A_THIRD)).to_be_visible()
    return sandbox.page.get_by_role("main")


async def play_home(sandbox: Sandbox) -> Locator:
    """The Home tab of an admin after one that was sent, one in part and one in doubt."""
    switches = await sandbox.open_drawer("Switches")
    await sandbox.say("/notify @priya Callback due | Asha asked for 3 pm")
    await sandbox.sees("✅ Sent to LeadSquared for Priya Nair")
    await sandbox.say("/notify @priya @lee @omar Standup | Moved to 11")
    await sandbox.sees("2 of 3 sent")
    await switches.get_by_label("Fault", exact=True).select_option(label="Reset after accepting")
    await switches.get_by_role("button", name="Break LeadSquared").click()
    await expect(switches.get_by_role("list", name="Faults of LeadSquared")).to_contain_text("left")
    await sandbox.say("/notify @dev Contract signed | Ravi sent it back")
    await sandbox.sees("may or may not have arrived")
    await sandbox.page.get_by_role("button", name="Close the drawer").click()
    await sandbox.go("LeadSquared Notifier")
    await expect(sandbox.page.get_by_text("“Contract signed” to Dev Shah")).to_be_visible()
    return sandbox.page.locator("#slack-main")


SCENES = (
    Scene("command", play_command, (1120, 442)),
    Scene("form", play_form, (1240, 904)),
    Scene("notification", play_notification, (1240, 800)),
    Scene("crowd", play_crowd, (1080, 668)),
    Scene("home", play_home, (1240, 930)),
)


async def take(scene: Scene, browser: Browser, folder: Path) -> Path:
    """Play a scene in a sandbox of its own; return the picture's file."""
    async with _running() as process:
        sandbox = await open_sandbox(browser, process, scene.size, SCALE)
        await sandbox.page.add_init_script(SAME_TIME)
        await sandbox.page.reload()
        await expect(sandbox.page.get_by_label("You are")).not_to_be_empty()
        kept = await scene.play(sandbox)
        await sandbox.page.mouse.move(0, 0)
        path = folder / f"{scene.name}.png"
        await sandbox.page.screenshot(
            path=path, clip=await measure(kept), animations="disabled", caret="hide"
        )
        await sandbox.context.close()
    assert sandbox.problems == []
    return path


async def measure(kept: Locator) -> FloatRect:
    """Return the part's place without its edges, which may lie between two pixels of a picture."""
    box = await kept.bounding_box()
    assert box is not None
    left, top = (ceil(each / 2) * 2 for each in (box["x"], box["y"]))
    right = floor((box["x"] + box["width"]) / 2) * 2
    bottom = floor((box["y"] + box["height"]) / 2) * 2
    return FloatRect(x=left, y=top, width=right - left, height=bottom - top)


@asynccontextmanager
async def _running() -> AsyncIterator[SandboxProcess]:
    process = SandboxProcess()
    await process.start()
    try:
        yield process
    finally:
        await process.stop()


async def take_all(chromium: str, names: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    expect.set_options(timeout=WITHIN)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGS))
        for scene in SCENES:
            if not names or scene.name in names:
                path = await take(scene, browser, PICTURES)
                say(f"{path.relative_to(PICTURES.parents[1])}  {path.stat().st_size / 1000:.0f} kB")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(chromium: str | None, names: list[str]) -> int:
    """Take the pictures of these names, or all; return the exit code."""
    if chromium is None:
        say("No Chromium found. Install one, or name it: CHROMIUM=/path/to/chromium")
        return 1
    asyncio.run(take_all(chromium, names))
    return 0


if __name__ == "__main__":
    sys.exit(main(find_chromium(), sys.argv[1:]))
