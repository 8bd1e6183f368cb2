import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import Fault
from tests.unit.sandbox_slack_app import Stage, actions, button, open_stage, section

EVERY_SCOPE = {
    "usergroups:read",
    "im:write",
    "mpim:write",
    "channels:read",
    "groups:read",
    "im:read",
    "mpim:read",
}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


async def test_identity_comes_with_the_scopes_in_a_header(stage: Stage) -> None:
    response = await stage.client.auth_test()
    assert (response["team_id"], response["user_id"]) == ("T0ACME001", "U0BOT0001")
    assert "users:read.email" in response.headers["x-oauth-scopes"]


@pytest.mark.parametrize(
    ("headers", "error"), [({}, "not_authed"), ({"Authorization": "Bearer x"}, "invalid_auth")]
)
async def test_wrong_tokens_are_refused(stage: Stage, headers: dict[str, str], error: str) -> None:
    async with stage.session.post(stage.slack.api_url + "auth.test", headers=headers) as response:
        assert (await response.json())["error"] == error
    assert stage.slack.calls[-1].error == error


async def test_every_wire_form_is_understood(stage: Stage) -> None:
    url = stage.slack.api_url + "chat.postMessage"
    fields = {"token": stage.slack.bot_token, "channel": "C0SALES01", "text": "x", "team_id": "T"}
    blocks = json.dumps([section("b")])
    for query, data in ((fields, None), ({}, fields | {"blocks": blocks, "unfurl_links": "false"})):
        async with stage.session.post(url, params=query, data=data) as response:
            assert (await response.json())["ok"] is True
    async with stage.session.get(url, params=fields) as response:
        assert (await response.json())["ok"] is True
    assert stage.slack.calls[1].args["blocks"] == [section("b")]
    assert stage.slack.calls[1].args["unfurl_links"] is False
    assert "token" not in stage.slack.calls[0].args


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_broken_json_is_a_violation(stage: Stage, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    url = stage.slack.api_url + "auth.test"
    async with stage.session.post(url, data=body, headers=headers) as response:
        assert (await response.json())["error"] == "invalid_json"
    assert stage.slack.violations == ["auth.test: invalid_json"]


async def test_structured_argument_that_is_no_json_is_a_violation(stage: Stage) -> None:
    fields = {"token": stage.slack.bot_token, "blocks": "["}
    url = stage.slack.api_url + "chat.postMessage"
    async with stage.session.post(url, data=fields) as response:
        assert (await response.json())["error"] == "invalid_arguments"
    assert len(stage.slack.violations) == 1


async def test_unknown_method_and_missing_scope_are_violations(stage: Stage) -> None:
    assert (await stage.call("chat.mePlease"))["error"] == "unknown_method"
    stage.slack.scopes.discard("usergroups:read")
    answer = await stage.call("usergroups.list")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "usergroups:read")
    assert "chat:write" in answer["provided"]
    assert stage.slack.violations == [
        "chat.mePlease: unknown_method",
        "usergroups.list: missing_scope usergroups:read",
    ]


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0SALES01", None),
        ("U0ALICE01", None),
        ("C0RANDOM1", "not_in_channel"),
        ("C0LEADS01", "channel_not_found"),
        ("D0ALIPRI1", "channel_not_found"),
        ("C0NOSUCH1", "channel_not_found"),
        ("U0NOSUCH1", "channel_not_found"),
        ("U0GONE001", "channel_not_found"),
        ("U0EXA0001", "channel_not_found"),
        ("U0ROBOT01", "cannot_dm_bot"),
    ],
)
async def test_bot_posts_only_where_it_may(stage: Stage, channel: str, error: str | None) -> None:
    assert (await stage.call("chat.postMessage", channel=channel, text="x")).get("error") == error
    assert stage.slack.violations == []


async def test_public_channels_are_open_with_the_scope(stage: Stage) -> None:
    stage.slack.scopes.add("chat:write.public")
    assert (await stage.call("chat.postMessage", channel="C0RANDOM1", text="x"))["ok"]
    assert not (await stage.call("chat.postMessage", channel="C0LEADS01", text="x"))["ok"]


async def test_archived_channels_and_a_closed_messages_tab_refuse(stage: Stage) -> None:
    stage.slack.channels["sales"].is_archived = True
    answer = await stage.call("chat.postMessage", channel="C0SALES01", text="x")
    assert answer["error"] == "is_archived"
    stage.slack.workspace.messages_tab = False
    answer = await stage.call("chat.postMessage", channel="U0ALICE01", text="x")
    assert answer["error"] == "messages_tab_disabled"


