"""One question to Slack and one to LeadSquared; whatever comes of it is something to judge."""

from __future__ import annotations

from collections.abc import Awaitable

from bot.doctor.crm import CrmLook, may_be_no_api
from bot.doctor.headers import HeaderWatch
from bot.doctor.slack import SlackLook
from bot.errors import CrmError, SlackError, StoreError
from bot.leadsquared.client import LeadSquaredClient
from bot.slack_api import SlackApi

ANY_REGION = "https://api.leadsquared.com"
"""Asked if LEADSQUARED_URL is none of the API's hosts; it knows the right one for any keys:
https://apidocs.leadsquared.com/user-authentication/"""


async def look_at_slack(slack: SlackApi, watch: HeaderWatch) -> SlackLook:
    try:
        identity = await slack.get_identity()
    except SlackError as exc:
        return SlackLook(error=exc)
    return SlackLook(identity, scopes=watch.scopes)


async def look_at_crm(
    client: LeadSquaredClient, any_region: LeadSquaredClient | None = None
) -> CrmLook:
    """Ask whose the keys are; another host, if there is one to ask, only if this one is no API."""
    look = await _ask(client)
    if any_region is None or not may_be_no_api(look.error):
        return look
    elsewhere = await _ask(any_region)
    return CrmLook(look.owner, look.error, elsewhere.owner, look.had_permit)


async def _ask(client: LeadSquaredClient) -> CrmLook:
    try:
        return CrmLook(await client.get_key_owner(interactive=True))
    except CrmError as exc:
        return CrmLook(error=exc)
    except (TimeoutError, StoreError):
        return CrmLook(had_permit=False)


async def find_slack_error(call: Awaitable[object]) -> SlackError | None:
    """Return what a call to Slack ended in; None if it went well."""
    try:
        await call
    except SlackError as exc:
        return exc
    return None
