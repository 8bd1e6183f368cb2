from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from bot.app import DRAIN_WITHIN, REPLY_WITHIN, REQUESTS_WITHIN
from bot.config import Settings
from bot.health import Health
from tests.unit.deploy_files import LEFT_OUT, NAMES, OTHER_LOCKS, Known, find_faults

ROOT = Path(__file__).parents[2]
FILES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in (*NAMES, *OTHER_LOCKS)
    if (ROOT / name).exists()
}
GIVEN = {
    "slack_bot_token": "xoxb-1-secret",
    "slack_signing_secret": "0123456789abcdef",
    "leadsquared_access_key": "u$r0123",
    "leadsquared_secret_key": "s3cr3t",
}


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    names = {name.upper() for name in Settings.model_fields}
    for name in names:
        monkeypatch.delenv(name, raising=False)
    usual = Settings(**GIVEN)  # type: ignore[arg-type]  # as text, as an environment has them
    return Known(
        settings=names,
        required={name.upper() for name in GIVEN if not starts_without(name)},
        defaults={
            name.upper(): f"{int(value) if isinstance(value, bool | float) else value}"
            for name, value in usual
            if isinstance(value, int | float)
        },
        secrets={
            name.upper()
            for name, field in Settings.model_fields.items()
            if SecretStr.__name__ in repr(field.annotation)
        },
        routes=find_routes(),
        stops_within=REQUESTS_WITHIN + DRAIN_WITHIN + REPLY_WITHIN,
    )


def starts_without(name: str) -> bool:
    try:
        Settings(**{each: GIVEN[each] for each in GIVEN if each != name})  # type: ignore[arg-type]
    except ValidationError:
        return False
    return True


def find_routes() -> set[str]:
    app = web.Application()
    Health(None, lambda: True).add_routes(app)  # type: ignore[arg-type]  # nobody asks it
    return {resource.canonical for resource in app.router.resources()}


def change(name: str, old: str, new: str, files: dict[str, str]) -> dict[str, str]:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new, 1)}


def test_all_files_that_hosts_read_agree(known: Known) -> None:
    assert find_faults(FILES, known) == []


def test_every_setting_that_is_left_out_exists(known: Known) -> None:
    assert LEFT_OUT.keys() <= known.settings