async def test_message_to_a_person_lands_in_their_dm(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    answer = await stage.client.chat_postMessage(channel=alice.id, text="Hi")
    again = await stage.client.chat_postMessage(
        channel=str(answer["channel"]), text="Again", unfurl_links=False, unfurl_media=False
    )
    assert str(answer["channel"]).startswith("D")
    assert again["channel"] == answer["channel"]
    assert [one.shown for one in stage.slack.visible_to(alice)] == ["Hi", "Again"]
    assert [one.unfurls for one in stage.slack.messages] == [True, False]
    assert stage.slack.visible_to(stage.slack.people["priya"]) == []


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ({"text": "<!channel> hi"}, "chat.postMessage: pings <!channel>"),
        ({"text": "<!subteam^S0SALES01|@s>"}, "chat.postMessage: pings <!subteam^S0SALES01|@s>"),
        (
            {"text": "x", "blocks": [section("<!here>")]},
            "chat.postMessage: pings <!here>",
        ),
        ({"text": "@here", "link_names": True}, "chat.postMessage: pings a channel by link_names"),
        (
            {"blocks": [section("x")]},
            "chat.postMessage: blocks without text, which notifications read",
        ),
        ({"text": "x" * 4001}, "chat.postMessage: text of 4001 characters"),
        (
            {"text": "x", "thread_ts": "1.2"},
            "chat.postMessage: thread_ts 1.2 is no message here",
        ),
    ],
)
async def test_what_slack_lets_pass_is_complained_about(
    stage: Stage, args: dict[str, Any], complaint: str
) -> None:
    assert (await stage.call("chat.postMessage", channel="C0SALES01", **args))["ok"]
    assert stage.slack.violations == [complaint.replace("chat.postMessage: thread", "chat: thread")]


async def test_escaped_mentions_ping_nobody(stage: Stage) -> None:
    await stage.call("chat.postMessage", channel="C0SALES01", text="&lt;!channel&gt; @here")
    assert stage.slack.violations == []
    assert stage.slack.messages[0].shown == "<!channel> @here"


async def test_own_name_sends_a_dm_astray(stage: Stage) -> None:
    await stage.call("chat.postMessage", channel="U0ALICE01", text="x", username="Boss")
    assert "Slackbot" in stage.slack.violations[0]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({}, "no_text"),
        ({"text": 7}, "invalid_arguments"),
        ({"text": "x", "blocks": "no"}, "invalid_arguments"),
        ({"text": "x", "blocks": {"type": "section"}}, "invalid_blocks"),
    ],
)
async def test_what_cannot_be_posted_is_refused(
    stage: Stage, args: dict[str, Any], error: str
) -> None:
    answer = await stage.call("chat.postMessage", channel="C0SALES01", **args)
    assert answer["error"] == error
    assert len(stage.slack.violations) == 1
    assert stage.slack.messages == []


async def test_thread_starts_at_the_parent(stage: Stage) -> None:
    parent = await stage.slack.people["alice"].say("Parent")
    first = await stage.call("chat.postMessage", channel="C0SALES01", text="1", thread_ts=parent.ts)
    assert stage.slack.violations == []
    await stage.call("chat.postMessage", channel="C0SALES01", text="2", thread_ts=first["ts"])
    assert stage.slack.violations == ["chat: thread_ts is a reply's own ts"]


async def test_permalinks_name_the_thread(stage: Stage) -> None:
    parent = await stage.slack.people["alice"].say("Parent")
    reply = await stage.slack.people["alice"].say("Reply", thread=parent)
    base = "https://acme.slack.com/archives/C0SALES01/p"
    link = await stage.client.chat_getPermalink(channel="C0SALES01", message_ts=parent.ts)
    assert link["permalink"] == base + parent.ts.replace(".", "")
    link = await stage.client.chat_getPermalink(channel="C0SALES01", message_ts=reply.ts)
    assert str(link["permalink"]).endswith(f"?thread_ts={parent.ts}&cid=C0SALES01")
    answer = await stage.call("chat.getPermalink", channel="C0SALES01", message_ts="1.0")
    assert answer["error"] == "message_not_found"


async def test_ephemeral_needs_both_in_the_channel(stage: Stage) -> None:
    def post(channel: str, user: str, text: str = "x") -> Any:
        return stage.call("chat.postEphemeral", channel=channel, user=user, text=text)

    assert (await post("C0SALES01", "U0ALICE01"))["ok"]
    assert (await post("C0SALES01", "U0EXA0001"))["error"] == "user_not_in_channel"
    assert (await post("C0RANDOM1", "U0ALICE01"))["error"] == "not_in_channel"
    assert (await post("C0LEADS01", "U0ALICE01"))["error"] == "channel_not_found"
    assert stage.slack.violations == []
    await post("C0SALES01", "U0ALICE01", "é" * 2001)
    assert stage.slack.violations == ["chat.postEphemeral: text of more than 4000 bytes"]
    ephemeral = stage.slack.messages[0]
    answer = await stage.call("chat.update", channel="C0SALES01", ts=ephemeral.ts, text="y")
    assert answer["error"] == "message_not_found"


