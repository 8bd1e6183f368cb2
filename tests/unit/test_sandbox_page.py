import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.web.server import bind
from tests.unit.sandbox_page import ALICE, GUS, OMAR, PRIVATE, RANDOM, SALES, Visit, open_visit
from tests.unit.sandbox_slack_app import field_block

Json = dict[str, Any]
TYPED = "/notify @priya Callback due"


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    async with open_visit() as opened:
        yield opened


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8421"},
        {"Host": "127.0.0.1.evil.example:8421"},
        {"Host": "localhost"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/static/js/main.js", "/feed", "/wires/s1", "/icons/a.png"])
async def test_another_name_or_another_site_is_refused(
    visit: Visit, path: str, headers: dict[str, str]
) -> None:
    assert (await visit.get(path, headers)).status == 403
    status, _ = await visit.post("say", headers=headers, person=ALICE, channel=SALES, text="hi")
    assert status == 403
    assert visit.slack.messages == []


async def test_the_page_is_refused_under_another_name_but_may_be_linked_to(visit: Visit) -> None:
    for name in ("evil.example", "evil.example:8421", "127.0.0.1.evil.example:8421"):
        assert (await visit.get("/", {"Host": name})).status == 403
    assert (await visit.get("/", {"Sec-Fetch-Site": "cross-site"})).status == 200


async def test_a_forwarded_port_is_as_good(visit: Visit) -> None:
    headers = {"Host": "localhost:9000", "Origin": "http://localhost:9000"}
    status, _ = await visit.post("say", headers=headers, person=ALICE, channel=SALES, text="hi")
    assert status == 200


async def test_its_own_page_may(visit: Visit) -> None:
    headers = {"Origin": visit.page.url, "Sec-Fetch-Site": "same-origin"}
    status, _ = await visit.post("say", headers=headers, person=ALICE, channel=SALES, text="hi")
    assert status == 200
    assert [message.text for message in visit.slack.messages] == ["hi"]


async def test_a_foreign_page_cannot_listen(visit: Visit) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await visit.session.ws_connect(f"{visit.page.url}/feed", origin="https://evil.example")
    assert refused.value.status == 403


async def test_every_answer_forbids_what_the_page_does_not_need(visit: Visit) -> None:
    for path in ("/", "/static/css/base.css", "/nothing", "/wires/s1"):
        headers = (await visit.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_the_page_comes_from_the_package_and_loads_nothing_from_elsewhere(
    visit: Visit,
) -> None:
    index = await visit.get("/")
    text = await index.text()
    assert index.content_type == "text/html"
    assert "https://" not in text
    assert "http://" not in text
    assert (await visit.get("/static/js/main.js")).content_type == "text/javascript"
    assert (await visit.get("/static/icons.svg")).content_type == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.js",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/js",
        "/static/js/..%2f..%2fserver.py",
        "/icons/..%2fmain.py",
        "/icons/call.png",
        "/wires/b0",
        "/wires/s0",
        "/wires/s1",
        "/wires/x",
        "/wires/s-1",
    ],
)
async def test_what_is_not_there_is_not_found(visit: Visit, path: str) -> None:
    assert (await visit.get(path)).status == 404


@pytest.mark.parametrize(
    ("raw", "status"),
    [("", 400), ("{", 400), ("[]", 400), ("null", 400), ("[" * 100_000, 400), (b"\xff", 400)],
    ids=["empty", "broken", "list", "null", "deep", "bytes"],
)
async def test_what_is_no_json_object_is_refused(
    visit: Visit, raw: str | bytes, status: int
) -> None:
    assert (await visit.post("say", raw=raw))[0] == status


