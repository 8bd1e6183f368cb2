"""`python -m bot check`: everything that can be known from beside the bot, or before its start."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import aiohttp

from bot.clients import build_crm_client, build_slack_api, open_slack_session
from bot.config import Settings
from bot.doctor import clocks, crm, drift, rounds, slack
from bot.doctor.environment import Surroundings, read_surroundings
from bot.doctor.findings import Finding, doubt, hide
from bot.doctor.headers import HeaderWatch
from bot.doctor.readers import ANY_REGION, find_slack_error, look_at_crm, look_at_slack
from bot.doctor.rounds import Look
from bot.doctor.storage import PERMIT_WITHIN, Storage
from bot.leadsquared.client import LeadSquaredClient, Permits
from bot.leadsquared.session import open_session
from bot.manifest import find_template
from bot.setting_types import LOOPBACK

SLACK_WITHIN = 6.0
STORE_WITHIN = 12.0
"""Seconds; a server that does not answer at all is given up by then."""

CHECK_NETWORK = "Check the host's way to the internet"
CHECK_DATABASE = "Check the database and the way to it"
CRM_NEEDS = ("LEADSQUARED_URL", "LEADSQUARED_ACCESS_KEY", "LEADSQUARED_SECRET_KEY")
SLACK_NEEDS = ("SLACK_BOT_TOKEN", "SLACK_API_URL")


async def examine(
    environment: Mapping[str, str], *, any_region: str | None = None
) -> list[Finding]:
    """Look at everything; `any_region` is asked for the right host in the place of ANY_REGION."""
    around = read_surroundings(environment)
    template = find_template()
    found = [*around.findings, drift.judge(template)]
    if around.settings is not None:
        examination = Examination(around, around.settings, template, any_region)
        found += await examination.run()
    return hide(found, around.secrets)


class Examination:
    """The looks outside, as far as the settings let them be taken."""

    def __init__(
        self, around: Surroundings, settings: Settings, template: str | None, any_region: str | None
    ) -> None:
        self._around = around
        self._settings = settings
        self._template = template
        self._any_region = any_region or _find_any_region(settings.leadsquared_url)
        self._watches = HeaderWatch(), HeaderWatch()
        self._storage = Storage(settings)

    async def run(self) -> list[Finding]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._storage.close)
            looks = self._choose_looks()
            taken = await asyncio.gather(*(rounds.take(look) for look in looks))
        found = [finding for each in taken for finding in each]
        return [*found, clocks.judge(watch.skew for watch in self._watches)]

    def _choose_looks(self) -> Sequence[Look]:
        settings = self._settings
        # What waits for the database is longer on its way than what it waits for.
        crm_within = STORE_WITHIN + PERMIT_WITHIN + settings.leadsquared_rate_period
        crm_within += 2 * settings.leadsquared_timeout
        return [
            Look("Slack", self._look_at_slack, SLACK_WITHIN, CHECK_NETWORK),
            Look(slack.APP_TOKEN, self._look_at_app_token, SLACK_WITHIN, CHECK_NETWORK),
            Look("LeadSquared", self._look_at_crm, crm_within, CHECK_NETWORK),
            Look("Database", self._look_at_store, STORE_WITHIN, CHECK_DATABASE),
        ]

    async def _look_at_slack(self) -> Sequence[Finding]:
        if not self._around.has(*SLACK_NEEDS):
            return [self._skip("Slack", SLACK_NEEDS)]
        watch = self._watches[0]
        async with open_slack_session(watch.build_trace()) as session:
            look = await look_at_slack(build_slack_api(self._settings, session), watch)
        return slack.judge(look, drift.find_scopes(self._template))

    async def _look_at_app_token(self) -> Sequence[Finding]:
        token = self._settings.slack_app_token
        if token is None or not self._around.has("SLACK_APP_TOKEN", "SLACK_API_URL"):
            return []
        async with open_slack_session() as session:
            api = build_slack_api(self._settings, session)
            error = await find_slack_error(api.get_socket_url(token))
        return [slack.judge_app_token(error)]

    async def _look_at_crm(self) -> Sequence[Finding]:
        if not self._around.has(*CRM_NEEDS):
            return [self._skip("LeadSquared", CRM_NEEDS)]
        permits = await self._storage.get_permits()
        async with open_session(self._watches[1].build_trace()) as session:
            client = build_crm_client(self._settings, session, permits)
            look = await look_at_crm(client, self._build_other(session, permits))
        return [crm.judge(look, self._settings.leadsquared_url)]

    async def _look_at_store(self) -> Sequence[Finding]:
        if not self._around.has("DATABASE_URL"):
            self._storage.skip()
            return [self._skip("Database", ("DATABASE_URL",))]
        return await self._storage.look()

    def _skip(self, name: str, needs: Sequence[str]) -> Finding:
        first = " and ".join(need for need in needs if need in self._around.unusable)
        return doubt(name, "not asked", f"Mend {first} first, then check again")

    def _build_other(
        self, session: aiohttp.ClientSession, permits: Permits
    ) -> LeadSquaredClient | None:
        if self._any_region is None:
            return None
        there = self._settings.model_copy(update={"leadsquared_url": self._any_region})
        return build_crm_client(there, session, permits)


def _find_any_region(url: str) -> str | None:
    """Return the host that knows every account's; None where nothing but this machine is meant."""
    return None if urlsplit(url).hostname in LOOPBACK else ANY_REGION
