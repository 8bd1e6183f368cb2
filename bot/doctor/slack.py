"""Slack's word on the bot token, and its rights against what the manifest asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.doctor.findings import Finding, doubt, fine, wrong
from bot.errors import SlackError, SlackRateLimitedError, SlackRefusedError
from bot.slack_api import Identity

TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105  # its name
APP_TOKEN = "SLACK_APP_TOKEN"  # noqa: S105  # the same
SCOPES = "Scopes"
HOME = "Home tab"
COPY_IT = (
    "Copy the Bot User OAuth Token, which begins with xoxb-, from Slack: your app > OAuth & "
    "Permissions"
)
INSTALL = "Install the app again in Slack: your app > OAuth & Permissions, and copy its token"
MEND_SOCKET_MODE = (
    "See in Slack that your app > Socket Mode is on, and copy a token with the scope "
    "connections:write from Basic Information > App-Level Tokens"
)
REFUSALS = {
    "invalid_auth": ("Slack does not know it", COPY_IT),
    "not_authed": ("Slack does not know it", COPY_IT),
    "account_inactive": ("the app was removed from the workspace", INSTALL),
    "token_revoked": ("it was revoked", INSTALL),
    "token_expired": (
        "it has expired, because token rotation is on in Slack",
        "Make the app anew from the manifest, as rotation cannot be turned off again",
    ),
}
"""What makes `serve` end with 78, too."""

ADD_SCOPES = (
    "Add it under Slack: your app > OAuth & Permissions > Scopes, or paste what `python -m bot "
    "manifest` prints under App Manifest; then install the app again"
)


@dataclass(frozen=True)
class SlackLook:
    """What `auth.test` said: who we are, or an error; and the scopes, if its answer named any."""

    identity: Identity | None = None
    error: SlackError | None = None
    scopes: frozenset[str] | None = None


def judge(look: SlackLook, wanted: Mapping[str, str]) -> list[Finding]:
    """Judge the token, and the scopes against those `wanted`, each with what it is for."""
    if look.identity is None:
        return [_judge_error(look.error)]
    return [_judge_identity(look.identity), _judge_scopes(look.scopes, wanted)]


def judge_app_token(error: SlackError | None) -> Finding:
    """Judge what asking for a connection of Socket Mode ended in."""
    if error is None:
        return fine(APP_TOKEN, "Slack takes it for Socket Mode")
    if isinstance(error, SlackRefusedError):
        return wrong(APP_TOKEN, f"Slack refuses it ({error.code})", MEND_SOCKET_MODE, stops=True)
    return doubt(
        APP_TOKEN, "could not be tried, as Slack gave no answer", "Check again in a minute"
    )


def judge_home(error: SlackError | None) -> Finding:
    """Judge what publishing somebody's Home tab ended in."""
    if error is None:
        return fine(HOME, "is there")
    if isinstance(error, SlackRefusedError) and error.code == "not_enabled":
        return wrong(HOME, "is switched off in Slack", "Turn on Slack: your app > App Home > Home")
    said = error.code if isinstance(error, SlackRefusedError) else "no answer"
    return doubt(HOME, f"could not be shown ({said})", "Open it in Slack, and look into the log")


def _judge_error(error: SlackError | None) -> Finding:
    if isinstance(error, SlackRefusedError):
        why, step = REFUSALS.get(error.code, (f"it said {error.code}", COPY_IT))
        return wrong(TOKEN, f"Slack refuses it: {why}", step, stops=True)
    if isinstance(error, SlackRateLimitedError):
        return doubt("Slack", "asks to be asked less often", "Check again in a minute")
    return wrong(
        "Slack",
        "could not be reached, or did not answer as Slack does",
        "Check the host's way to the internet, and that SLACK_API_URL, if set, is "
        "https://slack.com/api/",
    )


def _judge_identity(identity: Identity) -> Finding:
    if identity.is_for_all:
        return doubt(
            TOKEN,
            "belongs to a whole organisation, while this bot serves one workspace",
            "Install the app to the workspace alone, and use that token",
        )
    team = f" in {identity.team}" if identity.team else ""
    return fine(TOKEN, f"Slack takes it{team}")


def _judge_scopes(scopes: frozenset[str] | None, wanted: Mapping[str, str]) -> Finding:
    if scopes is None:
        step = f"Compare Slack: your app > OAuth & Permissions with {', '.join(wanted)}"
        return doubt(SCOPES, "Slack did not say which the token has", step)
    missing = [
        f"{scope} ({why})" if why else scope for scope, why in wanted.items() if scope not in scopes
    ]
    if missing:
        what = " and ".join(missing)
        return wrong(SCOPES, f"missing: {what}", ADD_SCOPES)
    return fine(SCOPES, f"all {len(wanted)} that the manifest asks for")
