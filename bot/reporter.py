"""Pays the replies owed: an outcome stays a debt until Slack took it.

What takes longer shows its progress on one card, which the outcome replaces. Replies are at least
once: a crash between Slack's answer and our note of it repeats a card.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.backoff import REPLY
from bot.clock import Clock
from bot.errors import SlackRateLimitedError, SlackRefusedError, SlackUnavailableError
from bot.notification import Card, Place
from bot.observer import UNOBSERVED, Observer
from bot.replies import Message, answers, cards
from bot.slack_api import TOKEN_REFUSED, SlackApi
from bot.store.debts import QUICK, Debt, Debts
from bot.worker import LOOK_EVERY, Worker

log = structlog.get_logger()

SHOW_EVERY = 3.0
"""Seconds, at least, between two updates of a card that shows progress."""

SHOW_SHARE = 20.0
"""A send that has gone on for so many times `SHOW_EVERY` shows its progress less often."""

RESPONSE_URL_AGE = 29 * 60.0
RESPONSE_URL_USES = 5
"""Slack takes five uses within 30 minutes:
https://docs.slack.dev/interactivity/handling-user-interaction#message_responses"""

ASSISTANTS = 3
"""Replies paid beside another: one that Slack keeps waiting holds up no other."""

ASSISTANTS_LOOK_EVERY = 10.0
"""Seconds; they are woken when there is work, but for what becomes due while all wait for Slack."""

KEYS_REFUSED = "access_401"
"""The code of a delivery for which the keys, or the host they were sent to, are wrong."""

Rung = Callable[[Debt, Message], Awaitable[Card | None]]