async def test_only_json_is_taken_so_that_no_form_of_another_site_can_post(visit: Visit) -> None:
    raw = json.dumps({"person": ALICE, "channel": SALES, "text": "hi"})
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert (await visit.post("say", raw=raw, headers={"Content-Type": kind}))[0] == 415
    assert (await visit.post("say", raw="x" * 600_000))[0] == 413


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("dance", {}, 404),
        ("say", {"channel": SALES, "text": "hi"}, 400),
        ("say", {"person": "U0NOBODY", "channel": SALES, "text": "hi"}, 404),
        ("say", {"person": "U0LEE0001", "channel": SALES, "text": "hi"}, 404),
        ("say", {"person": ALICE, "channel": "C0NOWHERE", "text": "hi"}, 404),
        ("say", {"person": GUS, "channel": RANDOM, "text": "hi"}, 404),
        ("say", {"person": OMAR, "channel": PRIVATE, "text": "hi"}, 404),
        ("say", {"person": ALICE, "channel": SALES, "text": "  "}, 400),
        ("say", {"person": ALICE, "channel": SALES, "text": 5}, 400),
        ("say", {"person": ALICE, "channel": SALES, "text": "x" * 40_001}, 400),
        ("say", {"person": ALICE, "channel": SALES, "text": "hi", "thread": "1.1"}, 404),
        ("command", {"person": ALICE, "channel": SALES, "text": "/dance"}, 400),
        ("shortcut", {"person": ALICE, "shortcut": "dance"}, 404),
        ("shortcut", {"person": ALICE, "shortcut": "notify_message", "message": "1.1"}, 404),
        ("press", {"person": ALICE, "message": "1.1", "action": "retry"}, 404),
        ("press", {"person": ALICE, "view": "V0", "action": "preview"}, 404),
        ("press", {"person": ALICE, "action": "compose"}, 404),
        ("submit", {"person": ALICE, "view": "V0", "values": {}}, 404),
        ("close", {"person": ALICE, "view": "V0", "everything": True}, 404),
        ("close", {"person": ALICE, "view": "V0"}, 400),
        ("suggest", {"person": ALICE, "view": "V0", "action": "lead", "query": "asha"}, 404),
        ("crm-fault", {"endpoint": "push", "kind": "dance", "times": 1}, 409),
        ("crm-fault", {"endpoint": "nowhere", "kind": "hang", "times": 1}, 409),
        ("crm-fault", {"endpoint": "push", "kind": "hang", "times": 0}, 400),
        ("crm-fault", {"endpoint": "push", "kind": "hang", "times": 1.5}, 400),
        ("crm-latency", {"seconds": -1}, 400),
        ("crm-latency", {"seconds": "1"}, 400),
        ("crm-latency", {"seconds": True}, 400),
        ("crm-latency", {"seconds": float("nan")}, 400),
        ("crm-limit", {"limit": 0}, 400),
        ("crm-refusal", {"status": 404}, 409),
        ("crm-user", {"user": "nobody", "blocked": True}, 404),
        ("crm-user", {"user": "nobody", "blocked": 1}, 404),
        ("slack-fault", {"method": "chat.dance", "kind": "500", "times": 1}, 404),
        ("slack-fault", {"method": "views.open", "kind": "dance", "times": 1}, 404),
        ("slack-latency", {"seconds": 61}, 400),
        ("slack-bot", {"channel": "C0NOWHERE", "member": True}, 404),
        ("slack-bot", {"channel": "D0ALIPRI1", "member": True}, 404),
        ("slack-bot", {"channel": SALES, "member": "yes"}, 400),
        ("bot", {"what": "dance"}, 404),
    ],
)
async def test_nonsense_is_refused_with_a_sentence(
    visit: Visit, action: str, fields: Json, status: int
) -> None:
    found, answer = await visit.post(action, **fields)
    assert (found, bool(answer["why"])) == (status, True)
    assert visit.slack.messages == []
    assert visit.app.requests == []
    assert visit.bot.done == []


async def test_a_command_arrives_with_ids_and_tells_how_long_it_took(visit: Visit) -> None:
    visit.app.answer = "Queued."
    status, answer = await visit.post("command", person=ALICE, channel=SALES, text=TYPED)
    assert (status, answer["ok"], answer["error"]) == (200, True, None)
    assert 0 < answer["seconds"] < 3
    assert visit.app.form["text"] == "<@U0PRIYA01> Callback due"
    assert visit.app.form["channel_id"] == SALES
    [message] = visit.slack.messages
    assert (message.text, message.ephemeral_to) == ("Queued.", ALICE)


