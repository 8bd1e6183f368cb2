"""A strict stand-in for Slack: it signs, checks, records and breaks on request."""

from bot.sandbox.slack.delivery import Reply
from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.hooks import HookPost
from bot.sandbox.slack.messages import Channel, Message
from bot.sandbox.slack.people import Group, Person
from bot.sandbox.slack.server import StandInSlack
from bot.sandbox.slack.views import View
from bot.sandbox.slack.web_api import Call

__all__ = [
    "Call",
    "Channel",
    "Fault",
    "Faults",
    "Group",
    "HookPost",
    "Message",
    "Person",
    "Reply",
    "StandInSlack",
    "View",
]
