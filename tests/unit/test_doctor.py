"""The judging of a check by itself, and the looks that fail or hang."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import clocks, crm, drift, rounds, slack, store
from bot.doctor.crm import CrmLook
from bot.doctor.findings import Finding, Mark, doubt, exit_code, fine, span, wrong
from bot.doctor.headers import find_skew, read_date
from bot.doctor.permits import Free, Patient
from bot.errors import (
    CrmAccessError,
    CrmConnectError,
    CrmError,
    CrmRejectedError,
    CrmUnavailableError,
    SlackRefusedError,
    SlackUnavailableError,
    StoreBrokenError,
    StoreUnavailableError,
)
from bot.leadsquared.models import KeyOwnerIdentity
from bot.manifest import (
    load_template,
    read_commands,
    read_events,
    read_scopes,
    read_shortcuts,
)
from bot.slack_api import Identity
from bot.store.checkup import Checkup, Room, inspect_file
from bot.store.tables import SCHEMA_REVISION

OWNER = "6f0c2a1e-1111-4222-8333-abcdefabcdef"


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([fine("A", "b"), doubt("C", "d", "e")], 0),
        ([wrong("A", "b", "c"), doubt("C", "d", "e")], 1),
        ([wrong("A", "b", "c"), wrong("C", "d", "e", stops=True)], 78),
    ],
)
def test_the_exit_code_is_that_of_the_worst(findings: list[Finding], code: int) -> None:
    assert exit_code(findings) == code


def test_a_finding_is_one_line_whatever_is_in_it() -> None:
    line = wrong("A", "said “x\n\x1b[31my”", "Do it").line
    assert line == "✗ A: said “x [31my”. Next: Do it."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7200, "2 hours"),
        (400_000, "4 days"),
    ],
)
def test_spans_are_said_as_people_do(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("told", "begun", "ended", "skew"),
    [
        (100.0, 100.2, 100.4, 0.0),  # its fraction was cut off
        (100.0, 99.5, 110.0, 0.0),  # a slow call proves nothing
        (100.0, 131.0, 131.5, -30.0),
        (100.0, 60.0, 70.0, 30.0),
    ],
)
def test_a_clock_is_off_by_no_more_than_an_answer_proves(
    told: float, begun: float, ended: float, skew: float
) -> None:
    assert find_skew(told, begun, ended) == skew


@pytest.mark.parametrize("header", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_is_none_tells_nothing(header: str) -> None:
    assert read_date(header) is None


def test_a_date_is_read_in_any_zone() -> None:
    assert read_date("Thu, 01 Jan 1970 00:01:00 GMT") == 60.0


@pytest.mark.parametrize(
    ("skews", "mark"),
    [
        ([0.0, 30.0], Mark.FINE),
        ([0.0, -31.0], Mark.DOUBT),
        ([240.0, 1.0], Mark.DOUBT),
        ([None, 241.0], Mark.WRONG),
        ([-241.0, 5.0], Mark.WRONG),
        ([None, None], Mark.DOUBT),
    ],
)
def test_the_clock_is_judged_by_whatever_is_off_most(
    skews: Sequence[float | None], mark: Mark
) -> None:
    assert clocks.judge(skews).mark is mark


def owner(api_host: str | None) -> KeyOwnerIdentity:
    return KeyOwnerIdentity(id=OWNER, name="CRM Admin", api_host=api_host)


WEB = "https://in21.leadsquared.com"
API = "https://api-in21.leadsquared.com"


@pytest.mark.parametrize(
    ("url", "look", "line"),
    [
        (API, CrmLook(owner("api-in21.leadsquared.com")), "✓ LeadSquared: takes the keys"),
        (API, CrmLook(owner(None)), "✓ LeadSquared: takes the keys"),
        (API, CrmLook(owner("api.evil.example")), "✓ LeadSquared: takes the keys"),
        (
            "https://api.leadsquared.com",
            CrmLook(owner("api-in21.leadsquared.com")),
            "✗ LEADSQUARED_URL: api.leadsquared.com is not this account's host, so everything "
            f"else is refused. Next: Set it to {API}.",
        ),
        (
            WEB,
            CrmLook(error=CrmAccessError(status=404), elsewhere=owner("api-in21.leadsquared.com")),
            "✗ LEADSQUARED_URL: in21.leadsquared.com is where people sign in, not the API host",
        ),
        (
            WEB,
            CrmLook(error=CrmUnavailableError()),
            "✗ LEADSQUARED_URL: in21.leadsquared.com is where people sign in, not the API host. "
            "Next: Set it to the API host that LeadSquared shows",
        ),
        (
            API,
            CrmLook(error=CrmAccessError("Use api-us11.leadsquared.com for this", status=401)),
            "✗ LEADSQUARED_URL: LeadSquared names another host for this account, so everything "
            "else is refused. Next: Set it to https://api-us11.leadsquared.com.",
        ),
        (
            API,
            CrmLook(error=CrmAccessError("Use api.evil.example", status=401)),
            "✗ LEADSQUARED_ACCESS_KEY: LeadSquared refuses the keys (401): “Use api.evil.example”.",
        ),
        (
            API,
            CrmLook(error=CrmRejectedError("No.")),
            "✗ LeadSquared: refuses to say whose the keys are: “No”.",
        ),
        (
            "https://u$r0123456789",
            CrmLook(error=CrmConnectError()),
            "✗ LEADSQUARED_URL: the host given cannot be reached.",
        ),
        (API, CrmLook(had_permit=False), "! LeadSquared: not asked, as the limit is used up"),
    ],
)
def test_what_leadsquared_says_is_judged(url: str, look: CrmLook, line: str) -> None:
    assert crm.judge(look, url).line.startswith(line)


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (None, False),
        (CrmAccessError(status=401), False),
        (CrmRejectedError(), False),
        (CrmAccessError(status=404), True),
        (CrmConnectError(), True),
        (CrmUnavailableError(), True),
    ],
)
def test_another_host_is_asked_only_where_this_one_is_none(
    error: CrmError | None, asked: bool
) -> None:
    assert crm.may_be_no_api(error) is asked


def test_scopes_that_slack_does_not_name_are_a_doubt() -> None:
    look = slack.SlackLook(Identity("T1", "B1", "U1"))
    assert slack.judge(look, {"commands": "x"})[1].mark is Mark.DOUBT


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, "✓ Home tab: is there."),
        (SlackRefusedError("not_enabled"), "✗ Home tab: is switched off in Slack. Next: Turn on"),
        (SlackRefusedError("hash_conflict"), "! Home tab: could not be shown (hash_conflict)"),
        (SlackUnavailableError("x"), "! Home tab: could not be shown (no answer)"),
    ],
)
def test_the_home_tab_is_judged_by_showing_it(error: Any, line: str) -> None:
    assert slack.judge_home(error).line.startswith(line)


@pytest.mark.parametrize(
    ("here", "there", "line"),
    [
        ("", "", "✓ Manifest: "),
        ("command: /notify", "command: /tell", "✗ Manifest: manifest.yaml lacks /notify."),
        ("notify_message", "forward", "✗ Manifest: manifest.yaml lacks notify_message."),
        ("- app_home_opened", "- app_mention", "✗ Manifest: manifest.yaml lacks app_home_opened"),
        ("      - usergroups:read", "#", "✗ Manifest: manifest.yaml lacks usergroups:read."),
        ("should_escape: true", "should_escape: false", "✗ Manifest: manifest.yaml turns should_"),
    ],
)
def test_a_manifest_that_drifted_from_the_code_is_noticed(here: str, there: str, line: str) -> None:
    assert drift.judge(load_template().replace(here, there)).line.startswith(line)


def test_what_the_manifest_should_have_is_what_it_has() -> None:
    template = load_template()
    assert read_scopes(template).keys() == drift.NEEDED_SCOPES
    assert read_commands(template) == drift.COMMANDS
    assert read_shortcuts(template) == drift.SHORTCUTS
    assert read_events(template) == drift.EVENTS
    assert drift.find_scopes(template) == read_scopes(template)


def test_a_deployment_without_the_manifest_is_checked_all_the_same() -> None:
    assert drift.judge(None).line.startswith("! Manifest: manifest.yaml was left out")
    look = slack.SlackLook(Identity("T1", "B1", "U1"), scopes=frozenset({"commands"}))
    found = slack.judge(look, drift.find_scopes(None))[1]
    assert "missing: chat:write and usergroups:read and users:read and users:" in found.line


@pytest.mark.parametrize(
    ("room", "mark"),
    [
        (Room(most=97, used=10), Mark.FINE),
        (Room(most=20, used=15), Mark.FINE),
        (Room(most=20, used=16), Mark.DOUBT),
        (Room(most=4, used=0), Mark.DOUBT),
    ],
)
def test_a_server_must_have_room_for_the_connections_of_a_process(room: Room, mark: Mark) -> None:
    checkup = Checkup("Postgres", "16.2", SCHEMA_REVISION, room=room)
    assert store.judge(checkup, revision=SCHEMA_REVISION, url=API)[0].mark is mark


def test_tables_that_are_not_there_yet_are_the_next_start_s_work() -> None:
    found = store.judge(Checkup("SQLite", "3.45", None), revision=SCHEMA_REVISION, url=API)
    assert found[1].line.startswith("! Tables: are not there yet. Next: Start the bot")


def test_a_file_is_only_read(tmp_path: Path) -> None:
    """Another program's database must not be turned into one of ours, not even its journal."""
    path = tmp_path / "theirs ?#.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    assert inspect_file(path) is None
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect_file(tmp_path / "bot.db")
    with pytest.raises(StoreUnavailableError, match="is a folder"):
        inspect_file(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_a_torn_page_is_found_damaged(empty_database: Path, tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    torn = bytearray(empty_database.read_bytes())
    torn[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(torn)
    with pytest.raises(StoreBrokenError):
        inspect_file(path)


async def test_a_look_that_hangs_is_given_up_and_may_give_back_what_it_holds() -> None:
    given_back = False

    async def hang() -> Sequence[Finding]:
        nonlocal given_back
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            given_back = True
        return []

    [found] = await rounds.take(rounds.Look("Slack", hang, 0.01, "Look"))
    assert found.line == "✗ Slack: gave no answer within 0.01 s. Next: Look."
    assert given_back


async def test_a_look_that_breaks_is_a_finding() -> None:
    async def break_() -> Sequence[Finding]:
        raise LookupError("with a secret")

    [found] = await rounds.take(rounds.Look("Slack", break_, 1.0, "Look"))
    assert found.line.startswith("✗ Slack: could not be checked (LookupError). Next: Report this")


class Gate:
    """Notes what the holder of a permit ended in."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.ended: list[type[BaseException] | None] = []

    @asynccontextmanager
    async def permit(self, *, interactive: bool = False) -> Any:
        await self.opened.wait()
        try:
            yield
        except CrmError as exc:
            self.ended.append(type(exc))
            raise
        self.ended.append(None)


async def test_a_permit_that_does_not_come_is_not_waited_for() -> None:
    with pytest.raises(TimeoutError):
        async with Patient(Gate(), 0.01).permit():
            raise AssertionError("without a permit")


async def test_the_gate_learns_from_the_call_of_a_check() -> None:
    gate = Gate()
    gate.opened.set()
    with pytest.raises(CrmConnectError):
        async with Patient(gate, 5.0).permit():
            raise CrmConnectError
    async with Patient(gate, 5.0).permit(), Free().permit():
        pass
    assert gate.ended == [CrmConnectError, None]
