"""What must hold in every file of the sandbox's page, whatever it does."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "bot" / "sandbox" / "web" / "static"
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]

MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment"
    r"|setHTML|DOMParser|srcdoc|\beval\(|new Function|javascript:"
)
"""Ways by which a text could become markup, or code."""

ELSEWHERE = re.compile(r"https?://[\w.-]+\.\w+|(?<=[\"'(])//[\w.-]+\.\w+")
KNOWN = {"http://www.w3.org", "https://notifier.example"}
"""The name of SVG, and what the bot's own pictures are called; neither is asked."""

INLINE = re.compile(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", re.IGNORECASE)
"""What the page's own policy would not let run."""

IMPORT = re.compile(r'^(?:import|export) .* from "(.+)";$', re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(STATIC))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_file_is_long_or_asks_for_anything_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert set(ELSEWHERE.findall(text.replace("notifier\\.", "notifier."))) <= KNOWN


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_no_script_makes_markup_or_code_of_texts(path: Path) -> None:
    assert MARKUP.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_every_import_is_a_file_of_the_page(path: Path) -> None:
    for target in IMPORT.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).is_file(), target


def test_the_page_has_nothing_inline() -> None:
    assert INLINE.findall((STATIC / "index.html").read_text(encoding="utf-8")) == []


def test_every_label_and_reference_of_the_page_leads_somewhere() -> None:
    text = (STATIC / "index.html").read_text(encoding="utf-8")
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    named = set(re.findall(r'\b(?:for|aria-labelledby|aria-describedby)="([^"]+)"', text))
    sought = {
        each
        for path in SCRIPTS
        for each in re.findall(
            r'(?:getElementById|byId)\("([^"]+)"\)', path.read_text(encoding="utf-8")
        )
    }
    assert named | sought <= ids
