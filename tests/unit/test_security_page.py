"""SECURITY.md names tests; each is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))
ROWS = [
    row for row in PAGE.partition("## Threats")[2].partition("\n## ")[0].splitlines()[4:] if row
]
UNTESTED = ("Packages that were tampered with",)


def find_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


@pytest.mark.parametrize(("file", "function"), NAMED)
def test_a_test_that_is_named_exists(file: str, function: str) -> None:
    assert (ROOT / file).is_file()
    assert not function or function in find_tests(ROOT / file)


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip()[:40] for row in ROWS])
def test_every_threat_names_what_shows_that_it_is_held(row: str) -> None:
    threat, held_by, shown_by = (cell.strip() for cell in row.strip("|").split("|"))
    assert held_by
    assert "`tests/" in shown_by or threat.startswith(UNTESTED)


def test_the_page_has_threats_and_tests() -> None:
    assert len(ROWS) > 15
    assert len(NAMED) > 30


@pytest.mark.parametrize("setting", sorted(set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)", PAGE))))
def test_a_setting_that_is_named_exists(setting: str) -> None:
    assert f"{setting}=" in (ROOT / ".env.example").read_text(encoding="utf-8")
