"""Reads every file that a host reads, and says where they disagree with each other or with us."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.dockerfile import is_ignored, read_instructions

NAMES = (
    ".dockerignore",
    ".env.example",
    ".python-version",
    "Dockerfile",
    "Makefile",
    "Procfile",
    "app.json",
    "fly.toml",
    "pyproject.toml",
    "railway.json",
    "render.yaml",
    "requirements.txt",
    "scalingo.json",
)

OTHER_LOCKS = {"uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock", "runtime.txt", "setup.py"}
"""Heroku's buildpack refuses a repository that has one of them beside requirements.txt."""

LEFT_OUT = {
    "PORT": "hosts set it themselves",
    "DATABASE_URL": "the database that is attached sets it",
    "ALLOW_EPHEMERAL_SQLITE": "a database is attached, so that nothing is kept on the disk",
    "SLACK_API_URL": "another address is only for tests",
}
"""Settings that no form on a host asks for."""

SLEEPING = {"free", "eco", "hobby"}
HEALTH = {"render.yaml": "/healthz", "fly.toml": "/healthz", "railway.json": "/readyz"}
"""Who asks for ever must not restart a bot that waits for its database; Railway asks only until a
new deployment is up, and leaves Slack with the old one until then."""

GRACE = 30
"""Seconds that Heroku gives; nobody else needs to give more."""

KEPT_OUT = (
    ".git/config",
    ".env",
    "handlers/.env",
    ".venv/bin/python",
    "bot.db",
    "bot/bot.db-wal",
    "bot/__pycache__/app.cpython-313.pyc",
    "tests/conftest.py",
    "requirements-dev.txt",
)
LET_IN = (
    "bot/app/bot.py",
    "bot/icons/hot.png",
    "bot/migrations/versions/0001_first_schema.py",
    "handlers/home.py",
    "manifest.yaml",
    "requirements.txt",
)


@dataclass(frozen=True)
class Known:
    """What the code says: its settings by the names of their variables, and how it stops."""

    settings: set[str]
    required: set[str]
    defaults: Mapping[str, str]
    secrets: set[str]
    routes: set[str]
    stops_within: float


def find_faults(files: Mapping[str, str], known: Known) -> list[str]:
    """Return what is wrong, each with the name of its file; `files` may hold others as well."""
    checks = (
        check_start(files),
        check_python(files),
        check_lock(files),
        check_dockerfile(files["Dockerfile"]),
        check_dockerignore(files[".dockerignore"]),
        check_health(files, known),
        check_grace(files, known),
        check_plans(files),
        check_databases(files),
        check_form(files, known),
        check_asked(files, known),
        check_fly(files, known),
    )
    return [fault for check in checks for fault in check]


def check_start(files: Mapping[str, str]) -> Iterator[str]:
    started = dict(re.findall(r"^(\w+): (.+)$", files["Procfile"], re.MULTILINE))
    if started.keys() != {"web"}:
        yield "Procfile: one process, web, does all"
    command = dict(read_instructions(files["Dockerfile"])).get("CMD", "")
    if not command.startswith("["):
        yield "Dockerfile: CMD not in exec form, so that a shell would get the signals"
    elif json.loads(command) != started.get("web", "").split():
        yield "Dockerfile: CMD is not what the Procfile starts"
    for name, key in (("render.yaml", "dockerCommand"), ("railway.json", "startCommand")):
        if key in files[name]:
            yield f"{name}: {key} replaces the image's own command"
    if "processes" in tomllib.loads(files["fly.toml"]):
        yield "fly.toml: processes replace the image's own command"


def check_python(files: Mapping[str, str]) -> Iterator[str]:
    version = files[".python-version"]
    if not re.fullmatch(r"3\.\d+\n", version):
        yield ".python-version: not one line such as 3.13"
        return
    image = dict(read_instructions(files["Dockerfile"])).get("FROM")
    if image != f"python:{version.strip()}-slim":
        yield "Dockerfile: another Python than .python-version"
    oldest = tomllib.loads(files["pyproject.toml"])["project"]["requires-python"]
    if int(version.split(".")[1]) < int(oldest.removeprefix(">=3.")):
        yield ".python-version: older than pyproject.toml's requires-python"
    if f"ALSO ?= python{version.strip()}\n" not in files["Makefile"]:
        yield "Makefile: the suite runs on another Python than hosts do"


