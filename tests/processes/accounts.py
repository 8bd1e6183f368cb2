"""The books after trouble: what was accepted, what the CRM took, and what people were told.

Nothing in here asks the bot: the database is read from outside, the rest is the stand-ins' record.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from tests.processes.world import World

DELIVERIES = """
    SELECT d.id, n.title, d.crm_user_id, d.state, d.code
    FROM deliveries d JOIN notifications n ON n.id = d.notification_id ORDER BY d.id
"""
KEY_OWNER = "KEY_OWNER"


@dataclass(frozen=True)
class Entry:
    """One accepted recipient; `person` is their CRM user, `code` why it is in this state."""

    id: int
    title: str
    person: str | None
    state: str
    code: str | None


def read_entries(world: World) -> list[Entry]:
    return [Entry(*row) for row in world.run_sql(DELIVERIES)]


def check_accounts(world: World, *, in_flight: Collection[int] = ()) -> None:
    """Check that nobody was lost, sent to twice or kept in the dark; titles must be unique.

    `in_flight` are the deliveries that were being sent when a process was killed: only they may
    be unknown.
    """
    entries = read_entries(world)
    odd = [entry for entry in entries if entry.state not in ("sent", "unknown")]
    assert not odd, str(odd[:5])
    unknown = [entry for entry in entries if entry.state == "unknown"]
    assert [entry for entry in unknown if entry.id not in in_flight] == []
    pushed = count_pushes(world)
    assert not {key: count for key, count in pushed.items() if count > 1}, "sent twice"
    sent = {(entry.title, entry.person) for entry in entries if entry.state == "sent"}
    assert sent <= pushed.keys(), "said to be sent, but the CRM never took it"
    assert pushed.keys() <= {(entry.title, entry.person) for entry in entries}, "sent unasked"
    check_cards(world, entries)
    assert world.crm.refusals == []
    assert world.crm.find_busiest() <= world.crm.meter.limit


def count_pushes(world: World) -> Counter[tuple[str, str | None]]:
    """Count what the CRM took by title and person."""
    return Counter(
        (str(push.body["Title"]), push.user_id if "UserId" in push.body else KEY_OWNER)
        for push in world.crm.pushes
    )


def check_cards(world: World, entries: list[Entry]) -> None:
    """Check the last card of every notification against what is stored."""
    states: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        states[entry.title].append(entry.state)
    for title, found in states.items():
        cards = [card for card in world.cards() if f"“{title}”" in card]
        assert cards, f"no card for {title}"
        assert says(cards[-1], found), (cards[-1], Counter(found))


def says(card: str, states: list[str]) -> bool:
    """Tell whether a card reports these states."""
    sent, unknown = states.count("sent"), states.count("unknown")
    if len(states) == 1:
        return ("Sent to LeadSquared" in card) == bool(sent)
    counted = f"{sent or 'None'} of {len(states)} sent" in card
    return counted and (f"{unknown} uncertain, not repeated" in card) == bool(unknown)


def read_titles(world: World) -> set[str]:
    """Return the titles of all that was accepted."""
    return {str(title) for (title,) in world.run_sql("SELECT title FROM notifications")}


def has_card(world: World, title: str) -> bool:
    return any(f"“{title}”" in card for card in world.cards())
