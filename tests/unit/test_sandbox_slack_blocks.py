from typing import Any

import pytest
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, HeaderBlock, SectionBlock

from bot.sandbox.slack.blocks import check_blocks, complete_blocks
from bot.sandbox.slack.messages import find_actions, find_markup, show_blocks
from bot.sandbox.slack.views import check_view
from tests.unit.sandbox_slack_app import (
    actions,
    button,
    field_block,
    modal,
    option,
    plain,
    section,
)

Json = dict[str, Any]

IMAGE = {"type": "image", "image_url": "https://x.io/a.png", "alt_text": "A"}
CONFIRM = {
    "title": plain("Sure?"),
    "text": plain("Really?"),
    "confirm": plain("Yes"),
    "deny": plain("No"),
}
RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "a<b "},
                {"type": "link", "url": "https://x.io"},
                {"type": "emoji", "name": "tada"},
                {"type": "user", "user_id": "U1"},
                {"type": "broadcast", "range": "here"},
            ],
        },
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "item"}]}
            ],
        },
    ],
}
GOOD = [
    {"type": "header", "text": plain("Title")},
    section("*Bold*") | {"accessory": button("go", confirm=CONFIRM, style="danger")},
    {"type": "section", "fields": [plain("A"), plain("B")]},
    {"type": "divider"},
    IMAGE | {"title": plain("Picture")},
    {"type": "context", "elements": [plain("small"), IMAGE]},
    actions(
        button("a", url="https://x.io", value="1"),
        {"type": "overflow", "action_id": "o", "options": [option("1")]},
        {"type": "datepicker", "action_id": "d", "placeholder": plain("Day")},
    ),
    {"type": "markdown", "text": "**b**"},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]},
    RICH,
    field_block("t", "plain_text_input", max_length=5, initial_value="Hello"),
    field_block("n", "number_input", is_decimal_allowed=True),
]


def test_good_blocks_have_no_problems() -> None:
    assert check_blocks(GOOD, "message") == []
    assert check_blocks([one for one in GOOD if one["type"] != "table"][:3], "home") == []


def test_blocks_of_the_sdk_have_no_problems() -> None:
    built = [
        HeaderBlock(text="Title").to_dict(),
        SectionBlock(text="Text").to_dict(),
        ActionsBlock(elements=[ButtonElement(text="Go", action_id="go")]).to_dict(),
    ]
    assert check_blocks(built, "message") == []


def _select(**more: Any) -> Json:
    return actions({"type": "static_select", "action_id": "s", **more})


def _choice(kind: str, count: int) -> Json:
    return actions({"type": kind, "action_id": "c", "options": [option("1")] * count})


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("text", "unsupported type None"),
        ({"type": "shape"}, "unsupported type shape"),
        (section(""), "must be more than 0 characters"),
        (section("x" * 3001), "must be less than 3001 characters, not 3001"),
        (section("x") | {"colour": 1}, "invalid additional property: colour"),
        (section("x") | {"block_id": "x" * 256}, "block_id: must be a string of 1 to 255"),
        ({"type": "section"}, "needs text or fields"),
        ({"type": "section", "fields": [plain("x")] * 11}, "fields: must be 1 to 10"),
        ({"type": "section", "fields": [plain("x" * 2001)]}, "less than 2001"),
        ({"type": "section", "text": "bare"}, "must be a text object"),
        (section("x") | {"accessory": None}, "nothing is not allowed in section"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "of type plain_text"),
        ({"type": "header", "text": plain("x" * 151)}, "less than 151"),
        ({"type": "divider", "text": plain("x")}, "invalid additional property"),
        ({"type": "image", "alt_text": "x"}, "needs image_url or slack_file"),
        ({"type": "image", "image_url": "https://x.io"}, "missing alt_text"),
        (IMAGE | {"alt_text": "x" * 2001}, "alt_text: must be a string of 1 to 2000"),
        (actions(), "elements: must be 1 to 25"),
        (actions(*[button(str(n)) for n in range(26)]), "elements: must be 1 to 25"),
        (actions(button("a"), button("a")), "action_id a is there twice"),
        (actions({"type": "plain_text_input"}), "plain_text_input is not allowed in actions"),
        (actions(button("a", text=plain("x" * 76))), "less than 76"),
        (actions(button("a", value="x" * 2001)), "value: must be a string of 0 to 2000"),
        (actions(button("a", value=7)), "value: must be a string"),
        (actions(button("a", style="loud")), "must be primary or danger"),
        (actions(button("a" * 256)), "action_id: must be a string of 1 to 255"),
        (actions(button("a", confirm=True)), "confirm: must be an object"),
        (
            actions(button("a", confirm=CONFIRM | {"title": plain("x" * 101)})),
            "confirm/title: must be less than 101",
        ),
        ({"type": "context", "elements": [button("a")]}, "button is not allowed in context"),
        ({"type": "context", "elements": [plain("x")] * 11}, "must be 1 to 10"),
        (_select(options=[]), "must be 1 to 100 options"),
        (_select(options=[option("1")], option_groups=[]), "not both"),
        (_select(), "needs options or option_groups"),
        (_select(options=["1"]), "must be an option"),
        (_select(options=[option("")]), "value: must be a string of 1 to 75"),
        (_select(options=[{"text": plain("x")}]), "missing value"),
        (_select(options=[option("1") | {"description": plain("x" * 76)}]), "description"),
        (_select(options=[option("1")], initial_option=option("2")), "not among the options"),
        (_select(option_groups=[{"options": [option("1")]}]), "label: must be a text object"),
        (_choice("overflow", 6), "must be 1 to 5 options"),
        (_choice("checkboxes", 11), "must be 1 to 10 options"),
        (field_block("x", "button"), "button is not allowed in input"),
        (field_block("x", "number_input"), "missing is_decimal_allowed"),
        (field_block("x", "plain_text_input", max_length=3001), "max_length: must be 1 to 3000"),
        (field_block("x", "plain_text_input", initial_value=3), "initial_value: must be a string"),
        (
            field_block("x", "plain_text_input", initial_value="ab", max_length=1),
            "longer than max_length",
        ),
        (field_block("x", "plain_text_input", placeholder=plain("x" * 151)), "less than 151"),
        (field_block("x", "url_text_input", multiline=True), "additional property: multiline"),
        (
            field_block("x", "multi_users_select", initial_option=option("1")),
            "initial_option in a multi select",
        ),
        (field_block("x", "users_select") | {"hint": plain("")}, "hint: must be more than 0"),
        (field_block("x", "users_select") | {"label": None}, "label: must be a text object"),
        ({"type": "rich_text", "elements": [{"type": "rich_text_box"}]}, "unsupported type"),
        (
            {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "shape"}]}],
            },
            "unsupported type shape",
        ),
        ({"type": "table", "rows": []}, "rows: must be 1 to 100"),
        ({"type": "table", "rows": [[{}] * 21]}, "no more than 20 cells"),
        ({"type": "markdown"}, "a markdown block without text"),
        ({"type": "markdown", "text": "x" * 12_001}, "more than 12000 characters"),
    ],
)
def test_each_broken_limit_is_a_problem(block: Any, problem: str) -> None:
    problems = check_blocks([block], "message")
    assert any(problem in one for one in problems), problems


