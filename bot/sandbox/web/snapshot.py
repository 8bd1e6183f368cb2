"""What the page shows, as JSON: sections of items, each with a key, so that changes are small."""

from __future__ import annotations

import time
from typing import Any

from bot.sandbox.leadsquared import CrmUser, Push
from bot.sandbox.leadsquared.account import Lead
from bot.sandbox.slack import Channel, Message, Person, View
from bot.sandbox.slack.people import BOT_USER_ID
from bot.sandbox.web.stage import ACTORS, Stage
from bot.sandbox.web.switches import Switches
from bot.sandbox.web.wires import Wires

Json = dict[str, Any]
Sections = dict[str, dict[str, Json]]

MOST_MESSAGES = 200
MOST_PUSHES = 200
METER_REMEMBERS = 60.0
"""Seconds of calls that the meter is told of."""


class Snapshot:
    """Reads the stage; times are seconds since 1970."""

    def __init__(self, stage: Stage, switches: Switches) -> None:
        self._stage = stage
        self._switches = switches
        self._wires = Wires(stage)
        # the CRM's clock is monotonic; people read the time of day
        self._offset = time.time() - stage.crm.clock()

    def build(self) -> Sections:
        slack, crm = self._stage.slack, self._stage.crm
        views = [view for stack in slack.views.values() for view in stack]
        messages = [one for one in slack.messages if not one.deleted][-MOST_MESSAGES:]
        first = max(0, len(crm.pushes) - MOST_PUSHES)
        pushes = enumerate(crm.pushes[first:], start=first + 1)
        return {
            "people": {one.id: self._show_person(one) for one in slack.people.values()},
            "groups": {one.id: {"handle": one.handle} for one in slack.groups.values()},
            "channels": {one.id: self._show_channel(one) for one in slack.channels.values()},
            "messages": {one.ts: _show_message(one) for one in messages},
            "views": {one.id: _show_view(one) for one in views},
            "homes": {person.id: _show_view(home) for person, home in slack.homes.items()},
            "users": {one.id: self._show_user(one) for one in crm.users},
            "pushes": {str(number): self._show_push(number, one) for number, one in pushes},
            "wires": self._wires.list_newest(),
            "status": self._build_status(),
        }

    def _build_status(self) -> Sections:
        bot = self._stage.bot
        complaints = [*self._stage.slack.violations, *self._stage.crm.violations]
        return {
            "bot": {"state": bot.state, "starts": bot.starts, "url": bot.url},
            "meter": self._build_meter(),
            "switches": self._switches.describe(),
            "complaints": {"texts": complaints[-20:], "count": len(complaints)},
        }

    def _build_meter(self) -> Json:
        crm = self._stage.crm
        since = crm.clock() - METER_REMEMBERS
        arrivals = []
        for call in reversed(crm.calls):
            if call.at < since:
                break
            arrivals.append({"at": round(call.at + self._offset, 3), "counted": call.counted})
        return {
            "limit": crm.meter.limit,
            "period": crm.meter.period,
            "arrivals": arrivals[::-1],
            "calls": len(crm.calls),
            "refused": len(crm.refusals),
        }

    def _show_person(self, person: Person) -> Json:
        email = (person.email or "").lower()
        user = next((one for one in self._stage.crm.users if one.email == email), None)
        return {
            "name": person.name,
            "real_name": person.real_name,
            "is_bot": person.is_bot,
            "role": _find_role(person),
            "crm": "none" if user is None else "active" if user.active else "inactive",
            "user": user.id if user else None,
            "actor": ACTORS.index(person.name) if person.name in ACTORS else None,
        }

    def _show_channel(self, channel: Channel) -> Json:
        actors = [one.id for one in self._stage.actors if one.id in channel.members]
        people = self._stage.slack.people.values()
        return {
            "name": channel.name,
            "kind": channel.kind,
            "count": len(channel.members),
            "actors": actors,
            "people": [one.id for one in people if one.id in channel.members][:8],
            "has_bot": BOT_USER_ID in channel.members,
        }

    def _show_user(self, user: CrmUser) -> Json:
        return {
            "name": f"{user.first} {user.last}".strip(),
            "email": user.email,
            "role": user.role,
            "active": user.active,
            "blocked": user.blocked,
            "owns_keys": user is self._stage.crm.account.owner,
            "leads": [
                _show_lead(one) for one in self._stage.crm.leads if one["OwnerId"] == user.id
            ],
        }

    def _show_push(self, number: int, push: Push) -> Json:
        body = push.body
        return {
            "number": number,
            "at": round(push.at + self._offset, 3),
            "user": push.user_id,
            "title": body.get("Title", ""),
            "content": body.get("Content", ""),
            "click": body.get("ClickURL"),
            "icon": body.get("IconURL"),
            "raw": push.raw.decode(errors="replace"),
        }


def _show_lead(lead: Lead) -> Json:
    name = " ".join(filter(None, (lead["FirstName"], lead["LastName"])))
    return {"name": name, "email": lead["EmailAddress"], "phone": lead["Phone"]}


def _find_role(person: Person) -> str:
    if person.is_admin:
        return "admin"
    if person.is_restricted or person.is_ultra_restricted:
        return "guest"
    return "app" if person.is_bot else "member"


def _show_message(message: Message) -> Json:
    return {
        "channel": message.channel,
        "author": message.author,
        "text": message.text,
        "blocks": message.blocks,
        "via": message.via,
        "thread": message.thread_ts,
        "only": message.ephemeral_to,
        "edited": message.edited,
    }


def _show_view(view: View) -> Json:
    given = view.given
    return {
        "person": view.person.id,
        "title": view.title,
        "blocks": view.blocks,
        "submit": given["submit"]["text"] if given.get("submit") else None,
        "close": given["close"]["text"] if given.get("close") else "Cancel",
        "hash": view.hash,
        "errors": view.errors,
        "values": view.values,
        "root": view.root_id,
        "previous": view.previous_id,
    }
