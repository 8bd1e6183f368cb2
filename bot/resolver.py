"""Fills in the CRM user of accepted deliveries: stored links at once, the rest by look-ups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.backoff import UNREACHABLE
from bot.clock import Clock
from bot.directory import Directory
from bot.errors import CrmAccessError, CrmError, SlackError, SlackRateLimitedError
from bot.notification import KEY_OWNER, Outcome, State
from bot.store.resolutions import AskAgain, Match, NoMatch, Resolution, Resolutions, Unresolved
from bot.worker import Worker

log = structlog.get_logger()

BATCH = 1_000
"""Deliveries resolved in one go."""

LEFT = 5.0
"""Seconds in which new work is left to the process that accepted it: two would ask for the same
people, and the second would take calls of the account for it."""

SLACK_AWAY = "slack_away"


class Resolver(Worker):
    """Turns Slack users into CRM users, a batch at a time."""

    name = "resolver"

    def __init__(
        self,
        resolutions: Resolutions,
        directory: Directory,
        clock: Clock,
        random: Callable[[], float],
        on_resolved: Callable[[], None],
    ) -> None:
        super().__init__(clock)
        self._resolutions = resolutions
        self._directory = directory
        self._random = random
        self._on_resolved = on_resolved
        self._is_woken = True  # at first as well: nobody else may be there

    def wake(self) -> None:
        """Look for work now: something was accepted here."""
        self._is_woken = True
        super().wake()

    async def step(self) -> bool:
        """Resolve what is due; False when nothing was."""
        is_woken, self._is_woken = self._is_woken, False  # or a wake meanwhile would be lost
        left = 0.0 if is_woken else LEFT
        batch = await self._resolutions.find_unresolved(BATCH, left=left)
        if not batch:
            return False
        self._is_woken |= is_woken
        linked = await self._directory.find_linked({each.slack_user_id for each in batch})
        known = [each for each in batch if each.slack_user_id in linked]
        others = [each for each in batch if each.slack_user_id not in linked]
        await self._record(known, linked)
        if others:
            await self._look_up(others)
        return True

    async def _look_up(self, batch: Sequence[Unresolved]) -> None:
        try:
            found = await self._directory.look_up({each.slack_user_id for each in batch})
        except (CrmError, SlackError) as exc:
            await self._put_off(batch, exc)
        else:
            await self._record(batch, found)

    async def _record(
        self, batch: Sequence[Unresolved], found: Mapping[str, Match | NoMatch]
    ) -> None:
        if not batch:
            return
        beside = [
            each
            for each in batch
            if each.beside_key_owner and isinstance(found[each.slack_user_id], Match)
        ]
        alone = [each for each in batch if each not in beside]
        await self._save([(each, found[each.slack_user_id]) for each in alone])
        if beside:
            await self._record_beside_key_owner(beside, found)
        self._on_resolved()

    async def _save(self, found: Sequence[tuple[Unresolved, Resolution]]) -> None:
        await self._resolutions.record(found)
        for each, resolution in found:
            if isinstance(resolution, NoMatch):
                log.info(
                    "delivery.not_sent",
                    delivery=each.id,
                    notification=each.notification_id,
                    state=resolution.outcome.state.value,
                    code=resolution.outcome.code,
                )

    async def _record_beside_key_owner(
        self, batch: Sequence[Unresolved], found: Mapping[str, Match | NoMatch]
    ) -> None:
        """Record people who may be the key owner of the same notification: one call for both."""
        try:
            key_owner_id = await self._directory.get_key_owner_id()
        except CrmError as exc:
            await self._put_off(batch, exc)
            return
        pairs = [(each, _name_key_owner(found[each.slack_user_id], key_owner_id)) for each in batch]
        await self._save(pairs)

    async def _put_off(self, batch: Sequence[Unresolved], error: CrmError | SlackError) -> None:
        """Ask again later; give up after as many repeats as a push would get."""
        log.warning("resolver.look_up_failed", error=type(error).__name__, deliveries=len(batch))
        jitter = self._random()  # once: who was asked about together is asked about together again
        found = [(each, _after(each.repeats, error, jitter)) for each in batch]
        await self._save(found)
        self._on_resolved()


def _after(repeats: int, error: CrmError | SlackError, jitter: float) -> Resolution:
    detail = error.detail if isinstance(error, CrmError) else ""
    if isinstance(error, CrmAccessError):
        return NoMatch(Outcome(State.REJECTED, error.code, detail or None))
    if repeats >= UNREACHABLE.repeats:
        code = error.code if isinstance(error, CrmError) else SLACK_AWAY
        return NoMatch(Outcome(State.UNAVAILABLE, code, detail or None))
    seconds = UNREACHABLE.delay(repeats + 1, jitter)
    if isinstance(error, SlackRateLimitedError):
        seconds = max(seconds, error.retry_after)
    return AskAgain(seconds)


def _name_key_owner(resolution: Match | NoMatch, key_owner_id: str) -> Match | NoMatch:
    if isinstance(resolution, Match) and resolution.crm_user_id == key_owner_id:
        return replace(resolution, crm_user_id=KEY_OWNER)
    return resolution
