"""What a search or a look-up of leads led to; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from bot.leadsquared.models import Lead

SURELY_ALL = 4
"""Leads in an answer that no page size cuts: LeadSquared documents none, so the smallest counts."""


MOST_SHOWN = 100
"""Options a menu in Slack may have: https://docs.slack.dev/reference/block-kit/block-elements/"""


class Hint(StrEnum):
    """Why a search shows no lead, or not all; `replies` has the words."""

    TOO_SHORT = "too_short"
    """Fewer characters than are searched for."""
    NONE = "none"
    """LeadSquared has no such lead."""
    SUPERSEDED = "superseded"
    """The same person typed on, so this was not asked."""
    TOO_SLOW = "too_slow"
    UNAVAILABLE = "unavailable"
    """LeadSquared could not be asked just now."""
    REFUSED = "refused"
    """LeadSquared refuses our keys, or the question."""
    MORE = "more"
    """More leads fit than can be shown; these are the first of them."""


@dataclass(frozen=True)
class Found:
    """The leads of a search, as LeadSquared orders them; without all or any, the reason."""

    leads: tuple[Lead, ...] = ()
    hint: Hint | None = None


@dataclass(frozen=True)
class LeadPage:
    """The one lead that was named; `url` is None where its page is not known."""

    lead: Lead
    url: str | None


@dataclass(frozen=True)
class Several:
    """More than one lead fits, so somebody has to choose."""

    leads: tuple[Lead, ...]


def name_of(lead: Lead) -> str:
    """Return what to call a lead; everybody in a channel may read it, so no address."""
    return lead.name or lead.company or "a lead without a name"


def is_same_answer(leads: Sequence[Lead], text: str, longer: str) -> bool:
    """Tell whether a search for `longer` surely finds `leads`, the answer to `text`, and no others.

    Nobody documents how LeadSquared compares, so every way that explains the answer to `text` must
    find all of them again. One that drops out might still match by a field we do not see, and "no
    such lead" is for LeadSquared to say. Behind a gap it may look for the second word as well.
    """
    if not longer.startswith(text) or len(longer.split()) > 1:
        return False
    if not 0 < len(leads) <= SURELY_ALL:
        return False
    ways = [way for way in _WAYS if all(_finds(way, text, lead) for lead in leads)]
    return bool(ways) and all(_finds(way, longer, lead) for way in ways for lead in leads)


_Cut = Callable[[str], list[str]]
_Fit = Callable[[str, str], bool]

_CUTS: tuple[_Cut, ...] = (lambda field: [field], str.split, re.compile(r"[^\W_]+").findall)
_FITS: tuple[_Fit, ...] = (str.__contains__, str.startswith, str.__eq__)
_WAYS = tuple(product(_CUTS, _FITS))
"""How a search may compare: by whole fields or either kind of word, inside, from the start, all."""


def _finds(way: tuple[_Cut, _Fit], text: str, lead: Lead) -> bool:
    cut, fit = way
    fields = (lead.name, lead.email or "", *lead.phones, lead.company)
    return any(fit(piece, text.casefold()) for field in fields for piece in cut(field.casefold()))
