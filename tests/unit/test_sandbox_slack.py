import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from slack_sdk.signature import Clock as SdkClock
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.slack import StandInSlack
from tests.unit.sandbox_slack_app import Stage, actions, button, open_stage, section


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


class FixedClock(SdkClock):
    def now(self) -> float:
        return 1_700_000_000.0


async def test_real_sdk_accepts_the_signature(stage: Stage) -> None:
    await stage.slack.people["alice"].command("/notify", "@priya Hi | Ünïcode & <b>")
    body, headers = stage.app.requests[-1]
    verifier = SignatureVerifier(stage.slack.signing_secret, FixedClock())
    assert verifier.is_valid_request(body, headers)
    assert not verifier.is_valid_request(body + b"x", headers)


async def test_documented_vector_is_signed_as_documented() -> None:
    slack = StandInSlack(signing_secret="test-signing-secret")
    headers = slack.sign(b"command=%2Fnotify&text=hello", timestamp=1700000000)
    expected = "v0=9ada5eb2719ddd7bf169a94421b50969a4d5c35b1953e848913ae2777e21db70"
    assert headers["X-Slack-Signature"] == expected


async def test_forged_requests_carry_what_the_test_gives(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    stage.app.answer = 401
    reply = await alice.command("/notify", signature="v0=00", timestamp=12, body=b"x=1")
    body, headers = stage.app.requests[-1]
    assert (body, headers["X-Slack-Signature"]) == (b"x=1", "v0=00")
    assert headers["X-Slack-Request-Timestamp"] == "12"
    assert (reply.status, reply.error) == (401, "http_client_error")
    assert stage.slack.violations == []  # being refused was the point
    raw = await stage.slack.post(b"bare", {})
    assert (raw.status, stage.app.requests[-1][0]) == (401, b"bare")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("@priya Hi | there", "<@U0PRIYA01> Hi | there"),
        ("@priya, and (@lee).", "<@U0PRIYA01>, and (<@U0LEE0001>)."),
        ("@sales-team x", "<!subteam^S0SALES01|@sales-team> x"),
        ("@here @channel", "<!here> <!channel>"),
        ("@nobody x", "@nobody x"),
        ("in #sales", "in <#C0SALES01|sales>"),
        ("in #leads-private", "in <#C0LEADS01|>"),
        ("#alice-priya #7", "#alice-priya #7"),
        ("see https://x.io/a?b=1&c=2.", "see <https://x.io/a?b=1&c=2>."),
        ("ask a.b@c.io now", "ask <mailto:a.b@c.io|a.b@c.io> now"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("<@U0PRIYA01>", "&lt;@U0PRIYA01&gt;"),
    ],
)
async def test_typed_text_is_escaped_as_slack_does(stage: Stage, typed: str, sent: str) -> None:
    await stage.slack.people["alice"].command("/notify", typed)
    assert stage.app.form["text"] == sent


