"""The users.*, usergroups.* and conversations.* methods."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.messages import Channel
from bot.sandbox.slack.people import BOT_USER_ID, Group, Person, build_user
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]

PAGE = 100
READ_SCOPES = {
    "public": "channels:read",
    "private": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}
MOST_IN_DM = 8


class PeopleMethods:
    """One bound method for each method of the Web API."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.table: dict[str, Callable[[Json], Json]] = {
            "users.info": self.get_user,
            "users.list": self.list_users,
            "users.lookupByEmail": self.find_by_email,
            "usergroups.list": self.list_groups,
            "usergroups.users.list": self.list_group_members,
            "conversations.info": self.get_conversation,
            "conversations.members": self.list_members,
            "conversations.open": self.open_conversation,
        }

    def get_user(self, args: Json) -> Json:
        person = self._workspace.find_person(str(args.get("user") or ""))
        if person is None:
            raise Refusal("user_not_found")
        return {"ok": True, "user": self._build_user(person)}

    def list_users(self, args: Json) -> Json:
        """List this workspace's own people; strangers are not among them."""
        own = [one for one in self._workspace.people.values() if not one.is_stranger]
        page, cursor = cut_page(own, args)
        members = [self._build_user(person) for person in page]
        return {"ok": True, "members": members, "response_metadata": {"next_cursor": cursor}}

    def find_by_email(self, args: Json) -> Json:
        email = str(args.get("email") or "").lower()
        for person in self._workspace.people.values():
            if person.email and person.email.lower() == email and not person.deleted:
                return {"ok": True, "user": self._build_user(person)}
        raise Refusal("users_not_found")

    def list_groups(self, args: Json) -> Json:
        groups = [group for group in self._workspace.groups.values() if _is_shown(group, args)]
        return {"ok": True, "usergroups": [self._build_group(group, args) for group in groups]}

    def list_group_members(self, args: Json) -> Json:
        for group in self._workspace.groups.values():
            if group.id == args.get("usergroup") and _is_shown(group, args):
                return {"ok": True, "users": [person.id for person in group.members]}
        raise Refusal("no_such_subteam")

    def get_conversation(self, args: Json) -> Json:
        channel = self._find_channel(args)
        return {
            "ok": True,
            "channel": {
                "id": channel.id,
                "name": channel.name,
                "is_channel": channel.kind == "public",
                "is_private": channel.kind != "public",
                "is_im": channel.kind == "im",
                "is_mpim": channel.kind == "mpim",
                "is_member": BOT_USER_ID in channel.members,
                "is_archived": channel.is_archived,
            },
        }

    def list_members(self, args: Json) -> Json:
        page, cursor = cut_page(sorted(self._find_channel(args).members), args)
        return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}

    def open_conversation(self, args: Json) -> Json:
        people = [self._get_partner(name) for name in str(args.get("users") or "").split(",")]
        if len(people) > MOST_IN_DM:
            raise Refusal("too_many_users")
        if len(people) == 1:
            return {"ok": True, "channel": {"id": self._workspace.open_dm(people[0]).id}}
        self._need("mpim:write")
        name = "mpdm-" + "--".join([*sorted(person.name for person in people), "crm-notifier"])
        members = {person.id for person in people} | {BOT_USER_ID}
        channels = self._workspace.channels
        if name not in channels:
            channels[name] = Channel(self._workspace.next_id("G"), name, "mpim", members)
        return {"ok": True, "channel": {"id": channels[name].id}}

    def _get_partner(self, user_id: str) -> Person:
        person = self._workspace.find_person(user_id)
        if person is None or person.is_stranger:
            raise Refusal("user_not_found")
        if person.deleted:
            raise Refusal("user_disabled")
        return person

    def _build_user(self, person: Person) -> Json:
        return build_user(person, with_email="users:read.email" in self._workspace.scopes)

    def _build_group(self, group: Group, args: Json) -> Json:
        built: Json = {
            "id": group.id,
            "handle": group.handle,
            "name": group.name,
            "date_delete": group.date_delete,
        }
        if args.get("include_users"):
            built["users"] = [person.id for person in group.members]
        return built

    def _find_channel(self, args: Json) -> Channel:
        channel = self._workspace.find_channel(str(args.get("channel") or ""))
        if channel is None:
            raise Refusal("channel_not_found")
        self._need(READ_SCOPES[channel.kind])
        if channel.kind != "public" and BOT_USER_ID not in channel.members:
            raise Refusal("channel_not_found")
        return channel

    def _need(self, scope: str) -> None:
        if scope not in self._workspace.scopes:
            provided = ",".join(sorted(self._workspace.scopes))
            raise Refusal("missing_scope", needed=scope, provided=provided)


def _is_shown(group: Group, args: Json) -> bool:
    """Tell whether a call sees this group: one that is deactivated only if it asks for such."""
    return not group.date_delete or bool(args.get("include_disabled"))


def cut_page(items: list[Any], args: Json) -> tuple[list[Any], str]:
    """Return one page and the cursor of the next, "" at the end."""
    start = _read_cursor(str(args.get("cursor") or ""))
    end = start + min(max(int(args.get("limit") or PAGE), 1), 1000)
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], following


def _read_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (ValueError, binascii.Error):
        raise Refusal("invalid_cursor") from None
