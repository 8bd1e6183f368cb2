import json

import pytest
from playwright.async_api import expect

from tests.browser.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_typed_command_becomes_a_card_and_a_notification(sandbox: Sandbox) -> None:
    await sandbox.composer.press_sequentially("/not")
    await sandbox.composer.press("Enter")
    await sandbox.composer.press_sequentially("@pri")
    offered = sandbox.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    await expect(offered).to_have_text(["@priyaPriya Nair"])
    await sandbox.composer.press("Enter")
    await expect(sandbox.composer).to_have_value("/notify @priya ")
    await sandbox.composer.press_sequentially("Callback due | Asha asked for 3 pm")
    await sandbox.composer.press("Enter")
    card = await sandbox.sees("✅ Sent to LeadSquared for Priya Nair: “Callback due”.")
    await expect(card).to_contain_text("From Alice Rao")
    shown = await sandbox.is_notified("Callback due", "Asha asked for 3 pm\n— Alice Rao, Slack")
    await expect(shown).to_contain_text("Chrome · in21.leadsquared.com")
    await sandbox.page.get_by_role("list", name="Received").locator("summary").first.click()
    raw = await sandbox.page.get_by_label("The JSON that LeadSquared received").first.inner_text()
    assert json.loads(raw)["Title"] == "Callback due"
    meter = sandbox.page.get_by_role("meter", name="Calls in the window")
    await expect(meter).to_have_attribute("aria-valuemax", "25")
    await expect(sandbox.page.get_by_text("Acknowledged in")).to_be_visible()


async def test_every_word_after_notify_is_suggested(sandbox: Sandbox) -> None:
    await sandbox.composer.press_sequentially("/notify")
    offered = sandbox.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    words = ("help", "whoami", "test", "status", "link", "unlink", "check")
    await expect(offered).to_contain_text(["@priya", *(f"/notify {word}" for word in words)])
    await expect(offered.last).to_be_in_viewport(ratio=1)
    await sandbox.composer.press("ArrowUp")
    await sandbox.composer.press("Enter")
    await expect(sandbox.composer).to_have_value("/notify check")


async def test_of_two_leads_that_fit_one_is_chosen_before_anything_is_sent(
    sandbox: Sandbox,
) -> None:
    await sandbox.say("/notify owner --lead zoe@example.com Which lead | 3 pm")
    asked = await sandbox.sees("2 leads fit. Nothing was sent yet.")
    await asked.get_by_role("button", name="2. Max Müller").click()
    await sandbox.sees("✅ Sent to LeadSquared for Lee Wong: “Which lead”. Opens lead Max Müller.")
    await sandbox.is_notified("Which lead", "3 pm")


async def test_lines_on_the_input_go_on_working_beside_the_page(sandbox: Sandbox) -> None:
    sandbox.process.type("/notify @priya From | the terminal")
    await sandbox.sees("✅ Sent to LeadSquared for Priya Nair: “From”.")
    await sandbox.is_notified("From", "the terminal")


async def test_a_mistake_is_no_longer_told_once_something_else_is_said(sandbox: Sandbox) -> None:
    await sandbox.say("/dance")
    told = sandbox.page.get_by_text("/dance is not a valid command.")
    await expect(told).to_be_visible()
    await sandbox.say("Nobody dances here")
    await sandbox.sees("Nobody dances here")
    await expect(told).to_be_hidden()
