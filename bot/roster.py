"""The CRM's users by e-mail and by id: one call for everybody, kept and refreshed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from bot.clock import Clock
from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.models import CrmUser, KeyOwnerIdentity

KEEP = 600.0
"""Seconds a roster serves for those it has."""

BELIEVE_A_MISS = 60.0
"""Seconds a roster serves for those it has not: somebody may have been added since."""


class Roster:
    """Answers who a person is in the CRM; raises CrmError when it cannot be asked."""

    def __init__(self, client: LeadSquaredClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._reading: asyncio.Task[None] | None = None
        self._by_email: dict[str, CrmUser] = {}
        self._by_id: dict[str, CrmUser] = {}
        self._read_at = float("-inf")
        self._key_owner: KeyOwnerIdentity | None = None

    async def find(self, emails: Collection[str]) -> dict[str, CrmUser]:
        """Return the CRM users with these lower-cased e-mails, inactive ones included."""
        await self._refresh(KEEP)
        missing = {email for email in emails if not _is_active(self._by_email.get(email))}
        if len(missing) == 1 and self._age() > BELIEVE_A_MISS:
            await self._ask_for(missing.pop())
        elif missing:
            await self._refresh(BELIEVE_A_MISS)
        return {email: self._by_email[email] for email in emails if email in self._by_email}

    async def find_by_id(self, crm_user_id: str) -> CrmUser | None:
        await self._refresh(KEEP)
        if crm_user_id not in self._by_id:
            await self._refresh(BELIEVE_A_MISS)
        return self._by_id.get(crm_user_id)

    async def get_key_owner(self) -> KeyOwnerIdentity:
        """Return the user the API keys belong to; it does not change while the keys do not."""
        if self._key_owner is None:
            self._key_owner = await self._client.get_key_owner(interactive=True)
        return self._key_owner

    async def _refresh(self, most_age: float) -> None:
        """Read the roster if it is older; a caller who gives up does not end the reading."""
        if self._age() <= most_age:
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="roster")
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        users = await self._client.fetch_users(interactive=True)
        self._by_id = {user.id: user for user in users}
        self._by_email = _by_email(users)
        self._read_at = self._clock.time()

    async def _ask_for(self, email: str) -> None:
        """Ask for one person; the answer has active users only."""
        user = await self._client.find_user_by_email(email, interactive=True)
        if user is not None:
            self._by_email[email] = user
            self._by_id[user.id] = user

    def _age(self) -> float:
        return self._clock.time() - self._read_at


def _is_active(user: CrmUser | None) -> bool:
    return user is not None and user.active


def _by_email(users: Iterable[CrmUser]) -> dict[str, CrmUser]:
    """Index users; of two with one e-mail the active one counts."""
    found: dict[str, CrmUser] = {}
    for user in users:
        if user.email and not _is_active(found.get(user.email)):
            found[user.email] = user
    return found