def test_blocks_together_have_limits_too() -> None:
    assert "no more than 50" in check_blocks([section("x")] * 51, "message")[0]
    assert check_blocks([section("x")] * 100, "modal") == []
    twice = [section("x") | {"block_id": "b"}] * 2
    assert check_blocks(twice, "home") == ["/blocks: block_id b is there twice"]
    focus = [field_block(name, "plain_text_input", focus_on_load=True) for name in ("a", "b")]
    assert check_blocks(focus, "modal") == ["/blocks: more than one focus_on_load"]
    assert check_blocks([{"type": "markdown", "text": "x"}], "modal") != []
    assert check_blocks("no", "modal") == ["/blocks: must be a list"]


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        (None, "must be an object"),
        (modal(type="home"), "type must be modal"),
        ({"type": "modal"}, "missing blocks"),
        (modal(title=None), "/view/title: must be a text object"),
        (modal(submit=plain("x" * 25)), "/view/submit: must be less than 25"),
        (modal(close=plain("x" * 25)), "/view/close: must be less than 25"),
        (modal(private_metadata="x" * 3001), "private_metadata"),
        (modal(callback_id="x" * 256), "callback_id"),
        (modal(external_id="x" * 256), "external_id"),
        (modal(colour="red"), "invalid additional property: colour"),
        (
            modal(field_block("x", "plain_text_input"), submit=None),
            "submit is required with input blocks",
        ),
        (modal(blocks="x"), "/blocks: must be a list"),
    ],
)
def test_each_broken_limit_of_a_view_is_a_problem(view: Any, problem: str) -> None:
    problems = check_view(view, "modal")
    assert any(problem in one for one in problems), problems


def test_modal_without_inputs_needs_no_submit() -> None:
    assert check_view(modal(section("x"), submit=None), "modal") == []
    assert check_view({"type": "home", "blocks": [], "title": plain("x")}, "home") != []


def test_people_read_blocks_line_by_line() -> None:
    assert list(show_blocks(GOOD)) == [
        "Title",
        "*Bold*",
        "[go]",
        "A",
        "B",
        "Picture",
        "small A",
        "[a] (Option 1)",
        "**b**",
        "a&lt;b https://x.io:tada:<@U1><!here>",
        "item",
        "t",
        "Hello",
        "n",
    ]
    assert list(show_blocks([field_block("x", "users_select") | {"hint": plain("h")}])) == [
        "x",
        "h",
    ]


def test_markup_is_found_in_mrkdwn_and_rich_text_only() -> None:
    blocks = [section("<!here>"), {"type": "section", "text": plain("<!here>")}, RICH]
    assert list(find_markup(blocks)) == ["<!here>", "<@U1>", "<!here>"]


def test_missing_ids_are_made() -> None:
    numbers = iter(range(100))
    given = [section("x") | {"accessory": IMAGE}, actions({"type": "button", "text": plain("x")})]
    completed = complete_blocks(given, lambda: f"id{next(numbers)}")
    assert [block["block_id"] for block in completed] == ["id0", "id1"]
    assert [one["action_id"] for one in find_actions(completed)] == ["id2"]
    assert "block_id" not in given[0]
