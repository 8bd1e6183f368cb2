"""Holds the section "Where things live, and who may import whom" of the house rules."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS = [
    {
        "bot.doctor.findings",
        "bot.errors",
        "bot.clock",
        "bot.backoff",
        "bot.notification",
        "bot.observer",
        "bot.overview",
        "bot.presets",
        "bot.redaction",
        "bot.setting_types",
        "bot.payloads",
        "bot.listening",
        "bot.links",
        "bot.characters",
    },
    {
        "bot.people",
        "bot.plaintext",
        "bot.leadsquared",
        "bot.config",
        "bot.logs",
        "bot.manifest",
        "bot.questions",
        "bot.worker",
        "bot.background",
        "bot.requests",
        "bot.slack_client",
    },
    {"bot.crew"},
    {"bot.leads.reference", "bot.leads.found", "bot.leads.account", "bot.preview"},
    {"bot.grammar", "bot.replies", "bot.store", "bot.leads.search"},
    {"bot.slack_api", "bot.rate_gate", "bot.roster", "bot.composer", "bot.forwarding"}
    | {"bot.leads"},
    {"bot.groups", "bot.group_list"},
    {
        "bot.directory",
        "bot.acceptor",
        "bot.errands",
        "bot.intake",
        "bot.health",
        "bot.metrics",
        "bot.clients",
        "bot.icons",
    },
    {"bot.homes", "bot.forms", "bot.socket_mode", "bot.doctor"},
    {"bot.dispatcher", "bot.resolver", "bot.reporter", "bot.janitor", "handlers"},
    {"bot.app", "bot.migrations"},
    {"bot.server"},
    {"bot.cli"},
    {"bot.__main__"},
]
"""From the bottom up: a part imports from lower layers only, or from itself."""

PARTS = {part: height for height, layer in enumerate(LAYERS) for part in layer}

FORBIDDEN = {
    "handlers": {
        "bot.config",
        "bot.leads.account",
        "bot.leads.search",
        "bot.leadsquared.client",
        "bot.rate_gate",
        "bot.roster",
    },
    "bot.dispatcher": {"bot.replies", "bot.slack_api"},
    "bot.resolver": {"bot.replies", "bot.slack_api"},
    "bot.reporter": {"bot.leadsquared.client", "bot.rate_gate", "bot.roster"},
    "bot.store": {"bot.config", "bot.leadsquared", "bot.replies"},
    "bot.rate_gate": {"bot.leadsquared", "bot.replies"},
    "bot.replies": {"bot.leadsquared.client", "bot.leadsquared.wire", "bot.store", "bot.config"},
}
"""Downward edges that would still mix what is kept apart."""

PURE = {
    "bot.characters",
    "bot.composer",
    "bot.doctor.arrivals",
    "bot.doctor.clocks",
    "bot.doctor.crm",
    "bot.doctor.drift",
    "bot.doctor.environment",
    "bot.doctor.findings",
    "bot.doctor.slack",
    "bot.doctor.store",
    "bot.doctor.traps",
    "bot.errors",
    "bot.forwarding",
    "bot.grammar",
    "bot.leads.reference",
    "bot.leads.addressing",
    "bot.leads.found",
    "bot.leadsquared.models",
    "bot.leadsquared.phone",
    "bot.leadsquared.wire",
    "bot.notification",
    "bot.links",
    "bot.overview",
    "bot.payloads",
    "bot.people",
    "bot.plaintext",
    "bot.presets",
    "bot.preview",
    "bot.questions",
    "bot.redaction",
    "bot.replies",
}
IMPURE_LIBRARIES = {
    "aiohttp",
    "asyncio",
    "random",
    "secrets",
    "slack_bolt",
    "slack_sdk",
    "sqlalchemy",
    "time",
}
CLOCK_READS = {"now", "utcnow", "today"}
LATE_LIBRARIES = {"alembic", "psycopg"}
"""Heavy, and not needed by every process: nowhere at module level but in the migrations."""

BROAD_EXCEPTS = {"bot.dispatcher", "bot.cli", "handlers.errors"}
"""The dispatcher's loop, `cli.main` and the error listener."""

RUN_AS_SCRIPTS = {"bot.__main__", "bot.migrations"}
"""`python -m bot`, and what Alembic executes; nobody imports them."""

