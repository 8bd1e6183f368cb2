import pytest
from playwright.async_api import expect

from tests.browser.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_home_tab_shows_what_was_sent_and_follows_it(own_sandbox: Sandbox) -> None:
    sandbox = own_sandbox
    await sandbox.go("LeadSquared Notifier")
    home = sandbox.page.get_by_role("region", name="Home tab")
    await expect(home).to_contain_text("You have sent nothing yet.")
    await home.get_by_role("button", name="Send a notification").click()
    form = await sandbox.opens_form("Notify in LeadSquared")
    await form.get_by_role("combobox", name="To").fill("dev")
    await form.get_by_role("option", name="Dev Shah").click()
    await form.get_by_role("textbox", name="Text").fill("Moved to 11")
    await form.get_by_role("button", name="Send").click()
    await sandbox.is_notified("Message from Alice Rao", "Moved to 11")
    await expect(home).to_contain_text("“Message from Alice Rao” to Dev Shah")
    await home.get_by_role("button", name="Details").click()
    await sandbox.opens_form("Details")
    await sandbox.form.get_by_role("button", name="Close", exact=True).click()
    await expect(sandbox.form).to_be_hidden()
    await sandbox.page.get_by_role("button", name="Messages", exact=True).click()
    await sandbox.sees("✅ Sent to LeadSquared for Dev Shah")


async def test_everybody_sees_their_own_conversations_and_answers(sandbox: Sandbox) -> None:
    await sandbox.say("/notify whoami")
    await sandbox.sees("Only visible to you")
    places = sandbox.page.get_by_role("navigation", name="Conversations").get_by_role("listitem")
    await expect(places).to_have_count(5)
    await sandbox.be("Gus Guest")
    await expect(places).to_have_text(["sales", "LeadSquared Notifier"])
    await expect(sandbox.messages.get_by_text("Only visible to you")).to_have_count(0)
    await sandbox.say("/notify @priya Hello")
    await sandbox.sees("guest")
    await sandbox.be("Omar Aziz")
    await sandbox.say("/notify whoami")
    await sandbox.sees("Omar Aziz in Slack (omar@acme.com) is not linked")
    await sandbox.be("Ina Ctive")
    await sandbox.say("/notify whoami")
    await sandbox.sees("is not linked")


async def test_where_the_bot_is_not_the_answer_still_comes(sandbox: Sandbox) -> None:
    await sandbox.go("random")
    await expect(sandbox.page.get_by_text("the bot is not in it")).to_be_visible()
    await sandbox.say("/notify @priya From random | 3 pm")
    await sandbox.sees("✅ Sent to LeadSquared for Priya Nair: “From random”")
    await sandbox.go("sales")
    await expect(sandbox.messages.get_by_text("“From random”")).to_have_count(0)


async def test_what_people_write_is_never_markup(sandbox: Sandbox) -> None:
    evil = "<img src=x onerror=alert(1)> & <b>bold</b>"
    await sandbox.say(evil)
    await sandbox.sees(evil)
    await sandbox.say(f"/notify @priya {evil} | <script>alert(1)</script>")
    await sandbox.is_notified(evil, "<script>alert(1)</script>")
    markup = "img[src=x], :is(.message, .toast) :is(b, script)"
    assert await sandbox.page.locator(markup).count() == 0