async def test_a_bot_that_is_away_is_told_as_slack_tells_it(visit: Visit) -> None:
    visit.slack.bot_url = "http://127.0.0.1:9/"
    status, answer = await visit.post("command", person=ALICE, channel=SALES, text=TYPED)
    assert (status, answer["ok"], answer["error"]) == (200, False, "dispatch_failed")


async def test_nothing_is_sent_to_a_bot_that_has_not_started_yet(visit: Visit) -> None:
    visit.slack.bot_url = None
    status, answer = await visit.post("command", person=ALICE, channel=SALES, text=TYPED)
    assert (status, answer["why"]) == (409, "The bot is still starting.")


async def test_a_form_is_sent_with_what_was_typed_once_all_that_is_required_is_there(
    visit: Visit,
) -> None:
    view = await visit.open_form(field_block("text", "plain_text_input"))
    place: Json = {"person": ALICE, "view": view}
    assert await visit.post("submit", **place, values={"text": None}) == (
        200,
        {"ok": False, "missing": ["text"]},
    )
    assert (await visit.post("submit", **place, values={"nothing": "x"}))[0] == 404
    assert (await visit.post("submit", **place, values=["x"]))[0] == 400
    assert (await visit.post("submit", **place, values={"text": "x" * 3_001}))[0] == 409
    status, answer = await visit.post("submit", **place, values={"text": "3 pm"})
    assert (status, answer["ok"]) == (200, True)
    sent = visit.app.payload["view"]["state"]["values"]["text"]["text_a"]
    assert sent == {"type": "plain_text_input", "value": "3 pm"}
    assert (await visit.see())["set"].get("views", {}) == {}


async def test_somebody_elses_form_cannot_be_touched(visit: Visit) -> None:
    view = await visit.open_form(field_block("text", "plain_text_input"))
    assert (await visit.post("submit", person=GUS, view=view, values={"text": "x"}))[0] == 404
    assert (await visit.post("close", person=GUS, view=view, everything=True))[0] == 404
    assert visit.slack.people["alice"].view.is_open


async def test_a_page_is_told_everything_and_then_what_changes(visit: Visit) -> None:
    async with visit.session.ws_connect(f"{visit.page.url}/feed") as socket:
        first = await socket.receive_json(timeout=5)
        assert {one["name"] for one in first["set"]["people"].values()} >= {"alice", "gus"}
        assert first["set"]["status"]["bot"]["state"] == "running"
        await visit.post("say", person=ALICE, channel=SALES, text="Hello @priya")
        told = await socket.receive_json(timeout=5)
        assert list(told["set"]) == ["messages"]
        [message] = told["set"]["messages"].values()
        assert message["text"] == "Hello <@U0PRIYA01>"
        visit.slack.messages[0].deleted = True
        await visit.slack.workspace.changed()
        assert (await socket.receive_json(timeout=5))["gone"] == {
            "messages": [visit.slack.messages[0].ts]
        }


async def test_the_end_closes_the_feed_at_once(visit: Visit) -> None:
    async with visit.session.ws_connect(f"{visit.page.url}/feed") as socket:
        await socket.receive_json(timeout=5)
        async with asyncio.timeout(2):
            await visit.page.stop()
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_what_breaks_the_pages_own_work_is_not_kept_quiet(visit: Visit) -> None:
    watching = asyncio.create_task(visit.page.watch())
    async with visit.session.ws_connect(f"{visit.page.url}/feed") as socket:
        await socket.receive_json(timeout=5)
        visit.slack.messages.append(None)  # type: ignore[arg-type]  # what cannot be shown
        await visit.slack.workspace.changed()
        with pytest.raises(AttributeError):
            async with asyncio.timeout(5):
                await watching


async def test_a_port_that_is_taken_is_passed_over() -> None:
    with bind(0) as first, bind(first.getsockname()[1]) as second:
        assert first.getsockname()[0] == second.getsockname()[0] == "127.0.0.1"
        assert first.getsockname()[1] != second.getsockname()[1]