def check_lock(files: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name}: a second lock" for name in sorted(OTHER_LOCKS & files.keys()))
    requirements = re.split(r"\n(?=\S)", files["requirements.txt"].strip())
    names = {re.split(r"[=\[; ]", each, maxsplit=1)[0] for each in requirements}
    yield from (
        f"requirements.txt: {each.splitlines()[0]} has no hash"
        for each in requirements
        if "==" not in each or "--hash=sha256:" not in each
    )
    groups = tomllib.loads(files["pyproject.toml"])["dependency-groups"]
    dev = {re.split(r"[>=\[]", each)[0] for group in groups.values() for each in group}
    yield from (f"requirements.txt: {name} is for development" for name in sorted(dev & names))


def check_dockerfile(dockerfile: str) -> Iterator[str]:
    instructions = read_instructions(dockerfile)
    last = dict(instructions)
    user = last.get("USER", "root").partition(":")[0]
    if not user.isdigit() or int(user) < 1000:
        yield "Dockerfile: USER is root, or cannot be seen not to be"
    installs = [value for name, value in instructions if name == "RUN" and "pip install" in value]
    if len(installs) != 1 or not installs[0].endswith(" -r requirements.txt"):
        yield "Dockerfile: installs something else than requirements.txt"
    for option in ("--require-hashes", "--no-cache-dir", "--only-binary :all:"):
        if not all(option in each for each in installs):
            yield f"Dockerfile: pip install without {option}"
    everything = instructions.index(("COPY", ". ."))
    if not all(instructions.index(("RUN", each)) < everything for each in installs):
        yield "Dockerfile: packages would be installed again after every change"
    if "PYTHONUNBUFFERED=1" not in last.get("ENV", ""):
        yield "Dockerfile: the log would be held back"
    if "EXPOSE" in last:
        yield "Dockerfile: EXPOSE names a port, which Dokku would open in place of 80"


def check_dockerignore(dockerignore: str) -> Iterator[str]:
    for path in KEPT_OUT:
        if not is_ignored(path, dockerignore):
            yield f".dockerignore: lets {path} in"
    for path in LET_IN:
        if is_ignored(path, dockerignore):
            yield f".dockerignore: keeps {path} out"


def check_health(files: Mapping[str, str], known: Known) -> Iterator[str]:
    asked = {
        "render.yaml": _web(files)["healthCheckPath"],
        "fly.toml": tomllib.loads(files["fly.toml"])["http_service"]["checks"][0]["path"],
        "railway.json": json.loads(files["railway.json"])["deploy"]["healthcheckPath"],
    }
    for name, path in asked.items():
        if path != HEALTH[name]:
            yield f"{name}: asks {path}, not {HEALTH[name]}"
        if path not in known.routes:
            yield f"{name}: nothing answers at {path}"


def check_grace(files: Mapping[str, str], known: Known) -> Iterator[str]:
    if known.stops_within >= GRACE:
        yield f"bot/app/bot.py: stopping may take {known.stops_within:g} s"
    fly = tomllib.loads(files["fly.toml"])
    if fly.get("kill_signal") != "SIGTERM":
        yield "fly.toml: stops with another signal than SIGTERM"
    for name, seconds in (
        ("render.yaml", _web(files).get("maxShutdownDelaySeconds", 0)),
        ("fly.toml", fly.get("kill_timeout", 0)),
        ("railway.json", json.loads(files["railway.json"])["deploy"].get("drainingSeconds", 0)),
    ):
        if not isinstance(seconds, int) or seconds < GRACE:  # Railway refuses "30"
            yield f"{name}: kills before {GRACE} s"


