"""Settings that can be read and will still not do what was meant; none shows a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from bot.config import EPHEMERAL_HOSTS, EXAMPLES, Settings
from bot.doctor.findings import Finding, doubt, wrong
from bot.setting_types import LOOPBACK

Given = Mapping[str, str]

NAMES = {name.upper() for name in Settings.model_fields}
OURS = ("SLACK_", "LEADSQUARED_")
OAUTH = {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"}
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY")
KEYS_STEP = (
    "Copy both keys again from LeadSquared: My Account > Settings > API and Webhooks; set them in "
    "single quotes, as access keys contain a $"
)
IDS = {"ADMINS": "[UW][A-Z0-9]+", "ALLOWED_CHANNELS": "[CGD][A-Z0-9]+"}
"""What the settings that list Slack's ids take."""

DAY = 86_400.0


def find_traps(given: Given, settings: Settings | None) -> list[Finding]:
    """Look at what was given, and at the settings as they were read, if they were."""
    found = [each for look in LOOKS for each in look(given)]
    if settings is not None:
        found += [each for look_at in SETTINGS_LOOKS for each in look_at(settings)]
    return found


def _look_for_quotes(given: Given) -> Iterator[Finding]:
    for name in sorted(NAMES):
        if is_quoted(given.get(name, "")):
            yield find_quotes(name)


def is_quoted(value: str) -> bool:
    return len(value) > 1 and value[0] == value[-1] and value[0] in "'\""


def find_quotes(name: str, *, stops: bool = False) -> Finding:
    return wrong(
        name,
        "has quotation marks around it, which are taken for a part of the value",
        f"Set {name} without them",
        stops=stops,
    )


def _look_at_signing_secret(given: Given) -> Iterator[Finding]:
    secret = given.get("SLACK_SIGNING_SECRET", "").strip("'\"")
    if secret and not re.fullmatch(r"[0-9a-f]{32}", secret):
        yield wrong(
            "SLACK_SIGNING_SECRET",
            "does not look like a signing secret, which is 32 digits from 0 to 9 and a to f",
            "Copy the Signing Secret, and no token, from Slack: your app > Basic Information > "
            "App Credentials",
        )


def _look_at_app_token(given: Given) -> Iterator[Finding]:
    token = given.get("SLACK_APP_TOKEN", "").strip("'\"")
    if token and not re.fullmatch(r"xapp-[!-~]+", token):
        yield wrong(
            "SLACK_APP_TOKEN",
            "is not an app-level token, which begins with xapp-",
            "Make one with the scope connections:write in Slack: your app > Basic Information > "
            "App-Level Tokens; or remove the setting, if requests come over HTTP",
        )


def _look_at_keys(given: Given) -> Iterator[Finding]:
    access, secret = (given.get(f"LEADSQUARED_{name}_KEY", "") for name in ("ACCESS", "SECRET"))
    if not access or "$" in access:
        return
    if "$" in secret:
        what = "and LEADSQUARED_SECRET_KEY seem to be swapped: only access keys contain a $"
    else:
        what = "has no $ in it; a shell may have taken it for a variable"
    yield doubt("LEADSQUARED_ACCESS_KEY", what, KEYS_STEP)


def _look_for_oauth(given: Given) -> Iterator[Finding]:
    if found := sorted(name for name in OAUTH if given.get(name)):
        yield doubt(
            " and ".join(found),
            "switches Slack's library to another way of installing apps, which this bot does not "
            "use",
            "Remove it from the environment",
        )


def _look_for_proxies(given: Given) -> Iterator[Finding]:
    if found := next((name for name in PROXIES if given.get(name)), None):
        yield doubt(
            found,
            "sends what the bot says to Slack through a proxy, whatever NO_PROXY says; calls to "
            "LeadSquared go directly",
            "Remove it from the bot's environment if Slack can be reached directly",
        )


