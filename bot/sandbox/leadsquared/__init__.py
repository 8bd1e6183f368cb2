"""A strict stand-in for the LeadSquared API: it counts, checks, records and breaks on request."""

from bot.sandbox.leadsquared.account import CrmUser, Matching, Push
from bot.sandbox.leadsquared.faults import Endpoint, FaultKind
from bot.sandbox.leadsquared.meter import Counting, Refusal
from bot.sandbox.leadsquared.server import Call, StandInLeadSquared

__all__ = [
    "Call",
    "Counting",
    "CrmUser",
    "Endpoint",
    "FaultKind",
    "Matching",
    "Push",
    "Refusal",
    "StandInLeadSquared",
]
