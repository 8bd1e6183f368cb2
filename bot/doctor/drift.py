"""The committed manifest against what this version of the bot answers to.

What Slack made of it cannot be read with a bot token: that takes `apps.manifest.export`, and a
configuration token that expires. So what can be seen of it is judged elsewhere: scopes, the Home
tab, and how requests arrive.
"""

from __future__ import annotations

from bot import manifest
from bot.doctor.findings import Finding, doubt, fine, wrong
from bot.replies.ids import CallbackId

NAME = "Manifest"
COMMANDS = {"/notify"}
SHORTCUTS: set[str] = {CallbackId.NOTIFY_GLOBAL, CallbackId.NOTIFY_MESSAGE}
EVENTS = {"app_home_opened"}
NEEDED_SCOPES = {"commands", "chat:write", "users:read", "users:read.email", "usergroups:read"}
STEP = "Take manifest.yaml as it was released"


def find_scopes(template: str | None) -> dict[str, str]:
    """Return the scopes that the token should have, and what each is for, where that is told."""
    told = manifest.read_scopes(template) if template else {}
    return told or dict.fromkeys(sorted(NEEDED_SCOPES), "")


def judge(template: str | None) -> Finding:
    """Judge the template for what the code answers to and needs."""
    if template is None:
        what = "manifest.yaml was left out of this deployment, so it cannot be printed here"
        return doubt(NAME, what, "Deploy it beside the bot")
    missing = sorted(
        (COMMANDS - manifest.read_commands(template))
        | (SHORTCUTS - manifest.read_shortcuts(template))
        | (EVENTS - manifest.read_events(template))
        | (NEEDED_SCOPES - manifest.read_scopes(template).keys())
    )
    if missing:
        return wrong(NAME, f"manifest.yaml lacks {', '.join(missing)}", STEP)
    if "should_escape: true" not in template:
        return wrong(NAME, "manifest.yaml turns should_escape off, so names arrive unclear", STEP)
    return fine(NAME, "manifest.yaml has all that this version answers to")
