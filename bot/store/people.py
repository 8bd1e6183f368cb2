"""Slack people as last read, and the links from them to CRM users."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select

from bot.people import Link, Person, Standing
from bot.store.database import Database, in_batches
from bot.store.interactions import Interactions
from bot.store.resolutions import Match
from bot.store.tables import links, people

MOST_CHECKED = 10_000
"""People looked through for those who cannot be matched; both databases take so many values."""

KEEP_EMAIL_LINKS = 24 * 3600.0
"""Seconds until a link made by e-mail is looked up again: e-mails change."""


class PeopleStore:
    """Reads and writes people and links."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._interactions = Interactions(database)
        young = links.c.linked_at > database.now - KEEP_EMAIL_LINKS
        self._holds = young | links.c.linked_by.is_not(None)
        self._matches = (
            select(
                links.c.user_id,
                links.c.crm_user_id,
                func.coalesce(people.c.name, links.c.crm_name),
            )
            .select_from(links.outerjoin(people, people.c.user_id == links.c.user_id))
            .where(links.c.user_id.in_(bindparam("user_ids", expanding=True)), self._holds)
        )

        without_link = people.outerjoin(
            links, and_(links.c.user_id == people.c.user_id, self._holds)
        )
        self._unmatchable = (
            select(people.c.name, func.count().over())
            .select_from(without_link)
            .where(
                people.c.user_id.in_(bindparam("user_ids", expanding=True)),
                or_(people.c.standing != Standing.MEMBER, people.c.email.is_(None)),
                links.c.user_id.is_(None),
            )
            .order_by(people.c.name, people.c.user_id)
            .limit(bindparam("most"))
        )

    async def find_people(
        self, user_ids: Collection[str], *, within: float | None = None
    ) -> dict[str, Person]:
        """Return those of `user_ids` that were read at most `within` seconds ago."""
        query = select(people).where(people.c.user_id.in_(user_ids))
        if within is not None:
            query = query.where(people.c.read_at > self._database.now - within)
        rows = await self._database.transact(lambda connection: connection.execute(query).all())
        return {
            row.user_id: Person(
                row.user_id, row.name, row.email, Standing(row.standing), row.is_admin
            )
            for row in rows
        }

    async def save_people(self, found: Iterable[Person]) -> None:
        rows = [asdict(person) for person in found]
        if not rows:
            return
        add = self._database.insert(people)
        values = {name: add.excluded[name] for name in rows[0] if name != "user_id"}
        add = add.values(read_at=self._database.now).on_conflict_do_update(
            index_elements=["user_id"], set_={**values, "read_at": self._database.now}
        )
        await self._database.transact(lambda connection: connection.execute(add, rows))

    async def find_link(self, user_id: str) -> Link | None:
        """Return a person's link if it still holds."""
        query = select(links).where(links.c.user_id == user_id, self._holds)
        row = await self._database.transact(
            lambda connection: connection.execute(query).mappings().one_or_none()
        )
        return Link(**row) if row is not None else None

    def match(self, connection: Connection, user_ids: Collection[str]) -> dict[str, Match]:
        """Return the CRM users of those whose stored link still holds."""
        return {
            user_id: Match(crm_user_id, name)
            for some in in_batches(list(user_ids))
            for user_id, crm_user_id, name in connection.execute(self._matches, {"user_ids": some})
        }

    def find_unmatchable(
        self, connection: Connection, user_ids: Sequence[str], most: int
    ) -> tuple[list[str], int]:
        """Return names of those who cannot be matched, by what is known, and how many they are."""
        values = {"user_ids": user_ids[:MOST_CHECKED], "most": most}
        rows = connection.execute(self._unmatchable, values).all()
        return [row[0] for row in rows], rows[0][1] if rows else 0

    async def find_matches(self, user_ids: Collection[str]) -> dict[str, Match]:
        return await self._database.transact(self.match, user_ids)

    async def save_links(self, made: Collection[Link]) -> None:
        """Store links; one found by e-mail never replaces an admin's."""
        if made:
            await self._database.transact(self._save_links, made)

    async def link(self, made: Link, *, key: str) -> bool:
        """Store an admin's link; False if the interaction `key` has had its effect."""

        def link(connection: Connection) -> bool:
            if not self._interactions.claim(connection, key):
                return False
            self._save_links(connection, [made])
            return True

        return await self._database.transact(link)

    async def unlink(self, user_id: str, *, key: str) -> bool | None:
        """Remove a link; tell whether there was one, or None if `key` has had its effect."""

        def unlink(connection: Connection) -> bool | None:
            if not self._interactions.claim(connection, key):
                return None
            change = delete(links).where(links.c.user_id == user_id)
            return bool(connection.execute(change).rowcount)

        return await self._database.transact(unlink)

    def _save_links(self, connection: Connection, made: Iterable[Link]) -> None:
        rows = [asdict(link) for link in made]
        for row in rows:
            del row["linked_at"]
        add = self._database.insert(links)
        values = {name: add.excluded[name] for name in rows[0] if name != "user_id"}
        add = add.values(linked_at=self._database.now).on_conflict_do_update(
            index_elements=["user_id"],
            set_={**values, "linked_at": self._database.now},
            where=links.c.linked_by.is_(None) | add.excluded.linked_by.is_not(None),
        )
        connection.execute(add, rows)
