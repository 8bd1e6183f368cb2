import re

import pytest
from playwright.async_api import expect

from tests.browser.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def break_crm(sandbox: Sandbox, fault: str) -> None:
    switches = await sandbox.open_drawer("Switches")
    await switches.get_by_label("Fault", exact=True).select_option(label=fault)
    await switches.get_by_role("button", name="Break LeadSquared").click()
    await expect(switches.get_by_role("list", name="Faults of LeadSquared")).to_contain_text(fault)


async def test_an_uncertain_answer_is_told_and_sent_again_by_a_press(sandbox: Sandbox) -> None:
    await break_crm(sandbox, "Reset after accepting")
    await sandbox.say("/notify @priya Cut off | 3 pm")
    card = await sandbox.sees("“Cut off”")
    await expect(card).to_contain_text("may or may not have arrived")
    await sandbox.is_notified("Cut off")
    await card.get_by_role("button", name="Send again").click()
    await sandbox.sees("✅ Sent to LeadSquared for Priya Nair: “Cut off”")
    shown = sandbox.notifications.get_by_role("listitem").filter(has_text="Cut off")
    await expect(shown).to_have_count(2)


async def test_a_browser_that_blocks_notifications_is_refused(sandbox: Sandbox) -> None:
    await sandbox.page.get_by_label("this browser blocks them").check()
    await expect(sandbox.page.get_by_text("This browser shows no notifications")).to_be_visible()
    await sandbox.say("/notify @priya Blocked | 3 pm")
    card = await sandbox.sees("“Blocked”")
    await expect(card).to_contain_text("LeadSquared rejected it")
    await sandbox.page.get_by_label("this browser blocks them").uncheck()
    await card.get_by_role("button", name="Retry").click()
    await sandbox.sees("✅ Sent to LeadSquared for Priya Nair: “Blocked”")


async def test_slack_can_break_too_and_be_mended(sandbox: Sandbox) -> None:
    switches = await sandbox.open_drawer("Switches")
    await switches.get_by_label("Slack's fault").select_option("expired_url")
    await switches.get_by_label("Of method").select_option("response_url")
    await switches.get_by_role("button", name="Break Slack").click()
    faults = switches.get_by_role("list", name="Faults of Slack")
    await expect(faults).to_have_text("response_url: expired_url (404) (1 left)")
    await sandbox.say("/notify @priya Expired | 3 pm")
    await sandbox.sees("✅ Sent to LeadSquared for Priya Nair: “Expired”")
    await expect(faults).to_have_text("No fault is switched on.")


async def test_a_killed_bot_goes_on_with_its_queue(own_sandbox: Sandbox) -> None:
    sandbox = own_sandbox
    switches = await sandbox.open_drawer("Switches")
    await switches.get_by_label("Calls in 5 s").fill("1")
    await switches.get_by_label("Calls in 5 s").press("Tab")
    await sandbox.say("/notify @priya @lee Standup | moved to 11")
    await sandbox.sees("⏳ 1 of 2 sent")
    await switches.get_by_role("button", name="Kill", exact=True).click()
    state = sandbox.page.get_by_role("banner").get_by_role("status")
    await expect(state).to_have_text("The bot is stopped")
    await sandbox.say("/notify @priya While | it is away")
    await sandbox.sees('/notify failed with the error "dispatch_failed"')
    await switches.get_by_label("Calls in 5 s").fill("25")
    await switches.get_by_label("Calls in 5 s").press("Tab")
    await switches.get_by_role("button", name="Start", exact=True).click()
    await expect(state).to_have_text("The bot is running (start 2)")
    await sandbox.sees("✅ 2 of 2 sent")


async def test_a_form_says_when_the_bot_is_away_and_keeps_what_was_typed(
    own_sandbox: Sandbox,
) -> None:
    await own_sandbox.use_shortcut()
    form = await own_sandbox.opens_form("Notify in LeadSquared")
    await form.get_by_role("textbox", name="Text").fill("Asha wants 3 pm")
    switches = await own_sandbox.open_drawer("Switches")
    await switches.get_by_role("button", name="Kill", exact=True).click()
    await expect(switches.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    await form.get_by_role("button", name="Preview").click()
    await expect(form.get_by_role("alert")).to_have_text("The bot could not be reached.")
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_role("alert")).to_have_text(
        "We had some trouble connecting. Try again?"
    )
    await expect(form.get_by_role("textbox", name="Text")).to_have_value("Asha wants 3 pm")


async def test_a_crowd_is_asked_about_and_goes_out_at_the_pace_of_the_account(
    own_sandbox: Sandbox,
) -> None:
    sandbox = own_sandbox
    switches = await sandbox.open_drawer("Switches")
    await switches.get_by_label("Calls in 5 s").fill("1000")
    await switches.get_by_label("Calls in 5 s").press("Tab")
    await switches.get_by_role("button", name="Send to 150 people").click()
    asked = await sandbox.sees("would go to 150 people")
    await asked.get_by_role("button", name="Send to 150").click()
    await sandbox.sees("Queued for 150 people")
    progress = await sandbox.sees("of 150 sent in")
    meter = sandbox.page.get_by_role("meter", name="Calls in the window")
    await expect(meter).not_to_have_attribute("aria-valuenow", re.compile("^[01]$"))
    await progress.get_by_role("button", name="Cancel").click()
    await sandbox.sees("taken back")


async def test_the_wire_shows_every_request_with_the_secrets_masked(sandbox: Sandbox) -> None:
    await sandbox.say("/notify @priya Over the wire | 3 pm")
    await sandbox.is_notified("Over the wire")
    await sandbox.open_drawer("Wire")
    requests = sandbox.page.get_by_role("list", name="Requests").get_by_role("button")
    detail = sandbox.page.get_by_role("region", name="The request")
    await requests.filter(has_text="Slack → Bot").filter(has_text="Over the wire").click()
    await expect(detail).to_contain_text('"text": "<@U0PRIYA01> Over the wire | 3 pm"')
    await expect(detail).to_contain_text(re.compile(r"X-Slack-Signature: v0=\w{3}•••"))
    await expect(detail).to_contain_text('"token": "•••"')
    push = requests.filter(has_text="Bot → LeadSquared").filter(has_text="Browser.Push").first
    await expect(push).to_contain_text(re.compile(r"200\d+ ms"))
    await push.click()
    await expect(detail).to_contain_text("x-LSQ-SecretKey: •••")
    await expect(detail).to_contain_text("Message broadcasted successfully")
    await requests.filter(has_text="users.info").first.click()
    await expect(detail).to_contain_text("Authorization: Bearer •••")
    await sandbox.page.get_by_label("Show", exact=True).select_option("bot-slack")
    await expect(requests.filter(has_text="Slack → Bot")).to_have_count(0)
