"""`/notify check`: what the running process knows, at once, and what others say, when they do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from bot.config import Settings
from bot.doctor import arrivals, clocks, crm, drift, rounds, slack, store
from bot.doctor.arrivals import Arrivals
from bot.doctor.environment import find_secrets
from bot.doctor.findings import Finding, fine, hide
from bot.doctor.headers import HeaderWatch
from bot.doctor.readers import find_slack_error, look_at_crm, look_at_slack
from bot.doctor.rounds import Look
from bot.doctor.storage import PERMIT_WITHIN
from bot.doctor.traps import find_traps
from bot.errands import Errands
from bot.errors import StoreError
from bot.leadsquared.client import LeadSquaredClient
from bot.manifest import find_template
from bot.replies import Message, checkup
from bot.slack_api import SlackApi
from bot.store.checkup import CheckupStore
from bot.store.tables import SCHEMA_REVISION

AT_ONCE = 1.0
"""Seconds within which what is found is in the acknowledgement; the rest follows."""

SLACK_WITHIN = 6.0
STORE_WITHIN = 3.0
"""Seconds until a look is given up."""

UNAUTHORIZED = 401
NETWORK = "Check the host's way to the internet"

Publish = Callable[[str], Awaitable[None]]


class Doctor:
    """Looks at the process from inside; `client` waits for a permit no longer than it should."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        slack_api: SlackApi,
        client: LeadSquaredClient,
        checkups: CheckupStore,
        errands: Errands,
        watches: tuple[HeaderWatch, HeaderWatch],
        publish_home: Publish,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._environment = {name.upper(): value for name, value in environment.items()}
        self._slack = slack_api
        self._client = client
        self._checkups = checkups
        self._errands = errands
        self._watches = watches
        self._publish_home = publish_home
        self._now = now
        self._template = find_template()
        self._arrivals = Arrivals(now())

    async def note_request(
        self,
        body: dict[str, Any],
        next: Callable[[], Awaitable[Any]],  # Bolt's name
    ) -> Any:
        """Take note of a request on its way to its listener."""
        self._arrivals.note(body, self._now())
        return await next()

    def note_answer(self, status: int) -> None:
        """Take note of how a request was answered."""
        if status == UNAUTHORIZED:
            self._arrivals.refused_at = self._now()

    async def examine(self, user_id: str, response_url: str | None) -> Message:
        """Return what is found at once; the rest goes to whoever asked, when it is known."""
        looks = self._choose_looks(user_id)
        taking = {
            look.name: asyncio.create_task(rounds.take(look), name=f"check {look.name}")
            for look in looks
        }
        try:
            await asyncio.wait(taking.values(), timeout=AT_ONCE)
        except asyncio.CancelledError:
            for task in taking.values():
                task.cancel()
            raise
        late = {name: task for name, task in taking.items() if not task.done()}
        known = [*self._look_inside(), *_gather(taking.values(), but=late.values())]
        if late:
            self._errands.run("check", self._tell_rest(late, user_id, response_url))
        else:
            known.append(self._judge_clock())
        return checkup.build(self._hide(known), waiting_for=list(late))

    async def _tell_rest(
        self,
        late: Mapping[str, asyncio.Task[Sequence[Finding]]],
        user_id: str,
        response_url: str | None,
    ) -> None:
        await asyncio.wait(late.values())
        found = [*_gather(late.values()), self._judge_clock()]
        message = checkup.build(self._hide(found))
        if response_url is None:
            await self._slack.post(user_id, message.text, message.blocks)
            return
        body = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": message.text,
            "blocks": message.blocks,
        }
        await self._slack.respond(response_url, body)

    def _look_inside(self) -> list[Finding]:
        """Return what needs nobody else."""
        traps = find_traps(self._environment, self._settings)
        settings = traps or [fine("Settings", "as they should be")]
        return [
            *settings,
            drift.judge(self._template),
            *arrivals.judge(self._arrivals, self._now()),
        ]

    def _choose_looks(self, user_id: str) -> Sequence[Look]:
        async def look_at_home() -> Sequence[Finding]:
            return [slack.judge_home(await find_slack_error(self._publish_home(user_id)))]

        crm_within = PERMIT_WITHIN + self._settings.leadsquared_timeout + 1.0
        return [
            Look("Slack", self._look_at_slack, SLACK_WITHIN, NETWORK),
            Look(slack.HOME, look_at_home, SLACK_WITHIN, NETWORK),
            Look("LeadSquared", self._look_at_crm, crm_within, NETWORK),
            Look("Database", self._look_at_store, STORE_WITHIN, "Look at the database's own log"),
        ]

    async def _look_at_slack(self) -> Sequence[Finding]:
        look = await look_at_slack(self._slack, self._watches[0])
        return slack.judge(look, drift.find_scopes(self._template))

    async def _look_at_crm(self) -> Sequence[Finding]:
        return [crm.judge(await look_at_crm(self._client), self._settings.leadsquared_url)]

    async def _look_at_store(self) -> Sequence[Finding]:
        try:
            found = await self._checkups.read()
        except StoreError as exc:
            return [store.judge_error(exc)]
        return store.judge(found, revision=SCHEMA_REVISION, url=self._settings.leadsquared_url)

    def _judge_clock(self) -> Finding:
        return clocks.judge(watch.skew for watch in self._watches)

    def _hide(self, findings: Sequence[Finding]) -> list[Finding]:
        values = {name.upper(): getattr(self._settings, name) for name in Settings.model_fields}
        ours = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")
            for name, value in values.items()
        }
        return hide(findings, find_secrets(self._environment) | find_secrets(ours))


def _gather(
    taken: Iterable[asyncio.Task[Sequence[Finding]]],
    but: Iterable[asyncio.Task[Sequence[Finding]]] = (),
) -> list[Finding]:
    """Return what those that have ended found."""
    left_out = set(but)
    return [finding for each in taken if each not in left_out for finding in each.result()]