class Reporter(Worker):
    """Answers in Slack, down a ladder of places until one takes it."""

    name = "reporter"

    def __init__(
        self,
        debts: Debts,
        slack: SlackApi,
        clock: Clock,
        random: Callable[[], float],
        *,
        look_every: float = LOOK_EVERY,
        assistants: Sequence[Reporter] = (),
        observer: Observer = UNOBSERVED,
    ) -> None:
        super().__init__(clock, look_every=look_every)
        self._debts = debts
        self._slack = slack
        self._random = random
        self._assistants = assistants
        self._is_busy = False
        self._observer = observer
        self.on_change: Callable[[str], None] = _do_nothing
        """Hears whose notification has come further."""
        self.find_api_host: Callable[[], Awaitable[str | None]] = _find_nothing
        """Tells which host the CRM account has, for whoever has to mend the settings."""

    @classmethod
    def open(
        cls,
        debts: Debts,
        slack: SlackApi,
        clock: Clock,
        random: Callable[[], float],
        observer: Observer = UNOBSERVED,
    ) -> list[Reporter]:
        """Return one that looks for work and some that help it, so that few looks are enough."""
        assistants = [
            cls(debts, slack, clock, random, look_every=ASSISTANTS_LOOK_EVERY, observer=observer)
            for _ in range(ASSISTANTS)
        ]
        first = cls(debts, slack, clock, random, assistants=assistants, observer=observer)
        return [first, *assistants]

    def wake(self) -> None:
        """Look for work now, or let the assistants look if this one is busy."""
        super().wake()
        if self._is_busy:
            self._wake_assistants()

    async def step(self) -> bool:
        """Pay one reply, or show the progress of one; False when none is due."""
        self._is_busy = True
        try:
            return await self._step()
        finally:
            self._is_busy = False

    async def _step(self) -> bool:
        debt = await self._debts.take()
        if debt is None:
            return False
        self._wake_assistants()  # there may be more
        self.on_change(debt.report.sender_id)
        if debt.report.is_open:
            await self._show(debt)
            return True
        try:
            await self._pay(debt)
        except SlackUnavailableError as exc:
            await self._put_off(debt, exc)
        return True

    def _wake_assistants(self) -> None:
        for assistant in self._assistants:
            assistant.wake()

    async def pay_all(self) -> None:
        """Pay what is due now."""
        while await self.step():
            pass

    async def _show(self, debt: Debt) -> None:
        """Show how far it is; where we may not post, the outcome alone has to do."""
        message = cards.progress(debt.report, debt.seconds_left)
        pause = max(SHOW_EVERY, debt.report.seconds / SHOW_SHARE)
        try:
            card = await (self._update if debt.card else self._post)(debt, message)
        except SlackRefusedError as exc:
            log.info("reply.not_shown", **_ids(debt), code=exc.code)
            await self._debts.show_no_more(debt.id)
        except SlackUnavailableError as exc:
            log.info("reply.not_shown", **_ids(debt), error=type(exc).__name__)
            asked = exc.retry_after if isinstance(exc, SlackRateLimitedError) else 0.0
            await self._debts.show_again(debt.id, seconds=max(pause, asked))
        else:
            await self._debts.show_again(debt.id, seconds=pause, card=card)

    async def _pay(self, debt: Debt) -> None:
        if any(each.code == KEYS_REFUSED for each in debt.report.deliveries):
            host = await self.find_api_host()
            debt = replace(debt, report=replace(debt.report, api_host=host))
        message = cards.outcome(debt.report, alone=_is_alone(debt.place))
        token_refused = False
        for rung in self._ladder(debt):
            if token_refused and rung != self._respond:
                continue  # a `response_url` alone needs no token
            try:
                card = await rung(debt, message)
            except SlackRefusedError as exc:
                token_refused = token_refused or exc.code in TOKEN_REFUSED
                log.info("reply.refused", **_ids(debt), code=exc.code)
            else:
                log.info("reply.paid", **_ids(debt))
                await self._debts.pay(debt.id, card)
                return self._observer.replied("paid")
        if token_refused:
            return await self._wait_for_token(debt)
        return await self._lose(debt)

    async def _lose(self, debt: Debt) -> None:
        """Give a reply up: nobody is told any more how it ended."""
        log.error("reply.lost", **_ids(debt))
        await self._debts.pay(debt.id)
        self._observer.replied("lost")

    async def _wait_for_token(self, debt: Debt) -> None:
        """Keep the debt for as long as it takes: Slack refuses our token for every call."""
        log.error("reply.token_refused", **_ids(debt))
        self._observer.replied("put_off")
        await self._debts.postpone(debt.id, seconds=REPLY.most, counts=False)

    def _ladder(self, debt: Debt) -> list[Rung]:
        """Return the ways to answer, best first; only the sender may see a private one."""
        if debt.card is not None:
            return [self._update, *self._ladder(replace(debt, card=None))]
        direct = self._send_directly
        respond = [self._respond] if _may_respond(debt) else []
        if debt.place.private or debt.place.channel_id is None:
            return [*respond, direct]
        # In a thread `response_url` is not known to honour `thread_ts` everywhere, posting is.
        if debt.report.seconds <= QUICK and debt.place.thread_ts is None:
            return [*respond, self._post, direct]
        return [self._post, *respond, direct]

    async def _update(self, debt: Debt, message: Message) -> Card | None:
        if debt.card is not None:
            await self._slack.update(debt.card, message.text, message.blocks)
        return debt.card

    async def _respond(self, debt: Debt, message: Message) -> None:
        await self._debts.count_use(debt.id)
        body = {
            "response_type": "ephemeral" if debt.place.private else "in_channel",
            "replace_original": False,
            "text": message.text,
            "blocks": message.blocks,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if debt.place.thread_ts is not None:
            body["thread_ts"] = debt.place.thread_ts
        await self._slack.respond(str(debt.place.response_url), body)

    async def _post(self, debt: Debt, message: Message) -> Card | None:
        """Post in the place; without one, to whoever asked."""
        place = debt.place.channel_id or debt.asked_by
        return await self._slack.post(
            place, message.text, message.blocks, thread_ts=debt.place.thread_ts
        )

    async def _send_directly(self, debt: Debt, message: Message) -> Card | None:
        if debt.place.channel_id is not None and not debt.place.private:
            why = answers.not_in_place(debt.place.channel_id)
            message = cards.outcome(debt.report, alone=True).with_context(why)
        return await self._slack.post(debt.asked_by, message.text, message.blocks)

    async def _put_off(self, debt: Debt, error: SlackUnavailableError) -> None:
        is_pace = isinstance(error, SlackRateLimitedError)  # many replies to one place: no failure
        if debt.tries >= REPLY.repeats and not is_pace:
            return await self._lose(debt)
        log.warning("reply.put_off", **_ids(debt), error=type(error).__name__, tries=debt.tries)
        self._observer.replied("put_off")
        if isinstance(error, SlackRateLimitedError):
            seconds = error.retry_after + self._random()
        else:
            seconds = REPLY.delay(debt.tries + 1, self._random())
        return await self._debts.postpone(debt.id, seconds=seconds, counts=not is_pace)


def _ids(debt: Debt) -> dict[str, Any]:
    return {"reply": debt.id, "notification": debt.report.notification_id}


def _is_alone(place: Place) -> bool:
    """Tell whether nobody but whoever asked reads what is said there."""
    return place.private or (place.channel_id is None and place.response_url is None)


def _may_respond(debt: Debt) -> bool:
    return (
        debt.place.response_url is not None
        and debt.age < RESPONSE_URL_AGE
        and debt.uses < RESPONSE_URL_USES
    )


def _do_nothing(_: str) -> None: ...


async def _find_nothing() -> str | None:
    return None
