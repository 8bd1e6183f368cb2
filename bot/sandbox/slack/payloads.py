"""The bodies of what Slack sends (facts section 1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from bot.sandbox.slack.chat_methods import build_message_payload
from bot.sandbox.slack.messages import Channel, Message
from bot.sandbox.slack.people import APP_ID, BOT_USER_ID, TEAM_ID, Person
from bot.sandbox.slack.views import View

Json = dict[str, Any]

TOKEN = "legacyToken123"  # the deprecated verification token; opens nothing
TEAM_DOMAIN = "acme"


def build_command(
    person: Person, command: str, text: str, channel: Channel, response_url: str, trigger_id: str
) -> bytes:
    fields = {
        "token": TOKEN,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.wire_name,
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }
    return urlencode(fields).encode()


def build_user_part(person: Person) -> Json:
    return {
        "id": person.id,
        "username": person.name,
        "name": person.name,
        "team_id": person.team_id,
    }


def build_interaction(kind: str, person: Person, **fields: Any) -> Json:
    """Build what all interactive payloads share, and these fields."""
    return {
        "type": kind,
        "token": TOKEN,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "user": build_user_part(person),
        "is_enterprise_install": False,
        "enterprise": None,
        **fields,
    }


def build_message_shortcut(
    person: Person, callback_id: str, message: Message, channel: Channel, **fields: Any
) -> Json:
    return build_interaction(
        "message_action",
        person,
        channel={"id": channel.id, "name": channel.wire_name},
        callback_id=callback_id,
        message_ts=message.ts,
        message=build_message_payload(message),
        **fields,
    )


def build_message_place(message: Message, channel: Channel) -> Json:
    """Build where a button stands; the body of an ephemeral message is not sent (facts 1.6)."""
    place: Json = {
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.ephemeral_to is not None,
        },
        "channel": {"id": channel.id, "name": channel.wire_name},
    }
    if message.ephemeral_to is None:
        place["message"] = build_message_payload(message)
    return place


def build_view_place(view: View) -> Json:
    return {"container": {"type": "view", "view_id": view.id}, "view": view.build_payload()}


def build_event(event: Json, event_id: str, at: float) -> Json:
    return {
        "token": TOKEN,
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-stand-in",
    }
