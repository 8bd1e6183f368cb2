"""What the documents name exists: files, places in them, settings."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SETTINGS = {name.upper() for name in Settings.model_fields}
HOSTS = ("Heroku", "Render", "Railway", "Fly.io", "Dokku", "Scalingo", "DigitalOcean")


def find_faults(document: Path, text: str) -> list[str]:
    """Return what this text names in vain, were it the document's."""
    return [
        *(f"no {link}" for link in find_links(text) if not leads_somewhere(document, link, text)),
        *(f"no {path}" for path in find_paths(text) if not exists(path)),
    ]


def find_links(text: str) -> list[str]:
    return re.findall(r"\]\((?!https?:)([^)]+)\)", text)


def find_paths(text: str) -> Iterator[str]:
    """Yield what is named in backticks and lies in one of our folders."""
    yield from re.findall(r"`((?:bot|handlers|tests|bench|docs)/[\w./*-]*)`", text)


def exists(path: str) -> bool:
    return any(ROOT.glob(path.rstrip("/")))


def leads_somewhere(document: Path, link: str, text: str) -> bool:
    name, _, place = link.partition("#")
    target = document.parent / name
    if not target.exists():
        return False
    return not place or place in find_places(target.read_text("utf-8") if name else text)


def find_places(text: str) -> set[str]:
    """Return the places of a document as GitHub names them: its headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_exists(document: Path) -> None:
    assert find_faults(document, document.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[a](nowhere.md)", "no nowhere.md"),
        ("[a](using.md#nowhere)", "no using.md#nowhere"),
        ("# Here\n[a](#nowhere)", "no #nowhere"),
        ("see `bot/helpers.py`", "no bot/helpers.py"),
        ("see `tests/unit/test_nothing*.py`", "no tests/unit/test_nothing*.py"),
    ],
)
def test_a_name_of_nothing_is_found(text: str, fault: str) -> None:
    assert find_faults(ROOT / "docs" / "new.md", text) == [fault]


def test_names_of_something_are_not_found() -> None:
    text = "# Step 1: go\n[a](using.md#send) [b](../README.md) [c](#step-1-go) `bot/store/`"
    assert find_faults(ROOT / "docs" / "new.md", text) == []


def test_the_way_to_deploy_names_settings_that_exist_and_every_host() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    named = set(re.findall(r"(?<![\w{.-])([A-Z][A-Z_]+_[A-Z]+)(?==|`)", text))
    assert named - SETTINGS == set()
    assert named >= {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "DATABASE_URL", "PUBLIC_URL"}
    sections = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)+)", text, re.MULTILINE))
    for host in HOSTS:
        assert "**Trap:**" in sections[host]
        assert "python -m bot check" in sections[host]
        assert sections[host].count("SLACK_BOT_TOKEN") == (host != "Render")  # its form asks


def test_the_picture_of_the_way_names_every_part_before_it_is_used() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    [picture] = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    named = set(re.findall(r"(?:participant|actor) (\w+) as", picture))
    used = re.findall(r"^ +(\w+)--?>>(\w+): \S", picture, re.MULTILINE)
    assert {part for step in used for part in step} == named
    assert len(used) == picture.count(">>")
