"""What people do in Slack, delivered to the app as Slack would."""

from __future__ import annotations

import json
from typing import Any, Unpack

from bot.sandbox.slack import payloads
from bot.sandbox.slack.delivery import FORM, Delivery, Reply
from bot.sandbox.slack.inputs import build_entry, build_values
from bot.sandbox.slack.messages import Blocks, Channel, Message
from bot.sandbox.slack.modal_interactions import ModalInteractions
from bot.sandbox.slack.people import APP_ID, Person
from bot.sandbox.slack.presses import build_action, find_element
from bot.sandbox.slack.sending import Forged
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.typed import escape_typed
from bot.sandbox.slack.views import View
from bot.sandbox.slack.workspace import Workspace
from bot.sandbox.slack.writing import build_rich_text, find_token

Json = dict[str, Any]

RETRY_REASONS = {"operation_timeout": "http_timeout", "dispatch_failed": "connection_failed"}


class Interactions(ModalInteractions):
    """Commands, shortcuts, presses and events of the people in a workspace."""

    def __init__(self, workspace: Workspace, tickets: Tickets, delivery: Delivery) -> None:
        super().__init__(workspace, tickets, delivery)
        for person in workspace.people.values():
            person.join(self)

    async def say(
        self,
        person: Person,
        text: str,
        channel: str | Channel = "sales",
        *,
        thread: Message | None = None,
        blocks: Blocks | None = None,
        **extra: Any,
    ) -> Message:
        """Post a message as a person; `extra` is added to its payload (files, attachments)."""
        where = self.workspace.get_channel(channel)
        written = escape_typed(text, lambda kind, name: find_token(self.workspace, kind, name))
        given = build_rich_text(written) if blocks is None and text else blocks or []
        message = self.workspace.build_message(where, person, written, given, "say", extra=extra)
        if thread is not None:
            message.thread_ts = thread.thread_ts or thread.ts
            message.extra.setdefault("parent_user_id", thread.author)
        self.workspace.add_message(message)
        await self.workspace.changed()
        return message

    async def command(
        self,
        person: Person,
        command: str,
        text: str = "",
        channel: str | Channel = "sales",
        *,
        escape: bool = True,
        labels: bool = False,
        **forged: Unpack[Forged],
    ) -> Reply:
        """Type a slash command; with `labels` mentions carry `|name`."""
        where = self.workspace.get_channel(channel)
        sent = self._escape(text, labels=labels) if escape else text
        trigger_id, url = self._issue("commands", person, where, None, forged)
        body = payloads.build_command(person, command, sent, where, url, trigger_id)
        reply = await self._send(f"{command} {text}".rstrip(), body, FORM, forged)
        self._answers.apply_command(person, f"{command} {text}".rstrip(), where, reply)
        await self.workspace.changed()
        return reply

    def _escape(self, text: str, *, labels: bool) -> str:
        return escape_typed(
            text, lambda kind, name: find_token(self.workspace, kind, name, labels=labels)
        )

    async def message_shortcut(
        self, person: Person, callback_id: str, message: Message, **forged: Unpack[Forged]
    ) -> Reply:
        if message.ephemeral_to is not None:
            raise ValueError("message shortcuts do not appear on ephemeral messages")
        channel = self.workspace.get_channel(message.channel)
        trigger_id, url = self._issue("app", person, channel, None, forged)
        payload = payloads.build_message_shortcut(
            person,
            callback_id,
            message,
            channel,
            trigger_id=trigger_id,
            response_url=url,
            action_ts=self.workspace.next_ts(),
        )
        return await self._interact(callback_id, payload, forged)

    async def global_shortcut(
        self, person: Person, callback_id: str, **forged: Unpack[Forged]
    ) -> Reply:
        trigger_id = self._issue_trigger(person, forged)
        payload = payloads.build_interaction(
            "shortcut",
            person,
            callback_id=callback_id,
            trigger_id=trigger_id,
            action_ts=self.workspace.next_ts(),
        )
        return await self._interact(callback_id, payload, forged)

    async def press(
        self,
        person: Person,
        where: Message | View,
        action_id: str,
        value: Any = None,
        **forged: Unpack[Forged],
    ) -> Reply:
        """Press a button or choose `value`; of buttons with one action_id, the one of `value`."""
        element = find_element(where.blocks, action_id, value)
        if isinstance(where, View):
            place = self._use_view(where, element, value)
            offered = where.suggested.get(action_id, [])
            trigger_id = self._issue_trigger(person, forged)
        else:
            place, trigger_id = self._use_message(person, where, forged)
            offered = []
        action = build_action(element, value, offered, self.workspace.next_ts())
        payload = payloads.build_interaction(
            "block_actions",
            person,
            api_app_id=APP_ID,
            trigger_id=trigger_id,
            actions=[action],
            **place,
        )
        return await self._interact(action_id, payload, forged)

    def _use_view(self, view: View, element: Json, value: Any) -> Json:
        if not view.is_open:
            raise LookupError(f"{view.title!r} is closed")
        entry = view.values.get(element["block_id"], {})
        if element["action_id"] in entry:
            offered = view.suggested.get(element["action_id"], [])
            entry[element["action_id"]] = build_entry(element, value, offered)
        return payloads.build_view_place(view)

    def _use_message(self, person: Person, message: Message, forged: Forged) -> tuple[Json, str]:
        if message not in self.workspace.visible_to(person):
            raise LookupError(f"{person.name} does not see that message")
        channel = self.workspace.get_channel(message.channel)
        trigger_id, url = self._issue("actions", person, channel, message, forged)
        place = payloads.build_message_place(message, channel)
        state = {"values": build_values(message.blocks)}
        return place | {"response_url": url, "state": state}, trigger_id

    async def open_home(self, person: Person, tab: str = "home", **forged: Unpack[Forged]) -> Reply:
        event: Json = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": self.workspace.open_dm(person).id,
            "tab": tab,
            "event_ts": self.workspace.next_ts(),
        }
        home = self.workspace.homes.get(person)
        if home is not None:
            event["view"] = home.build_payload()
        return await self.event(event, **forged)

    async def event(self, event: Json, *, retries: int = 0, **forged: Unpack[Forged]) -> Reply:
        """Send an event, or a whole body of type url_verification; a failure is sent again."""
        body = event
        if event["type"] not in ("event_callback", "url_verification"):
            at = self.workspace.clock()
            body = payloads.build_event(event, self.workspace.next_id("Ev"), at)
        raw = json.dumps(body).encode()
        reply = await self._send("event", raw, "application/json", forged)
        for number in range(1, retries + 1):
            if reply.ok or reply.headers.get("x-slack-no-retry"):
                break
            reason = RETRY_REASONS.get(reply.error or "", "http_error")
            again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
            reply = await self._send("event", raw, "application/json", forged, again)
        await self.workspace.changed()
        return reply

    async def sees_home(
        self,
        person: Person,
        text: str,
        timeout: float,  # noqa: ASYNC109  # as below
    ) -> View:
        homes = self.workspace.homes
        await self.workspace.wait_for(
            lambda: person in homes and text in homes[person].shown, timeout
        )
        return homes[person]

    async def sees(
        self,
        person: Person,
        text: str,
        channel: str | None,
        timeout: float,  # noqa: ASYNC109  # it ends in an assertion with the transcript
    ) -> Message:
        def find() -> list[Message]:
            return [one for one in self.workspace.visible_to(person, channel) if text in one.shown]

        await self.workspace.wait_for(lambda: bool(find()), timeout)
        return find()[-1]