Break = Callable[[dict[str, str]], dict[str, str]]


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (partial(change, "Procfile", "serve", "sandbox"), "Dockerfile: CMD is not what"),
        (partial(change, "Procfile", "web:", "worker:"), "Procfile: one process, web"),
        (partial(change, "Procfile", "web", "release: true\nweb"), "Procfile: one process, web"),
        (
            partial(
                change, "Dockerfile", 'CMD ["python", "-m", "bot", "serve"]', "CMD python -m bot"
            ),
            "Dockerfile: CMD not in exec form",
        ),
        (partial(change, "render.yaml", "plan:", "dockerCommand: x\n    plan:"), "dockerCommand"),
        (
            partial(change, "railway.json", '"deploy": {', '"deploy": {"startCommand": "x",'),
            "start",
        ),
        (partial(change, "fly.toml", "[build]", '[processes]\nweb = "x"\n[build]'), "processes"),
        (partial(change, ".python-version", "3.13", "3.14"), "Dockerfile: another Python"),
        (partial(change, ".python-version", "3.13", "3.13.1"), ".python-version: not one line"),
        (partial(change, ".python-version", "3.13\n", "3.13\n3.11\n"), ".python-version: not one"),
        (partial(change, "pyproject.toml", ">=3.11", ">=3.14"), "older than pyproject.toml's"),
        (partial(change, "Makefile", "python3.13\n", "python3.12\n"), "Makefile: the suite runs"),
        (lambda files: {**files, "uv.lock": ""}, "uv.lock: a second lock"),
        (lambda files: {**files, "runtime.txt": ""}, "runtime.txt: a second lock"),
        (
            lambda files: {**files, "requirements.txt": "aiohttp==3.14.5\n"},
            "requirements.txt: aiohttp==3.14.5 has no hash",
        ),
        (
            lambda files: {**files, "requirements.txt": "ruff==1.0 \\\n    --hash=sha256:0\n"},
            "requirements.txt: ruff is for development",
        ),
        (partial(change, "Dockerfile", "USER 10001:10001", "USER root"), "USER is root"),
        (partial(change, "Dockerfile", "USER 10001:10001", "USER 0"), "USER is root"),
        (partial(change, "Dockerfile", "USER 10001:10001\n", ""), "USER is root"),
        (partial(change, "Dockerfile", "--require-hashes ", ""), "without --require-hashes"),
        (partial(change, "Dockerfile", "--no-cache-dir ", ""), "without --no-cache-dir"),
        (partial(change, "Dockerfile", "--only-binary :all: ", ""), "without --only-binary"),
        (
            partial(change, "Dockerfile", "-r requirements.txt", "-r requirements-dev.txt"),
            "else than",
        ),
        (
            partial(change, "Dockerfile", "COPY requirements.txt ./", "COPY . ."),
            "after every change",
        ),
        (partial(change, "Dockerfile", "PYTHONUNBUFFERED=1", "A=1"), "log would be held back"),
        (partial(change, "Dockerfile", "USER", "EXPOSE 3000\nUSER"), "EXPOSE names a port"),
        (partial(change, ".dockerignore", "*\n", ""), ".dockerignore: lets .git/config in"),
        (partial(change, ".dockerignore", "**/.env*\n", "!.env\n"), ".dockerignore: lets .env in"),
        (partial(change, ".dockerignore", "!handlers\n", ""), "keeps handlers/home.py out"),
        (partial(change, ".dockerignore", "**/__pycache__\n", ""), "lets bot/__pycache__/app"),
        (partial(change, ".dockerignore", "**/*.db*\n", ""), "lets bot/bot.db-wal in"),
        (partial(change, ".dockerignore", "**/.env*\n", ""), "lets handlers/.env in"),
        (partial(change, "render.yaml", "/healthz", "/readyz"), "render.yaml: asks /readyz"),
        (partial(change, "fly.toml", '"/healthz"', '"/health"'), "fly.toml: nothing answers"),
        (partial(change, "railway.json", "/readyz", "/healthz"), "railway.json: asks /healthz"),
        (
            partial(change, "render.yaml", "DelaySeconds: 30", "DelaySeconds: 5"),
            "render.yaml: kills",
        ),
        (partial(change, "fly.toml", "kill_timeout = 30", ""), "fly.toml: kills before 30 s"),
        (partial(change, "fly.toml", "SIGTERM", "SIGINT"), "fly.toml: stops with another signal"),
        (partial(change, "railway.json", ": 30,", ': "30",'), "railway.json: kills before 30 s"),
        (partial(change, "app.json", '"basic"', '"eco"'), "app.json: eco sleeps"),
        (partial(change, "render.yaml", "plan: starter", "plan: free"), "render.yaml: free sleeps"),
        (partial(change, "render.yaml", "basic-256mb", "free"), "database: free sleeps or ends"),
        (partial(change, "railway.json", "false", "true"), "railway.json: may sleep"),
        (partial(change, "fly.toml", '"off"', '"stop"'), "fly.toml: may sleep"),
        (partial(change, "fly.toml", "running = 1", "running = 0"), "fly.toml: may sleep"),
        (partial(change, "app.json", "heroku-postgresql", "heroku-redis"), "app.json: no Postgres"),
        (partial(change, "scalingo.json", '"postgresql:', '"redis:'), "scalingo.json: no Postgres"),
        (partial(change, "render.yaml", "notifier-db", "other-db"), "render.yaml: no Postgres"),
        (partial(change, "app.json", "KEEP_DAYS", "KEEP_WEEKS"), "KEEP_DAYS is missing"),
        (partial(change, "app.json", "KEEP_DAYS", "KEEP_WEEKS"), "KEEP_WEEKS is not a setting"),
        (partial(change, "app.json", '"ADMINS": {', '"PORT": {},\n"ADMINS": {'), "PORT is not a"),
        (partial(change, "app.json", "Shown beside the access key.", ""), "has no description"),
        (partial(change, "app.json", "Empty: 25.", "Empty: 20."), "that its default is 25"),
        (partial(change, "app.json", "true", "false"), "SLACK_BOT_TOKEN is required"),
        (
            partial(change, "app.json", '"required": false', '"required": true'),
            "URL is not required",
        ),
        (partial(change, "app.json", '"required": true', '"value": "x"'), "TOKEN is given a value"),
        (
            partial(change, "scalingo.json", "SECRET_KEY", "KEY"),
            "does not ask for LEADSQUARED_SECRET",
        ),
        (partial(change, "scalingo.json", "true", "false"), "TOKEN is not simply required"),
        (
            partial(change, "render.yaml", "SECRET_KEY", "KEY"),
            "render.yaml: asks for LEADSQUARED_KEY",
        ),
        (
            partial(change, "render.yaml", "\n        sync: false", "\n        value: xoxb-1"),
            "TOKEN is not asked for",
        ),
        (
            partial(change, ".env.example", "SLACK_BOT_TOKEN=", "# "),
            ".env.example: does not ask for",
        ),
        (
            partial(change, ".env.example", "# KEEP_DAYS", "KEEP_DAYS"),
            ".env.example: asks for KEEP",
        ),
        (partial(change, "fly.toml", "= 3000", "= 8080"), "fly.toml: internal_port is not"),
        (
            partial(change, "fly.toml", "[build]", '[env]\nSLACK_BOT_TOKEN = "x"\n[build]'),
            "a secret",
        ),
    ],
)
def test_what_would_go_wrong_on_a_host_is_found(known: Known, broken: Break, fault: str) -> None:
    found = find_faults(broken(FILES), known)
    assert any(fault in each for each in found), found


def test_a_bot_that_stops_too_slowly_for_its_hosts_is_found(known: Known) -> None:
    slow = Known(**{**vars(known), "stops_within": 30.0})
    assert find_faults(FILES, slow) == ["bot/app/bot.py: stopping may take 30 s"]
