"""The clients of both APIs, over one session each for as long as the process runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.app.foundation import Foundation
from bot.clients import build_crm_client, build_slack_api, open_slack_session
from bot.doctor.headers import HeaderWatch
from bot.doctor.permits import Patient
from bot.doctor.storage import PERMIT_WITHIN
from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.session import open_session
from bot.slack_api import SlackApi


@dataclass(frozen=True)
class Connections:
    """Whom we talk to."""

    slack: SlackApi
    crm: LeadSquaredClient
    checking: LeadSquaredClient
    """The same for `/notify check`, which waits for a permit no longer than a person does."""
    headers: tuple[HeaderWatch, HeaderWatch]
    """Of Slack's answers and LeadSquared's."""


@asynccontextmanager
async def open_connections(base: Foundation) -> AsyncIterator[Connections]:
    settings, gate, metrics = base.settings, base.gate, base.metrics
    headers = HeaderWatch(), HeaderWatch()
    async with (
        open_slack_session(headers[0].build_trace()) as slack_session,
        open_session(headers[1].build_trace()) as crm_session,
    ):
        yield Connections(
            build_slack_api(settings, slack_session, metrics),
            build_crm_client(settings, crm_session, gate, metrics),
            build_crm_client(settings, crm_session, Patient(gate, PERMIT_WITHIN)),
            headers,
        )