QUIET_STATEMENTS = (
    ast.AnnAssign,
    ast.Assign,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.FunctionDef,
    ast.Import,
    ast.ImportFrom,
)
LOUD_CALLS = {
    "AsyncApp",
    "AsyncWebClient",
    "ClientSession",
    "Settings",
    "create_async_engine",
    "getenv",
    "load_settings",
    "open",
    "run",
    "run_app",
}
MAX_LINES = 300


def part_of(module: str) -> str:
    """Return the entry of the layers that `module` belongs to: the deepest one that holds it."""
    holding = [part for part in PARTS if is_within(module, part)]
    return max(holding, key=len, default=".".join(module.split(".")[:2]))


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def is_ours(module: str) -> bool:
    return is_within(module, "bot") or is_within(module, "handlers")


def is_any(module: str, packages: set[str]) -> bool:
    return any(is_within(module, package) for package in packages)


def find_imports(nodes: Iterator[ast.AST], module: str) -> Iterator[str]:
    """Yield what is imported, as deep as the statement tells: `from bot import x` is `bot.x`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def find_at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield every node that runs when the module is imported: all but the bodies of functions."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting.extend([*node.decorator_list, node.args])
        elif not isinstance(node, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def check_edges(module: str, tree: ast.Module) -> Iterator[str]:
    part = part_of(module)
    for target in filter(is_ours, find_imports(ast.walk(tree), module)):
        if is_within(module, "bot.sandbox"):
            if not is_within(target, "bot.sandbox"):
                yield f"the sandbox imports {target}"
        elif is_within(target, "bot.sandbox"):
            if module != "bot.cli":
                yield f"only bot.cli may import {target}"
        elif is_within(target, "handlers") and not is_any(module, {"handlers", "bot.app"}):
            yield f"only bot.app may import {target}"
        elif is_any(target, FORBIDDEN.get(part, set())):
            yield f"{part} may not import {target}"
        elif not is_below(part_of(target), part):
            yield f"{target} is not below {part}"


def is_below(target: str, part: str) -> bool:
    """Return whether `part` may import `target`; what has no place is reported as such only."""
    if target == part or part not in PARTS:
        return True
    return PARTS.get(target, len(LAYERS)) < PARTS[part]


def check_place(module: str) -> Iterator[str]:
    part = part_of(module)
    if part not in PARTS and not is_within(module, "bot.sandbox") and module != "bot":
        yield f"{part} has no place in LAYERS"


def check_purity(module: str, tree: ast.Module) -> Iterator[str]:
    if not is_any(module, PURE):
        return
    for target in find_imports(ast.walk(tree), module):
        if target.split(".")[0] in IMPURE_LIBRARIES:
            yield f"pure, but imports {target}"
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"pure, but asynchronous in line {node.lineno}"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CLOCK_READS
        ):
            yield f"pure, but reads a clock in line {node.lineno}"


def check_import_time(module: str, tree: ast.Module) -> Iterator[str]:
    if not is_within(module, "bot.migrations"):
        for target in find_imports(find_at_import(tree), module):
            if target.split(".")[0] in LATE_LIBRARIES:
                yield f"{target} is imported at module level"
    if is_any(module, RUN_AS_SCRIPTS):
        return
    for statement in tree.body:
        if not isinstance(statement, QUIET_STATEMENTS) and not _is_harmless(statement):
            yield f"something happens at import in line {statement.lineno}"
    for node in find_at_import(tree):
        if isinstance(node, ast.Call) and _name_of(node.func) in LOUD_CALLS:
            yield f"{_name_of(node.func)} is called at import"
        if isinstance(node, ast.Attribute) and node.attr == "environ":
            yield "the environment is read at import"


def _is_harmless(statement: ast.stmt) -> bool:
    """Return whether this is a docstring, or an `if TYPE_CHECKING:`."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.If) and _name_of(statement.test) == "TYPE_CHECKING"


def _name_of(node: ast.AST) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def check_excepts(module: str, tree: ast.Module) -> Iterator[str]:
    broad = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or any(_name_of(n) in ("Exception", "BaseException") for n in ast.walk(node.type))
        )
    ]
    allowed = 1 if module in BROAD_EXCEPTS else 0
    yield from (f"catches everything in line {line}" for line in broad[allowed:])


def check_length(source: str) -> Iterator[str]:
    lines = len(source.splitlines())
    if lines > MAX_LINES:
        yield f"{lines} lines, more than {MAX_LINES}"


