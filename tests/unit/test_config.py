import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bot.config import (
    EPHEMERAL_HOSTS,
    EXAMPLES,
    Settings,
    load_database_url,
    load_settings,
)
from bot.errors import ConfigError

ROOT = Path(__file__).parents[2]
REQUIRED = {
    "SLACK_BOT_TOKEN": "xoxb-1-secret",
    "SLACK_SIGNING_SECRET": "0123456789abcdef",
    "LEADSQUARED_ACCESS_KEY": "u$r0123",
    "LEADSQUARED_SECRET_KEY": "s3cr3t",
}
ALL = {name.upper() for name in Settings.model_fields}
CANARY = "canary7"
"""Part of every wrong value; it must not come back."""


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ALL | set(EPHEMERAL_HOSTS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, _empty_environment: None) -> pytest.MonkeyPatch:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def build(**changes: Any) -> Settings:
    defaults = {name.lower(): SecretStr(value) for name, value in REQUIRED.items()}
    return Settings(**(defaults | changes))


def explain(environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(environment or {})
    return caught.value.lines


@pytest.mark.usefixtures("environment")
def test_only_the_secrets_must_be_given() -> None:
    settings = load_settings({})
    given = settings.model_dump(exclude={name.lower() for name in REQUIRED})
    assert given == {
        "slack_app_token": None,
        "slack_api_url": "https://slack.com/api/",
        "leadsquared_url": "https://api.leadsquared.com",
        "leadsquared_rate_limit": 25,
        "leadsquared_rate_period": 5.0,
        "leadsquared_reserved": 2,
        "leadsquared_timeout": 10.0,
        "notification_max_bytes": 2048,
        "sign_notifications": True,
        "deliver_within": 3600.0,
        "database_url": "sqlite:///bot.db",
        "allow_ephemeral_sqlite": False,
        "keep_days": 30,
        "port": 3000,
        "public_url": None,
        "icon_base_url": None,
        "admins": (),
        "allowed_channels": (),
        "allowed_usergroup": None,
        "allowed_link_hosts": (),
        "hourly_limit": 200,
        "confirm_above": 5,
        "log_level": "info",
        "metrics_token": None,
    }
    assert settings.uses_sqlite


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-2", SecretStr("xoxb-2")),
        ("SLACK_SIGNING_SECRET", "feed", SecretStr("feed")),
        ("SLACK_APP_TOKEN", "xapp-1", SecretStr("xapp-1")),
        ("SLACK_API_URL", "https://slack.test/api", "https://slack.test/api/"),
        ("SLACK_API_URL", "http://127.0.0.1:80/api/", "http://127.0.0.1:80/api/"),
        ("LEADSQUARED_URL", "api-in21.leadsquared.com", "https://api-in21.leadsquared.com"),
        ("LEADSQUARED_URL", "api-in21.leadsquared.com/v2/", "https://api-in21.leadsquared.com"),
        ("LEADSQUARED_URL", "https://api.leadsquared.com", "https://api.leadsquared.com"),
        ("LEADSQUARED_URL", "https://api.leadsquared.com/", "https://api.leadsquared.com"),
        ("LEADSQUARED_URL", "https://api.leadsquared.com/v2", "https://api.leadsquared.com"),
        ("LEADSQUARED_URL", "https://api.leadsquared.com/v2/", "https://api.leadsquared.com"),
        ("LEADSQUARED_URL", "https://crm.test:8443", "https://crm.test:8443"),
        ("LEADSQUARED_URL", "http://localhost:8080", "http://localhost:8080"),
        ("LEADSQUARED_URL", "http://[::1]:8080/v2", "http://[::1]:8080"),
        ("LEADSQUARED_ACCESS_KEY", "u$r&=+", SecretStr("u$r&=+")),
        ("LEADSQUARED_SECRET_KEY", "a/b+c", SecretStr("a/b+c")),
        ("LEADSQUARED_RATE_LIMIT", "1", 1),
        ("LEADSQUARED_RATE_PERIOD", "0.5", 0.5),
        ("LEADSQUARED_RESERVED", "0", 0),
        ("LEADSQUARED_TIMEOUT", "2.5", 2.5),
        ("NOTIFICATION_MAX_BYTES", "64", 64),
        ("SIGN_NOTIFICATIONS", "0", False),
        ("SIGN_NOTIFICATIONS", "1", True),
        ("DELIVER_WITHIN", "0.5", 0.5),
        ("DATABASE_URL", "sqlite:////var/bot.db", "sqlite:////var/bot.db"),
        ("DATABASE_URL", "postgres://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
        ("DATABASE_URL", "postgresql://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
        ("DATABASE_URL", "postgresql+psycopg://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
        (
            "DATABASE_URL",
            "postgres://u:p%40@h:5433/n?sslmode=require&application_name=x",
            "postgresql+psycopg://u:p%40@h:5433/n?sslmode=require&application_name=x",
        ),
        ("ALLOW_EPHEMERAL_SQLITE", "1", True),
        ("KEEP_DAYS", "1", 1),
        ("PORT", "0", 0),
        ("PUBLIC_URL", "https://notifier.example.com/x", "https://notifier.example.com/x"),
        ("ICON_BASE_URL", "https://cdn.example.com/i", "https://cdn.example.com/i/"),
        ("ICON_BASE_URL", "https://cdn.example.com/", "https://cdn.example.com/"),
        ("ADMINS", "U1", ("U1",)),
        ("ADMINS", "U1,U2", ("U1", "U2")),
        ("ADMINS", " U1, U2  U3,\n,U4, ", ("U1", "U2", "U3", "U4")),
        ("ADMINS", " , ", ()),
        ("ALLOWED_CHANNELS", "C1 C2", ("C1", "C2")),
        ("ALLOWED_CHANNELS", "   ", ()),
        ("ALLOWED_LINK_HOSTS", "a.test, B.Test", ("a.test", "b.test")),
        ("ALLOWED_USERGROUP", "S0SALES01", "S0SALES01"),
        ("HOURLY_LIMIT", "0", 0),
        ("CONFIRM_ABOVE", "0", 0),
        ("LOG_LEVEL", "debug", "debug"),
        ("LOG_LEVEL", "WARNING", "warning"),
    ],
)
def test_a_setting_is_read_from_the_variable_of_its_name(
    environment: pytest.MonkeyPatch, name: str, given: str, read: object
) -> None:
    environment.setenv(name, given)
    assert getattr(load_settings({}), name.lower()) == read


@pytest.mark.parametrize("name", sorted(ALL - REQUIRED.keys()))
def test_an_empty_variable_is_as_good_as_none(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.setenv(name, "")
    assert load_settings({}) == build()


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_secret_that_is_missing_or_empty_is_named_with_an_example(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    missing = [f"{name}: is missing. Example: {EXAMPLES[name]}"]
    environment.setenv(name, "")
    assert explain() == missing
    environment.delenv(name)
    assert explain() == missing


HTTPS = "must begin with https:// (http:// only on this machine)"
PLAIN = "must be a plain address without user name, query or #"
WORD = "must be one word of ASCII characters"
APP_TOKEN = "must be an app-level token, which begins with xapp-"
ONE_GROUP = "must be the id of one user group, which begins with S"
ABOVE_0 = "input should be greater than 0"


@pytest.mark.parametrize(
    ("name", "given", "problem"),
    [
        ("SLACK_BOT_TOKEN", f"xoxp-{CANARY}", "must be the bot token, which begins with xoxb-"),
        ("SLACK_BOT_TOKEN", f"xoxb-{CANARY}\n", "must be the bot token, which begins with xoxb-"),
        ("SLACK_APP_TOKEN", f"xoxb-{CANARY}", APP_TOKEN),
        ("SLACK_APP_TOKEN", f"xapp-{CANARY} b", APP_TOKEN),
        ("SLACK_APP_TOKEN", f"xapp-{CANARY}\n", APP_TOKEN),
        ("SLACK_SIGNING_SECRET", f"{CANARY} b", WORD),
        ("LEADSQUARED_ACCESS_KEY", f"{CANARY}é", WORD),
        ("LEADSQUARED_SECRET_KEY", f"{CANARY}\r\nX-Evil: 1", WORD),
        ("SLACK_API_URL", f"http://{CANARY}.test/api/", HTTPS),
        ("SLACK_API_URL", f"{CANARY}.test", HTTPS),
        ("PUBLIC_URL", f"ftp://{CANARY}.test", HTTPS),
        ("PUBLIC_URL", f"https://{CANARY}.test/?a=1", PLAIN),
        ("PUBLIC_URL", f"https://{CANARY}.test/#a", PLAIN),
        ("PUBLIC_URL", "https:///path", PLAIN),
        ("ICON_BASE_URL", f"https://{CANARY}.test/?a=1", PLAIN),
        ("ICON_BASE_URL", "http://localhost/", "must begin with https:// and be plain ASCII"),
        ("ICON_BASE_URL", "https://exämple.com/", "must begin with https:// and be plain ASCII"),
        ("LEADSQUARED_URL", f"http://{CANARY}.test", HTTPS),
        ("LEADSQUARED_URL", f"http://localhost.{CANARY}.test", HTTPS),
        ("LEADSQUARED_URL", f"https://u:{CANARY}@crm.test", PLAIN),
        ("LEADSQUARED_URL", f"https://@{CANARY}.test", PLAIN),
        (
            "LEADSQUARED_URL",
            f"https://crm.test/v2/{CANARY}",
            "must be the API host alone, without a path",
        ),
        ("LEADSQUARED_URL", f"https://crm.test:{CANARY}", "must have a valid port"),
        ("LEADSQUARED_URL", "https://crm.test:65536", "must have a valid port"),
        ("DATABASE_URL", f"mysql://u:{CANARY}@h/n", "must begin with sqlite:// or postgres://"),
        ("DATABASE_URL", f"{CANARY}.db", "must begin with sqlite:// or postgres://"),
        (
            "DATABASE_URL",
            f"postgres://u:p@h:{CANARY}/n",
            "must begin with sqlite:// or postgres://",
        ),
        ("DATABASE_URL", "sqlite://", "must name a file: memory does not survive a restart"),
        (
            "DATABASE_URL",
            "sqlite:///:memory:",
            "must name a file: memory does not survive a restart",
        ),
        ("LEADSQUARED_RATE_LIMIT", "0", "input should be greater than or equal to 1"),
        ("LEADSQUARED_RATE_LIMIT", "1001", "input should be less than or equal to 1000"),
        (
            "LEADSQUARED_RATE_LIMIT",
            CANARY,
            "input should be a valid integer, unable to parse string as an integer",
        ),
        ("LEADSQUARED_RATE_PERIOD", "0", ABOVE_0),
        ("LEADSQUARED_RATE_PERIOD", "nan", "input should be a finite number"),
        ("LEADSQUARED_RATE_PERIOD", "3601", "input should be less than or equal to 3600"),
        ("LEADSQUARED_RESERVED", "-1", "input should be greater than or equal to 0"),
        ("LEADSQUARED_TIMEOUT", "0", ABOVE_0),
        ("LEADSQUARED_TIMEOUT", "nan", "input should be a finite number"),
        ("LEADSQUARED_TIMEOUT", "121", "input should be less than or equal to 120"),
        ("NOTIFICATION_MAX_BYTES", "63", "input should be greater than or equal to 64"),
        ("NOTIFICATION_MAX_BYTES", "65537", "input should be less than or equal to 65536"),
        (
            "SIGN_NOTIFICATIONS",
            CANARY,
            "input should be a valid boolean, unable to interpret input",
        ),
        ("DELIVER_WITHIN", "0", ABOVE_0),
        ("DELIVER_WITHIN", "inf", "input should be a finite number"),
        (
            "ALLOW_EPHEMERAL_SQLITE",
            CANARY,
            "input should be a valid boolean, unable to interpret input",
        ),
        ("KEEP_DAYS", "0", "input should be greater than or equal to 1"),
        ("PORT", "65536", "input should be less than or equal to 65535"),
        ("PORT", "-1", "input should be greater than or equal to 0"),
        ("ALLOWED_USERGROUP", CANARY, ONE_GROUP),
        ("ALLOWED_USERGROUP", f"C0{CANARY}".upper(), ONE_GROUP),
        ("ALLOWED_USERGROUP", f"S0{CANARY}", ONE_GROUP),
        ("ALLOWED_USERGROUP", "S0SALES01,S0OTHER01", ONE_GROUP),
        ("CONFIRM_ABOVE", "-1", "input should be greater than or equal to 0"),
        ("HOURLY_LIMIT", "-1", "input should be greater than or equal to 0"),
        ("LOG_LEVEL", CANARY, "input should be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_mistake_is_one_line_with_name_problem_and_example_but_no_value(
    environment: pytest.MonkeyPatch, name: str, given: str, problem: str
) -> None:
    environment.setenv(name, given)
    assert explain() == [f"{name}: {problem}. Example: {EXAMPLES[name]}"]


def test_the_secrets_are_all_that_nothing_may_show(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SLACK_APP_TOKEN", "xapp-1-2")
    environment.setenv("METRICS_TOKEN", "scrape-me")
    environment.setenv("DATABASE_URL", "postgres://bot:p%40ssw0rd@db.example.com/bot")
    for name, value in REQUIRED.items():
        environment.setenv(name, value)
    assert set(load_settings({}).secrets) == {
        *REQUIRED.values(),
        "xapp-1-2",
        "scrape-me",
        "p@ssw0rd",
    }


def test_every_setting_that_can_be_wrong_has_an_example() -> None:
    assert EXAMPLES.keys() == ALL


@pytest.mark.parametrize(
    "name",
    sorted(name for name, example in EXAMPLES.items() if not re.search(r"[…(]|, or ", example)),
)
def test_an_example_is_itself_accepted(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.setenv(name, EXAMPLES[name])
    load_settings({})


SHOWN = dict(
    re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
)


def test_the_file_to_copy_shows_every_setting_that_can_be_used() -> None:
    assert SHOWN.keys() == ALL
    assert {name for name, value in SHOWN.items() if value in ("", "''")} == REQUIRED.keys()


@pytest.mark.parametrize("name", sorted(SHOWN.keys() - REQUIRED.keys()))
def test_what_the_file_to_copy_shows_is_the_default_or_an_example(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv(name, SHOWN[name])
    default = Settings.model_fields[name.lower()].default
    assert getattr(load_settings({}), name.lower()) == default or not default


def test_an_app_token_takes_the_place_of_the_signing_secret(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("SLACK_APP_TOKEN", "xapp-1")
    assert load_settings({}).slack_signing_secret == SecretStr(REQUIRED["SLACK_SIGNING_SECRET"])
    environment.delenv("SLACK_SIGNING_SECRET")
    assert load_settings({}).slack_signing_secret is None


def test_a_wrong_app_token_is_all_that_is_wrong_with_the_way_in(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.delenv("SLACK_SIGNING_SECRET")
    environment.setenv("SLACK_APP_TOKEN", f"xoxp-{CANARY}")
    assert explain() == [f"SLACK_APP_TOKEN: {APP_TOKEN}. Example: {EXAMPLES['SLACK_APP_TOKEN']}"]


def test_all_mistakes_are_told_at_once() -> None:
    lines = explain()
    assert [line.partition(":")[0] for line in lines] == list(REQUIRED)
    assert str(ConfigError(lines)) == "\n".join(lines)


def test_no_secret_comes_back_in_the_error_or_what_caused_it(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("SLACK_BOT_TOKEN", CANARY)
    environment.setenv("DATABASE_URL", f"oracle://u:{CANARY}@h/n")
    with pytest.raises(ConfigError) as caught:
        load_settings({})
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(build(slack_app_token=SecretStr("xapp-9")))
    assert not [value for value in (*REQUIRED.values(), "xapp-9") if value in shown]


@pytest.mark.parametrize("host", EPHEMERAL_HOSTS)
@pytest.mark.usefixtures("environment")
def test_a_host_that_forgets_files_is_no_place_for_sqlite(host: str) -> None:
    (line,) = explain({host: "web.1"})
    assert line.startswith(f"DATABASE_URL: this host ({host} is set) deletes local files")
    assert "postgres://user:password@host/name" in line
    assert "set ALLOW_EPHEMERAL_SQLITE=1" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALLOW_EPHEMERAL_SQLITE", "1"), ("DATABASE_URL", "postgres://u:p@h/n")],
)
def test_such_a_host_is_fine_with_postgres_or_when_told_so(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    assert load_settings({"DYNO": "web.1"})


@pytest.mark.usefixtures("environment")
def test_the_environment_that_is_given_counts_more_than_that_of_the_process() -> None:
    given = {"port": "4000", "ADMINS": "U012AB3CD, U045EF6GH", "LOG_LEVEL": "", "UNKNOWN": "x"}
    settings = load_settings(given)
    assert (settings.port, settings.log_level) == (4000, "info")
    assert settings.admins == ("U012AB3CD", "U045EF6GH")
    with pytest.raises(ConfigError, match=r"^PORT: input should be a valid integer"):
        load_settings({"PORT": "many"})


@pytest.mark.usefixtures("environment")
def test_an_empty_host_variable_means_nothing() -> None:
    assert load_settings({"DYNO": ""}).uses_sqlite


def test_settings_are_built_by_arguments_and_stay_as_they_are() -> None:
    settings = build(leadsquared_rate_limit=3, admins=("U1",), database_url="postgres://u:p@h/n")
    assert settings.leadsquared_rate_limit == 3
    assert settings.admins == ("U1",)
    assert not settings.uses_sqlite
    with pytest.raises(ValidationError):
        settings.port = 1


@pytest.mark.parametrize(
    ("limit", "wanted", "reserved"), [(25, 2, 2), (25, 0, 0), (3, 2, 2), (2, 2, 1), (1, 2, 0)]
)
def test_the_reserve_leaves_at_least_one_slot(limit: int, wanted: int, reserved: int) -> None:
    settings = build(leadsquared_rate_limit=limit, leadsquared_reserved=wanted)
    assert settings.reserved == reserved


def test_a_migration_needs_nothing_but_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_database_url() == "sqlite:///bot.db"
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@h/n?sslmode=require")
    assert load_database_url() == "postgresql+psycopg://u:p@h/n?sslmode=require"
    monkeypatch.setenv("DATABASE_URL", f"oracle://{CANARY}")
    with pytest.raises(ConfigError) as caught:
        load_database_url()
    example = EXAMPLES["DATABASE_URL"]
    assert caught.value.lines == [
        f"DATABASE_URL: must begin with sqlite:// or postgres://. Example: {example}"
    ]


def test_serve_without_settings_ends_with_78_and_a_line_for_each(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "serve"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 78
    assert ended.stdout == ""
    assert [line.partition(":")[0] for line in ended.stderr.splitlines()] == list(REQUIRED)
