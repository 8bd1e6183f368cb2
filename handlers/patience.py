"""How long a listener may take: Slack waits three seconds, and saying why takes some of them."""

from __future__ import annotations

LISTEN_WITHIN = 2.2
"""Seconds until a listener gives up on whatever does not answer it."""

SUGGEST_WITHIN = 2.7
"""Seconds until an answer to what is being typed is given up; the search itself ends before."""

NAMES_WITHIN = 0.5
"""Seconds after that for the names in a text that is given back."""
