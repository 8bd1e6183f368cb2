"""The buttons on cards, answers and the Home tab, for the sender and for admins."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.acceptor import Acceptor
from bot.directory import Directory
from bot.errands import Errands
from bot.errors import UserError
from bot.homes import Homes
from bot.notification import Place, Report, State
from bot.people import Person
from bot.replies import ActionId, Message, answers, cards, home
from bot.slack_api import SlackApi
from bot.store.debts import QUICK
from bot.store.outbox import Receipt
from bot.store.reports import Reports
from bot.store.rounds import Rounds
from handlers.patience import LISTEN_WITHIN

ONE_OF_MANY = re.compile(rf"{ActionId.SEND_DRAFT}_\d+")
"""The numbered buttons of a choice."""


@dataclass(frozen=True)
class Buttons:
    """Changes what the store holds; what is seen of it follows by errands."""

    acceptor: Acceptor
    directory: Directory
    reports: Reports
    rounds: Rounds
    slack: SlackApi
    errands: Errands
    homes: Homes
    report_cancelled: Callable[[], None]

    def register(self, app: AsyncApp) -> None:
        app.action(ActionId.SEND_DRAFT)(self.send_draft)
        app.action(ONE_OF_MANY)(self.send_draft)
        app.action(ActionId.RETRY)(self.retry)
        app.action(ActionId.SEND_AGAIN)(self.send_again)
        app.action(ActionId.CANCEL)(self.cancel)
        app.action(ActionId.DETAILS)(self.show_details)

    async def send_draft(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(body["user"]["id"])
            receipt = await self.acceptor.accept_draft(_value(action), sender)
        self._replace(body, _tell(receipt))
        await ack()

    async def retry(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            await self._reopen(cards.RETRYABLE, body, action, but_not=cards.HOPELESS)
        await ack()

    async def send_again(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            await self._reopen((State.UNKNOWN,), body, action)
        await ack()

    async def cancel(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            _, report = await self._read(body, action)
            key = body["trigger_id"]
            count = await self.rounds.cancel(report.notification_id, key=key)
        self.report_cancelled()
        # A card shows its progress, and then the outcome; only an answer is done with.
        self._respond(body, Message(answers.cancelled(count)), replace_original=_is_answer(body))
        await ack()

    async def show_details(
        self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]
    ) -> None:
        async with asyncio.timeout(LISTEN_WITHIN):
            _, report = await self._read(body, action)
            await self._tell(body, report)
        await ack()

    async def _reopen(
        self,
        states: Collection[State],
        body: dict[str, Any],
        action: dict[str, Any],
        *,
        but_not: Collection[str] = (),
    ) -> None:
        presser, report = await self._read(body, action)
        await self.acceptor.check_sender(presser)
        count = await self.rounds.reopen(
            report.notification_id,
            states,
            but_not=but_not,
            key=body["trigger_id"],
            asked_by=presser.user_id,
            place=_place(body),
        )
        if count == 0:
            nothing = Message(answers.NOTHING_TO_REOPEN)
            self._respond(body, nothing, replace_original=False)
            return
        self.acceptor.resolve()
        self.acceptor.dispatch()
        card = cards.outcome(report).without_buttons()
        self._replace(body, card.with_context(answers.reopened(presser.name)))

    async def _read(self, body: dict[str, Any], action: dict[str, Any]) -> tuple[Person, Report]:
        """Return who pressed and what it is about; raises UserError if it is not theirs."""
        presser = await self.directory.get_sender(body["user"]["id"])
        report = await self.reports.find(_value(action))
        if report is None:
            raise UserError(answers.GONE)
        if not self.directory.may_see(presser, report.sender_id):
            raise UserError(answers.NOT_YOURS)
        return presser, report

    async def _tell(self, body: dict[str, Any], report: Report) -> None:
        """Show the details to whoever asked, alone; over the Home tab that is a modal."""
        if _is_home(body):
            await self.slack.open_view(body["trigger_id"], home.build_details(report))
        else:
            self._respond(body, cards.status(report), replace_original=False)

    def _replace(self, body: dict[str, Any], message: Message) -> None:
        """Let the buttons that were pressed disappear."""
        self._respond(body, message, replace_original=True)

    def _respond(self, body: dict[str, Any], message: Message, *, replace_original: bool) -> None:
        """Answer where the button is; on the Home tab, by what it shows from now on."""
        if _is_home(body):
            self.homes.show(body["user"]["id"])
            return
        if not (response_url := body.get("response_url")):
            return
        answer: dict[str, Any] = {"text": message.text, "blocks": message.blocks}
        if replace_original:
            answer["replace_original"] = True
        else:
            answer |= {"replace_original": False, "response_type": "ephemeral"}
        self.errands.run("button", self.slack.respond(response_url, answer))


def _tell(receipt: Receipt) -> Message:
    """Say what takes the place of a question: how long it takes, where that is long."""
    if not receipt.is_new:
        return Message(answers.TAKEN_BEFORE)
    if receipt.seconds > QUICK:
        return answers.queued(receipt.notification_id, receipt.recipients, receipt.seconds)
    return Message(answers.ON_ITS_WAY)


def _value(action: dict[str, Any]) -> str:
    """Return the id that a button carries."""
    return str(action.get("value"))


def _is_answer(body: dict[str, Any]) -> bool:
    """Tell whether the button is on what only whoever pressed it can see."""
    return bool((body.get("container") or {}).get("is_ephemeral"))


def _is_home(body: dict[str, Any]) -> bool:
    return bool((body.get("view") or {}).get("type") == "home")


def _place(body: dict[str, Any]) -> Place:
    """Return where the button is: the new outcome belongs there too; nowhere for the Home tab."""
    message = body.get("message") or {}
    return Place(
        channel_id=(body.get("channel") or {}).get("id"),
        thread_ts=message.get("thread_ts"),
        response_url=body.get("response_url"),
        private=_is_answer(body),
    )
