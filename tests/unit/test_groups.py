import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs

from bot import groups as module
from bot.errors import SlackRefusedError, SlackUnavailableError, UserError
from bot.groups import KEEP, TRUST, Group, Groups
from bot.replies.compose import MOST_GROUPS
from bot.sandbox.slack import StandInSlack
from bot.slack_api import SlackApi
from tests.clock import FrozenClock

SALES, PRIYA, LEE, DEV = "S0SALES01", "U0PRIYA01", "U0LEE0001", "U0DEV0001"
MEMBERS, LIST = "usergroups.users.list", "usergroups.list"
TICK = 0.01


@dataclass
class Stage:
    """Groups that read from a strict Slack over sockets, on a clock that stands still."""

    slack: StandInSlack
    clock: FrozenClock
    groups: Groups

    async def get(self, group_id: str = SALES) -> Group:
        [group] = await self.groups.get_all([group_id])
        return group

    async def refusal(self, group_id: str = SALES) -> str:
        with pytest.raises(UserError) as caught:
            await self.get(group_id)
        return caught.value.hint

    def add(self, handle: str, *names: str) -> str:
        people = [self.slack.people[name] for name in names]
        return self.slack.workspace.add_group(handle, people).id

    def count(self, method: str = MEMBERS) -> int:
        return sum(call.method == method for call in self.slack.calls)

    def leave(self, name: str) -> None:
        self.slack.workspace.groups["sales-team"].members.remove(self.slack.people[name])


