import pytest
from playwright.async_api import expect

from tests.browser.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPY = """
window.shown = [];
const Real = window.Notification;
window.Notification = class extends Real {
  constructor(title, options) { super(title, options); window.shown.push([title, options.body]); }
};
"""


async def test_a_narrow_screen_shows_one_half_and_counts_what_comes_in_the_other(
    sandbox: Sandbox,
) -> None:
    await sandbox.page.set_viewport_size({"width": 390, "height": 844})
    screens = sandbox.page.get_by_role("navigation", name="Screens")
    crm = sandbox.page.get_by_role("region", name="LeadSquared", exact=True)
    await expect(crm).to_be_hidden()
    await sandbox.say("/notify @priya Seen on a telephone | 3 pm")
    await sandbox.sees("“Seen on a telephone”")
    await expect(screens.get_by_role("button", name="LeadSquared")).to_have_text("LeadSquared1")
    await screens.get_by_role("button", name="LeadSquared").click()
    await expect(sandbox.slack).to_be_hidden()
    await sandbox.is_notified("Seen on a telephone")
    await expect(screens.get_by_role("button", name="LeadSquared")).to_have_text("LeadSquared")
    await screens.get_by_role("button", name="Wire").click()
    await expect(crm).to_be_hidden()
    await expect(sandbox.page.get_by_role("list", name="Requests")).to_be_visible()
    await screens.get_by_role("button", name="Slack").click()
    await expect(sandbox.composer).to_be_visible()


async def test_notifications_are_cut_where_chrome_cuts_and_can_be_dismissed(
    sandbox: Sandbox,
) -> None:
    title, text = "T" * 70, "x" * 150
    await sandbox.say(f"/notify @priya {title} | {text}")
    shown = await sandbox.is_notified("T" * 63 + "…", "x" * 120 + "…")
    await sandbox.page.get_by_label("Shown as in").select_option("macos")
    await sandbox.is_notified("T" * 34 + "…", "x" * 87 + "…")
    await expect(shown).not_to_contain_text("T" * 35)
    await shown.get_by_role("button", name="Dismiss").click()
    await expect(sandbox.notifications.filter(has_text="T" * 34)).to_have_count(0)


async def test_each_has_a_screen_of_their_own(sandbox: Sandbox) -> None:
    await sandbox.say("/notify @lee Only for Lee | 3 pm")
    await sandbox.is_notified("Only for Lee")
    users = sandbox.page.get_by_label("Whose screen")
    await expect(users.locator("option:checked")).to_contain_text("Lee Wong")
    await users.select_option(label="Ina Active (inactive)")
    await expect(sandbox.page.get_by_text("Inactive in LeadSquared")).to_be_visible()
    await expect(sandbox.page.get_by_label("follow")).not_to_be_checked()
    await sandbox.say("/notify @lee Lee once more | 3 pm")
    await sandbox.sees("“Lee once more”")
    await expect(users.locator("option:checked")).to_have_text("Ina Active (inactive)")


async def test_they_appear_on_the_viewers_own_desktop_if_that_is_allowed(sandbox: Sandbox) -> None:
    await sandbox.context.grant_permissions(["notifications"])
    await sandbox.page.add_init_script(SPY)
    await sandbox.page.reload()
    await expect(sandbox.page.get_by_text("Desktop notifications are on")).to_be_visible()
    await expect(sandbox.page.get_by_role("option", name="Alice Rao (admin)")).to_be_attached()
    await sandbox.say("/notify @priya On the desktop | 3 pm")
    await sandbox.is_notified("On the desktop")
    shown = await sandbox.page.evaluate("window.shown")
    assert shown == [["On the desktop", "3 pm\n— Alice Rao, Slack"]]


async def test_light_and_dark_by_the_machine_and_by_the_button(sandbox: Sandbox) -> None:
    async def read_colour() -> str:
        colour: str = await sandbox.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return colour

    button = sandbox.page.get_by_role("button", name="Dark colours")
    await sandbox.page.emulate_media(color_scheme="dark")
    await expect(button).to_have_attribute("aria-pressed", "true")
    dark = await read_colour()
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "false")
    light = await read_colour()
    assert light != dark
    await sandbox.page.emulate_media(color_scheme="light")
    await button.click()
    assert await read_colour() == dark


async def test_replies_stay_in_their_thread(sandbox: Sandbox) -> None:
    await sandbox.say("Who calls Ravi?")
    message = await sandbox.sees("Who calls Ravi?")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await message.get_by_role("menuitem", name="Reply in thread").click()
    thread = sandbox.page.get_by_role("complementary", name="Thread")
    await thread.get_by_role("combobox", name="Reply").fill("I do")
    await thread.get_by_role("combobox", name="Reply").press("Enter")
    await expect(thread.get_by_role("list", name="Thread messages")).to_contain_text("I do")
    await expect(message.get_by_role("button", name="1 reply")).to_be_visible()
    await thread.get_by_role("combobox", name="Reply").fill("/notify help")
    await thread.get_by_role("combobox", name="Reply").press("Enter")
    await expect(sandbox.page.get_by_text("Slack takes no commands in threads.")).to_be_visible()
    await thread.get_by_role("button", name="Close the thread").click()
    await expect(thread).to_be_hidden()
    await sandbox.say("/dance")
    await expect(sandbox.page.get_by_text("/dance is not a valid command.")).to_be_visible()
    await expect(sandbox.composer).to_have_value("/dance")


async def test_a_page_that_loses_the_sandbox_says_so(own_sandbox: Sandbox) -> None:
    own_sandbox.process.type("/quit")
    state = own_sandbox.page.get_by_role("banner").get_by_role("status")
    await expect(state).to_have_text("The sandbox has ended")
    own_sandbox.problems.clear()  # it goes on trying to connect, which Chromium reports


async def test_a_screen_names_the_leads_that_a_command_can_name(sandbox: Sandbox) -> None:
    users = sandbox.page.get_by_label("Whose screen")
    await users.select_option(label="Ina Active (inactive)")
    leads = sandbox.page.get_by_role("list", name="Leads")
    await expect(leads).to_have_text("Zoë Müllerzoe@example.com · +49-301234567")
    await sandbox.say("/notify @priya --lead +49-301234567 Zoë called | 3 pm")
    await sandbox.sees("Opens lead Zoë Müller")
