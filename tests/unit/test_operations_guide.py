"""docs/operations.md names only what exists, and all that is measured."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bot.config import Settings
from bot.metrics import Metrics
from bot.store.gauges import Gauges
from tests.clock import FrozenClock
from tests.unit.test_log_events import CALLS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
EVENTS = {call.event for call in CALLS}
FILES = r"\.(db|md|sql|yaml|py)"

LINES = [
    json.loads(line)
    for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    for line in block.splitlines()
]
QUERIES = [
    statement.strip()
    for block in re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)
    for statement in block.split(";")
    if statement.strip()
]


def find_metrics() -> set[str]:
    """Return every metric there is, by the name that its alerts use."""
    metrics = Metrics(None, FrozenClock())
    metrics._gauges._found = Gauges(0, 0.0, 0, 0, 25, 5.0, False, 0.0)
    metrics.answered("command", 0.1)
    metrics.waited("push", 0.1)
    metrics.called("Browser.Push", "ok", 0.1)
    families = text_string_to_metric_families(generate_latest(metrics._registry).decode())
    return {
        f"{family.name}_total" if family.type == "counter" else family.name for family in families
    }


def test_the_metrics_it_names_are_those_there_are() -> None:
    named = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for name in re.findall(r"\b(?:notifier|process)_\w+", GUIDE)
    }
    existing = find_metrics()
    assert named - existing == set()
    assert {name for name in existing if name.startswith("notifier_")} - named == set()


def test_every_event_it_names_exists() -> None:
    quoted = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", GUIDE))
    searched = set(re.findall(r'\.event == "([^"]+)"', GUIDE))
    shown = {line["event"] for line in LINES}
    named = {name for name in quoted if not re.search(FILES + "$", name)} | searched | shown
    assert len(named) > 20
    assert named - EVENTS == set()


def test_every_event_there_is_has_its_meaning() -> None:
    table = GUIDE.partition("| event | meaning |")[2].partition("\n\n")[0]
    assert EVENTS - set(re.findall(r"`([a-z_]+\.[a-z_]+)`", table)) == set()


def test_every_line_has_what_a_line_has() -> None:
    assert len(LINES) > 8
    for line in LINES:
        assert {"event", "level", "timestamp"} <= line.keys()


def test_every_setting_it_names_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]{4,})(?:=\w+)?`", GUIDE))
    assert named - {name.upper() for name in Settings.model_fields} == set()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.split("\n")[0])
def test_a_query_works(query: str, empty_database: Path, tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    copyfile(empty_database, path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(query).fetchall() == []


def test_only_the_restore_changes_anything() -> None:
    changes = [query for query in QUERIES if not query.startswith("SELECT")]
    assert [query.split(" SET ")[0] for query in changes] == ["UPDATE deliveries"]