async def test_mentions_can_have_labels_and_text_can_stay_raw(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    await alice.command("/notify", "@priya a&b", labels=True)
    assert stage.app.form["text"] == "<@U0PRIYA01|priya> a&amp;b"
    await alice.command("/notify", "@priya a&b", escape=False)
    assert stage.app.form["text"] == "@priya a&b"


async def test_command_has_the_fields_of_its_place(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    await alice.command("/notify")
    form = stage.app.form
    assert (form["channel_id"], form["channel_name"]) == ("C0SALES01", "sales")
    assert (form["user_id"], form["text"], form["command"]) == ("U0ALICE01", "", "/notify")
    await alice.command("/notify", channel="#leads-private")
    assert stage.app.form["channel_name"] == "privategroup"
    await alice.command("/notify", channel="D0ALIPRI1")
    assert stage.app.form["channel_name"] == "directmessage"
    with pytest.raises(LookupError, match="nowhere"):
        await alice.command("/notify", channel="nowhere")


async def test_plain_ack_is_an_ephemeral_message(stage: Stage) -> None:
    stage.app.answer = "Queued &amp; <@U0PRIYA01> knows"
    alice, priya = stage.slack.people["alice"], stage.slack.people["priya"]
    reply = await alice.command("/notify", "x")
    message = await alice.sees("Queued & @priya knows", channel="sales")
    assert reply.ok
    assert reply.text == stage.app.answer
    assert reply.ack_seconds < 3
    assert (message.via, message.ephemeral_to) == ("ack", alice.id)
    assert message.mentions == {priya.id}
    assert stage.slack.visible_to(priya) == []
    assert stage.slack.violations == []


async def test_public_ack_shows_the_command_too(stage: Stage) -> None:
    stage.app.answer = {"response_type": "in_channel", "text": "Done", "blocks": [section("*D*")]}
    reply = await stage.slack.people["alice"].command("/notify", "x")
    seen = stage.slack.visible_to(stage.slack.people["priya"], "sales")
    assert [message.shown for message in seen] == ["/notify x", "*D*"]
    assert reply.text == "Done"
    assert stage.slack.visible_to(stage.slack.people["priya"], "random") == []


async def test_wrong_ack_shows_nothing_and_is_a_violation(stage: Stage) -> None:
    stage.app.answer = {"text": "x", "blocks": [{"type": "header"}]}
    await stage.slack.people["alice"].command("/notify", "x")
    assert stage.slack.messages == []
    assert "ack: invalid_blocks" in stage.slack.violations[0]


@pytest.mark.parametrize(
    ("answer", "error"), [(500, "http_service_error"), (404, "http_client_error")]
)
async def test_refused_command_is_reported_by_slackbot(
    stage: Stage, answer: int, error: str
) -> None:
    stage.app.answer = answer
    reply = await stage.slack.people["alice"].command("/notify", "x")
    message = await stage.slack.people["alice"].sees("/notify failed with the error")
    assert (reply.ok, reply.error, message.via) == (False, error, "slackbot")
    assert error in message.text
    assert stage.slack.violations == [f"/notify x: answered with status {answer}"]


async def test_late_answer_is_a_timeout_and_a_violation(stage: Stage) -> None:
    stage.app.answer = None
    stage.slack.delivery.ack_within = 0.05
    reply = await stage.slack.people["alice"].command("/notify")
    assert (reply.status, reply.error) == (0, "operation_timeout")
    await stage.slack.people["alice"].sees('"operation_timeout"')
    assert stage.slack.violations == ["/notify: unacknowledged within 3 s"]


async def test_unreachable_app_is_an_outage_not_a_violation(stage: Stage) -> None:
    stage.slack.bot_url = "http://127.0.0.1:9/slack/events"
    await stage.slack.people["alice"].command("/notify")
    await stage.slack.people["alice"].sees('"dispatch_failed"')
    assert stage.slack.violations == []


async def test_nothing_is_delivered_before_start() -> None:
    slack = StandInSlack()
    with pytest.raises(RuntimeError, match="start"):
        await slack.people["alice"].command("/notify")
    await slack.stop()


async def test_known_trigger_is_the_same_interaction_again(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    await alice.command("/notify", "x")
    first = stage.app.form
    await alice.command("/notify", "x", trigger_id=first["trigger_id"])
    assert stage.app.form == first
    await alice.command("/notify", "x", trigger_id="own")
    assert stage.app.form["trigger_id"] == "own"
    assert stage.app.form["response_url"] != first["response_url"]


async def test_message_shortcut_carries_the_message_of_a_thread(stage: Stage) -> None:
    alice, priya = stage.slack.people["alice"], stage.slack.people["priya"]
    parent = await priya.say("Hello @alice & #sales @sales-team @here https://x.io")
    reply = await priya.say("", thread=parent, files=[{"id": "F1"}])
    await alice.use_shortcut("forward", parent)
    payload = stage.app.payload
    assert payload["type"] == "message_action"
    assert payload["message"]["blocks"][0]["elements"][0]["elements"] == [
        {"type": "text", "text": "Hello "},
        {"type": "user", "user_id": "U0ALICE01"},
        {"type": "text", "text": " & "},
        {"type": "channel", "channel_id": "C0SALES01"},
        {"type": "text", "text": " "},
        {"type": "usergroup", "usergroup_id": "S0SALES01"},
        {"type": "text", "text": " "},
        {"type": "broadcast", "range": "here"},
        {"type": "text", "text": " "},
        {"type": "link", "url": "https://x.io"},
    ]
    await alice.use_shortcut("forward", reply)
    message = stage.app.payload["message"]
    assert (message["thread_ts"], message["parent_user_id"]) == (parent.ts, priya.id)
    assert (message["files"], message["blocks"]) == ([{"id": "F1"}], [])
    assert parent.shown == "Hello @alice & #sales @sales-team @here https://x.io"


async def test_ephemeral_messages_offer_no_shortcut(stage: Stage) -> None:
    stage.app.answer = "psst"
    alice = stage.slack.people["alice"]
    await alice.command("/notify")
    with pytest.raises(ValueError, match="ephemeral"):
        await alice.use_shortcut("forward", stage.slack.messages[0])


async def test_global_shortcut_has_no_channel_and_no_response_url(stage: Stage) -> None:
    await stage.slack.people["alice"].use_shortcut("compose")
    payload = stage.app.payload
    assert (payload["type"], payload["callback_id"]) == ("shortcut", "compose")
    assert not {"channel", "response_url"} & set(payload)


async def test_pressed_button_says_where_it_stands(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    two = actions(button("a", value="1"), button("b", value="2"), block_id="act")
    await stage.client.chat_postMessage(channel="C0SALES01", text="x", blocks=[two])
    message = stage.slack.messages[-1]
    assert message.action_ids == ["a", "b"]
    await alice.press(message, "b")
    payload = stage.app.payload
    assert payload["container"]["is_ephemeral"] is False
    assert payload["message"]["ts"] == message.ts
    assert payload["actions"][0]["value"] == "2"
    assert payload["actions"][0]["block_id"] == "act"
    with pytest.raises(LookupError, match="nothing to press"):
        await alice.press(message, "c")
    with pytest.raises(LookupError, match="does not see"):
        await stage.slack.people["exa"].press(message, "a")


async def test_of_two_buttons_with_one_id_the_value_decides(stage: Stage) -> None:
    blocks = [actions(button("x", value="1")), actions(button("x", value="2"))]
    await stage.client.chat_postMessage(channel="C0SALES01", text="x", blocks=blocks)
    await stage.slack.people["alice"].press(stage.slack.messages[-1], "x", "2")
    assert stage.app.payload["actions"][0]["value"] == "2"


async def test_ephemeral_message_is_not_in_the_payload_of_its_button(stage: Stage) -> None:
    stage.app.answer = {"text": "x", "blocks": [actions(button("a"))]}
    alice = stage.slack.people["alice"]
    await alice.command("/notify")
    stage.app.answer = ""
    await alice.press(stage.slack.messages[0], "a")
    assert stage.app.payload["container"]["is_ephemeral"] is True
    assert "message" not in stage.app.payload


async def test_overflow_and_select_carry_the_choice(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    options = [{"text": {"type": "plain_text", "text": f"O{n}"}, "value": str(n)} for n in (1, 2)]
    menu = {"type": "overflow", "action_id": "more", "options": options}
    pick = {"type": "static_select", "action_id": "pick", "options": options}
    await stage.client.chat_postMessage(channel="C0SALES01", text="x", blocks=[actions(menu, pick)])
    message = stage.slack.messages[-1]
    await alice.press(message, "more", "2")
    assert stage.app.payload["actions"][0]["selected_option"] == options[1]
    await alice.press(message, "pick", "O1")
    assert stage.app.payload["actions"][0]["selected_option"] == options[0]
    with pytest.raises(LookupError, match="offers no"):
        await alice.press(message, "more", "3")


async def test_home_opened_has_a_view_only_once_published(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    await alice.open_home()
    body = json.loads(stage.app.requests[-1][0])
    assert body["event"]["type"] == "app_home_opened"
    assert "view" not in body["event"]
    home = {"type": "home", "blocks": [section("Hi")]}
    await stage.client.views_publish(user_id=alice.id, view=home)
    await alice.open_home(tab="messages")
    event = json.loads(stage.app.requests[-1][0])["event"]
    assert (event["tab"], event["view"]["id"]) == ("messages", stage.slack.homes[alice].id)
    assert stage.slack.homes[alice].shown == "Hi"


async def test_event_is_sent_again_only_when_asked(stage: Stage) -> None:
    stage.app.answer = 500
    await stage.slack.event({"type": "team_join"})
    assert len(stage.app.requests) == 1
    await stage.slack.event({"type": "team_join"}, retries=2)
    numbers = [headers.get("X-Slack-Retry-Num") for _, headers in stage.app.requests[1:]]
    assert numbers == [None, "1", "2"]
    assert stage.app.requests[-1][1]["X-Slack-Retry-Reason"] == "http_error"
    stage.app.answer_headers = {"X-Slack-No-Retry": "1"}
    await stage.slack.event({"type": "team_join"}, retries=2)
    assert len(stage.app.requests) == 5


async def test_url_verification_is_sent_as_it_is(stage: Stage) -> None:
    await stage.slack.event({"type": "url_verification", "challenge": "c"})
    assert json.loads(stage.app.requests[-1][0]) == {"type": "url_verification", "challenge": "c"}


async def test_until_wakes_on_a_change_and_shows_the_transcript_otherwise(stage: Stage) -> None:
    waiting = asyncio.create_task(stage.slack.until(lambda slack: len(slack.messages) == 1))
    await stage.slack.people["alice"].say("Hello")
    await waiting
    stage.slack.workspace.complain("something odd")
    with pytest.raises(AssertionError, match="#sales alice: Hello\nviolation: something odd"):
        await stage.slack.people["alice"].sees("Bye", timeout=0)


async def test_transcript_marks_threads_edits_and_private_messages(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    parent = await alice.say("Parent")
    posted = await stage.client.chat_postMessage(
        channel="C0SALES01", text="One", thread_ts=parent.ts
    )
    await stage.client.chat_update(channel="C0SALES01", ts=str(posted["ts"]), text="Two")
    await stage.client.chat_postEphemeral(channel="C0SALES01", user=alice.id, text="Psst")
    assert stage.slack.transcript().splitlines() == [
        "#sales alice: Parent",
        "#sales crm-notifier (in thread, edited): Two",
        "#sales crm-notifier (only alice): Psst",
    ]
    assert stage.slack.messages[1].history == [("One", [])]


async def test_everybody_a_bot_must_tell_apart_is_there(stage: Stage) -> None:
    people = stage.slack.people
    assert people["lee"].email == "Lee.Wong@Acme.com"
    assert people["exa"].team_id != people["alice"].team_id
    assert people["gone"].deleted
    assert people["nomail"].email is None
    assert stage.slack.bot.is_bot
    assert stage.slack.groups["sales-team"].members[0] is people["priya"]
    added = stage.slack.add_people(2)
    assert [person.email for person in added] == ["u001@acme.com", "u002@acme.com"]
    assert stage.slack.add_people(1)[0].name == "u003"
    await added[1].command("/notify", "hi")
    assert stage.app.form["user_id"] == added[1].id


async def test_tokens_are_read_as_people_see_them(stage: Stage) -> None:
    read = stage.slack.workspace.read
    assert read("<@U0PRIYA01|x> <@U1> <#C0SALES01> <#C1>") == "@priya @U1 #sales #C1"
    assert read("<!subteam^S0SALES01> <!subteam^S1|@old> <!here>") == "@sales-team @old @here"
    assert read("<https://x.io|label> <mailto:a@b.io> &amp;lt;") == "label a@b.io &lt;"
    assert read("<!date^1718000000^{date_short}^https://x|9 Jun>") == "9 Jun"


def test_fresh_stand_in_has_its_people_and_delivers_nowhere() -> None:
    slack = StandInSlack()
    assert slack.bot_url is None
    assert slack.find_person("U0LEE0001") is slack.people["lee"]
    assert slack.find_channel("C0NOSUCH1") is None
    assert slack.get_channel("sales") is slack.find_channel("C0SALES01")


async def test_strangers_at_the_door_are_a_violation(stage: Stage) -> None:
    async with stage.session.get(stage.slack.api_url.replace("/api/", "/other")) as response:
        assert response.status == 404
    assert stage.slack.violations == ["nothing is at GET /other"]


def test_person_outside_a_workspace_can_do_nothing() -> None:
    from bot.sandbox.slack import Person

    with pytest.raises(RuntimeError, match="in no workspace"):
        _ = Person("x", "U1", "X").slack