def find_faults(module: str, source: str) -> list[str]:
    """Return everything in `source` that the rules forbid a module of this name."""
    tree = ast.parse(source)
    return [
        *check_place(module),
        *check_edges(module, tree),
        *check_purity(module, tree),
        *check_import_time(module, tree),
        *check_excepts(module, tree),
        *check_length(source),
    ]


def name_module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted(path for top in ("bot", "handlers") for path in (ROOT / top).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=name_module)
def test_every_module_keeps_the_rules(path: Path) -> None:
    assert find_faults(name_module(path), path.read_text(encoding="utf-8")) == []


def test_every_pure_module_exists() -> None:
    modules = {name_module(path) for path in FILES}
    assert PURE - modules == set()


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("bot.rate_gate", "from bot.dispatcher import Dispatcher", "is not below bot.rate_gate"),
        ("bot.errors", "def f():\n    from bot import store", "bot.store is not below"),
        ("bot.store.gate", "from .. import app", "bot.app is not below"),
        ("bot.directory", "import bot.acceptor", "bot.acceptor is not below"),
        ("bot.cli", "import handlers", "only bot.app may import handlers"),
        ("handlers.home", "from bot import dispatcher", "is not below handlers"),
        ("handlers.home", "from bot.leadsquared.client import X", "handlers may not import"),
        ("bot.reporter", "import bot.rate_gate", "bot.reporter may not import"),
        ("bot.app", "from bot.sandbox import slack", "only bot.cli may import bot.sandbox"),
        ("bot.sandbox.slack", "from bot.errors import BotError", "sandbox imports bot.errors"),
        ("bot.helpers", "", "bot.helpers has no place"),
        ("bot.grammar", "import time", "pure, but imports time"),
        ("bot.replies.cards", "import sqlalchemy.ext.asyncio", "pure, but imports sqlalchemy"),
        ("bot.leadsquared.wire", "from asyncio import sleep", "pure, but imports asyncio.sleep"),
        ("bot.plaintext", "async def f(): ...", "pure, but asynchronous"),
        ("bot.errors", "def f():\n    return datetime.now(UTC)", "reads a clock in line 2"),
        ("bot.app", "configure_logging()", "something happens at import"),
        ("bot.app", "for x in y:\n    pass", "something happens at import"),
        ("bot.app", "if debug:\n    x = 1", "something happens at import"),
        ("bot.app", "settings = Settings()", "Settings is called at import"),
        ("bot.app", "class A:\n    s = aiohttp.ClientSession()", "ClientSession is called at"),
        ("bot.app", "def f(port=os.getenv('PORT')): ...", "getenv is called at import"),
        ("bot.app", "PORT = os.environ['PORT']", "the environment is read at import"),
        ("bot.store.database", "import psycopg", "psycopg is imported at module level"),
        ("bot.cli", "try:\n    from alembic import x\nfinally: ...", "alembic.x is imported"),
        ("bot.roster", "def f():\n  try: g()\n  except Exception: pass", "catches everything"),
        ("bot.roster", "def f():\n  try: g()\n  except (E, BaseException): pass", "everything"),
        ("bot.roster", "def f():\n  try: g()\n  except: pass", "catches everything in line 3"),
        ("bot.roster", "\n" * 301, "301 lines"),
    ],
)
def test_a_broken_rule_is_found(module: str, source: str, fault: str) -> None:
    found = find_faults(module, source)
    assert any(fault in text for text in found), found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bot.app", '"""Doc."""\nimport handlers\nfrom bot.store.gate import Gate\nA = f(1)\n'),
        ("bot.app", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import x"),
        ("bot.cli", "def main():\n    from bot.sandbox import slack\n    Settings()"),
        ("bot.store.database", "def f():\n    import psycopg"),
        ("bot.migrations.env", "from alembic import context\ncontext.run_migrations()"),
        ("bot.sandbox.slack", "import aiohttp\nfrom bot.sandbox.clock import Clock"),
        ("handlers.home", "from bot.replies import ids\nfrom handlers import errors"),
        ("bot.cli", "def main():\n  try: g()\n  except Exception: pass"),
        ("bot.app", "def f():\n  try: g()\n  except ValueError: pass"),
        ("bot.replies.cards", "from bot.plaintext import escape\nX = lambda: open('x')"),
    ],
)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    assert find_faults(module, source) == []


def test_a_second_broad_except_is_one_too_many() -> None:
    once = "def {}():\n  try: g()\n  except Exception: pass\n"
    assert find_faults("bot.cli", once.format("a")) == []
    assert find_faults("bot.cli", once.format("a") + once.format("b")) != []
