"""The CRM's protocol without any I/O: calls become requests, answers become values.

`decode_push` is the table of design.md section 3. Every answer, whatever its status, headers and
bytes, fits exactly one row, and nothing in here raises because of what the CRM said.
"""

from __future__ import annotations

from bot.leadsquared.wire.answers import decode_lookup
from bot.leadsquared.wire.leads import (
    lead_by_id_request,
    lead_with_id,
    leads_by_email_request,
    leads_by_phone_request,
    leads_with_email,
    leads_with_phone,
    parse_leads,
    search_request,
)
from bot.leadsquared.wire.push import Sent, build_push, decode_push, push_request
from bot.leadsquared.wire.request import Request
from bot.leadsquared.wire.users import (
    find_by_email,
    find_by_id,
    key_owner_request,
    parse_account,
    parse_key_owner,
    parse_users,
    user_by_email_request,
    user_by_id_request,
    users_request,
)

__all__ = [
    "Request",
    "Sent",
    "build_push",
    "decode_lookup",
    "decode_push",
    "find_by_email",
    "find_by_id",
    "key_owner_request",
    "lead_by_id_request",
    "lead_with_id",
    "leads_by_email_request",
    "leads_by_phone_request",
    "leads_with_email",
    "leads_with_phone",
    "parse_account",
    "parse_key_owner",
    "parse_leads",
    "parse_users",
    "push_request",
    "search_request",
    "user_by_email_request",
    "user_by_id_request",
    "users_request",
]