async def test_bot_edits_and_deletes_only_its_own(stage: Stage) -> None:
    theirs = await stage.slack.people["alice"].say("Mine")
    own = await stage.client.chat_postMessage(
        channel="C0SALES01", text="x", blocks=[section("Before")]
    )
    place = {"channel": "C0SALES01", "ts": own["ts"]}
    await stage.call("chat.update", **place, text="After")
    message = await stage.slack.people["alice"].sees("After")
    assert message.blocks == []
    assert message.edited
    answer = await stage.call("chat.update", **place, text="x" * 4001)
    assert answer["error"] == "msg_too_long"
    for method, error in (("update", "cant_update_message"), ("delete", "cant_delete_message")):
        answer = await stage.call(f"chat.{method}", channel="C0SALES01", ts=theirs.ts, text="x")
        assert answer["error"] == error
    assert (await stage.call("chat.delete", **place))["ok"]
    assert (await stage.call("chat.delete", **place))["error"] == "message_not_found"
    assert [one.shown for one in stage.slack.visible_to(stage.slack.people["lee"])] == ["Mine"]


async def test_people_are_described_as_slack_describes_them(stage: Stage) -> None:
    user = (await stage.client.users_info(user="U0LEE0001"))["user"]
    assert user["profile"]["email"] == "Lee.Wong@Acme.com"
    guest = (await stage.client.users_info(user="U0GUS0001"))["user"]
    assert guest["is_restricted"] is True
    stranger = (await stage.client.users_info(user="U0EXA0001"))["user"]
    assert (stranger["is_stranger"], "email" in stranger["profile"]) == (True, False)
    gone = (await stage.client.users_info(user="U0GONE001"))["user"]
    assert (gone["deleted"], "is_admin" in gone) == (True, False)
    with pytest.raises(SlackApiError, match="user_not_found"):
        await stage.client.users_info(user="U0NOSUCH1")


async def test_email_is_simply_absent_without_its_scope(stage: Stage) -> None:
    stage.slack.scopes.discard("users:read.email")
    user = (await stage.client.users_info(user="U0LEE0001"))["user"]
    assert "email" not in user["profile"]
    assert stage.slack.violations == []


async def test_lookup_by_email_ignores_case_and_the_deactivated(stage: Stage) -> None:
    found = await stage.client.users_lookupByEmail(email="lee.WONG@acme.com")
    assert found["user"]["id"] == "U0LEE0001"
    answer = await stage.call("users.lookupByEmail", email="gone@acme.com")
    assert answer["error"] == "users_not_found"


async def test_users_come_in_pages(stage: Stage) -> None:
    stage.slack.add_people(20)
    sizes, names = [], set()
    async for page in await stage.client.users_list(limit=10):
        sizes.append(len(page["members"]))
        names |= {member["name"] for member in page["members"]}
    assert sizes == [10, 10, 10, 2]
    assert "exa" not in names
    assert {"slackbot", "gone", "u020"} <= names
    assert (await stage.call("users.list", cursor="@"))["error"] == "invalid_cursor"


async def test_groups_and_conversations_answer_with_their_scopes(stage: Stage) -> None:
    stage.slack.scopes |= EVERY_SCOPE
    groups = await stage.client.usergroups_list(include_users=True)
    assert groups["usergroups"][0]["users"] == ["U0PRIYA01", "U0LEE0001", "U0DEV0001"]
    assert "users" not in (await stage.call("usergroups.list"))["usergroups"][0]
    members = await stage.client.usergroups_users_list(usergroup="S0SALES01")
    assert len(members["users"]) == 3
    answer = await stage.call("usergroups.users.list", usergroup="S1")
    assert answer["error"] == "no_such_subteam"
    info = (await stage.client.conversations_info(channel="C0SALES01"))["channel"]
    assert (info["is_member"], info["is_private"]) == (True, False)
    members = await stage.client.conversations_members(channel="C0SALES01", limit=3)
    assert len(members["members"]) == 3
    assert members["response_metadata"]["next_cursor"]
    for channel in ("C0LEADS01", "C1"):
        answer = await stage.call("conversations.info", channel=channel)
        assert answer["error"] == "channel_not_found"
    assert stage.slack.violations == []


