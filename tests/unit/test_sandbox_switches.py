"""The page's switches and the wire inspector, as the stand-ins feel them."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.slack.people import BOT_USER_ID
from tests.unit.sandbox_page import ALICE, SALES, Visit, open_visit

Json = dict[str, Any]
PUSH = "/v2/Notifier.svc/Browser.Push"


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    async with open_visit() as opened:
        yield opened


async def push(visit: Visit, to: str = "priya@acme.com", title: str = "Callback due") -> int:
    """Send a notification as the bot would; return the status."""
    [user] = [one for one in visit.crm.users if one.email == to]
    headers = {
        "x-LSQ-AccessKey": visit.crm.access_key,
        "x-LSQ-SecretKey": visit.crm.secret_key,
    }
    body = {"UserId": user.id, "Title": title, "Content": "3 pm"}
    async with visit.session.post(visit.crm.url + PUSH, json=body, headers=headers) as response:
        return response.status


async def tell(visit: Visit, action: str, **fields: Any) -> Json:
    """Carry out what must work."""
    status, answer = await visit.post(action, **fields)
    assert status == 200, answer
    return answer


async def read_status(visit: Visit) -> Json:
    status: Json = (await visit.see())["set"]["status"]
    return status


async def test_a_fault_of_leadsquared_is_used_up_or_cleared(visit: Visit) -> None:
    await tell(visit, "crm-fault", endpoint="push", kind="html_502", times=1)
    await tell(visit, "crm-fault", endpoint="*", kind="unauthorized_401", times=None)
    assert (await read_status(visit))["switches"]["crm"]["faults"] == [
        {"endpoint": "push", "kind": "html_502", "times": 1},
        {"endpoint": "*", "kind": "unauthorized_401", "times": None},
    ]
    assert [await push(visit) for _ in range(3)] == [502, 401, 401]
    await tell(visit, "crm-clear")
    assert await push(visit) == 200
    assert (await read_status(visit))["switches"]["crm"]["faults"] == []


@pytest.mark.parametrize("status", [429, 403, 200])
async def test_a_smaller_limit_refuses_as_it_is_told_to(visit: Visit, status: int) -> None:
    await tell(visit, "crm-limit", limit=1)
    await tell(visit, "crm-refusal", status=status)
    assert [await push(visit) for _ in range(2)] == [200, status]
    meter = (await read_status(visit))["meter"]
    assert (meter["limit"], meter["calls"], meter["refused"]) == (1, 2, 1)
    assert [one["counted"] for one in meter["arrivals"]] == [True, False]
    assert len(visit.crm.pushes) == 1


async def test_a_blocked_browser_is_refused_until_it_is_not(visit: Visit) -> None:
    [priya] = [user for user in visit.crm.users if user.email == "priya@acme.com"]
    await tell(visit, "crm-user", user=priya.id, blocked=True)
    assert await push(visit) == 500
    await tell(visit, "crm-user", user=priya.id, blocked=False)
    assert await push(visit) == 200


async def test_slow_answers_are_set_for_either_side(visit: Visit) -> None:
    await tell(visit, "crm-latency", seconds=0.5)
    await tell(visit, "slack-latency", seconds=1)
    await tell(visit, "slack-fault", method="views.open", kind="500", times=2)
    await tell(visit, "slack-clear")
    assert (visit.crm.latency, visit.slack.faults.delay) == (0.5, 1)
    assert visit.slack.faults.api == {}


async def test_a_fault_of_slack_is_listed_while_it_lasts(visit: Visit) -> None:
    await tell(visit, "slack-fault", method="users.info", kind="500", times=1)
    await tell(visit, "slack-fault", method="response_url", kind="expired_url", times=None)
    listed = [
        {"method": "users.info", "kind": "500", "times": 1},
        {"method": "response_url", "kind": "expired_url", "times": None},
    ]
    assert (await read_status(visit))["switches"]["slack"]["faults"] == listed
    async with visit.session.post(f"{visit.slack.api_url}users.info") as response:
        assert response.status == 500
    assert (await read_status(visit))["switches"]["slack"]["faults"] == listed[1:]


async def test_the_bot_is_taken_out_of_a_channel_and_back(visit: Visit) -> None:
    await tell(visit, "slack-bot", channel=SALES, member=False)
    assert not (await visit.see())["set"]["channels"][SALES]["has_bot"]
    await tell(visit, "slack-bot", channel=SALES, member=True)
    assert BOT_USER_ID in visit.slack.channels["sales"].members


@pytest.mark.parametrize(
    ("what", "done"), [("kill", ["kill"]), ("start", ["start"]), ("restart", ["kill", "start"])]
)
async def test_the_bot_is_killed_and_started(visit: Visit, what: str, done: list[str]) -> None:
    await tell(visit, "bot", what=what)
    assert visit.bot.done == done


async def test_the_crowd_is_there_once_on_both_sides_and_in_a_group(visit: Visit) -> None:
    first = await tell(visit, "crowd")
    assert first == await tell(visit, "crowd")
    assert first["text"].startswith("/notify @all-hands ")
    group = visit.slack.groups["all-hands"]
    emails = {user.email for user in visit.crm.users}
    assert len(group.members) == 150
    assert all(person.email in emails for person in group.members)
    await tell(visit, "command", person=ALICE, channel=SALES, text=first["text"])
    assert visit.app.form["text"].startswith(f"<!subteam^{group.id}|@all-hands> ")


async def test_a_push_is_shown_with_its_very_bytes_and_the_time_of_day(visit: Visit) -> None:
    await push(visit, title="<b>é</b>")
    told = await visit.see()
    [shown] = told["set"]["pushes"].values()
    assert (shown["title"], shown["content"], shown["click"]) == ("<b>é</b>", "3 pm", None)
    assert shown["raw"] == visit.crm.pushes[0].raw.decode()
    assert abs(told["now"] - shown["at"]) < 60


async def test_the_wire_shows_both_ways_whole_and_masked(visit: Visit) -> None:
    visit.app.answer = {"text": "Queued."}
    await tell(visit, "command", person=ALICE, channel=SALES, text="/notify @priya Hi")
    await push(visit)
    wires = (await visit.see())["set"]["wires"]
    assert {
        key: (one["from"], one["to"], one["what"], one["status"]) for key, one in wires.items()
    } == {
        "s1": ("slack", "bot", "/notify @priya Hi", 200),
        "b1": ("bot", "leadsquared", "POST Browser.Push", 200),
    }
    sent = await (await visit.get("/wires/s1")).json()
    assert sent["request"]["line"] == "POST /slack/events (/notify @priya Hi)"
    assert '"text": "<@U0PRIYA01> Hi"' in sent["request"]["body"]
    assert '"text": "Queued."' in sent["answer"]["body"]
    pushed = await (await visit.get("/wires/b1")).json()
    assert '"Title": "Callback due"' in pushed["request"]["body"]
    assert "Message broadcasted successfully" in pushed["answer"]["body"]
    for secret in (visit.crm.secret_key, visit.crm.access_key, "legacyToken123"):
        assert secret not in f"{sent}{pushed}"


async def test_an_answer_that_never_left_is_shown_as_cut(visit: Visit) -> None:
    await tell(visit, "crm-fault", endpoint="push", kind="reset_after", times=1)
    with pytest.raises(aiohttp.ClientError):
        await push(visit)
    [wire] = (await visit.see())["set"]["wires"].values()
    assert (wire["status"], wire["error"]) == (None, "cut")
    shown = await (await visit.get("/wires/b1")).json()
    assert (shown["answer"], shown["silence"]) == (None, "the connection was cut")


async def test_a_bot_that_was_not_reached_is_shown_on_the_wire(visit: Visit) -> None:
    visit.slack.bot_url = "http://127.0.0.1:9/"
    await tell(visit, "command", person=ALICE, channel=SALES, text="/notify @priya Hi")
    shown = await (await visit.get("/wires/s1")).json()
    assert (shown["answer"], shown["silence"]) == (None, "dispatch_failed")


async def test_in_socket_mode_the_wire_shows_an_envelope_and_no_headers(visit: Visit) -> None:
    visit.slack.uses_sockets = True
    await tell(visit, "command", person=ALICE, channel=SALES, text="/notify @priya Hi")
    shown = (await (await visit.get("/wires/s1")).json())["request"]
    assert (shown["line"], shown["headers"]) == ("WebSocket slash_commands (/notify @priya Hi)", {})
    assert '"type": "slash_commands"' in shown["body"]
    assert '"text": "<@U0PRIYA01> Hi"' in shown["body"]
    assert "legacyToken123" not in shown["body"]
