"""Leads for the typeahead: the newest query of a view, bounded, and asked no more than needed.

Slack sends every keystroke, so nothing is asked before a pause in typing. A query that still waits
for its permit costs nothing and is given up as soon as nobody wants it; one that is under way is
let be, as its answer may serve the next.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from bot.clock import Clock
from bot.errors import CrmError, CrmRejectedError
from bot.leads.found import MOST_SHOWN, Found, Hint, is_same_answer
from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.models import Lead

log = structlog.get_logger()

SEARCH_WITHIN = 2.5
"""Seconds for a search in all; Slack waits for three."""

PAUSE = 0.4
"""Seconds without a keystroke before anything is asked. Slack sends every keystroke, and a big send
leaves as little as two permits in five seconds: without a pause the first letters used them up, and
every second name came too late (measured)."""

SHORTEST = 3
"""Characters from which a search makes sense."""

KEEP = 60.0
"""Seconds an answer serves."""

MOST_KEPT = 200
"""Answers kept at a time."""


@dataclass
class _Query:
    """A search and the views that wait for it; once `asked`, its call has been made."""

    text: str
    task: asyncio.Task[tuple[Lead, ...]] = field(init=False)
    views: list[str] = field(default_factory=list)
    asked: bool = False

    def note_permit(self) -> None:
        self.asked = True


@dataclass(frozen=True)
class _Answer:
    leads: tuple[Lead, ...]
    until: float


class LeadSearch:
    """Searches leads for people who type."""

    def __init__(self, client: LeadSquaredClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._queries: dict[str, _Query] = {}
        self._answers: dict[str, _Answer] = {}

    async def search(self, view_id: str, text: str) -> Found:
        """Return the leads for what was typed so far, or why there are none."""
        wanted = _clean(text)
        self._forget_older(view_id, wanted)
        if len(wanted) < SHORTEST:
            return Found(hint=Hint.TOO_SHORT)
        known = self._find_known(wanted)
        if known is not None:
            return _show(known)
        query = self._get_query(wanted)
        query.views.append(view_id)
        try:
            await asyncio.wait({query.task}, timeout=SEARCH_WITHIN)
            return _read(query.task)
        finally:
            self._leave(query, view_id)

    def find_lead(self, lead_id: str) -> Lead | None:
        """Return a lead that was found just now."""
        now = self._clock.time()
        kept = [answer.leads for answer in self._answers.values() if answer.until > now]
        return next((lead for leads in kept for lead in leads if lead.id == lead_id), None)

    def _find_known(self, wanted: str) -> tuple[Lead, ...] | None:
        """Return the kept answer to this text, or to a shorter one that surely tells it."""
        now = self._clock.time()
        for length in range(len(wanted), SHORTEST - 1, -1):
            answer = self._answers.get(wanted[:length])
            if answer is None or answer.until <= now:
                continue
            shorter = wanted[:length]
            if shorter == wanted or is_same_answer(answer.leads, shorter, wanted):
                return answer.leads
        return None

    def _get_query(self, wanted: str) -> _Query:
        query = self._queries.get(wanted)
        if query is None:
            query = self._queries[wanted] = _Query(wanted)
            query.task = asyncio.create_task(self._ask(query), name="lead-search")
            query.task.add_done_callback(lambda _: self._end(query))
        return query

    async def _ask(self, query: _Query) -> tuple[Lead, ...]:
        await self._clock.wait(asyncio.Event(), PAUSE)
        leads = await self._client.search_leads(
            query.text, interactive=True, on_permit=query.note_permit
        )
        most = MOST_SHOWN + 1  # so that a cut shows, and no answer fills the memory
        answer = _Answer(tuple(leads[:most]), self._clock.time() + KEEP)
        self._answers.pop(query.text, None)
        self._answers[query.text] = answer
        while len(self._answers) > MOST_KEPT:
            del self._answers[next(iter(self._answers))]
        return answer.leads

    def _end(self, query: _Query) -> None:
        if self._queries.get(query.text) is query:
            del self._queries[query.text]
        if not query.task.cancelled() and (error := query.task.exception()):
            log.warning("lead_search.failed", error=type(error).__name__)

    def _forget_older(self, view_id: str, wanted: str) -> None:
        for query in list(self._queries.values()):
            while query.text != wanted and view_id in query.views:
                self._leave(query, view_id)

    def _leave(self, query: _Query, view_id: str) -> None:
        """Let one view go; a query that nobody waits for is given up if it was not asked yet."""
        if view_id in query.views:
            query.views.remove(view_id)
        if query.views or query.asked or query.task.done():
            return
        query.task.cancel()
        if self._queries.get(query.text) is query:
            del self._queries[query.text]


def _clean(text: str) -> str:
    """Return what was typed on one printable line."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _show(leads: tuple[Lead, ...]) -> Found:
    if len(leads) > MOST_SHOWN:
        return Found(leads[:MOST_SHOWN], Hint.MORE)
    return Found(leads, None if leads else Hint.NONE)


def _read(task: asyncio.Task[tuple[Lead, ...]]) -> Found:
    """Say what became of a query; raises StoreError where the rate could not be kept."""
    if not task.done():
        return Found(hint=Hint.TOO_SLOW)
    if task.cancelled():
        return Found(hint=Hint.SUPERSEDED)
    try:
        return _show(task.result())
    except CrmRejectedError:
        return Found(hint=Hint.REFUSED)
    except CrmError:
        return Found(hint=Hint.UNAVAILABLE)
