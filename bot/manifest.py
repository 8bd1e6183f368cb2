"""The app manifest: the template beside the code, filled in for one deployment.

It is worked on as text: what reads YAML is needed for development only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bot.errors import ConfigError

PLACEHOLDER = "https://YOUR-APP.example.com"
BEGIN = "_metadata:"
EXAMPLE = "python -m bot manifest --url https://notifier.example.com"

_HEAD = """\
# The Slack app, filled in for {where}. Paste it at https://api.slack.com/apps > Create New App >
# From a manifest; for an app that is there already, under App Manifest, then install it again.
"""
_ADDRESS = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]{1,5})?", re.IGNORECASE)
_SCOPE = re.compile(r"^ {6}- (?P<scope>[a-z.:]+)(?: +# (?P<reason>.+))?$", re.MULTILINE)
_COMMAND = re.compile(r"^ +- command: (\S+)$", re.MULTILINE)
_SHORTCUT = re.compile(r"^ +callback_id: (\S+)$", re.MULTILINE)
_EVENT = re.compile(r"^ +- ([a-z_]+)\b", re.MULTILINE)


def find_template() -> str | None:
    """Return the committed manifest: of the checkout, else the one that was installed."""
    for path in (Path(__file__).parents[1] / "manifest.yaml", Path(__file__).with_suffix(".yaml")):
        if path.is_file() and BEGIN in (text := path.read_text(encoding="utf-8")):
            return text  # where links cannot be made, one is a file that names the other
    return None


def load_template() -> str:
    """Return it; raises ConfigError where it was left out of the deployment."""
    if (template := find_template()) is None:
        raise ConfigError(["manifest.yaml: is missing beside the bot. Take it from the release"])
    return template


def fill(template: str, url: str | None, *, socket: bool) -> str:
    """Return the manifest for the bot at `url`, or for Socket Mode, which needs no address.

    Raises ConfigError for an address that Slack could not use.
    """
    body = template[template.index(BEGIN) :]
    if socket:
        body = "\n".join(_without_addresses(body.splitlines())) + "\n"
        body = body.replace("socket_mode_enabled: false", "socket_mode_enabled: true")
        return _HEAD.format(where="Socket Mode") + body
    address = check_address(url)
    return _HEAD.format(where=address) + body.replace(PLACEHOLDER, address)


def check_address(url: str | None) -> str:
    """Return the address without its slash; raises ConfigError."""
    if not url:
        raise _refuse("is missing: Slack has to know where the bot is, unless --socket is given")
    address = url.strip().removesuffix("/")
    if not address.lower().startswith("https://"):
        raise _refuse("must begin with https://, as Slack calls nothing else")
    if not _ADDRESS.fullmatch(address):
        raise _refuse("must be the public host alone, without a path; /slack/events is added here")
    if address.lower() == PLACEHOLDER.lower():
        raise _refuse("is the placeholder of the template")
    return address


def read_scopes(template: str) -> dict[str, str]:
    """Return the bot's scopes, and what each is for."""
    section = _section(template, "scopes:", "settings:")
    return {found["scope"]: found["reason"] or "" for found in _SCOPE.finditer(section)}


def read_commands(template: str) -> set[str]:
    return set(_COMMAND.findall(template))


def read_shortcuts(template: str) -> set[str]:
    return set(_SHORTCUT.findall(template))


def read_events(template: str) -> set[str]:
    return set(_EVENT.findall(_section(template, "bot_events:", "interactivity:")))


def _refuse(what: str) -> ConfigError:
    return ConfigError([f"--url: {what}. Example: {EXAMPLE}"])


def _section(template: str, first: str, last: str) -> str:
    return template.partition(first)[2].partition(last)[0]


def _without_addresses(lines: list[str]) -> Iterator[str]:
    """Yield the lines that name no address; a comment goes with the line it is about."""
    comments: list[str] = []
    for line in lines:
        if line.lstrip().startswith("#"):
            comments.append(line)
        else:
            if PLACEHOLDER not in line:
                yield from (*comments, line)
            comments = []