async def test_a_deactivated_group_is_shown_only_to_those_who_ask_for_such(stage: Stage) -> None:
    group = stage.slack.workspace.add_group("old-team", [stage.slack.people["priya"]])
    group.date_delete = 1700000000
    assert len((await stage.client.usergroups_list())["usergroups"]) == 1
    everything = await stage.client.usergroups_list(include_disabled=True)
    assert [one["date_delete"] for one in everything["usergroups"]] == [0, 1700000000]
    answer = await stage.call("usergroups.users.list", usergroup=group.id)
    assert answer["error"] == "no_such_subteam"
    kept = await stage.client.usergroups_users_list(usergroup=group.id, include_disabled=True)
    assert kept["users"] == ["U0PRIYA01"]


async def test_conversation_scopes_depend_on_its_kind(stage: Stage) -> None:
    answer = await stage.call("conversations.info", channel="C0LEADS01")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "groups:read")


async def test_direct_messages_are_opened_once(stage: Stage) -> None:
    stage.slack.scopes |= EVERY_SCOPE
    one = await stage.client.conversations_open(users="U0ALICE01")
    same = await stage.client.conversations_open(users=["U0ALICE01"])
    assert one["channel"]["id"] == same["channel"]["id"]
    group = await stage.client.conversations_open(users="U0ALICE01,U0LEE0001")
    again = await stage.client.conversations_open(users="U0LEE0001,U0ALICE01")
    assert group["channel"]["id"] == again["channel"]["id"]
    for users, error in (
        ("U0EXA0001", "user_not_found"),
        ("U0GONE001", "user_disabled"),
        (",".join(["U0ALICE01"] * 9), "too_many_users"),
    ):
        assert (await stage.call("conversations.open", users=users))["error"] == error


async def test_rate_limit_fault_is_a_429_with_retry_after(stage: Stage) -> None:
    stage.slack.faults.fail("chat.postMessage", "ratelimited:3", times=1)
    with pytest.raises(SlackApiError) as caught:
        await stage.client.chat_postMessage(channel="C0SALES01", text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "3"
    await stage.client.chat_postMessage(channel="C0SALES01", text="x")
    assert len(stage.slack.messages) == 1
    assert [call.ok for call in stage.slack.calls] == [None, True]


async def test_named_faults_last_until_taken_back(stage: Stage) -> None:
    stage.slack.faults.api["auth.test"] = "account_inactive"
    for _ in range(2):
        assert (await stage.call("auth.test"))["error"] == "account_inactive"
    stage.slack.faults.api["auth.test"] = Fault("invalid_auth")
    assert (await stage.call("auth.test"))["error"] == "invalid_auth"
    stage.slack.faults.clear()
    assert (await stage.call("auth.test"))["ok"]


async def test_status_and_garbage_faults(stage: Stage) -> None:
    url = stage.slack.api_url + "auth.test"
    stage.slack.faults.api["auth.test"] = 503
    async with stage.session.post(url) as response:
        assert response.status == 503
    stage.slack.faults.api["auth.test"] = "garbage"
    async with stage.session.post(url) as response:
        assert (response.status, response.content_type) == (200, "text/html")


@pytest.mark.parametrize(("kind", "posted"), [("reset", 0), ("reset_after", 1)])
async def test_reset_cuts_before_or_after_the_work(stage: Stage, kind: str, posted: int) -> None:
    stage.slack.faults.api["chat.postMessage"] = kind
    with pytest.raises(aiohttp.ClientError):
        await stage.call("chat.postMessage", channel="C0SALES01", text="x")
    assert len(stage.slack.messages) == posted


@pytest.mark.parametrize("kind", ["hang", "hang_after"])
async def test_hang_lasts_until_released(stage: Stage, kind: str) -> None:
    stage.slack.faults.api["chat.postMessage"] = kind
    call = asyncio.create_task(stage.call("chat.postMessage", channel="C0SALES01", text="x"))
    await stage.slack.until(lambda slack: len(slack.calls) == 1)
    stage.slack.faults.release()
    if kind == "hang":
        assert (await call)["ok"]
    else:
        with pytest.raises(aiohttp.ClientError):
            await call
    assert len(stage.slack.messages) == 1


async def test_delay_holds_answers_back_until_it_is_over_or_released(stage: Stage) -> None:
    stage.slack.faults.delay = 0.001
    assert (await stage.call("auth.test"))["ok"]
    stage.slack.faults.delay = 60.0
    call = asyncio.create_task(stage.call("auth.test"))
    await stage.slack.until(lambda slack: len(slack.calls) == 2)
    stage.slack.faults.clear()
    assert (await call)["ok"]


async def _command_url(stage: Stage, channel: str = "sales") -> str:
    await stage.slack.people["alice"].command("/notify", "x", channel=channel)
    return stage.app.form["response_url"]


@pytest.mark.parametrize("channel", ["sales", "random", "leads-private", "alice-priya"])
async def test_response_url_works_without_membership(stage: Stage, channel: str) -> None:
    url = await _command_url(stage, channel)
    assert await stage.respond(url, text="only you") == (200, "ok")
    assert await stage.respond(url, text="all", response_type="in_channel") == (200, "ok")
    assert [one.shown for one in stage.slack.visible_to(stage.slack.people["alice"])] == [
        "only you",
        "all",
    ]
    assert [one.shown for one in stage.slack.visible_to(stage.slack.people["priya"])] == ["all"]
    assert [post.status for post in stage.slack.hook_posts] == [200, 200]
    assert stage.slack.violations == []


async def test_sixth_use_of_a_response_url_is_refused(stage: Stage) -> None:
    url = await _command_url(stage)
    for _ in range(5):
        assert (await stage.respond(url, text="x"))[0] == 200
    assert await stage.respond(url, text="x") == (404, "used_url")
    assert stage.slack.violations == ["response_url: used_url"]
    assert stage.slack.hook_posts[-1].error == "used_url"


async def test_response_url_ends_after_half_an_hour(stage: Stage) -> None:
    url = await _command_url(stage)
    stage.clock.forward(1800)
    assert (await stage.respond(url, text="x"))[0] == 200
    stage.clock.forward(1)
    assert await stage.respond(url, text="x") == (404, "expired_url")
    assert await stage.respond(url + "x", text="x") == (404, "no_service")


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"text": "x", "response_type": "loud"}'])
async def test_nonsense_at_a_response_url_is_refused(stage: Stage, raw: bytes) -> None:
    url = await _command_url(stage)
    async with stage.session.post(url, data=raw) as response:
        assert (response.status, await response.text()) == (400, "invalid_payload")
    assert stage.slack.messages == []


