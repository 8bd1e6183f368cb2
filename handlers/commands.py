"""`/notify` and its sub-commands."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot import grammar
from bot.acceptor import Acceptor, Request
from bot.composer import Wording
from bot.directory import Directory
from bot.doctor.live import Doctor
from bot.errors import UserError
from bot.grammar import Check, Command, Compose, Help, Link, Send, SendTest, Status, Unlink, Whoami
from bot.notification import Place, SlackUser
from bot.people import Person
from bot.plaintext import from_typed, mentioned_users
from bot.replies import Message, answers, cards, compose, questions
from bot.slack_api import SlackApi
from bot.store.debts import QUICK
from bot.store.outbox import Receipt
from bot.store.reports import Reports
from handlers.patience import LISTEN_WITHIN

TEST_TITLE = "Test from Slack"
TEST_CONTENT = "If you can read this, notifications from Slack reach you."


@dataclass(frozen=True)
class NotifyCommand:
    """Accepts notifications; only the dispatcher talks to the CRM about them."""

    acceptor: Acceptor
    directory: Directory
    reports: Reports
    slack: SlackApi
    doctor: Doctor

    def register(self, app: AsyncApp) -> None:
        app.command("/notify")(self.answer)

    async def answer(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN) as patience:
            sender = await self.directory.get_sender(command["user_id"])
            parsed = grammar.parse(command.get("text", ""), sender_id=sender.user_id)
            answer = await self._carry_out(parsed, sender, command, patience.when())
        await ack(**_spell(answer))

    async def _carry_out(
        self, parsed: Command, sender: Person, command: dict[str, Any], until: float | None
    ) -> str | Message:
        match parsed:
            case Send():
                return await self._send(parsed, sender, command, until)
            case SendTest():
                own = (SlackUser(sender.user_id),)
                test = Send(own, TEST_TITLE, TEST_CONTENT, link=None, icon=None, private=True)
                return await self._send(test, sender, command, until)
            case Compose():
                return await self._open_modal(sender, command)
            case Check():
                return await self._check(sender, command)
            case Help():
                return answers.HELP
            case Status(notification_id):
                return await self._tell_status(notification_id, sender)
            case Whoami(user_id):
                return await self._describe(user_id)
            case Link(user_id, crm_user):
                return await self._link(user_id, crm_user, sender, _name_interaction(command))
            case Unlink(user_id):
                return await self._unlink(user_id, sender, _name_interaction(command))

    async def _send(
        self, send: Send, sender: Person, command: dict[str, Any], until: float | None
    ) -> str | Message:
        names = await self.directory.fetch_names(mentioned_users(f"{send.title} {send.content}"))
        wording = Wording(
            content=from_typed(send.content, names),
            title=send.title and from_typed(send.title, names),
            link=send.link,
            icon=send.icon,
            preset=send.preset,
        )
        receipt = await self.acceptor.accept(
            Request(
                key=_name_interaction(command),
                sender=sender,
                recipients=send.recipients,
                place=_place(command, private=send.private),
                wording=wording,
                lead=send.lead,
                until=until,
            )
        )
        if not isinstance(receipt, Receipt):
            return questions.ask(receipt)
        if receipt.is_new and receipt.seconds > QUICK:
            return answers.queued(receipt.notification_id, receipt.recipients, receipt.seconds)
        return ""

    async def _open_modal(self, sender: Person, command: dict[str, Any]) -> str:
        place = _place(command)
        self.acceptor.check_place(place)
        await self.acceptor.check_sender(sender)
        await self.slack.open_view(str(command.get("trigger_id")), compose.modal(place))
        return ""

    async def _tell_status(self, notification_id: str | None, sender: Person) -> str | Message:
        if notification_id is None:
            report = await self.reports.find_latest(sender.user_id)
        else:
            report = await self.reports.find(notification_id)
        if report is None or not self.directory.may_see(sender, report.sender_id):
            return answers.no_such_notification(notification_id)
        return cards.status(report)

    async def _describe(self, user_id: str) -> str:
        return answers.described(await self.directory.describe(user_id))

    async def _check(self, sender: Person, command: dict[str, Any]) -> Message:
        self._check_admin(sender)
        return await self.doctor.examine(sender.user_id, command.get("response_url"))

    async def _link(self, user_id: str, crm_user: str, sender: Person, key: str) -> str:
        self._check_admin(sender)
        name = await self._name(user_id)
        link = await self.directory.link(user_id, crm_user, admin=sender, key=key)
        return answers.linked(name, link)

    async def _unlink(self, user_id: str, sender: Person, key: str) -> str:
        self._check_admin(sender)
        was_linked = await self.directory.unlink(user_id, key=key)
        return answers.unlinked(await self._name(user_id), was_linked=was_linked)

    def _check_admin(self, sender: Person) -> None:
        if not self.directory.is_admin(sender):
            raise UserError(answers.ADMINS_ONLY)

    async def _name(self, user_id: str) -> str:
        return (await self.directory.fetch_names([user_id])).get(user_id, user_id)


def _spell(answer: str | Message) -> dict[str, Any]:
    """Return what to acknowledge with; nothing at all when the result is answer enough."""
    if isinstance(answer, Message):
        return {"text": answer.text, "blocks": answer.blocks}
    return {"text": answer} if answer else {}


def _name_interaction(command: dict[str, Any]) -> str:
    """Return what tells this command from every other, but not from itself delivered twice."""
    typed = f"{command['user_id']} {command.get('text')}"
    trigger = command.get("trigger_id") or secrets.token_hex(8)
    return f"{trigger}:{hashlib.sha256(typed.encode(errors='replace')).hexdigest()[:16]}"


def _place(command: dict[str, Any], *, private: bool = False) -> Place:
    return Place(
        channel_id=command.get("channel_id"),
        response_url=command.get("response_url"),
        private=private,
    )
