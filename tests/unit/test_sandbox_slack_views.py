from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.slack import View
from tests.unit.sandbox_slack_app import (
    Stage,
    actions,
    button,
    field_block,
    modal,
    open_stage,
    option,
    plain,
    section,
)

EVERY_INPUT = [
    field_block("text", "plain_text_input", initial_value="Hi", optional=True),
    field_block("url", "url_text_input", optional=True),
    field_block("number", "number_input", is_decimal_allowed=False, optional=True),
    field_block("rich", "rich_text_input", optional=True),
    field_block("files", "file_input", optional=True),
    field_block("person", "users_select", optional=True),
    field_block("people", "multi_users_select", optional=True, max_selected_items=2),
    field_block("place", "conversations_select", optional=True, response_url_enabled=True),
    field_block("channels", "multi_channels_select", optional=True),
    field_block("lead", "external_select", optional=True),
    field_block("one", "static_select", optional=True, options=[option("1"), option("2")]),
    field_block(
        "radio",
        "radio_buttons",
        optional=True,
        options=[option("1"), option("2")],
        initial_option=option("2"),
    ),
    field_block("boxes", "checkboxes", optional=True, options=[option("1"), option("2")]),
    field_block("day", "datepicker", optional=True, initial_date="2026-01-01"),
    field_block("when", "datetimepicker", optional=True),
]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


async def _open(stage: Stage, view: dict[str, Any], name: str = "alice") -> View:
    person = stage.slack.people[name]
    await person.use_shortcut("compose")
    trigger_id = stage.app.payload["trigger_id"]
    await stage.client.views_open(trigger_id=trigger_id, view=view)
    return await person.gets_view()


