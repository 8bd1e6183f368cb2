"""Holds the app manifest against Slack's schema and against what the code does."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.replies import CallbackId

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests" / "slack-manifest.schema.json"

SCOPES: dict[str, set[str]] = {
    "apps_connections_open": set(),  # the app token's
    "auth_test": set(),
    "chat_getPermalink": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_open": {"im:write"},
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read", "users:read.email"},
    "users_list": {"users:read", "users:read.email"},
    "users_lookupByEmail": {"users:read.email"},
    "views_open": set(),
    "views_publish": set(),
    "views_update": set(),
}
"""What a Web API method needs: https://docs.slack.dev/reference/methods.

The addresses of people, which we need, are left out silently without `users:read.email`.
"""


def load_manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yaml").read_text(encoding="utf-8"))
    return manifest


def find_schema_errors(manifest: dict[str, Any]) -> list[str]:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(manifest)]


def read_sources(*tops: str) -> list[str]:
    return [
        path.read_text(encoding="utf-8")
        for top in tops
        for path in sorted((ROOT / top).rglob("*.py"))
        if not path.is_relative_to(ROOT / "bot" / "sandbox")
    ]


def find_calls(sources: list[str]) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield the last two names and the node of every call such as `self.x.name(...)`."""
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                yield getattr(owner, "attr", getattr(owner, "id", "")), node.func.attr, node


def find_slack_methods(sources: list[str]) -> set[str]:
    """Return the Web API methods called on anything named like a client."""
    return {
        name
        for owner, name, _ in find_calls(sources)
        if owner.endswith("client") and "_" in name and hasattr(AsyncWebClient, name)
    }


def find_registered(kind: str, sources: list[str]) -> set[str]:
    """Return the string literals that `app.command(...)`, or what `kind` says, is called with."""
    return {
        argument.value
        for owner, name, call in find_calls(sources)
        if (owner, name) == ("app", kind)
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def test_the_manifest_fits_slacks_schema() -> None:
    assert find_schema_errors(load_manifest()) == []


def test_a_manifest_that_slack_would_refuse_is_noticed() -> None:
    manifest = load_manifest()
    manifest["features"]["shortcuts"][0]["name"] = "A name of more than 24 characters"
    del manifest["features"]["slash_commands"][0]["description"]
    manifest["settings"]["surprise"] = True
    assert len(find_schema_errors(manifest)) == 3


def test_shortcuts_are_those_the_code_knows() -> None:
    shortcuts = {
        (shortcut["type"], shortcut["callback_id"])
        for shortcut in load_manifest()["features"]["shortcuts"]
    }
    assert shortcuts == {
        ("global", CallbackId.NOTIFY_GLOBAL.value),
        ("message", CallbackId.NOTIFY_MESSAGE.value),
    }


def test_commands_are_those_the_handlers_register() -> None:
    commands = {one["command"] for one in load_manifest()["features"]["slash_commands"]}
    assert commands == find_registered("command", read_sources("handlers"))


def test_events_are_those_the_handlers_register() -> None:
    events = load_manifest()["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) == find_registered("event", read_sources("handlers"))


def test_the_home_tab_is_there() -> None:
    assert load_manifest()["features"]["app_home"]["home_tab_enabled"]


def test_scopes_are_those_the_called_methods_need() -> None:
    methods = find_slack_methods(read_sources("bot", "handlers"))
    assert methods - set(SCOPES) == set(), "add these to SCOPES"
    needed = {"commands"}.union(*(SCOPES[method] for method in methods))
    assert set(load_manifest()["oauth_config"]["scopes"]["bot"]) == needed


def test_mentions_arrive_as_ids() -> None:
    assert all(one["should_escape"] for one in load_manifest()["features"]["slash_commands"])


def test_every_address_is_the_same_placeholder() -> None:
    manifest = load_manifest()
    addresses = {one["url"] for one in manifest["features"]["slash_commands"]}
    interactivity = manifest["settings"]["interactivity"]
    addresses |= {interactivity["request_url"], interactivity["message_menu_options_url"]}
    addresses.add(manifest["settings"]["event_subscriptions"]["request_url"])
    assert addresses == {"https://YOUR-APP.example.com/slack/events"}


@pytest.mark.parametrize(
    ("source", "methods"),
    [
        ("async def f(self): await self._client.users_info(user=x)", {"users_info"}),
        ("client.chat_postMessage(text=x)", {"chat_postMessage"}),
        ("slack_client.files_delete()", {"files_delete"}),
        ("client.push(x); crm_client.find_user(x); store.users_info()", set()),
    ],
)
def test_calls_of_the_web_api_are_found(source: str, methods: set[str]) -> None:
    assert find_slack_methods([source]) == methods


def test_registered_commands_are_found() -> None:
    source = 'app.command("/a")(f); self.app.command("/b"); other.command("/c"); app.event("d")'
    assert find_registered("command", [source]) == {"/a", "/b"}
    assert find_registered("event", [source]) == {"d"}
