"""The database of this deployment, and what the bot has left in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.doctor.findings import Finding, doubt, fine, span, wrong
from bot.errors import StoreBrokenError, StoreError
from bot.overview import MOST_COUNTED, LastError, Overview
from bot.replies.reasons import ADVICE, SHORT
from bot.store.checkup import Checkup

NAME = "DATABASE_URL"
POOL_MOST = 5
"""Connections that one process may hold."""

LONG_WAIT = 120.0
LATELY = 24 * 3600.0
"""Seconds."""

MOST_NAMED = 10
UNLIKELY = 5
"""People who could hardly all be missing in LeadSquared by chance."""

MIGRATE = "Start the bot, which does it, or run `python -m bot migrate`"


def judge_absent() -> Finding:
    return doubt("Database", "is not there yet", "Start the bot, which makes it")


def judge_error(error: StoreError) -> Finding:
    said = str(error).removeprefix(f"{NAME}: ").removesuffix(".")
    if isinstance(error, StoreBrokenError):
        return wrong(NAME, f"the file {said.partition('. ')[0]}", f"{_restore(said)}")
    step = "Check that it is the address of a database that this machine may use"
    return wrong(NAME, f"the database cannot be used: {said}", step)


def judge(checkup: Checkup, *, revision: str, url: str) -> list[Finding]:
    """Judge what was read: `revision` is what this code needs, `url` is LEADSQUARED_URL."""
    found = [_judge_kind(checkup), _judge_revision(checkup.revision, revision)]
    if checkup.overview is not None:
        found += _judge_overview(checkup.overview, checkup)
    elif checkup.accounts:
        hosts = ", ".join(urlsplit(each).hostname or each for each in checkup.accounts)
        step = "If LeadSquared has not moved your account, set it back"
        what = f"no bot has run with it on this database, but with {hosts}"
        found.append(doubt("LEADSQUARED_URL", what, step))
    return found


def _judge_kind(checkup: Checkup) -> Finding:
    kind = f"{checkup.kind} {checkup.version}"
    room = checkup.room
    if room is None:
        return fine("Database", kind)
    if room.most < POOL_MOST:
        step = f"Use a plan or role with {POOL_MOST} connections for each process of the bot"
        return doubt("Database", f"{kind} lets us have only {room.most} connections", step)
    if room.most - room.used < POOL_MOST:
        what = f"{kind} has {room.used} of {room.most} connections in use"
        return doubt("Database", what, "Run fewer processes, or use a larger plan")
    return fine("Database", f"{kind}, {room.used} of {room.most} connections in use")


def _judge_revision(found: str | None, needed: str) -> Finding:
    if found is None:
        return doubt("Tables", "are not there yet", MIGRATE)
    if not re.fullmatch(r"[0-9]{4}", found):
        what = "belong to another program that keeps its revisions in the same place"
        return wrong("Tables", what, "Give the bot a database of its own in DATABASE_URL")
    if found < needed:
        return doubt("Tables", f"are of revision {found}, this version needs {needed}", MIGRATE)
    if found > needed:
        what = f"are of revision {found}, which is newer than this version of the bot"
        return doubt("Tables", what, "Run the newest version everywhere")
    return fine("Tables", f"up to date (revision {found})")


def _judge_overview(overview: Overview, checkup: Checkup) -> Iterator[Finding]:
    yield _judge_limit(overview, checkup.slots_taken)
    yield _judge_queue(overview)
    yield _judge_people(overview)
    yield _judge_last_error(overview.last_error, checkup.now)


def _judge_limit(overview: Overview, taken: int) -> Finding:
    what = f"{overview.limit} calls in {overview.period:g} s, {taken} taken"
    if overview.closed:
        what += f", and none for the next {span(overview.closed)} after a refusal"
    if overview.is_learned:
        step = (
            f"If it stays so, set LEADSQUARED_RATE_LIMIT to {overview.limit} and "
            f"LEADSQUARED_RATE_PERIOD to {overview.period:g}"
        )
        return doubt("Limit", f"{what}; LeadSquared refused what the settings say", step)
    if overview.closed:
        step = "See which other programs use this LeadSquared account at the same time"
        return doubt("Limit", what, step)
    return fine("Limit", what)


def _judge_queue(overview: Overview) -> Finding:
    if not overview.pending:
        return fine("Queue", "empty")
    what = f"{_number(overview.pending)} waiting, the oldest for {span(overview.oldest)}"
    if overview.oldest < LONG_WAIT:
        return fine("Queue", what)
    return doubt("Queue", what, "Mend what is marked here first; then look into the bot's log")


def _judge_people(overview: Overview) -> Finding:
    missing = overview.members - overview.linked
    what = f"{_number(overview.linked)} of {_number(overview.members)} the bot has met are linked"
    if not missing:
        return fine("Teammates", what)
    named = ", ".join(overview.not_linked[:MOST_NAMED])
    more = missing - len(overview.not_linked[:MOST_NAMED])
    what += f"; not: {named}" + (f" and {_number(more)} more" if more > 0 else "")
    if overview.linked or overview.members < UNLIKELY:
        return fine("Teammates", what)
    step = "See why with `/notify whoami @somebody`, and link them with `/notify link`"
    return doubt("Teammates", what, step)


def _judge_last_error(error: LastError | None, now: float) -> Finding:
    if error is None or now - error.at > LATELY:
        return fine("Last error", "none in the last 24 hours")
    said = f": “{error.detail.rstrip('.')}”" if error.detail else ""
    what = f"{span(now - error.at)} ago, {SHORT.get(error.code, error.code)}{said}"
    step = ADVICE.get(error.code, "If it goes on, look into the bot's log")
    return doubt("Last error", what, step.removesuffix("."))


def _restore(said: str) -> str:
    return said.partition(". ")[2] or "Restore it from a backup"


def _number(number: int) -> str:
    return f"{number:,} or more" if number >= MOST_COUNTED else f"{number:,}"
