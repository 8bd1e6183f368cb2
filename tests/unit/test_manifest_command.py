"""`python -m bot manifest`: what it prints must be what Slack takes and the code needs."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot import manifest
from bot.errors import ConfigError
from bot.replies import CallbackId

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests" / "slack-manifest.schema.json").read_text(encoding="utf-8"))
HOST = "https://notifier.acme.example"
EVENTS = f"{HOST}/slack/events"


def fill(url: str | None = HOST, *, socket: bool = False) -> dict[str, Any]:
    filled = manifest.fill(manifest.load_template(), url, socket=socket)
    assert "YOUR-APP" not in filled
    loaded: dict[str, Any] = yaml.safe_load(filled)
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(loaded)) == []
    return loaded


def find_texts(found: Any) -> list[str]:
    if isinstance(found, dict):
        return [text for value in found.values() for text in find_texts(value)]
    if isinstance(found, list):
        return [text for value in found for text in find_texts(value)]
    return [found] if isinstance(found, str) else []


def test_every_address_is_the_one_given_and_nothing_else_changes() -> None:
    filled = fill()
    template = yaml.safe_load(manifest.load_template())
    assert find_texts(filled).count(EVENTS) == 4
    placeholders = json.dumps(filled).replace(HOST, manifest.PLACEHOLDER)
    assert json.loads(placeholders) == template


def test_for_socket_mode_it_is_the_same_without_addresses() -> None:
    filled = fill(None, socket=True)
    assert filled["settings"].pop("socket_mode_enabled") is True
    expected = fill()
    del expected["features"]["slash_commands"][0]["url"]
    del expected["settings"]["event_subscriptions"]["request_url"]
    del expected["settings"]["interactivity"]["request_url"]
    del expected["settings"]["interactivity"]["message_menu_options_url"]
    del expected["settings"]["socket_mode_enabled"]
    assert filled == expected


def test_for_socket_mode_no_comment_is_left_about_what_is_gone() -> None:
    filled = manifest.fill(manifest.load_template(), None, socket=True)
    assert "Where Slack asks for the leads" not in filled
    assert "which may be ambiguous" in filled  # about should_escape, which stays


@pytest.mark.parametrize("url", [HOST + "/", f" {HOST}", "https://a.b:8443"])
def test_an_address_may_end_with_a_slash_and_have_a_port(url: str) -> None:
    address = url.strip().rstrip("/")
    assert f"{address}/slack/events" in find_texts(fill(url))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "is missing"),
        ("", "is missing"),
        ("http://notifier.example.com", "must begin with https://"),
        ("notifier.example.com", "must begin with https://"),
        ("https://notifier.example.com/slack/events", "without a path"),
        ("https://me:secret@example.com", "the public host alone"),
        ("https://localhost", "the public host alone"),
        ('https://a.b"\nsettings: {}', "the public host alone"),
        ("https://your-app.example.com", "is the placeholder"),
    ],
)
def test_another_address_is_refused_with_what_would_be_right(url: str | None, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        fill(url)
    [line] = refused.value.lines
    assert line.startswith("--url: ")
    assert words in line
    assert line.endswith("Example: python -m bot manifest --url https://notifier.example.com")


@given(st.text())
def test_no_address_whatever_makes_a_manifest_that_slack_refuses(url: str) -> None:
    with contextlib.suppress(ConfigError):
        fill(url)


def test_the_text_says_the_same_as_the_yaml() -> None:
    template = manifest.load_template()
    loaded = yaml.safe_load(template)
    scopes = manifest.read_scopes(template)
    assert list(scopes) == loaded["oauth_config"]["scopes"]["bot"]
    assert all(scopes.values()), "each says what it is for"
    assert manifest.read_commands(template) == {"/notify"}
    assert manifest.read_shortcuts(template) == {
        CallbackId.NOTIFY_GLOBAL,
        CallbackId.NOTIFY_MESSAGE,
    }
    events = loaded["settings"]["event_subscriptions"]["bot_events"]
    assert manifest.read_events(template) == set(events)


def test_the_package_carries_the_manifest_of_the_checkout() -> None:
    packaged = ROOT / "bot" / "manifest.yaml"
    assert packaged.read_bytes() == (ROOT / "manifest.yaml").read_bytes()
    assert '"manifest.yaml"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_a_link_that_came_as_a_file_is_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a copy that was unpacked on Windows, and made a package there."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "manifest.yaml").write_text("../manifest.yaml", encoding="utf-8")
    monkeypatch.setattr(manifest, "__file__", str(tmp_path / "bot" / "manifest.py"))
    assert manifest.find_template() is None


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", "manifest", *arguments]
    return subprocess.run(  # noqa: S603  # our own command
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_command_prints_it() -> None:
    ended = run("--url", HOST)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert yaml.safe_load(ended.stdout) == fill()
    assert HOST in ended.stdout.splitlines()[0]


def test_the_command_takes_the_address_of_the_deployment() -> None:
    assert yaml.safe_load(run(PUBLIC_URL=HOST).stdout) == fill()


def test_the_command_prints_the_one_for_socket_mode() -> None:
    assert yaml.safe_load(run("--socket").stdout) == fill(None, socket=True)


def test_the_command_ends_with_78_and_one_line_without_an_address() -> None:
    ended = run()
    assert (ended.returncode, ended.stdout) == (78, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("--url: is missing")


def test_a_deployment_that_left_it_out_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "find_template", lambda: None)
    with pytest.raises(ConfigError, match="is missing beside the bot"):
        manifest.load_template()
