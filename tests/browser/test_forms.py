import pytest
from playwright.async_api import expect

from tests.browser.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

TITLE = "Notify in LeadSquared"


async def test_a_message_becomes_a_notification_by_way_of_its_menu(sandbox: Sandbox) -> None:
    await sandbox.say("Asha wants 3 pm")
    await sandbox.use_shortcut("Asha wants 3 pm")
    form = await sandbox.opens_form(TITLE)
    await expect(form.get_by_role("textbox", name="Text")).to_have_value("Asha wants 3 pm")
    await form.get_by_role("textbox", name="Title").fill("Callback due by menu")
    await form.get_by_role("button", name="Send").click()
    to = form.get_by_role("combobox", name="To")
    await expect(form.get_by_text("Choose at least one person")).to_be_visible()
    await expect(to).to_have_attribute("aria-invalid", "true")
    await expect(to).to_be_focused()
    await to.press_sequentially("priya")
    await form.get_by_role("option", name="Priya Nair").click()
    await expect(form.get_by_role("button", name="Remove Priya Nair")).to_be_visible()
    await form.get_by_role("button", name="Send").click()
    await expect(form).to_be_hidden()
    await sandbox.is_notified("Callback due by menu", "Asha wants 3 pm")
    said = await sandbox.sees("Asha wants 3 pm")
    await said.get_by_role("button", name="1 reply").click()
    thread = sandbox.page.get_by_role("list", name="Thread messages")
    await expect(thread).to_contain_text("Sent to LeadSquared for Priya Nair")
    card = sandbox.messages.get_by_role("listitem").filter(has_text="“Callback due by menu”")
    await expect(card).to_have_count(0)


async def test_leads_are_found_as_one_types_and_the_preview_keeps_what_is_written(
    sandbox: Sandbox,
) -> None:
    await sandbox.use_shortcut()
    form = await sandbox.opens_form(TITLE)
    lead = form.get_by_role("combobox", name="Lead")
    await lead.press_sequentially("as")
    await expect(form.get_by_text("Type at least 3 characters.")).to_be_visible()
    await lead.press_sequentially("ha")
    await expect(form.get_by_role("option")).to_have_count(2)
    await form.get_by_role("option", name="Asha Rao").click()
    await form.get_by_role("combobox", name="Kind").click()
    await form.get_by_role("option", name="Missed call").click()
    await form.get_by_role("textbox", name="Text").fill("Asha called at 3 pm")
    await form.get_by_role("checkbox", name="Also notify the lead's owner").check()
    await form.get_by_role("button", name="Preview").click()
    await expect(form.get_by_role("heading", name="Missed call")).to_be_visible()
    await expect(form.get_by_text("A click opens the lead's page")).to_be_in_viewport(ratio=1)
    await expect(form.get_by_role("img", name="icon")).to_have_js_property("naturalWidth", 96)
    await expect(form.get_by_role("button", name="Preview")).to_be_focused()
    await expect(lead).to_have_value("Asha Rao · asha.rao@example.com · +91-9000000001")
    await form.get_by_role("button", name="Send").click()
    await expect(form).to_be_hidden()
    notification = await sandbox.is_notified("Missed call", "Asha called at 3 pm")
    link = notification.get_by_role("link")
    assert "LeadDetails?LeadID=" in str(await link.get_attribute("href"))
    assert await link.get_attribute("target") == "_blank"


async def test_slack_itself_asks_for_what_is_required(sandbox: Sandbox) -> None:
    await sandbox.use_shortcut()
    form = await sandbox.opens_form(TITLE)
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_text("Please complete this required field.")).to_be_visible()
    await expect(form.get_by_role("textbox", name="Text")).to_be_focused()


async def test_the_keyboard_is_enough_for_a_form(sandbox: Sandbox) -> None:
    await sandbox.say("/notify")
    form = await sandbox.opens_form(TITLE)
    await expect(form.get_by_role("combobox", name="To")).to_be_focused()
    await sandbox.page.keyboard.type("pri")
    await expect(form.get_by_role("option", name="Priya Nair")).to_be_visible()
    await sandbox.page.keyboard.press("Enter")
    await form.get_by_role("textbox", name="Title").focus()
    await sandbox.page.keyboard.type("Typed in full")
    await sandbox.page.keyboard.press("Tab")
    await sandbox.page.keyboard.type("3 pm")
    await form.get_by_role("textbox", name="Title").press("Enter")
    await expect(form).to_be_hidden()
    await sandbox.is_notified("Typed in full", "3 pm")
    await sandbox.say("/notify")
    await sandbox.opens_form(TITLE)
    await sandbox.page.keyboard.press("Escape")
    await expect(sandbox.form).to_be_hidden()
    await expect(sandbox.composer).to_be_focused()


async def test_many_are_asked_about_in_a_form_of_its_own(sandbox: Sandbox) -> None:
    await sandbox.use_shortcut()
    form = await sandbox.opens_form(TITLE)
    to = form.get_by_role("combobox", name="To")
    for name in ("Alice Rao", "Priya Nair", "Lee Wong", "Dev Shah", "Omar Aziz", "Noma Il"):
        await to.fill(name)
        await form.get_by_role("option", name=name).click()
    await form.get_by_role("textbox", name="Text").fill("Moved to 12 for six")
    await form.get_by_role("button", name="Send").click()
    asked = await sandbox.opens_form("Send to so many?")
    await asked.get_by_role("button", name="Send to 6").click()
    await expect(sandbox.form).to_be_hidden()
    await sandbox.go("LeadSquared Notifier")
    await expect(sandbox.page.get_by_text("4 of 6 sent")).to_be_visible()