async def test_trigger_opens_one_modal_for_its_person(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    view = await _open(stage, modal(section("Hello *you*")))
    assert alice.view is view
    assert view.shown == "A modal\nHello *you*"
    assert (view.title, view.callback_id, view.private_metadata) == ("A modal", "cb", "")
    trigger_id = stage.app.payload["trigger_id"]
    answer = await stage.call("views.open", trigger_id=trigger_id, view=modal())
    assert answer["error"] == "exchanged_trigger_id"
    assert stage.slack.violations == ["views.open: exchanged_trigger_id"]
    assert "alice has open: 'A modal" in stage.slack.transcript()


async def test_trigger_dies_after_three_seconds(stage: Stage) -> None:
    await stage.slack.people["alice"].command("/notify")
    stage.clock.forward(3.1)
    trigger_id = stage.app.form["trigger_id"]
    answer = await stage.call("views.open", trigger_id=trigger_id, view=modal())
    assert answer["error"] == "expired_trigger_id"
    answer = await stage.call("views.open", trigger_id="1.2.x", view=modal())
    assert answer["error"] == "invalid_trigger_id"
    with pytest.raises(LookupError, match="no modal"):
        _ = stage.slack.people["alice"].view


async def test_wrong_view_opens_nothing(stage: Stage) -> None:
    await stage.slack.people["alice"].command("/notify")
    view = modal(title=plain("x" * 25))
    answer = await stage.call("views.open", trigger_id=stage.app.form["trigger_id"], view=view)
    assert answer["error"] == "invalid_arguments"
    assert "/view/title" in answer["response_metadata"]["messages"][0]
    assert "must be less than 25 characters" in stage.slack.violations[0]


async def test_untouched_inputs_are_all_in_the_state(stage: Stage) -> None:
    await _open(stage, modal(*EVERY_INPUT))
    await stage.slack.people["alice"].submit()
    values = stage.app.payload["view"]["state"]["values"]
    states = {block_id: dict(entry[f"{block_id}_a"]) for block_id, entry in values.items()}
    assert {key: value for state in states.values() for key, value in state.items()}
    for state in states.values():
        state.pop("type")
    assert states == {
        "text": {"value": "Hi"},
        "url": {"value": None},
        "number": {"value": None},
        "rich": {"rich_text_value": None},
        "files": {"files": []},
        "person": {"selected_user": None},
        "people": {"selected_users": []},
        "place": {"selected_conversation": None},
        "channels": {"selected_channels": []},
        "lead": {"selected_option": None},
        "one": {"selected_option": None},
        "radio": {"selected_option": option("2")},
        "boxes": {"selected_options": []},
        "day": {"selected_date": "2026-01-01"},
        "when": {"selected_date_time": None},
    }
    assert stage.app.payload["response_urls"] == []


async def test_submitted_values_have_the_shape_of_their_element(stage: Stage) -> None:
    slack = stage.slack
    view = await _open(stage, modal(*EVERY_INPUT))
    stage.app.answer = {"options": [option("7")]}
    await slack.suggest(view, "lead", "ash")
    stage.app.answer = ""
    values = {
        "text": "",
        "number": 3,
        "rich": {"type": "rich_text"},
        "person": slack.people["priya"],
        "people": [slack.people["priya"], "U0LEE0001"],
        "place": slack.channels["sales"],
        "lead": "7",
        "one": "Option 1",
        "radio": None,
        "boxes": ["1", option("2")],
        "when": 1718100000,
    }
    await slack.submit(view, values, slack.people["alice"])
    sent = stage.app.payload["view"]["state"]["values"]
    assert sent["text"]["text_a"] == {"type": "plain_text_input", "value": None}
    assert sent["number"]["number_a"]["value"] == "3"
    assert sent["rich"]["rich_a"]["rich_text_value"] == {"type": "rich_text"}
    assert sent["person"]["person_a"]["selected_user"] == "U0PRIYA01"
    assert sent["people"]["people_a"]["selected_users"] == ["U0PRIYA01", "U0LEE0001"]
    assert sent["place"]["place_a"]["selected_conversation"] == "C0SALES01"
    assert sent["lead"]["lead_a"]["selected_option"] == option("7")
    assert sent["one"]["one_a"]["selected_option"] == option("1")
    assert sent["radio"]["radio_a"]["selected_option"] is None
    assert sent["boxes"]["boxes_a"]["selected_options"] == [option("1"), option("2")]
    assert sent["when"]["when_a"]["selected_date_time"] == 1718100000
    [url] = stage.app.payload["response_urls"]
    assert (url["block_id"], url["channel_id"]) == ("place", "C0SALES01")
    assert await stage.respond(url["response_url"], text="x") == (200, "ok")


@pytest.mark.parametrize(
    ("values", "error", "match"),
    [
        ({"title": "x" * 11}, ValueError, "more than 10"),
        ({"title": ""}, ValueError, "title must be filled in"),
        ({"nothing": "x"}, LookupError, "no input 'nothing'"),
        ({"title": "x", "one": "3"}, LookupError, "offers no '3'"),
        ({"title": "x", "people": ["U1", "U2"]}, ValueError, "more than 1"),
    ],
)
async def test_client_refuses_what_slack_would_not_submit(
    stage: Stage, values: dict[str, Any], error: type[Exception], match: str
) -> None:
    view = await _open(
        stage,
        modal(
            field_block("title", "plain_text_input", max_length=10),
            field_block("one", "static_select", options=[option("1")], optional=True),
            field_block("people", "multi_users_select", max_selected_items=1, optional=True),
        ),
    )
    before = len(stage.app.requests)
    with pytest.raises(error, match=match):
        await stage.slack.submit(view, values)
    assert len(stage.app.requests) == before


FORM = modal(field_block("title", "plain_text_input"), section("x") | {"block_id": "note"})


async def test_empty_answer_closes_the_view(stage: Stage) -> None:
    view = await _open(stage, FORM)
    reply = await stage.slack.people["alice"].submit({"title": "x"})
    assert reply.ok
    assert stage.slack.views[stage.slack.people["alice"]] == []
    with pytest.raises(LookupError, match="closed"):
        await stage.slack.submit(view, {"title": "x"})
    with pytest.raises(LookupError, match="nothing to press"):
        await stage.slack.press(stage.slack.people["alice"], view, "x")


async def test_errors_stay_at_their_field_with_the_text_kept(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    view = await _open(stage, FORM)
    stage.app.answer = {"response_action": "errors", "errors": {"title": "Too long"}}
    await alice.submit({"title": "x"})
    assert view.errors == {"title": "Too long"}
    stage.app.answer = ""
    await alice.submit()
    sent = stage.app.payload["view"]["state"]["values"]
    assert sent["title"]["title_a"]["value"] == "x"
    assert (view.errors, view.is_open) == ({}, False)
    assert stage.slack.violations == []


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"note": "no input"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "errors", "errors": {"title": ""}},
        {"response_action": "shout"},
        {"text": "Thanks"},
        {"response_action": "update", "view": modal(title=plain(""))},
        "OK",
    ],
)
async def test_nonsense_answers_keep_the_modal_and_are_violations(
    stage: Stage, answer: str | dict[str, Any]
) -> None:
    view = await _open(stage, FORM)
    stage.app.answer = answer
    await stage.slack.people["alice"].submit({"title": "x"})
    assert view.is_open
    assert "trouble connecting" in view.errors[""]
    assert len(stage.slack.violations) == 1


