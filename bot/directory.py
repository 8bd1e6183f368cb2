"""Slack user to CRM user: a stored link first, else by e-mail, then stored.

Everything here may be slow, so listeners use only what has a deadline: `get_sender`, `find_names`,
`link`, `unlink` and `describe`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog

from bot.clock import Clock
from bot.errors import (
    CrmError,
    CrmUnavailableError,
    SlackRefusedError,
    SlackUnavailableError,
    UserError,
)
from bot.leadsquared.models import CrmUser
from bot.notification import Outcome, State
from bot.people import Description, Link, Person, Standing, read_person
from bot.plaintext import escape
from bot.roster import Roster
from bot.slack_api import TOKEN_REFUSED, SlackApi
from bot.store.people import PeopleStore
from bot.store.resolutions import Match, NoMatch

log = structlog.get_logger()

SENDER_WITHIN = 1.0
"""Seconds for the one Slack read a listener may make."""

LOOK_UP_WITHIN = 1.5
"""Seconds for the one CRM look-up of `link` and `whoami`."""

DONE_ALREADY = (
    "This was done already, so nothing was changed this time. `/notify whoami` with their name "
    "shows who they are in LeadSquared."
)

KEEP_SENDER = 600.0
KEEP_PEOPLE = 6 * 3600.0
"""Seconds until somebody is read from Slack again."""

FEW = 10
"""People read one by one; for more, everybody is read at once."""

OUR_FAULT = TOKEN_REFUSED | {"missing_scope"}
"""Refusals that say nothing about the person who was asked for."""

UNKNOWN_PERSON = "unknown_person"
NO_EMAIL = "no_email"
NOT_IN_CRM = "not_in_crm"
INACTIVE = "inactive"

MAY_NOT_SEND = {
    Standing.GUEST: "Guests cannot send notifications. Ask a full member of this workspace.",
    Standing.EXTERNAL: "Only members of the workspace that has this app can send notifications.",
    Standing.BOT: "Only people can send notifications.",
    Standing.DEACTIVATED: "This Slack account is deactivated, so it cannot send notifications.",
}


class Directory:
    """Who people are, in Slack and in the CRM."""

    def __init__(
        self,
        store: PeopleStore,
        slack: SlackApi,
        roster: Roster,
        clock: Clock,
        *,
        team_id: str,
        admins: Collection[str],
    ) -> None:
        self._store = store
        self._slack = slack
        self._roster = roster
        self._clock = clock
        self._team_id = team_id
        self._admins = frozenset(admins)
        self._senders: dict[str, tuple[float, Person]] = {}

    async def get_sender(self, user_id: str) -> Person:
        """Return the person who acts; raises UserError if they may not, SlackError if unknown."""
        person = await self._get_person(user_id)
        if person.standing is not Standing.MEMBER:
            raise UserError(MAY_NOT_SEND[person.standing])
        return person

    def is_admin(self, person: Person) -> bool:
        return person.is_admin or person.user_id in self._admins

    def may_see(self, person: Person, sender_id: str) -> bool:
        """Tell whether somebody may see and change what `sender_id` sent."""
        return person.user_id == sender_id or self.is_admin(person)

    async def find_names(self, user_ids: Collection[str]) -> dict[str, str]:
        """Return the names we already know; asks nobody."""
        if not user_ids:
            return {}
        people = await self._store.find_people(user_ids)
        return {user_id: person.name for user_id, person in people.items()}

    async def fetch_names(self, user_ids: Collection[str]) -> dict[str, str]:
        """Return names, asking Slack for a few unknown ones within a deadline."""
        names = await self.find_names(user_ids)
        missing = sorted(set(user_ids) - names.keys())[:FEW]
        if missing:
            reads = [asyncio.create_task(self._read_person(user_id)) for user_id in missing]
            try:
                done, _ = await asyncio.wait(reads, timeout=SENDER_WITHIN)
            finally:
                for read in reads:
                    read.cancel()
            people = [read.result() for read in done if read.exception() is None]
            names |= {person.user_id: person.name for person in people}
        return names

    async def find_linked(self, user_ids: Collection[str]) -> dict[str, Match]:
        """Return the people whose stored link still holds."""
        return await self._store.find_matches(user_ids)

    async def look_up(self, user_ids: Collection[str]) -> dict[str, Match | NoMatch]:
        """Find people by e-mail and store the links; raises SlackError or CrmError."""
        people = await self._get_people(user_ids)
        found: dict[str, Match | NoMatch] = {
            user_id: _refuse(people.get(user_id)) for user_id in user_ids
        }
        by_email = {
            user_id: person.email
            for user_id, person in people.items()
            if person.email and person.standing is Standing.MEMBER
        }
        users = await self._roster.find(set(by_email.values())) if by_email else {}
        links = []
        for user_id, email in by_email.items():
            person, user = people[user_id], users.get(email)
            found[user_id] = _match(person, user)
            if user is not None and user.active:
                links.append(Link(user_id, user.id, user.name, user.email))
        await self._store.save_links(links)
        return found

    async def get_key_owner_id(self) -> str:
        return (await self._roster.get_key_owner()).id

    async def link(self, user_id: str, wanted: str, *, admin: Person, key: str) -> Link:
        """Tie a Slack user to the CRM user with this e-mail or id, until an admin changes it.

        `key` names the Slack interaction, which has its effect once; raises UserError.
        """
        try:
            async with asyncio.timeout(LOOK_UP_WITHIN):
                user = await self._find_crm_user(wanted)
        except (TimeoutError, CrmError) as exc:
            raise UserError(
                "LeadSquared could not be asked just now, so nothing was changed. Try again."
            ) from exc
        if user is None:
            raise UserError(
                f"LeadSquared has no user {escape(wanted)}, so nothing was changed. Check the "
                "e-mail address or id under LeadSquared: Settings > Users."
            )
        if not user.active:
            raise UserError(
                f"{escape(wanted)} is deactivated in LeadSquared, so nothing was changed. "
                "Activate the user there, or choose another."
            )
        link = Link(user_id, user.id, user.name, user.email, admin.user_id)
        if not await self._store.link(link, key=key):
            raise UserError(DONE_ALREADY)
        return link

    async def unlink(self, user_id: str, *, key: str) -> bool:
        """Tell whether there was a link to remove; raises UserError as `link` does."""
        was_linked = await self._store.unlink(user_id, key=key)
        if was_linked is None:
            raise UserError(DONE_ALREADY)
        return was_linked

    async def describe(self, user_id: str) -> Description:
        """Tell who a person is in both systems, asking the CRM within a deadline."""
        try:
            person = await self._get_person(user_id)
        except SlackRefusedError as exc:
            raise UserError("Slack does not know that person. Pick them from the list.") from exc
        if link := await self._store.find_link(user_id):
            return Description(person, link)
        try:
            async with asyncio.timeout(LOOK_UP_WITHIN):
                found = (await self.look_up([user_id]))[user_id]
        except (TimeoutError, CrmError, SlackUnavailableError, SlackRefusedError):
            return Description(person, None, CrmUnavailableError.code)
        if isinstance(found, NoMatch):
            return Description(person, None, found.outcome.code)
        return Description(person, await self._store.find_link(user_id))

    async def _find_crm_user(self, wanted: str) -> CrmUser | None:
        if "@" in wanted:
            return (await self._roster.find([wanted])).get(wanted)
        return await self._roster.find_by_id(wanted)

    async def _get_person(self, user_id: str) -> Person:
        """Return a person from memory, the store or, within a deadline, Slack."""
        read_at, known = self._senders.get(user_id, (float("-inf"), None))
        if known is not None and self._clock.time() - read_at < KEEP_SENDER:
            return known
        person = (await self._store.find_people([user_id], within=KEEP_SENDER)).get(user_id)
        if person is None:
            person = await self._read_sender(user_id)
        self._senders[user_id] = (self._clock.time(), person)
        return person

    async def _read_sender(self, user_id: str) -> Person:
        try:
            async with asyncio.timeout(SENDER_WITHIN):
                person = await self._fetch_person(user_id)
        except (TimeoutError, SlackUnavailableError) as exc:
            stale = (await self._store.find_people([user_id])).get(user_id)
            if stale is None:
                raise SlackUnavailableError("users.info") from exc
            return stale
        await self._store.save_people([person])  # a slow database is not Slack's fault
        return person

    async def _read_person(self, user_id: str) -> Person:
        person = await self._fetch_person(user_id)
        await self._store.save_people([person])
        return person

    async def _fetch_person(self, user_id: str) -> Person:
        return read_person(await self._slack.fetch_user(user_id), self._team_id)

    async def _get_people(self, user_ids: Collection[str]) -> dict[str, Person]:
        """Return those of `user_ids` that Slack knows."""
        people = await self._store.find_people(user_ids, within=KEEP_PEOPLE)
        missing = set(user_ids) - people.keys()
        if len(missing) > FEW:
            async for page in self._slack.fetch_user_pages():
                everybody = [read_person(user, self._team_id) for user in page]
                await self._store.save_people(everybody)
                people |= {each.user_id: each for each in everybody if each.user_id in missing}
            missing -= people.keys()
        for user_id in sorted(missing):
            try:
                people[user_id] = await self._read_person(user_id)
            except SlackRefusedError as exc:
                if exc.code in OUR_FAULT:
                    raise
                log.info("person.not_found", code=exc.code)
        return people


def _refuse(person: Person | None) -> NoMatch:
    """Say why a person cannot be matched by e-mail."""
    if person is None:
        return NoMatch(Outcome(State.UNLINKED, UNKNOWN_PERSON))
    code = NO_EMAIL if person.standing is Standing.MEMBER else str(person.standing)
    return NoMatch(Outcome(State.UNLINKED, code), person.name)


def _match(person: Person, user: CrmUser | None) -> Match | NoMatch:
    if user is None:
        return NoMatch(Outcome(State.UNLINKED, NOT_IN_CRM), person.name)
    if not user.active:
        return NoMatch(Outcome(State.UNLINKED, INACTIVE), person.name)
    return Match(user.id, person.name)
