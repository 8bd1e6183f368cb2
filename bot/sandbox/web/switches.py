"""The switches of both stand-ins and of the bot, and the sample for a crowd."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox.leadsquared import Endpoint, FaultKind, Refusal
from bot.sandbox.slack import Channel
from bot.sandbox.slack.faults import HOOKS, Fault
from bot.sandbox.slack.people import BOT_USER_ID
from bot.sandbox.web.reading import Wanted
from bot.sandbox.web.stage import Stage

Json = dict[str, Any]
Action = Callable[[Wanted], Awaitable[Json]]

CROWD = 150
CROWD_GROUP = "all-hands"

SLACK_METHODS = (
    HOOKS,
    "chat.postMessage",
    "chat.update",
    "views.open",
    "views.update",
    "views.publish",
    "users.info",
    "usergroups.users.list",
)
SLACK_KINDS = (
    "ratelimited:2",
    "500",
    "hang",
    "hang_after",
    "reset",
    "reset_after",
    "garbage",
    "not_in_channel",
    "expired_url",
    "internal_error",
)

LATENCY_MOST = 60.0
LIMIT_MOST = 1_000


class Switches:
    """By name, in `table`; `describe` tells how they stand."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.table: dict[str, Action] = {
            "crm-fault": self.break_crm,
            "crm-clear": self.mend_crm,
            "crm-latency": self.delay_crm,
            "crm-limit": self.limit_crm,
            "crm-refusal": self.refuse,
            "crm-user": self.change_user,
            "slack-fault": self.break_slack,
            "slack-clear": self.mend_slack,
            "slack-latency": self.delay_slack,
            "slack-bot": self.move_bot,
            "bot": self.handle_bot,
            "crowd": self.add_crowd,
        }

    def describe(self) -> Json:
        slack, crm = self._stage.slack, self._stage.crm
        return {
            "crm": {
                "faults": [
                    {"endpoint": str(one.endpoint), "kind": str(one.kind), "times": one.times}
                    for one in crm.faults.list_set()
                ],
                "latency": crm.latency,
                "limit": crm.meter.limit,
                "period": crm.meter.period,
                "refusal": crm.refusal.status,
                "endpoints": [str(one) for one in Endpoint],
                "kinds": [str(one) for one in FaultKind],
            },
            "slack": {
                "faults": _list_slack_faults(slack.faults.api, slack.faults.hooks),
                "latency": slack.faults.delay,
                "methods": SLACK_METHODS,
                "kinds": SLACK_KINDS,
            },
        }

    async def break_crm(self, wanted: Wanted) -> Json:
        endpoint = Endpoint(wanted.text("endpoint"))
        kind, times = FaultKind(wanted.text("kind")), wanted.times()
        if times is None:
            self._stage.crm.faults.always(endpoint, kind)
        else:
            self._stage.crm.faults.next(endpoint, kind, times)
        return {}

    async def mend_crm(self, _: Wanted) -> Json:
        """Switch every fault off, and let what hangs go on."""
        self._stage.crm.faults.clear()
        self._stage.crm.release()
        return {}

    async def delay_crm(self, wanted: Wanted) -> Json:
        self._stage.crm.latency = wanted.number("seconds", 0, LATENCY_MOST)
        return {}

    async def limit_crm(self, wanted: Wanted) -> Json:
        self._stage.crm.meter.limit = wanted.whole("limit", 1, LIMIT_MOST)
        return {}

    async def refuse(self, wanted: Wanted) -> Json:
        """Choose the status of the refusals that the limit itself brings about."""
        status = wanted.whole("status", 200, 429)
        if status not in (200, 403, 429):
            raise ValueError("LeadSquared refuses with 429, 403 or 200")
        self._stage.crm.refusal = Refusal(status=status)
        return {}

    async def change_user(self, wanted: Wanted) -> Json:
        """Block or allow the notifications of one user's browser."""
        user = self._stage.crm.account.find_user(wanted.text("user"))
        if user is None:
            raise LookupError("LeadSquared has no such user")
        user.blocked = wanted.flag("blocked")
        return {}

    async def break_slack(self, wanted: Wanted) -> Json:
        method, kind = wanted.text("method"), wanted.text("kind")
        if method not in SLACK_METHODS or kind not in SLACK_KINDS:
            raise LookupError(f"there is no fault {kind} of {method}")
        fault = int(kind) if kind.isdecimal() else kind
        self._stage.slack.faults.fail(method, fault, wanted.times())
        return {}

    async def mend_slack(self, _: Wanted) -> Json:
        delay = self._stage.slack.faults.delay
        self._stage.slack.faults.clear()
        self._stage.slack.faults.delay = delay
        return {}

    async def delay_slack(self, wanted: Wanted) -> Json:
        self._stage.slack.faults.delay = wanted.number("seconds", 0, LATENCY_MOST)
        return {}

    async def move_bot(self, wanted: Wanted) -> Json:
        """Take the bot into a channel, or out of it."""
        channel = self._find_channel(wanted.text("channel"))
        if wanted.flag("member"):
            channel.members.add(BOT_USER_ID)
        else:
            channel.members.discard(BOT_USER_ID)
        return {}

    def _find_channel(self, channel_id: str) -> Channel:
        channel = self._stage.slack.find_channel(channel_id)
        if channel is None or channel.kind not in ("public", "private"):
            raise LookupError(f"no channel {channel_id}")
        return channel

    async def handle_bot(self, wanted: Wanted) -> Json:
        """Kill the process, as a power cut does; start it; or both."""
        what, bot = wanted.text("what"), self._stage.bot
        if what not in ("kill", "start", "restart"):
            raise LookupError(f"{what} cannot be done to the bot")
        if what != "start":
            await bot.kill()
        if what != "kill":
            await bot.start()
        return {}

    async def add_crowd(self, _: Wanted) -> Json:
        """Add people on both sides, once, and a user group of them; return what to type."""
        slack = self._stage.slack
        if CROWD_GROUP not in slack.groups:
            slack.workspace.add_group(CROWD_GROUP, slack.add_people(CROWD))
            self._stage.crm.add_users(CROWD)
            await slack.workspace.changed()
        return {"text": f"/notify @{CROWD_GROUP} Town hall | Moved to 4 pm, big room"}


def _list_slack_faults(
    api: dict[str, Fault | str | int], hooks: Fault | str | int | None
) -> list[Json]:
    listed: list[Json] = []
    for method, fault in {**api, HOOKS: hooks}.items():
        given = fault if isinstance(fault, Fault) else Fault(fault or "")
        if given.kind != "" and given.times != 0:
            listed.append({"method": method, "kind": str(given.kind), "times": given.times})
    return listed
