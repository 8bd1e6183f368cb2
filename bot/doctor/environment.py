"""The settings of a deployment, read as far as they can be, with a finding for every mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr, ValidationError

from bot.config import Settings, load_settings, pick_given
from bot.doctor.findings import Finding, Mark, fine, wrong
from bot.doctor.traps import find_quotes, find_traps, is_quoted
from bot.errors import ConfigError

SECRETS = (
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_APP_TOKEN",
    "SLACK_CLIENT_SECRET",
    "LEADSQUARED_ACCESS_KEY",
    "LEADSQUARED_SECRET_KEY",
    "METRICS_TOKEN",
)
WITH_PASSWORDS = ("DATABASE_URL", "HTTPS_PROXY", "HTTP_PROXY")
"""Addresses, of which only the user and the password are secret."""

STAND_INS: dict[str, Any] = {
    "slack_bot_token": SecretStr("xoxb-missing"),
    "slack_signing_secret": SecretStr("missing"),
    "leadsquared_access_key": SecretStr("missing"),
    "leadsquared_secret_key": SecretStr("missing"),
}
"""In the place of settings without a default; whoever needs one of these is not asked."""

TOKEN_KINDS = {
    "xapp-": "this is the app-level token, which belongs into SLACK_APP_TOKEN",
    "xoxp-": "this is a user's token",
    "xoxe.": "this token expires, because token rotation is on in Slack",
    "xoxe-": "this is a refresh token, because token rotation is on in Slack",
}
TOKEN_STEPS = {
    "xoxe": "Make the app anew from the manifest, as rotation cannot be turned off again",
    "": "Copy the Bot User OAuth Token, which begins with xoxb-, from Slack: your app > OAuth & "
    "Permissions",
}


@dataclass(frozen=True)
class Surroundings:
    """The settings, and what is wrong with them; those `unusable` are not worth a call."""

    settings: Settings | None
    """None only if no default helps."""
    unusable: frozenset[str]
    findings: tuple[Finding, ...]
    secrets: tuple[str, ...]

    def has(self, *names: str) -> bool:
        return self.settings is not None and not self.unusable & set(names)


def read_surroundings(environment: Mapping[str, str]) -> Surroundings:
    """Read the settings that a process started with this environment would have."""
    given = {name.upper(): value for name, value in environment.items()}
    settings: Settings | None
    try:
        settings, found = load_settings(given), []
    except ConfigError as exc:
        found = [explain(line, given) for line in exc.lines]
        settings = _read_anyway(given, {each.name for each in found})
    stopping = {each.name for each in found}
    found += [each for each in find_traps(given, settings) if each.name not in stopping]
    unusable = frozenset(each.name for each in found if each.mark is Mark.WRONG)
    if not found:
        found = [fine("Settings", "as they should be")]
    return Surroundings(settings, unusable, tuple(found), tuple(find_secrets(given)))


def explain(line: str, given: Mapping[str, str]) -> Finding:
    """Turn a line of `serve` about a setting into a finding."""
    name, _, rest = line.partition(": ")
    what, _, example = rest.partition(". Example: ")
    if is_quoted(given.get(name, "")):
        return find_quotes(name, stops=True)
    if name == "SLACK_BOT_TOKEN" and (better := explain_token(given.get(name, ""))):
        return better
    return wrong(name, what, f"Set it like this: {example.strip().removesuffix('.')}", stops=True)


def explain_token(token: str) -> Finding | None:
    """Tell what was given in the place of the bot token, by how it begins."""
    kind = next((words for start, words in TOKEN_KINDS.items() if token.startswith(start)), None)
    if kind is None:
        return None
    step = TOKEN_STEPS["xoxe" if token.startswith("xoxe") else ""]
    return wrong("SLACK_BOT_TOKEN", kind, step, stops=True)


def find_secrets(given: Mapping[str, str]) -> set[str]:
    """Return every text that no line may show."""
    secrets = {given[name].strip("'\" ") for name in SECRETS if given.get(name)}
    secrets |= {given[name] for name in SECRETS if given.get(name)}
    for name in WITH_PASSWORDS:
        secrets |= _find_credentials(given.get(name, ""))
    return {secret for secret in secrets if secret}


def _find_credentials(url: str) -> set[str]:
    """Return the user info of an address, however broken the rest of it is."""
    authority = url.partition("://")[2] or url
    user_info, at, _ = authority.rpartition("@")
    if not at:
        return set()
    _, _, password = user_info.partition(":")
    return {user_info, password, unquote(password)}


def _read_anyway(given: Mapping[str, str], unusable: set[str]) -> Settings | None:
    """Read the settings again with defaults in the place of those that cannot be used."""
    names = {name.lower() for name in unusable}
    defaults = {
        name: STAND_INS.get(name, field.default)
        for name, field in Settings.model_fields.items()
        if name in names
    }
    try:
        return Settings(**{**pick_given(given), **defaults})
    except ValidationError:
        return None
