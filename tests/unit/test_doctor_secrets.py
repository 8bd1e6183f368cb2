"""No line of a check shows a secret, whatever the settings are and wherever it was put."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.config import Settings
from bot.doctor.environment import SECRETS, read_surroundings
from bot.doctor.examination import examine
from bot.doctor.findings import Finding, fine, hide

SECRET = "zQ9kMarker7xW"
SETTINGS = {name.upper() for name in Settings.model_fields} | set(SECRETS)
NAMES = [*sorted(SETTINGS), "SLACK_CLIENT_ID", "HTTPS_PROXY", "http_proxy", "DYNO"]
FORMS = [
    "{}",
    "'{}'",
    '"xoxb-{}"',
    "xoxb-{}",
    "xoxp-{}",
    "xapp-{}",
    "u$r{}",
    " {} {}",
    "{}@{}",
    "https://{}",
    "https://user:{}@host.example",
    "https://host.example/?key={}",
    "http://127.0.0.1:9/{}",
    "postgres://user:{}@127.0.0.1:9/name",
    "postgres://{}@127.0.0.1:x9/name",
    "mysql://user:{}@h/n",
    "\n{}\t",
]
environments = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(FORMS))


SECRET_SETTINGS = {
    name.upper()
    for name, field in Settings.model_fields.items()
    if SecretStr.__name__ in repr(field.annotation)
}


def test_every_secret_setting_is_known_to_be_one() -> None:
    assert {"SLACK_APP_TOKEN", "METRICS_TOKEN"} < SECRET_SETTINGS
    assert SECRET_SETTINGS - set(SECRETS) == set()


def show(findings: list[Finding]) -> str:
    return "\n".join(each.line for each in findings)


@given(environments)
def test_no_line_about_the_settings_shows_what_was_given(forms: dict[str, str]) -> None:
    """Not even where it is no secret by its name: a key may have been pasted there."""
    given_ = {name: form.replace("{}", SECRET) for name, form in forms.items()}
    around = read_surroundings(given_)
    assert SECRET not in show(hide(around.findings, around.secrets))
    assert SECRET not in show(list(around.findings))


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(FORMS), st.sampled_from(FORMS), st.sampled_from(FORMS))
def test_no_line_about_what_was_asked_shows_one_either(token: str, key: str, url: str) -> None:
    """Nobody answers at these addresses, so every look fails, each with words of its own."""
    environment = {
        "SLACK_API_URL": "http://127.0.0.1:9/",
        "LEADSQUARED_URL": "http://127.0.0.1:9",
        "LEADSQUARED_RATE_PERIOD": "0.01",
        "SLACK_BOT_TOKEN": token.replace("{}", SECRET),
        "SLACK_SIGNING_SECRET": key.replace("{}", SECRET),
        "LEADSQUARED_ACCESS_KEY": key.replace("{}", SECRET),
        "LEADSQUARED_SECRET_KEY": token.replace("{}", SECRET),
        "DATABASE_URL": url.replace("{}", SECRET) if "://" in url else "sqlite:////no/such/bot.db",
    }
    assert SECRET not in show(asyncio.run(examine(environment)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", f"postgres://user:{SECRET}@host/name"),
        ("HTTPS_PROXY", f"http://{SECRET}@host"),
        ("https_proxy", f"http://x:{SECRET}@host"),
        ("SLACK_APP_TOKEN", SECRET),
        ("METRICS_TOKEN", SECRET),
        ("leadsquared_access_key", f"'{SECRET}'"),
    ],
)
def test_what_somebody_else_says_of_a_secret_is_left_out(name: str, value: str) -> None:
    secrets = read_surroundings({name: value}).secrets
    repeated = [fine("Database", f"it said {SECRET} twice: {SECRET}")]
    assert show(hide(repeated, secrets)) == "✓ Database: it said … twice: …."