def _look_for_typos(given: Given) -> Iterator[Finding]:
    known = NAMES | OAUTH
    for name in sorted(name for name in given if name.startswith(OURS) and name not in known):
        close = get_close_matches(name, NAMES, n=1)
        rename = f"Rename it to {close[0]}" if close else "Remove it"
        yield doubt(name, "is no setting of this bot, so it changes nothing", rename)


def _look_at_disk(given: Given) -> Iterator[Finding]:
    """Say it again to whoever insisted: the disk of such a host is lost at each restart."""
    host = next((name for name in EPHEMERAL_HOSTS if given.get(name)), None)
    insists = given.get("ALLOW_EPHEMERAL_SQLITE", "0") not in ("", "0")
    if host and insists and given.get("DATABASE_URL", "sqlite").startswith("sqlite"):
        yield doubt(
            "ALLOW_EPHEMERAL_SQLITE",
            f"keeps accepted notifications in a file on a host ({host} is set) that may delete "
            "it at a restart",
            "Make sure that the file is on a disk that lasts, or set DATABASE_URL to Postgres",
        )


def _look_at_rate(settings: Settings) -> Iterator[Finding]:
    if settings.leadsquared_reserved >= settings.leadsquared_rate_limit > 1:
        yield doubt(
            "LEADSQUARED_RESERVED",
            f"keeps all {settings.leadsquared_rate_limit} calls of LEADSQUARED_RATE_LIMIT for "
            "people who wait, so big sends get one at a time",
            f"Set it to {min(2, settings.leadsquared_rate_limit - 1)}",
        )


def _look_at_days(settings: Settings) -> Iterator[Finding]:
    if settings.deliver_within > settings.keep_days * DAY:
        yield doubt(
            "KEEP_DAYS",
            "is shorter than DELIVER_WITHIN, so a notification may be deleted before it is sent",
            f"Set KEEP_DAYS to {int(settings.deliver_within // DAY) + 1} or more",
        )


def _look_at_port(settings: Settings) -> Iterator[Finding]:
    if settings.port == 0:
        yield doubt(
            "PORT",
            "is 0, so each start listens somewhere else, and Slack does not find it",
            f"Set it like this: {EXAMPLES['PORT']}",
        )


def _look_at_public_url(settings: Settings) -> Iterator[Finding]:
    parts = urlsplit(settings.public_url or "")
    if parts.hostname in LOOPBACK:
        yield doubt(
            "PUBLIC_URL",
            "is an address of this machine, which neither Slack nor anybody's browser can reach",
            f"Set it to the public address, such as {EXAMPLES['PUBLIC_URL']}",
        )
    elif parts.path.strip("/"):
        yield doubt(
            "PUBLIC_URL",
            "has a path, below which the icons of presets are not found",
            f"Set it without a path, such as {EXAMPLES['PUBLIC_URL']}",
        )


def _look_at_ids(settings: Settings) -> Iterator[Finding]:
    for name, pattern in IDS.items():
        ids: tuple[str, ...] = getattr(settings, name.lower())
        if not all(re.fullmatch(pattern, each) for each in ids):
            yield wrong(
                name,
                "holds something that is no id of Slack's, so it fits nobody and nothing",
                f"Use ids, not names: {EXAMPLES[name]}",
            )


def _look_at_link_hosts(settings: Settings) -> Iterator[Finding]:
    hosts = settings.allowed_link_hosts
    if not all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", each) for each in hosts):
        yield wrong(
            "ALLOWED_LINK_HOSTS",
            "holds something that is no bare host name, so no link fits it",
            f"Write hosts without https:// and path: {EXAMPLES['ALLOWED_LINK_HOSTS']}",
        )


LOOKS: tuple[Callable[[Given], Iterator[Finding]], ...] = (
    _look_for_quotes,
    _look_at_signing_secret,
    _look_at_app_token,
    _look_at_keys,
    _look_for_oauth,
    _look_for_proxies,
    _look_for_typos,
    _look_at_disk,
)
SETTINGS_LOOKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _look_at_rate,
    _look_at_days,
    _look_at_port,
    _look_at_public_url,
    _look_at_ids,
    _look_at_link_hosts,
)
