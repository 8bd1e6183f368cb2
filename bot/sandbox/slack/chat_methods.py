"""The chat.* methods, with the membership matrix of facts section 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.messages import Channel, Message
from bot.sandbox.slack.people import APP_ID, BOT_ID, BOT_USER_ID
from bot.sandbox.slack.posts import BEST_LENGTH, check_post
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]


class ChatMethods:
    """One bound method for each method of the Web API."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.table: dict[str, Callable[[Json], Json]] = {
            "chat.postMessage": self.post,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "chat.getPermalink": self.get_permalink,
        }

    def post(self, args: Json) -> Json:
        channel = self._find_place(str(args.get("channel") or ""), args)
        thread_ts = self._find_thread(channel, args)
        message = self._build(channel, "chat.postMessage", args, thread_ts=thread_ts)
        self._workspace.add_message(message)
        shown = build_message_payload(message)
        return {"ok": True, "channel": channel.id, "ts": message.ts, "message": shown}

    def post_ephemeral(self, args: Json) -> Json:
        channel = self._find_joined(str(args.get("channel") or ""))
        person = self._workspace.find_person(str(args.get("user") or ""))
        if person is None or person.deleted or person.id not in channel.members:
            raise Refusal("user_not_in_channel")
        if len(str(args.get("text") or "").encode()) > BEST_LENGTH:
            self._workspace.complain("chat.postEphemeral: text of more than 4000 bytes")
        thread_ts = self._find_thread(channel, args)
        message = self._build(
            channel, "chat.postEphemeral", args, thread_ts=thread_ts, ephemeral_to=person.id
        )
        self._workspace.add_message(message)
        return {"ok": True, "message_ts": message.ts}

    def update(self, args: Json) -> Json:
        message = self._find_own(args, "cant_update_message")
        if len(str(args.get("text") or "")) > BEST_LENGTH:
            raise Refusal("msg_too_long")
        # an update with text alone takes the blocks away, so text and blocks are both as given
        message.edit(*check_post(self._workspace, "chat.update", args))
        shown = build_message_payload(message)
        return {
            "ok": True,
            "channel": message.channel,
            "ts": message.ts,
            "text": message.text,
            "message": shown,
        }

    def delete(self, args: Json) -> Json:
        message = self._find_own(args, "cant_delete_message")
        message.deleted = True
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def get_permalink(self, args: Json) -> Json:
        channel = self._find_visible(str(args.get("channel") or ""))
        message = self._workspace.find_message(channel.id, str(args.get("message_ts") or ""))
        if message is None:
            raise Refusal("message_not_found")
        return {"ok": True, "channel": channel.id, "permalink": build_permalink(message)}

    def _build(self, channel: Channel, via: str, args: Json, **extra: Any) -> Message:
        text, blocks = check_post(self._workspace, via, args)
        unfurls = args.get("unfurl_links") is not False or args.get("unfurl_media") is not False
        bot = self._workspace.bot
        message = self._workspace.build_message(channel, bot, text, blocks, via, **extra)
        message.unfurls = unfurls
        return message

    def _find_place(self, place: str, args: Json) -> Channel:
        if not place.startswith(("U", "W")):
            return self._find_joined(place)
        person = self._workspace.find_person(place)
        if person is None or person.deleted or person.is_stranger:
            raise Refusal("channel_not_found")
        if person.is_bot:
            raise Refusal("cannot_dm_bot")
        if {"username", "icon_emoji", "icon_url"} & set(args):
            self._workspace.complain("chat.postMessage: with an own name it lands at Slackbot's")
        return self._check_tab(self._workspace.open_dm(person))

    def _find_joined(self, place: str) -> Channel:
        channel = self._find_visible(place)
        if channel.is_archived:
            raise Refusal("is_archived")
        if BOT_USER_ID not in channel.members and "chat:write.public" not in self._workspace.scopes:
            raise Refusal("not_in_channel")
        return self._check_tab(channel)

    def _check_tab(self, channel: Channel) -> Channel:
        if channel.kind == "im" and not self._workspace.messages_tab:
            raise Refusal("messages_tab_disabled")
        return channel

    def _find_visible(self, place: str) -> Channel:
        """What is not public and without the bot does not exist for it."""
        channel = self._workspace.find_channel(place)
        if channel is None or (channel.kind != "public" and BOT_USER_ID not in channel.members):
            raise Refusal("channel_not_found")
        return channel

    def _find_thread(self, channel: Channel, args: Json) -> str | None:
        thread_ts = args.get("thread_ts")
        if not thread_ts:
            return None
        check_thread(self._workspace, "chat", channel, str(thread_ts))
        return str(thread_ts)

    def _find_own(self, args: Json, refusal: str) -> Message:
        channel = self._find_visible(str(args.get("channel") or ""))
        message = self._workspace.find_message(channel.id, str(args.get("ts") or ""))
        if message is None:
            raise Refusal("message_not_found")
        if message.author != BOT_USER_ID:
            raise Refusal(refusal)
        return message


def check_thread(workspace: Workspace, where: str, channel: Channel, thread_ts: str) -> None:
    """Complain unless it is the ts of a parent: a reply's own ts starts no thread (section 3)."""
    parent = workspace.find_message(channel.id, thread_ts)
    if parent is None:
        workspace.complain(f"{where}: thread_ts {thread_ts} is no message here")
    elif parent.thread_ts not in (None, thread_ts):
        workspace.complain(f"{where}: thread_ts is a reply's own ts")


def build_permalink(message: Message) -> str:
    link = f"https://acme.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}"
    return link


def build_message_payload(message: Message) -> Json:
    """Build the message as payloads and answers carry it (facts 1.2, 1.6)."""
    payload: Json = {
        "type": "message",
        "user": message.author,
        "ts": message.ts,
        "text": message.text,
        "blocks": message.blocks,
    }
    if message.author == BOT_USER_ID:
        payload |= {"bot_id": BOT_ID, "app_id": APP_ID}
    if message.thread_ts:
        payload["thread_ts"] = message.thread_ts
    if message.edited:
        payload["edited"] = {"user": message.author, "ts": message.ts}
    return payload | message.extra
