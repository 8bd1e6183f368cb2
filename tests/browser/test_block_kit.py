"""Blocks that the bot does not use itself, posted to the stand-in Slack as any app would."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(name: str) -> Json:
    return {"text": plain(name), "value": name.lower()}


async def post(sandbox: Sandbox, text: str, *blocks: Json) -> None:
    """Post to #sales with the bot's own token."""
    found = re.search(r"^Slack stand-in +(\S+)$", sandbox.process.output, re.MULTILINE)
    assert found is not None
    answer = await sandbox.context.request.post(
        f"{found[1]}chat.postMessage",
        headers={"Authorization": "Bearer xoxb-1-sandbox"},
        data={"channel": "C0SALES01", "text": text, "blocks": list(blocks)},
    )
    told = await answer.json()
    assert told["ok"], told


async def test_marks_are_read_as_slack_reads_them(sandbox: Sandbox) -> None:
    text = (
        "*bold* _italic_ ~gone~ `*code*` 2*3*4 snake_case_name &lt;b&gt; &amp;amp;\n"
        "&gt; quoted *too*\nafter ```pre *not bold*```<https://example.com/a?b=1&amp;c=2|a link> "
        "<javascript:alert(1)|no link> <@U0PRIYA01> <#C0SALES01> <!subteam^S0SALES01> <!here> "
        ":tada: :nothing: <!date^0^{date_num}|then>"
    )
    await post(sandbox, "marks", {"type": "section", "text": mrkdwn(text)})
    message = await sandbox.sees("snake_case_name")
    await expect(message.locator(".text strong")).to_have_text(["bold", "too"])
    await expect(message.locator(".text em")).to_have_text("italic")
    await expect(message.locator(".text s")).to_have_text("gone")
    await expect(message.locator(".text code")).to_have_text("*code*")
    await expect(message.locator("blockquote")).to_have_text("quoted too")
    await expect(message.locator("pre")).to_have_text("pre *not bold*")
    link = message.get_by_role("link")
    await expect(link).to_have_count(1)
    await expect(link).to_have_attribute("href", "https://example.com/a?b=1&c=2")
    await expect(message.locator(".mention")).to_have_text(["@priya", "#sales", "@sales-team"])
    await expect(message).to_contain_text("2*3*4 snake_case_name <b> &amp;")
    await expect(message).to_contain_text("no link")
    await expect(message).to_contain_text("@here 🎉 :nothing: 1970-01-01")


async def test_every_kind_of_block_has_its_look(sandbox: Sandbox) -> None:
    rich = [
        {
            "type": "rich_text_section",
            "elements": [{"type": "text", "text": "strong", "style": {"bold": True}}],
        },
        {
            "type": "rich_text_list",
            "style": "ordered",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": each}]}
                for each in ("first", "second")
            ],
        },
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a < b"}]},
        {
            "type": "rich_text_quote",
            "elements": [{"type": "emoji", "name": "x", "unicode": "1f44d"}],
        },
    ]
    await post(
        sandbox,
        "blocks",
        {"type": "header", "text": plain("Every block")},
        {"type": "section", "fields": [mrkdwn("*One*"), plain("*Two*")]},
        {"type": "divider"},
        {"type": "image", "image_url": "https://elsewhere.example/a.png", "alt_text": "A chart"},
        {"type": "context", "elements": [mrkdwn("From _here_")]},
        {"type": "rich_text", "elements": rich},
    )
    message = await sandbox.sees("Every block")
    await expect(message.get_by_role("heading", name="Every block")).to_be_visible()
    await expect(message.locator(".fields strong")).to_have_text("One")
    await expect(message.locator(".fields")).to_contain_text("*Two*")
    await expect(message.get_by_role("separator")).to_have_count(1)
    await expect(message.get_by_role("img", name="A chart")).to_be_visible()
    await expect(message.locator("ol li")).to_have_text(["first", "second"])
    await expect(message.locator("pre")).to_have_text("a < b")
    await expect(message.locator("blockquote")).to_have_text("👍")


async def test_elements_are_pressed_and_chosen_once_a_question_is_answered(
    sandbox: Sandbox,
) -> None:
    question = {
        "title": plain("Sure?"),
        "text": mrkdwn("This *cannot* be undone."),
        "confirm": plain("Do it"),
        "deny": plain("No"),
        "style": "danger",
    }
    await post(
        sandbox,
        "elements",
        {"type": "section", "text": plain("Elements of all kinds")},
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "kit_1",
                    "text": plain("Delete"),
                    "confirm": question,
                },
                {
                    "type": "overflow",
                    "action_id": "kit_2",
                    "options": [option("Edit"), option("Copy")],
                },
                {
                    "type": "static_select",
                    "action_id": "kit_3",
                    "placeholder": plain("Pick a colour"),
                    "options": [option("Red"), option("Blue")],
                },
                {
                    "type": "radio_buttons",
                    "action_id": "kit_4",
                    "options": [option("Yes"), option("Maybe")],
                    "initial_option": option("Maybe"),
                },
                {"type": "checkboxes", "action_id": "kit_5", "options": [option("Loud")]},
                {"type": "datepicker", "action_id": "kit_6", "initial_date": "2026-01-02"},
                {
                    "type": "users_select",
                    "action_id": "kit_7",
                    "placeholder": plain("Pick somebody"),
                },
            ],
        },
    )
    message = await sandbox.sees("Elements of all kinds")
    wire = await sandbox.open_drawer("Wire")
    requests = wire.get_by_role("list", name="Requests").get_by_role("button")
    await message.get_by_role("button", name="Delete").click()
    asked = sandbox.page.get_by_role("dialog", name="Sure?")
    await expect(asked).to_contain_text("This cannot be undone.")
    await asked.get_by_role("button", name="No").click()
    await expect(asked).to_be_hidden()
    await message.get_by_role("button", name="Delete").click()
    await asked.get_by_role("button", name="Do it").click()
    await expect(requests.filter(has_text="kit_1")).to_have_count(1)
    await message.get_by_role("button", name="More", exact=True).click()
    await message.get_by_role("menuitem", name="Copy").click()
    await expect(requests.filter(has_text="kit_2")).to_have_count(1)
    await message.get_by_role("combobox", name="Pick a colour").click()
    await message.get_by_role("option", name="Blue").click()
    await requests.filter(has_text="kit_3").click()
    detail = sandbox.page.get_by_role("region", name="The request")
    await expect(detail).to_contain_text('"value": "blue"')
    await expect(message.get_by_role("radio", name="Maybe")).to_be_checked()
    await message.get_by_role("radio", name="Yes").check()
    await expect(requests.filter(has_text="kit_4")).to_have_count(1)
    await message.get_by_role("checkbox", name="Loud").check()
    await expect(requests.filter(has_text="kit_5")).to_have_count(1)
    await expect(message.locator("input[type=date]")).to_have_value("2026-01-02")
    await message.get_by_role("combobox", name="Pick somebody").fill("lee")
    await message.get_by_role("option", name="Lee Wong").click()
    await requests.filter(has_text="kit_7").click()
    await expect(detail).to_contain_text('"selected_user": "U0LEE0001"')
