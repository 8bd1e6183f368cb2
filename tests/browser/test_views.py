"""Forms that the bot does not open itself, from an app that answers as it is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.unit.sandbox_page import Visit, open_visit
from tests.unit.sandbox_slack_app import field_block, modal, option, plain

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


@pytest_asyncio.fixture(loop_scope="session")
async def visit() -> AsyncIterator[Visit]:
    async with open_visit() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, visit: Visit) -> AsyncIterator[Page]:
    context = await browser.new_context(reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(visit.page.url)
    yield page
    await context.close()


def named(title: str, *blocks: Json, **more: Any) -> Json:
    return modal(*blocks, **more) | {"title": plain(title)}


async def find_form(page: Page, title: str) -> Locator:
    form = page.get_by_role("dialog", name=title)
    await expect(form).to_be_visible()
    return form


async def test_a_form_upon_a_form_leads_back_to_what_was_typed(visit: Visit, page: Page) -> None:
    await visit.open_form(field_block("note", "plain_text_input"))
    form = await find_form(page, "A modal")
    await form.get_by_role("textbox", name="note").fill("Asha wants 3 pm")
    visit.app.answer = {"response_action": "push", "view": named("On top")}
    await form.get_by_role("button", name="Send").click()
    top = await find_form(page, "On top")
    await top.get_by_role("button", name="Back").click()
    form = await find_form(page, "A modal")
    await expect(form.get_by_role("textbox", name="note")).to_have_value("Asha wants 3 pm")
    await form.get_by_role("button", name="Send").click()
    await find_form(page, "On top")
    visit.app.answer = {"response_action": "update", "view": named("Another")}
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await find_form(page, "Another")
    visit.app.answer = {"response_action": "clear"}
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_cross_closes_the_whole_stack(visit: Visit, page: Page) -> None:
    await visit.open_form(field_block("note", "plain_text_input", optional=True))
    visit.app.answer = {"response_action": "push", "view": named("On top")}
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    top = await find_form(page, "On top")
    await top.get_by_role("button", name="Close the form").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_an_error_at_a_field_is_read_with_it(visit: Visit, page: Page) -> None:
    await visit.open_form(field_block("note", "plain_text_input"))
    form = await find_form(page, "A modal")
    note = form.get_by_role("textbox", name="note")
    await note.fill("x")
    visit.app.answer = {"response_action": "errors", "errors": {"note": "Longer, please."}}
    await form.get_by_role("button", name="Send").click()
    await expect(note).to_have_accessible_description("Longer, please.")
    await expect(note).to_be_focused()
    visit.app.answer = ""
    await note.fill("long enough")
    await note.press("Enter")
    await expect(form).to_be_hidden()


async def test_every_kind_of_input_arrives_as_slack_sends_it(visit: Visit, page: Page) -> None:
    colours = [option("red"), option("blue"), option("green")]
    await visit.open_form(
        field_block("date", "datepicker", initial_date="2026-01-02"),
        field_block("time", "timepicker"),
        field_block("mail", "email_text_input"),
        field_block("number", "number_input", is_decimal_allowed=False),
        field_block("radio", "radio_buttons", options=colours),
        field_block("boxes", "checkboxes", options=colours, initial_options=colours[:1]),
        field_block("one", "static_select", options=colours),
        field_block("many", "multi_static_select", options=colours),
        field_block("people", "multi_users_select", initial_users=["U0LEE0001"]),
        field_block("place", "conversations_select"),
    )
    form = await find_form(page, "A modal")
    await form.get_by_label("time").fill("15:00")
    await form.get_by_role("textbox", name="mail").fill("asha@example.com")
    await form.get_by_role("spinbutton", name="number").fill("3")
    await form.get_by_role("radio", name="Option blue").check()
    await form.get_by_role("checkbox", name="Option green").check()
    await form.get_by_role("combobox", name="one").click()
    await form.get_by_role("option", name="Option red").click()
    for name in ("Option red", "Option green"):
        await form.get_by_role("combobox", name="many").fill(name)
        await form.get_by_role("option", name=name).click()
    await form.get_by_role("combobox", name="people").fill("dev")
    await form.get_by_role("option", name="Dev Shah").click()
    await form.get_by_role("combobox", name="people").press("Backspace")
    await form.get_by_role("combobox", name="place").click()
    await form.get_by_role("option", name="#random").click()
    await form.get_by_role("button", name="Send").click()
    await expect(form).to_be_hidden()
    state = visit.app.payload["view"]["state"]["values"]
    found = {block: _read(*entries.values()) for block, entries in state.items()}
    assert found == {
        "date": "2026-01-02",
        "time": "15:00",
        "mail": "asha@example.com",
        "number": "3",
        "radio": "blue",
        "boxes": ["red", "green"],
        "one": "red",
        "many": ["red", "green"],
        "people": ["U0LEE0001"],
        "place": "C0RANDOM1",
    }


def _read(entry: Json) -> Any:
    """Return what stands in one input, options by their values."""
    [value] = [kept for key, kept in entry.items() if key != "type"]
    if isinstance(value, list):
        return [one["value"] if isinstance(one, dict) else one for one in value]
    return value["value"] if isinstance(value, dict) else value


async def test_an_input_that_dispatches_tells_the_app_at_once(visit: Visit, page: Page) -> None:
    await visit.open_form(
        field_block("said", "static_select", options=[option("red")], dispatch_action=True),
        field_block("kept", "static_select", options=[option("blue")], optional=True),
    )
    form = await find_form(page, "A modal")
    await form.get_by_role("combobox", name="kept").click()
    await form.get_by_role("option", name="Option blue").click()
    await form.get_by_role("combobox", name="said").click()
    await form.get_by_role("option", name="Option red").click()
    await expect(page.get_by_text("Acknowledged in")).to_be_attached()
    [action] = visit.app.payload["actions"]
    assert (action["action_id"], action["selected_option"]["value"]) == ("said_a", "red")
    assert len(visit.app.requests) == 2  # the shortcut that opened it, and this
