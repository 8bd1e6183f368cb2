"""The clients of both APIs, built from the settings."""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from bot.config import Settings
from bot.leadsquared.client import LeadSquaredClient, Permits
from bot.observer import UNOBSERVED, Observer
from bot.setting_types import LOOPBACK
from bot.slack_api import SlackApi
from bot.slack_client import CountedClient

SLACK_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


def open_slack_session(*watchers: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=SLACK_TIMEOUT, trace_configs=list(watchers))


def build_slack_api(
    settings: Settings, session: aiohttp.ClientSession, observer: Observer = UNOBSERVED
) -> SlackApi:
    client = CountedClient(
        observer=observer,
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.slack_api_url,
        session=session,
        retry_handlers=[],  # the SDK's own would post a message twice
    )
    if urlsplit(settings.slack_api_url).hostname in LOOPBACK:
        client.proxy = None  # the SDK does not know NO_PROXY
    return SlackApi(client, session, observer)


def build_crm_client(
    settings: Settings,
    session: aiohttp.ClientSession,
    gate: Permits,
    observer: Observer = UNOBSERVED,
) -> LeadSquaredClient:
    return LeadSquaredClient(
        session,
        base_url=settings.leadsquared_url,
        access_key=settings.leadsquared_access_key,
        secret_key=settings.leadsquared_secret_key,
        timeout=settings.leadsquared_timeout,
        gate=gate,
        observer=observer,
    )