async def test_failed_submission_keeps_the_modal(stage: Stage) -> None:
    view = await _open(stage, FORM)
    stage.app.answer = 500
    await stage.slack.people["alice"].submit({"title": "x"})
    assert view.is_open
    assert "trouble connecting" in view.errors[""]
    assert stage.slack.violations == ["view_submission: answered with status 500"]


async def test_update_keeps_what_was_typed_in_the_same_input(stage: Stage) -> None:
    view = await _open(stage, FORM)
    same = field_block("title", "plain_text_input")
    other = field_block("more", "plain_text_input", initial_value="new")
    stage.app.answer = {"response_action": "update", "view": modal(same, other)}
    before = view.hash
    await stage.slack.people["alice"].submit({"title": "typed"})
    assert view.values["title"]["title_a"]["value"] == "typed"
    assert view.values["more"]["more_a"]["value"] == "new"
    assert view.hash != before
    changed = field_block("title", "users_select") | {"block_id": "title"}
    await stage.client.views_update(view_id=view.id, view=modal(changed))
    assert view.values["title"]["title_a"] == {"type": "users_select", "selected_user": None}


async def test_pushed_views_stack_up_to_three(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    root = await _open(stage, modal())
    stage.app.answer = {"response_action": "push", "view": modal()}
    await alice.submit()
    await alice.submit()
    assert len(stage.slack.views[alice]) == 3
    assert (alice.view.root_id, alice.view.previous_id) == (root.id, stage.slack.views[alice][1].id)
    await alice.submit()
    assert "push_limit_reached" in stage.slack.violations[0]
    stage.app.answer = {"response_action": "clear"}
    await alice.submit()
    assert stage.slack.views[alice] == []


async def test_views_push_goes_on_top_of_the_open_one(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    await alice.command("/notify")
    trigger_id = stage.app.form["trigger_id"]
    answer = await stage.call("views.push", trigger_id=trigger_id, view=modal())
    assert answer["error"] == "not_found"
    root = await _open(stage, modal(actions(button("more"))))
    await alice.press(root, "more")
    trigger_id = stage.app.payload["trigger_id"]
    await stage.client.views_push(trigger_id=trigger_id, view=modal(title=plain("On top")))
    assert (await alice.gets_view("On top")).root_id == root.id


async def test_update_by_external_id_needs_no_trigger(stage: Stage) -> None:
    view = await _open(stage, modal(external_id="e1"))
    await stage.client.views_update(external_id="e1", view=modal(title=plain("Done")))
    assert view.title == "Done"
    answer = await stage.call("views.update", external_id="e2", view=modal())
    assert answer["error"] == "not_found"
    answer = await stage.call("views.update", view_id=view.id, view=modal(), hash="old")
    assert answer["error"] == "hash_conflict"
    assert stage.slack.violations == []


async def test_external_ids_are_unique_and_views_bounded(stage: Stage) -> None:
    await _open(stage, modal(external_id="e1"))
    await stage.slack.people["priya"].use_shortcut("compose")
    trigger_id = stage.app.payload["trigger_id"]
    view = modal(external_id="e1")
    answer = await stage.call("views.open", trigger_id=trigger_id, view=view)
    assert answer["error"] == "duplicate_external_id"
    own = stage.slack.people["alice"].view
    big = modal(*(section("é" * 3000) for _ in range(50)), external_id="e1")
    answer = await stage.call("views.update", view_id=own.id, view=big)
    assert answer["error"] == "view_too_large"


async def test_closing_is_told_only_when_asked_for(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    quiet = await _open(stage, modal())
    assert await stage.slack.close_view(quiet) is None
    root = await _open(stage, modal(notify_on_close=True))
    stage.app.answer = {"response_action": "push", "view": modal()}
    await alice.submit()
    stage.app.answer = ""
    await stage.slack.close_view(alice.view, everything=True)
    payload = stage.app.payload
    assert (payload["type"], payload["is_cleared"]) == ("view_closed", True)
    assert payload["view"]["id"] == root.id
    assert stage.slack.views[alice] == []


async def test_press_in_a_view_has_no_channel_and_keeps_choices(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    pick = {"type": "users_select", "action_id": "who", "placeholder": plain("Who")}
    view = await _open(
        stage, modal(actions(pick, button("go"), block_id="act"), section("x"), *FORM["blocks"])
    )
    await alice.press(view, "who", stage.slack.people["lee"])
    payload = stage.app.payload
    assert not {"channel", "message", "response_url"} & set(payload)
    assert payload["container"] == {"type": "view", "view_id": view.id}
    assert payload["actions"][0]["selected_user"] == "U0LEE0001"
    assert payload["actions"][0]["placeholder"] == plain("Who")
    assert payload["view"]["state"]["values"]["act"]["who"]["selected_user"] == "U0LEE0001"
    await alice.press(view, "go")
    assert view.action_ids == ["who", "go", "title_a"]
    with pytest.raises(LookupError, match="dispatch_action"):
        await alice.press(view, "title_a", "x")
    await stage.slack.close_view(view)
    with pytest.raises(LookupError, match="closed"):
        await alice.press(view, "go")


async def test_dispatching_input_sends_actions(stage: Stage) -> None:
    view = await _open(stage, modal(field_block("t", "plain_text_input", dispatch_action=True)))
    await stage.slack.people["alice"].press(view, "t_a", "typed")
    assert stage.app.payload["actions"][0]["value"] == "typed"


async def test_typeahead_options_are_checked_and_can_be_picked(stage: Stage) -> None:
    view = await _open(stage, modal(field_block("lead", "external_select")))
    groups = [{"label": plain("Leads"), "options": [option("7")]}]
    stage.app.answer = {"option_groups": groups}
    reply = await stage.slack.suggest(view, "lead_a", "ash")
    assert reply.options == [option("7")]
    payload = stage.app.payload
    assert (payload["type"], payload["value"]) == ("block_suggestion", "ash")
    assert (payload["action_id"], payload["block_id"]) == ("lead_a", "lead")
    await stage.slack.submit(view, {"lead": "7"})
    assert stage.slack.violations == ["view_submission: response_action None makes no sense"]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("", "answered without options"),
        ([], "answered without options"),
        ({"options": [option("7")] * 101}, "must be 0 to 100 options"),
        ({"options": [option("7" * 76)]}, "must be less than 76 characters"),
        ({"option_groups": [{"options": []}] * 101}, "at most 100 option groups"),
        (500, "answered with status 500"),
    ],
)
async def test_wrong_typeahead_answers_are_violations(
    stage: Stage, answer: str | int | dict[str, Any], complaint: str
) -> None:
    view = await _open(stage, modal(field_block("lead", "external_select")))
    stage.app.answer = answer
    await stage.slack.suggest(view, "lead", "ash")
    assert complaint in stage.slack.violations[0]
    assert view.suggested == {}


async def test_typeahead_asks_from_its_least_length_on(stage: Stage) -> None:
    eager = field_block("eager", "external_select", min_query_length=1)
    view = await _open(stage, modal(field_block("lead", "external_select"), eager))
    with pytest.raises(ValueError, match="does not ask"):
        await stage.slack.suggest(view, "lead", "as")
    stage.app.answer = {"options": []}
    assert (await stage.slack.suggest(view, "eager", "a")).options == []
    with pytest.raises(LookupError, match="no external select"):
        await stage.slack.suggest(view, "other", "abc")


async def test_home_tabs_belong_to_people(stage: Stage) -> None:
    home = {"type": "home", "blocks": [actions(button("refresh"))]}
    await stage.client.views_publish(user_id="U0ALICE01", view=home)
    await stage.client.views_publish(user_id="U0ALICE01", view=home | {"blocks": [section("B")]})
    alice = stage.slack.people["alice"]
    assert stage.slack.homes[alice].shown == "B"
    assert stage.slack.views[alice] == []
    answer = await stage.call("views.publish", user_id="U1", view=home)
    assert answer["error"] == "invalid_arguments"
    answer = await stage.call("views.publish", user_id="U0ALICE01", view=modal())
    assert answer["error"] == "invalid_arguments"
    stage.slack.view_methods.home_tab = False
    answer = await stage.call("views.publish", user_id="U0ALICE01", view=home)
    assert answer["error"] == "not_enabled"


async def test_a_press_on_the_home_tab_comes_from_a_view_and_from_no_channel(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    with pytest.raises(LookupError, match="alice has no Home tab"):
        _ = alice.home
    home = {"type": "home", "blocks": [section("Hi"), actions(button("go", value="7"))]}
    await stage.client.views_publish(user_id=alice.id, view=home)
    await alice.press(await alice.sees_home("Hi"), "go")
    payload = stage.app.payload
    assert payload["container"] == {"type": "view", "view_id": alice.home.id}
    assert payload["view"]["type"] == "home"
    assert payload["actions"][0]["value"] == "7"
    assert not {"response_url", "channel", "message"} & set(payload)
    assert "alice's Home tab: 'Hi" in stage.slack.transcript()