def check_plans(files: Mapping[str, str]) -> Iterator[str]:
    plans = {
        "app.json": json.loads(files["app.json"])["formation"]["web"]["size"],
        "render.yaml": _web(files).get("plan", "free"),
        "render.yaml's database": yaml.safe_load(files["render.yaml"])["databases"][0]["plan"],
    }
    yield from (
        f"{name}: {plan} sleeps or ends" for name, plan in plans.items() if plan in SLEEPING
    )
    if json.loads(files["railway.json"])["deploy"].get("sleepApplication") is not False:
        yield "railway.json: may sleep"
    service = tomllib.loads(files["fly.toml"])["http_service"]
    if service.get("auto_stop_machines") != "off" or service.get("min_machines_running", 0) < 1:
        yield "fly.toml: may sleep"


def check_databases(files: Mapping[str, str]) -> Iterator[str]:
    for name, kind in (("app.json", "heroku-postgresql:"), ("scalingo.json", "postgresql:")):
        if not json.loads(files[name])["addons"][0]["plan"].startswith(kind):
            yield f"{name}: no Postgres attached"
    given = {each["key"]: each for each in _web(files)["envVars"]}
    source = given.get("DATABASE_URL", {}).get("fromDatabase", {})
    databases = [each["name"] for each in yaml.safe_load(files["render.yaml"])["databases"]]
    if source.get("name") not in databases or source.get("property") != "connectionString":
        yield "render.yaml: no Postgres attached"


def check_form(files: Mapping[str, str], known: Known) -> Iterator[str]:
    """Heroku's form is the one place where people see every setting before they deploy."""
    form = json.loads(files["app.json"])["env"]
    for name in sorted((known.settings - LEFT_OUT.keys()) ^ form.keys()):
        yield f"app.json: {name} is {'not a setting' if name in form else 'missing'}"
    for name, entry in form.items():
        described = entry.get("description", "")
        default = known.defaults.get(name)
        if not described.endswith("."):
            yield f"app.json: {name} has no description"
        if default is not None and not described.endswith(f"Empty: {default}."):
            yield f"app.json: {name} does not say that its default is {default}"
        if entry.get("required") is not (name in known.required):
            yield f"app.json: {name} is {'' if name in known.required else 'not '}required"
        if entry.keys() - {"description", "required"}:
            yield f"app.json: {name} is given a value"


def check_asked(files: Mapping[str, str], known: Known) -> Iterator[str]:
    """The others ask for what must be given, and for the API host; the rest is added later."""
    asked = known.required | {"LEADSQUARED_URL"}
    scalingo = json.loads(files["scalingo.json"])["env"]
    render = {each["key"]: each for each in _web(files)["envVars"]}
    shown = re.findall(r"^([A-Z_]+)=", files[".env.example"], re.MULTILINE)
    for name, names in (
        ("scalingo.json", scalingo.keys()),
        ("render.yaml", render.keys() - {"DATABASE_URL"}),
        (".env.example", {*shown, "LEADSQUARED_URL"}),
    ):
        yield from (f"{name}: does not ask for {each}" for each in sorted(asked - names))
        yield from (f"{name}: asks for {each}" for each in sorted(names - asked))
    for name, entry in scalingo.items():
        if entry.keys() != {"description", "required"} or entry["required"] is not True:
            yield f"scalingo.json: {name} is not simply required and described"
    for name in asked & render.keys():
        if render[name] != {"key": name, "sync": False}:
            yield f"render.yaml: {name} is not asked for in the dashboard"


def check_fly(files: Mapping[str, str], known: Known) -> Iterator[str]:
    fly = tomllib.loads(files["fly.toml"])
    port = fly.get("env", {}).get("PORT", known.defaults["PORT"])
    if str(fly["http_service"]["internal_port"]) != port:
        yield "fly.toml: internal_port is not where the bot listens"
    yield from (
        f"fly.toml: {name} is a secret" for name in known.secrets & fly.get("env", {}).keys()
    )


def _web(files: Mapping[str, str]) -> dict[str, Any]:
    [service] = yaml.safe_load(files["render.yaml"])["services"]
    return dict(service)
