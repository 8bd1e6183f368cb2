"""The sandbox as a web page: a small Slack, the LeadSquared user's screen, and the switches."""

from bot.sandbox.web.server import Page

__all__ = ["Page"]
