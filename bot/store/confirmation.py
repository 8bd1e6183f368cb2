"""What a person should know before a send to many: kept as a draft until they say so."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.notification import SlackUser
from bot.questions import ManyRecipients
from bot.store.acceptance import Acceptance
from bot.store.drafts import Drafts
from bot.store.estimate import Estimate
from bot.store.people import PeopleStore
from bot.store.quota import Quota

MOST_NAMED = 5
"""People named who are known to have no CRM user."""


class Confirmation:
    """Builds the question inside the caller's transaction."""

    def __init__(
        self, estimate: Estimate, quota: Quota, drafts: Drafts, people: PeopleStore
    ) -> None:
        self._estimate = estimate
        self._quota = quota
        self._drafts = drafts
        self._people = people

    def build(
        self, connection: Connection, acceptance: Acceptance, groups: Sequence[str]
    ) -> ManyRecipients:
        """Store a draft and say what it would do; raises UserError if it would be refused now."""
        count = len(acceptance.recipients)
        seconds = self._estimate.check(connection, count)
        self._quota.check(connection, acceptance.sender_id, count)
        users = [each.user_id for each in acceptance.recipients if isinstance(each, SlackUser)]
        names, unlinked = self._people.find_unmatchable(connection, users, MOST_NAMED)
        return ManyRecipients(
            draft_id=self._drafts.save(connection, acceptance),
            recipients=count,
            groups=tuple(groups),
            unlinked=tuple(names),
            unlinked_count=unlinked,
            seconds=seconds,
            title=acceptance.notification.title,
        )
