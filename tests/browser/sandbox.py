"""One page of a real sandbox in a real browser, with words for what people do there."""

import re
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.processes.sandbox_process import SandboxProcess

WITHIN = 15_000
"""Milliseconds to wait for what should appear."""

STARTED = "Try: /notify"
START_WITHIN = 40.0
"""Seconds; the sandbox itself gives its bot 30."""

TIDY: dict[str, dict[str, object]] = {
    "crm-clear": {},
    "crm-latency": {"seconds": 0},
    "crm-limit": {"limit": 25},
    "slack-clear": {},
    "slack-latency": {"seconds": 0},
}


@dataclass
class Sandbox:
    """`problems` collects what the page complains about; a test that ends with any has failed."""

    process: SandboxProcess
    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)

    @property
    def slack(self) -> Locator:
        return self.page.get_by_role("region", name="Slack", exact=True)

    @property
    def messages(self) -> Locator:
        return self.page.get_by_role("list", name="Messages", exact=True)

    @property
    def notifications(self) -> Locator:
        return self.page.get_by_role("list", name="Notifications", exact=True)

    @property
    def form(self) -> Locator:
        return self.slack.get_by_role("dialog")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("combobox", name="Message")

    async def be(self, name: str) -> None:
        """Become the person whose name begins like this."""
        people = self.page.get_by_label("You are")
        label = await people.locator("option", has_text=name).inner_text()
        await people.select_option(label=label)

    async def go(self, place: str) -> None:
        """Open a conversation, or the app."""
        places = self.page.get_by_role("navigation", name="Conversations")
        await places.get_by_role("button", name=place).click()

    async def say(self, text: str) -> None:
        """Write a message or a command and send it."""
        await self.composer.fill(text)
        await self.composer.press("Escape")
        await self.composer.press("Enter")

    async def sees(self, text: str) -> Locator:
        """Wait for a message with this text; return the newest such."""
        message = self.messages.get_by_role("listitem").filter(has_text=text).last
        await expect(message).to_be_visible()
        return message

    async def is_notified(self, *texts: str) -> Locator:
        """Wait until the notification on the screen says all of this."""
        newest = self.notifications.get_by_role("listitem").first
        for text in texts:
            await expect(newest).to_contain_text(text)
        return newest

    async def opens_form(self, title: str) -> Locator:
        await expect(self.form.get_by_role("heading", name=title)).to_be_visible()
        return self.form

    async def use_shortcut(self, message: str | None = None) -> None:
        """Use the global shortcut, or that in the menu of the message with this text."""
        if message is None:
            await self.page.get_by_role("button", name="Shortcuts").click()
        else:
            said = await self.sees(message)
            await said.hover()
            await said.get_by_role("button", name="More actions").click()
        await self.page.get_by_role("menuitem", name="Notify in LeadSquared").click()

    async def open_drawer(self, name: str) -> Locator:
        """Open the switches or the wire inspector."""
        button = self.page.get_by_role("navigation", name="Screens").get_by_role(
            "button", name=name
        )
        if await button.get_attribute("aria-pressed") == "false":
            await button.click()
        return self.page.get_by_role("region", name=name, exact=True)

    async def tidy_up(self) -> None:
        """Leave the stand-ins as they were, and no form open."""
        for action, fields in TIDY.items():
            address = f"{self.page.url}do/{action}"
            assert (await self.context.request.post(address, data=fields)).ok
        if await self.form.is_visible():
            await self.form.get_by_role("button", name="Close the form").click()
            await expect(self.form).to_be_hidden()


async def open_sandbox(
    browser: Browser,
    process: SandboxProcess,
    size: tuple[int, int] = (1280, 800),
    scale: float = 1.0,
) -> Sandbox:
    await process.prints(STARTED, START_WITHIN)
    found = re.search(r"^Open (http://127\.0\.0\.1:\d+) ", process.output, re.MULTILINE)
    assert found is not None, process.output
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=scale,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    page.set_default_timeout(WITHIN)
    sandbox = Sandbox(process, context, page)
    page.on("pageerror", lambda error: sandbox.problems.append(str(error)))
    page.on(
        "console",
        lambda message: (
            sandbox.problems.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("request", lambda request: _check_address(sandbox, request.url, found[1]))
    await page.goto(found[1])
    await expect(page.get_by_role("status").filter(has_text="The bot is running")).to_be_visible()
    return sandbox


def _check_address(sandbox: Sandbox, url: str, own: str) -> None:
    if not url.startswith((own, own.replace("http", "ws", 1))):
        sandbox.problems.append(f"asks for {url}")
