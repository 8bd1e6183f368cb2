"""The options of the form's lead menu, while somebody types."""

from __future__ import annotations

from typing import Any

from bot.leads.found import MOST_SHOWN, Found, Hint, name_of
from bot.leadsquared.models import Lead
from bot.replies.message import fit

OPTION_MOST = 75
"""Characters of an option: https://docs.slack.dev/reference/block-kit/composition-objects/option-object"""

NOT_A_LEAD = "hint"
"""The value of an option that only tells something: Slack has no other way to show it."""

HINTS = {
    Hint.TOO_SLOW: "LeadSquared is slow just now: type on, or send it without a lead.",
    Hint.UNAVAILABLE: "LeadSquared could not be asked just now. Try again shortly.",
    Hint.REFUSED: "LeadSquared refused to search. An admin should check its keys.",
    Hint.MORE: "More leads fit: type more of the name, the e-mail or the number.",
}
"""The others need no words: Slack itself says that nothing was found."""


def build_options(found: Found) -> list[dict[str, Any]]:
    """Build at most a hundred options: the leads, and what is to be said about them."""
    told = [hint_option(HINTS[found.hint])] if found.hint in HINTS else []
    leads = found.leads[: MOST_SHOWN - len(told)]
    return [*(build_option(_describe(lead), lead.id) for lead in leads), *told]


def hint_option(text: str) -> dict[str, Any]:
    return build_option(text, NOT_A_LEAD)


def _describe(lead: Lead) -> str:
    return " · ".join(filter(None, [name_of(lead), lead.email, *lead.phones]))


def build_option(text: str, value: str) -> dict[str, Any]:
    """Build an option whose text is shown as it is, or as much of it as fits."""
    label = {"type": "plain_text", "text": fit(text, OPTION_MOST), "emoji": False}
    return {"text": label, "value": value}