def hold(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Keep Slack's answer back for longer than anybody waits, until the event."""
    released = asyncio.Event()
    fetch = stage.groups._slack.fetch_group_members

    async def fetch_late(group_id: str) -> list[str]:
        await released.wait()
        return await fetch(group_id)

    monkeypatch.setattr(module, "READ_WITHIN", 0.01)
    monkeypatch.setattr(stage.groups._slack, "fetch_group_members", fetch_late)
    return released


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    slack = StandInSlack(signing_secret="0" * 32, bot_token="xoxb-1-unit")
    await slack.start()
    async with ClientSession() as session:
        client = AsyncWebClient(
            "xoxb-1-unit", base_url=slack.api_url, session=session, retry_handlers=[]
        )
        client.proxy = None
        clock = FrozenClock()
        yield Stage(slack, clock, Groups(SlackApi(client, session), clock))
        slack.faults.clear()
    await slack.stop()


async def test_a_group_has_its_handle_and_its_members_in_order(stage: Stage) -> None:
    assert await stage.get() == Group("sales-team", (PRIYA, LEE, DEV))
    assert (stage.count(MEMBERS), stage.count(LIST)) == (1, 1)


async def test_fifteen_hundred_members_come_in_one_answer(stage: Stage) -> None:
    people = stage.slack.add_people(1_500)
    group = stage.slack.workspace.add_group("everybody", people)
    assert (await stage.get(group.id)).members == tuple(person.id for person in people)


async def test_who_is_in_it_is_kept_for_five_minutes(stage: Stage) -> None:
    await stage.get()
    stage.leave("lee")
    stage.clock.forward(KEEP - TICK)
    assert (await stage.get()).members == (PRIYA, LEE, DEV)
    stage.clock.forward(TICK)
    assert (await stage.get()).members == (PRIYA, DEV)
    assert stage.count() == 2


@pytest.mark.parametrize("kind", [500, "internal_error", "ratelimited:30", "garbage"])
async def test_without_slack_what_was_known_counts_for_an_hour(
    stage: Stage, kind: str | int
) -> None:
    await stage.get()
    stage.slack.faults.fail(MEMBERS, kind)
    stage.clock.forward(TRUST - TICK)
    assert (await stage.get()).members == (PRIYA, LEE, DEV)
    assert stage.count() == 2
    stage.clock.forward(TICK)
    with pytest.raises(SlackUnavailableError):
        await stage.get()


@pytest.mark.parametrize("kind", [500, "ratelimited:30", "garbage"])
async def test_without_slack_an_unknown_group_is_not_guessed(stage: Stage, kind: str | int) -> None:
    stage.slack.faults.fail(MEMBERS, kind)
    with pytest.raises(SlackUnavailableError) as caught:
        await stage.get()
    assert "nothing was sent. Try again." in caught.value.hint


async def test_a_slack_that_hangs_is_not_waited_for_and_asked_once_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_WITHIN", 0.05)
    stage.slack.faults.fail(MEMBERS, "hang", times=1)
    with pytest.raises(SlackUnavailableError):
        await stage.get()
    waited = stage.groups._reading[SALES]
    with pytest.raises(SlackUnavailableError):
        await stage.get()
    assert stage.count() == 1
    stage.slack.faults.release()
    await asyncio.wait([waited])
    assert stage.groups._reading == {}


async def test_a_reading_that_ends_after_its_caller_gave_up_is_remembered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = hold(stage, monkeypatch)
    with pytest.raises(SlackUnavailableError):
        await stage.get()
    released.set()
    await asyncio.wait([stage.groups._reading[SALES]])
    assert (await stage.get()).members == (PRIYA, LEE, DEV)
    assert stage.count() == 1


@pytest.mark.parametrize("kind", [500, "internal_error", "hang", "plan_upgrade_required"])
async def test_without_the_list_a_group_has_members_and_no_handle(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str | int
) -> None:
    monkeypatch.setattr(module, "LISTED_WITHIN", 0.05 if kind == "hang" else 5.0)
    stage.slack.faults.fail(LIST, kind)
    assert await stage.get() == Group("", (PRIYA, LEE, DEV))


async def test_two_who_ask_at_once_are_one_call(stage: Stage) -> None:
    first, second = await asyncio.gather(stage.get(), stage.get())
    assert first == second
    assert stage.count() == 1


async def test_an_unknown_group_is_refused_with_the_next_step(stage: Stage) -> None:
    assert await stage.refusal("S0NOSUCH1") == (
        "That group does not exist any more, so nothing was sent. Choose another group, or name "
        "the people one by one: `/notify @priya @lee Standup moved`."
    )


async def test_a_deactivated_group_is_called_by_its_name(stage: Stage) -> None:
    group_id = stage.add("old-team", "priya")
    await stage.get(group_id)
    stage.slack.workspace.groups["old-team"].date_delete = 1700000000
    stage.clock.forward(KEEP)
    assert (await stage.refusal(group_id)).startswith("*@old-team* is deactivated, so nothing")
    stage.slack.faults.fail(MEMBERS, 500)
    with pytest.raises(SlackUnavailableError):  # what was known before is no answer any more
        await stage.get(group_id)


async def test_a_group_that_slack_tells_of_though_it_is_deactivated_is_refused_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the members of a deactivated group are told is not documented."""
    group_id = stage.add("old-team", "priya")
    stage.slack.workspace.groups["old-team"].date_delete = 1700000000
    ask = stage.groups._slack._client.usergroups_users_list

    async def ask_for_all(**options: str) -> object:
        return await ask(**options, include_disabled=True)

    monkeypatch.setattr(stage.groups._slack._client, "usergroups_users_list", ask_for_all)
    assert "is deactivated" in await stage.refusal(group_id)
    assert (await stage.groups.has_member(group_id, PRIYA))[0] is False


async def test_an_empty_group_is_refused(stage: Stage) -> None:
    hint = await stage.refusal(stage.add("nobody"))
    assert hint.startswith("Nobody is in *@nobody*, so nothing was sent. Choose another group")


async def test_a_workspace_without_groups_is_told_so(stage: Stage) -> None:
    stage.slack.faults.fail(MEMBERS, "plan_upgrade_required")
    assert "on its paid plans only" in await stage.refusal()


async def test_an_app_that_lacks_the_scope_says_what_to_do(stage: Stage) -> None:
    stage.slack.scopes.discard("usergroups:read")
    assert "install the Slack app again with the scope usergroups:read" in await stage.refusal()
    assert f"{MEMBERS}: missing_scope usergroups:read" in stage.slack.violations


async def test_a_token_that_is_refused_says_nothing_about_the_group(stage: Stage) -> None:
    stage.slack.faults.fail(MEMBERS, "token_revoked")
    with pytest.raises(SlackRefusedError):
        await stage.get()


async def test_more_groups_than_slack_lets_us_read_are_refused_unread(stage: Stage) -> None:
    with pytest.raises(UserError, match="at most 10 groups"):
        await stage.groups.get_all([f"S{number}" for number in range(MOST_GROUPS + 1)])
    assert stage.slack.calls == []


async def test_a_bug_is_logged_though_nobody_waits_any_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = hold(stage, monkeypatch)
    with pytest.raises(SlackUnavailableError):
        await stage.get()
    monkeypatch.setattr(module, "Group", None)
    released.set()
    with capture_logs() as logs:
        await asyncio.wait([stage.groups._reading[SALES]])
    assert [entry["event"] for entry in logs] == ["group.failed"]
    assert isinstance(logs[0]["exc_info"], TypeError)


@pytest.mark.parametrize(("user_id", "is_in"), [(PRIYA, True), ("U0OMAR001", False)])
async def test_membership_is_told_from_the_same_memory(
    stage: Stage, user_id: str, is_in: bool
) -> None:
    await stage.get()
    assert (await stage.groups.has_member(SALES, user_id))[0] is is_in
    assert stage.count() == 1
