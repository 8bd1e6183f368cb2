"""The pictures of the documents: taken by one command, small enough, and each of use."""

import re
from pathlib import Path

import pytest

from tests.browser.screenshots import PICTURES, SCENES, main

ROOT = Path(__file__).parents[2]
MOST_BYTES = 800_000


def test_every_scene_has_its_picture_and_every_picture_its_scene() -> None:
    assert {each.stem for each in PICTURES.iterdir()} == {each.name for each in SCENES}


def test_every_picture_is_shown_and_told_in_words_somewhere() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(each.read_text("utf-8") for each in documents)
    shown = re.findall(r"!\[([^\]]{60,})\]\((?:docs/)?pictures/(\w+)\.png\)", text)
    assert {name for _, name in shown} == {each.name for each in SCENES}


def test_the_pictures_are_quickly_loaded() -> None:
    assert sum(each.stat().st_size for each in PICTURES.iterdir()) < MOST_BYTES


def test_without_a_browser_the_command_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(None, []) == 1
    assert capsys.readouterr().out.startswith("No Chromium found. Install one")