async def test_response_url_faults(stage: Stage) -> None:
    url = await _command_url(stage)
    stage.slack.faults.fail("response_url", "used_url", times=1)
    assert await stage.respond(url, text="x") == (404, "used_url")
    stage.slack.faults.hooks = 500
    assert (await stage.respond(url, text="x"))[0] == 500
    stage.slack.faults.hooks = None
    assert (await stage.respond(url, text="x"))[0] == 200
    assert stage.slack.violations == []


async def test_button_url_replaces_and_deletes_its_message(stage: Stage) -> None:
    blocks = [actions(button("a"))]
    await stage.client.chat_postMessage(channel="C0SALES01", text="x", blocks=blocks)
    await stage.slack.people["alice"].press(stage.slack.messages[0], "a")
    url = stage.app.payload["response_url"]
    await stage.respond(url, text="Replaced", replace_original=True)
    assert [one.shown for one in stage.slack.messages] == ["Replaced"]
    await stage.respond(url, delete_original=True)
    assert stage.slack.visible_to(stage.slack.people["alice"]) == []
    assert stage.slack.violations == []


async def test_ephemeral_original_stays_ephemeral(stage: Stage) -> None:
    stage.app.answer = {"text": "x", "blocks": [actions(button("a"))]}
    alice = stage.slack.people["alice"]
    await alice.command("/notify")
    stage.app.answer = ""
    await alice.press(stage.slack.messages[0], "a")
    url = stage.app.payload["response_url"]
    await stage.respond(url, text="All", replace_original=True, response_type="in_channel")
    assert stage.slack.messages[0].ephemeral_to == alice.id
    assert stage.slack.violations == ["response_url: an ephemeral message cannot become public"]


async def test_commands_have_no_original_to_replace(stage: Stage) -> None:
    await stage.respond(await _command_url(stage), text="x", replace_original=True)
    assert "no original" in stage.slack.violations[0]
    assert len(stage.slack.messages) == 1


async def test_shortcut_answers_in_the_thread(stage: Stage) -> None:
    alice = stage.slack.people["alice"]
    parent = await alice.say("Parent", channel="leads-private")
    await alice.use_shortcut("forward", parent)
    url = stage.app.payload["response_url"]
    body = {"text": "x", "response_type": "in_channel", "thread_ts": parent.ts}
    await stage.respond(url, **body, replace_original=False)
    assert stage.slack.messages[-1].thread_ts == parent.ts
    assert stage.slack.violations == []
    await stage.respond(url, **body)
    assert "without replace_original: false" in stage.slack.violations[0]
