"""What every log call says, read from the source: fixed names, and fields with ids and codes."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

NAME = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
VERBS = re.compile(
    r"(^|_)(\w+ed|\w+ten|\w+ing|found|left|lost|paid|built|put|read|sent|shown|cut|ran|ready)(_|$)"
)
"""What happened, in the past or going on; `ready` is what a bot has become."""

FIELDS = {
    "answer",
    "attempt",
    "code",
    "connections",
    "count",
    "deliveries",
    "delivery",
    "error",
    "exc_info",
    "group",
    "late",
    "logger",
    "name",
    "notification",
    "port",
    "reason",
    "recipients",
    "record_level",
    "reference",
    "reply",
    "seconds",
    "size",
    "state",
    "status",
    "task",
    "team",
    "to",
    "tries",
    "type",
    "using",
    "what",
    "worker",
}
"""Ids, codes, counts and words of ours: no person, no place, no text. Think before adding one."""

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


@dataclass(frozen=True)
class LogCall:
    """One call in the source."""

    where: str
    event: str | None
    """None if it is not written out."""
    fields: frozenset[str]


def find_log_calls() -> Iterator[LogCall]:
    for top in ("bot", "handlers"):
        for path in sorted((ROOT / top).rglob("*.py")):
            if "sandbox" not in path.parts:
                yield from find_in(path)


def find_in(path: Path) -> Iterator[LogCall]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and is_logging(node.func):
            first = node.args[0] if len(node.args) == 1 else None
            event = first.value if isinstance(first, ast.Constant) else None
            fields = frozenset(each.arg for each in node.keywords if each.arg)
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield LogCall(where, event if isinstance(event, str) else None, fields)


def is_logging(called: ast.expr) -> bool:
    if isinstance(called, ast.Name) and called.id == "say":  # as loud as it has to be
        return True
    if not isinstance(called, ast.Attribute) or called.attr not in LEVELS:
        return False
    return ast.unparse(called.value) in ("log", "structlog.get_logger()")


CALLS = list(find_log_calls())


def test_the_calls_are_found() -> None:
    assert {"reply.lost", "process.failed", "bot.ready", "socket_mode.waiting"} <= {
        call.event for call in CALLS
    }


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_an_event_is_a_fixed_noun_and_what_happened_to_it(call: LogCall) -> None:
    assert call.event is not None
    assert NAME.fullmatch(call.event)
    assert VERBS.search(call.event.partition(".")[2])


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_a_field_holds_an_id_or_a_code(call: LogCall) -> None:
    assert call.fields <= FIELDS


def test_every_logger_is_one_of_ours() -> None:
    """What goes past structlog would have free text in it."""
    quieten_a_library = {"logs.py", "intake.py", "listening.py"}
    for top in ("bot", "handlers"):
        for path in (ROOT / top).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if "sandbox" not in path.parts and path.name not in quieten_a_library:
                assert "logging.getLogger" not in source, path
