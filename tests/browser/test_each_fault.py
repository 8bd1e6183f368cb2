"""Each switch for LeadSquared's trouble, and what people are then told."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.sandbox import Sandbox
from tests.browser.test_switches import break_crm

pytestmark = pytest.mark.asyncio(loop_scope="session")

SENT = "✅ Sent to LeadSquared for Priya Nair"
REJECTED = "LeadSquared rejected it"
KEYS = "LeadSquared refused our keys"
PERHAPS = "may or may not have arrived"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("Limit: refused with 429", SENT),
        ("Limit: refused with 403", SENT),
        ("Limit: refused with 200", SENT),
        ("MX error, status 500", REJECTED),
        ("MX error, status 400", REJECTED),
        ("MX error, status 200", REJECTED),
        ("MX error without Status", REJECTED),
        ("Keys refused, 401", KEYS),
        ("Forbidden, 403", "does not let our keys do this"),
        ("Not found, 404", "has nothing at the address we use"),
        ("Service unavailable, 503", SENT),
        ("Redirect, 302", "sent us elsewhere"),
        ("I'm a teapot, 418", "refused it without saying why"),
        ("NullReferenceException, 500", PERHAPS),
        ("Empty, 200", PERHAPS),
        ("A sign-in page, 200", PERHAPS),
        ("Broken JSON, 200", PERHAPS),
        ("null, 200", PERHAPS),
        ("Error without a type, 200", PERHAPS),
        ("Empty, 500", PERHAPS),
        ("Bad gateway in HTML, 502", PERHAPS),
        ("Hangs, nothing done", PERHAPS),
        ("Hangs after accepting", PERHAPS),
        ("Reset, nothing done", PERHAPS),
        ("Reset after accepting", PERHAPS),
        ("Closed after accepting", PERHAPS),
        ("Half an answer", PERHAPS),
        ("A byte at a time", PERHAPS),
        ("A huge answer", PERHAPS),
        ("A gzip bomb", PERHAPS),
    ],
)
async def test_a_fault_of_leadsquared_is_told(sandbox: Sandbox, fault: str, told: str) -> None:
    await break_crm(sandbox, fault)
    await sandbox.say(f"/notify @priya When {fault} | 3 pm")
    card = sandbox.messages.get_by_role("listitem").filter(has_text=f"“When {fault}”")
    await expect(card.filter(has_text=told)).to_have_count(1)
    used_up = sandbox.page.get_by_role("list", name="Faults of LeadSquared")
    await expect(used_up).to_have_text("No fault is switched on.")


async def test_a_bot_removed_from_the_channel_still_answers_the_sender(
    sandbox: Sandbox,
) -> None:
    switches = await sandbox.open_drawer("Switches")
    inside = switches.get_by_label("The bot is in #sales")
    await inside.uncheck()
    await expect(sandbox.page.get_by_text("the bot is not in it")).to_be_visible()
    await sandbox.say("/notify @priya From outside | 3 pm")
    await sandbox.sees(f"{SENT}: “From outside”")
    await inside.check()
    await expect(sandbox.page.get_by_text("the bot among them")).to_be_visible()


@pytest.mark.parametrize(
    "fault",
    [
        "429, Retry-After 2",
        "Status 500",
        "An HTML page, 200",
        "Reset, nothing done",
        "Reset after doing it",
        "Hangs, nothing done",
        "Hangs after doing it",
        "expired_url (404)",
    ],
)
async def test_an_outcome_that_slack_does_not_take_comes_all_the_same(
    sandbox: Sandbox, fault: str
) -> None:
    switches = await sandbox.open_drawer("Switches")
    await switches.get_by_label("Slack's fault").select_option(label=fault)
    await switches.get_by_label("Of method").select_option("response_url")
    await switches.get_by_role("button", name="Break Slack").click()
    await sandbox.say(f"/notify @priya While Slack says {fault} | 3 pm")
    await sandbox.sees(f"{SENT}: “While Slack says {fault}”")
    used_up = switches.get_by_role("list", name="Faults of Slack")
    await expect(used_up).to_have_text("No fault is switched on.")


async def test_a_slow_leadsquared_is_waited_for(sandbox: Sandbox) -> None:
    switches = await sandbox.open_drawer("Switches")
    seconds = switches.get_by_label("Answers after (s)", exact=True)
    await seconds.fill("1")
    await seconds.press("Tab")
    await sandbox.say("/notify @priya Slowly | 3 pm")
    await sandbox.sees(f"{SENT}: “Slowly”")
    await sandbox.open_drawer("Wire")
    requests = sandbox.page.get_by_role("list", name="Requests").get_by_role("button")
    push = requests.filter(has_text="Browser.Push").first
    await expect(push).to_contain_text(re.compile(r"200\s*1\.\d+ s"))


@pytest.mark.parametrize("fault", ["not_in_channel", "internal_error"])
async def test_an_outcome_that_no_place_takes_at_once_is_posted_again(
    sandbox: Sandbox, fault: str
) -> None:
    switches = await sandbox.open_drawer("Switches")
    for method, broken in (("response_url", "expired_url (404)"), ("chat.postMessage", fault)):
        await switches.get_by_label("Slack's fault").select_option(label=broken)
        await switches.get_by_label("Of method").select_option(method)
        await switches.get_by_role("button", name="Break Slack").click()
    await sandbox.say(f"/notify @priya While {fault} | 3 pm")
    used_up = switches.get_by_role("list", name="Faults of Slack")
    await expect(used_up).to_have_text("No fault is switched on.")
    if fault == "not_in_channel":  # then it comes as a direct message
        await sandbox.go("LeadSquared Notifier")
        await sandbox.slack.get_by_role("button", name="Messages", exact=True).click()
    await sandbox.sees(f"{SENT}: “While {fault}”")
