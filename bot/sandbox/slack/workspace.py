"""The state of workspace Acme: who and what is in it, what was said, and what was done wrong."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from bot.sandbox.slack.messages import PING, TOKEN, Blocks, Channel, Message, find_markup
from bot.sandbox.slack.people import (
    BOT_USER_ID,
    Group,
    Person,
    build_member,
    build_people,
)
from bot.sandbox.slack.typed import decode_entities
from bot.sandbox.slack.views import View

DEFAULT_SCOPES = ("commands", "chat:write", "users:read", "users:read.email", "usergroups:read")
MEMBERS = ("alice", "priya", "lee", "dev", "omar", "gus", "nomail", "inactive")
DATE = re.compile(r"!date\^[^|]*\|(.*)", re.DOTALL)


class Workspace:
    """People, conversations and everything visible; changes wake those who wait."""

    def __init__(self, clock: Callable[[], float], scopes: Iterable[str]) -> None:
        self.clock = clock
        self.scopes = set(scopes)
        self.people = {person.name: person for person in build_people()}
        self.channels = {channel.name: channel for channel in self._build_channels()}
        team = [self.people[name] for name in ("priya", "lee", "dev")]
        self.groups = {"sales-team": Group("S0SALES01", "sales-team", "Sales team", team)}
        self.messages: list[Message] = []
        self.violations: list[str] = []
        self.views: defaultdict[Person, list[View]] = defaultdict(list)
        self.homes: dict[Person, View] = {}
        self.messages_tab = True
        self._number = 0
        self._changed = asyncio.Condition()

    def _build_channels(self) -> list[Channel]:
        def ids(*names: str) -> set[str]:
            return {self.people[name].id for name in names}

        return [
            Channel("C0SALES01", "sales", "public", ids(*MEMBERS, "crm-notifier")),
            Channel("C0RANDOM1", "random", "public", ids("alice", "priya", "lee", "dev", "omar")),
            Channel("C0LEADS01", "leads-private", "private", ids("alice", "priya", "lee")),
            Channel("D0ALIPRI1", "alice-priya", "im", ids("alice", "priya")),
        ]

    @property
    def bot(self) -> Person:
        return self.people["crm-notifier"]

    def add_people(self, count: int) -> list[Person]:
        """Add u001@acme.com and so on to #sales; returns the new ones."""
        start = sum(person.id.startswith("U0MEM") for person in self.people.values()) + 1
        added = [build_member(number) for number in range(start, start + count)]
        self.people.update({person.name: person for person in added})
        self.channels["sales"].members.update(person.id for person in added)
        return added

    def add_group(self, handle: str, members: Iterable[Person]) -> Group:
        """Add a user group, named like its handle."""
        group = Group(self.next_id("S"), handle, handle, list(members))
        self.groups[handle] = group
        return group

    def complain(self, text: str) -> None:
        self.violations.append(text)

    def next_id(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}0GEN{self._number:05d}"

    def next_ts(self) -> str:
        self._number += 1
        return f"{int(self.clock())}.{self._number:06d}"

    def find_person(self, user_id: str) -> Person | None:
        return next((one for one in self.people.values() if one.id == user_id), None)

    def find_channel(self, channel_id: str) -> Channel | None:
        return next((one for one in self.channels.values() if one.id == channel_id), None)

    def get_channel(self, place: str | Channel) -> Channel:
        """Return the conversation of this name or id."""
        if isinstance(place, Channel):
            return place
        found = self.channels.get(place.removeprefix("#")) or self.find_channel(place)
        if found is None:
            raise LookupError(f"no channel {place!r}")
        return found

    def open_dm(self, person: Person) -> Channel:
        """Return the conversation of this person with the bot, made on demand."""
        name = f"dm-{person.name}"
        if name not in self.channels:
            members = {person.id, BOT_USER_ID}
            self.channels[name] = Channel(self.next_id("D"), name, "im", members)
        return self.channels[name]

    def find_message(self, channel_id: str, ts: str) -> Message | None:
        """Return what has this ts; ephemeral messages have no real one (facts section 3)."""
        for message in self.messages:
            if (message.channel, message.ts) == (channel_id, ts):
                return None if message.deleted or message.ephemeral_to else message
        return None

    def add_message(self, message: Message) -> Message:
        message.read = self.read
        self.messages.append(message)
        return message

    def build_message(
        self, channel: Channel, author: Person, text: str, blocks: Blocks, via: str, **extra: Any
    ) -> Message:
        return Message(channel.id, self.next_ts(), author.id, text, blocks, via, **extra)

    def read(self, text: str) -> str:
        """Show text as people see it: names for tokens, entities decoded."""
        return decode_entities(TOKEN.sub(lambda match: self._read_token(match[1]), text))

    def _read_token(self, token: str) -> str:
        date = DATE.fullmatch(token)
        target, _, label = token.partition("|")
        if date:
            return date[1]
        if target.startswith("@"):
            person = self.find_person(target[1:])
            return f"@{person.name}" if person else target
        if target.startswith("#"):
            channel = self.find_channel(target[1:])
            return f"#{channel.name}" if channel else target
        if target.startswith("!subteam^"):
            groups = {group.id: f"@{group.handle}" for group in self.groups.values()}
            return groups.get(target.removeprefix("!subteam^"), label)
        if target.startswith("!"):
            return label or f"@{target[1:]}"
        return label or target.removeprefix("mailto:")

    def check_pings(self, where: str, text: str, blocks: Blocks) -> None:
        """Complain about what would ping a whole channel or group in somebody's name."""
        for markup in [text, *find_markup(blocks)]:
            for match in PING.finditer(markup):
                self.complain(f"{where}: pings {match[0]}")

    def visible_to(self, person: Person, channel: str | Channel | None = None) -> list[Message]:
        """Return the messages that this person sees, in order."""
        mine = {one.id for one in self.channels.values() if person.id in one.members}
        if channel is not None:
            mine &= {self.get_channel(channel).id}
        return [
            message
            for message in self.messages
            if not message.deleted
            and (
                message.ephemeral_to == person.id
                if message.ephemeral_to
                else message.channel in mine
            )
            and (channel is None or message.channel == self.get_channel(channel).id)
        ]

    def transcript(self) -> str:
        """Return what people see, one line a message, then modals and violations."""
        lines = [self._write_line(message) for message in self.messages if not message.deleted]
        for person, stack in self.views.items():
            lines += [f"{person.name} has open: {view.shown!r}" for view in stack]
        lines += [f"{one.name}'s Home tab: {home.shown!r}" for one, home in self.homes.items()]
        return "\n".join([*lines, *(f"violation: {text}" for text in self.violations)])

    def _write_line(self, message: Message) -> str:
        channel, author = self.find_channel(message.channel), self.find_person(message.author)
        only = self.find_person(message.ephemeral_to) if message.ephemeral_to else None
        marks = [f"only {only.name}"] if only else []
        marks += ["in thread"] if message.thread_ts else []
        marks += ["edited"] if message.edited else []
        aside = f" ({', '.join(marks)})" if marks else ""
        return f"{channel} {author.name if author else '?'}{aside}: {message.shown}"

    async def changed(self) -> None:
        """Wake those who wait."""
        async with self._changed:
            self._changed.notify_all()

    async def follow(self, tell: Callable[[], None]) -> None:
        """Call `tell` after every change, for ever."""
        async with self._changed:
            while True:
                await self._changed.wait()
                tell()

    async def wait_for(self, predicate: Callable[[], bool], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(predicate)
        except TimeoutError:
            raise AssertionError(f"not within {seconds:g} s:\n{self.transcript()}") from None
