import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from tests.processes.bot_process import ROOT
from tests.processes.sandbox_process import SandboxProcess

MAKE = shutil.which("make")
TYPED = "/notify @priya Callback due | Asha asked for 3 pm"


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxProcess]:
    process = SandboxProcess()
    await process.start()
    yield process
    await process.stop()
    assert process.errors == ""


async def play(sandbox: SandboxProcess, *lines: str) -> str:
    """Type everything at once, as a pipe does; return what was printed in answer."""
    sandbox.type(*lines)
    sandbox.end_input()
    assert await sandbox.ends(within=60) == 0
    return sandbox.output.split("Ctrl-D ends it.", 1)[1]


def answer_to(line: str, output: str) -> str:
    """Return what was printed between a line and the next prompt."""
    return re.split(r"^\S+ in \S+> ", output.split(f"> {line}\n", 1)[1], flags=re.MULTILINE)[0]


async def test_a_line_on_a_pipe_is_sent_and_reported_with_the_exact_json(
    sandbox: SandboxProcess,
) -> None:
    answer = answer_to(TYPED, await play(sandbox, TYPED))
    said = sandbox.output
    assert re.search(r"^Slack stand-in +http://127\.0\.0\.1:\d+/api/$", said, re.MULTILINE)
    assert re.search(r"^LeadSquared stand-in +http://127\.0\.0\.1:\d+$", said, re.MULTILINE)
    assert re.search(r"^The bot +http://127\.0\.0\.1:\d+ \(its log: .+\)$", said, re.MULTILINE)
    [pushed] = re.findall(r"^  LeadSquared received: (.*)$", answer, re.MULTILINE)
    body = json.loads(pushed)
    assert list(body) == ["UserId", "Title", "Content"]
    assert (body["Title"], body["Content"]) == (
        "Callback due",
        "Asha asked for 3 pm\n— Alice Rao, Slack",
    )
    assert "  Slack #sales: ✅ Sent to LeadSquared for *Priya Nair*: “Callback due”.\n" in answer


async def test_it_can_be_tried_in_socket_mode() -> None:
    sandbox = SandboxProcess("--socket")
    await sandbox.start()
    answer = answer_to(TYPED, await play(sandbox, TYPED))
    assert "Socket Mode           the bot has connected to Slack" in sandbox.output
    assert "  Slack #sales: ✅ Sent to LeadSquared for *Priya Nair*: “Callback due”.\n" in answer
    assert sandbox.errors == ""


async def test_the_other_surfaces_can_be_played(sandbox: SandboxProcess) -> None:
    output = await play(
        sandbox,
        "/help",
        "/people",
        "/as @lee",
        "Asha asked for 3 pm",
        "/forward @priya",
        "/as alice",
        "/in random",
        "/shortcut",
        "/to @lee, @dev Standup | moved to 11",
        "/press details",
        "/fault mx_500",
        "/notify @dev Refused | by LeadSquared",
        "/press Retry",
    )
    assert "/forward @priya @lee" in answer_to("/help", output)
    people = answer_to("/people", output)
    assert re.search(r"@priya: Priya Nair, LeadSquared [0-9a-f-]{36}\n", people)
    assert "@omar: Omar Aziz, not in LeadSquared\n" in people
    assert re.search(r"@inactive: Ina Ctive, LeadSquared \S+, deactivated there\n", people)
    forwarded = answer_to("/forward @priya", output)
    assert "  Slack opens a form: Notify in LeadSquared\n" in forwarded
    assert r'"Content": "Asha asked for 3 pm\n— Lee Wong, Slack"' in forwarded
    assert "  Slack #sales (thread): ✅ Sent to LeadSquared for *Priya Nair*" in forwarded
    assert "alice in #random> /shortcut\n  Slack opens a form:" in output
    sent = answer_to("/to @lee, @dev Standup | moved to 11", output)
    assert sent.count("LeadSquared received:") == 2
    assert "  Slack dm-alice: ✅ 2 of 2 sent" in sent
    details = answer_to("/press details", output)
    assert "only alice sees it: *Standup*" in details
    assert "LeadSquared rejected it" in answer_to("/notify @dev Refused | by LeadSquared", output)
    retried = answer_to("/press Retry", output)
    assert ", changed: ❌ LeadSquared rejected it" in retried
    assert "✅ Sent to LeadSquared for *Dev Shah*: “Refused”" in retried
    assert "  ? " not in output


async def test_a_form_can_be_looked_at_before_it_is_sent(sandbox: SandboxProcess) -> None:
    output = await play(
        sandbox,
        "/shortcut",
        "/kind call",
        "/fill @priya Asha called at 3 pm",
        "/press preview",
        "/kind fax",
        "/to @priya",
    )
    looked_at = answer_to("/press preview", output)
    assert looked_at.startswith("  Slack changes the form: Notify in LeadSquared\n")
    assert "    Missed call\n    Asha called at 3 pm\n    — Alice Rao, Slack\n" in looked_at
    assert "51 of 2,048 bytes" in looked_at
    assert "LeadSquared received" not in looked_at
    assert answer_to("/kind fax", output).startswith("  ? kind offers no 'fax'")
    sent = answer_to("/to @priya", output)
    assert '"Title": "Missed call"' in sent
    assert r'"Content": "Asha called at 3 pm\n— Alice Rao, Slack"' in sent


async def test_a_group_and_a_form_to_many_are_asked_about_first(sandbox: SandboxProcess) -> None:
    typed = "/notify @sales-team Standup | moved to 11"
    to_many = "/to @priya @lee @dev @omar @gus @alice Six | of us"
    output = await play(sandbox, typed, "/press Send to 3", "/shortcut", to_many, "/to")
    asked = answer_to(typed, output)
    assert "only alice sees it: Nothing is sent yet. “Standup” would go to *3 people*" in asked
    assert "LeadSquared received:" not in asked
    sent = answer_to("/press Send to 3", output)
    assert sent.count("LeadSquared received:") == 3
    assert "✅ 3 of 3 sent" in sent
    asked = answer_to(to_many, output)
    assert "“Six” would go to *6 people*." in asked
    assert "LeadSquared received:" not in asked
    assert "  Slack dm-alice: ⚠️ 4 of 6 sent" in output


async def test_a_group_is_chosen_in_the_form(sandbox: SandboxProcess) -> None:
    typed = "/to Standup | moved to 11"
    output = await play(sandbox, "/notify", "/group sales", typed, "/to", "/group no such")
    assert "    > @sales-team · Sales team\n" in answer_to("/group sales", output)
    asked = answer_to(typed, output)
    assert "“Standup” would go to *3 people*, with everybody in *@sales-team*" in asked
    assert "LeadSquared received:" not in asked
    assert "  Slack #sales: ✅ 3 of 3 sent" in output


async def test_the_home_tab_can_be_played(sandbox: SandboxProcess) -> None:
    output = await play(
        sandbox,
        "/home",
        "/fault mx_500",
        "/notify @dev Refused | by LeadSquared",
        "/home",
        "/press Details",
        "/press Retry",
        "/press Send a",
        "/to @priya Standup | moved to 11",
        "/in sales",
    )
    first = answer_to("/home", output)
    assert "  Slack shows the Home tab: *Alice Rao* in Slack" in first
    assert "You have sent nothing yet." in first
    again = answer_to("/home", output.split("/notify @dev", 1)[1])
    assert re.search(r"^    ❌ “Refused” to \*Dev Shah\* · ", again, re.MULTILINE)
    assert "    [Retry] [Details]\n" in again
    assert "  Slack opens a form: Details\n    *Refused*" in answer_to("/press Details", output)
    retried = answer_to("/press Retry", output)
    assert "  Slack dm-alice: ✅ Sent to LeadSquared for *Dev Shah*: “Refused”" in retried
    assert "  Slack opens a form: Notify in LeadSquared\n" in answer_to("/press Send a", output)
    sent = answer_to("/to @priya Standup | moved to 11", output)
    assert "  Slack dm-alice: ✅ Sent to LeadSquared for *Priya Nair*" in sent
    assert "alice in Home> /in sales\n" in output
    assert "  ? " not in output
    assert "did not come" not in output


async def test_leads_can_be_named_searched_and_chosen(sandbox: SandboxProcess) -> None:
    named = "/notify owner --lead ravi@example.com Callback due"
    output = await play(
        sandbox,
        named,
        "/shortcut",
        "/lead nobody at all",
        "/lead asha",
        "/owner",
        "/to Standup | moved to 11",
    )
    assert "✅ Sent to LeadSquared for *Alice Rao*" in answer_to(named, output)
    assert "  ? The form offers nothing for 'nobody at all'." in output
    assert "    > Asha Rao · asha.rao@example.com · +91-9000000001\n" in output
    sent = answer_to("/to Standup | moved to 11", output)
    assert "LeadManagement/LeadDetails?LeadID=" in sent
    assert "✅ Sent to LeadSquared for *Priya Nair*: “Standup”. Opens lead *Asha Rao*." in sent


async def test_a_wrong_line_is_explained_and_the_next_one_is_read(sandbox: SandboxProcess) -> None:
    wrong = {
        "/nothing at all": "/nothing is no command here. /help lists them.",
        "/as @nobody": "Nobody here is called @nobody. /people lists them.",
        "/in #nowhere": "/in takes one of: #sales, #random,",
        "/forward": "There is no message to forward. Say something first.",
        "/to @priya Title | Text": "alice has no modal open",
        "/fill @priya Title | Text": "alice has no modal open",
        "/kind call": "alice has no modal open",
        "/press Retry": "@alice sees no button that begins with 'Retry'.",
        "/press": "/press takes the label of a button, or how it begins.",
        "/lead asha": "alice has no modal open",
        "/owner": "alice has no modal open",
        "/fault": "/fault takes one of: rate_limit_429,",
        "/fault hang often": "/fault hang takes a number of times, not 'often'.",
    }
    output = await play(sandbox, *wrong, "", "/shortcut", "/to nobody in particular")
    for line, why in wrong.items():
        assert answer_to(line, output).startswith(f"  ? {why}"), line
    assert (
        "    ! recipients: Choose at least one person or group, or below a lead and its owner."
        in output
    )


async def test_a_mistake_in_a_form_is_shown_at_its_field_each_time(sandbox: SandboxProcess) -> None:
    too_long = "/to @priya Title | " + "x" * 2_100
    output = await play(sandbox, "/shortcut", too_long, too_long)
    assert len(re.findall(r"^    ! content: .*2,048", output, re.MULTILINE)) == 2


async def test_the_end_waits_for_a_card_that_takes_seconds(sandbox: SandboxProcess) -> None:
    """The limit is closed for five seconds, longer than a line waits for its answer."""
    output = await play(sandbox, "/fault rate_limit_429", "/notify @dev Slow | one")
    assert "✅ Sent to LeadSquared for *Dev Shah*: “Slow”." in output
    assert "did not come" not in output


async def test_quit_ends_it(sandbox: SandboxProcess) -> None:
    sandbox.type("/quit")
    assert await sandbox.ends() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_at_once_and_leaves_no_process_behind(
    sandbox: SandboxProcess, number: signal.Signals
) -> None:
    sandbox.type("/fault hang", "/notify @dev Never | answered")
    await sandbox.prints("/notify @dev Never | answered")
    children = sandbox.find_children()
    assert len(children) == 1
    sandbox.send(number)
    assert await sandbox.ends(within=10) == 0
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_signal_while_the_bot_starts_leaves_no_process_behind(
    sandbox: SandboxProcess,
) -> None:
    await sandbox.prints("Starting the bot")
    sandbox.send(signal.SIGINT)
    assert await sandbox.ends(within=10) == 0
    assert "The bot  " not in sandbox.output


@pytest.mark.parametrize(
    ("token", "command"), [("xoxb-1-real", "serve"), ("", "sandbox")], ids=["token", "no token"]
)
@pytest.mark.skipif(MAKE is None, reason="needs make")
def test_make_run_serves_with_a_token_and_plays_without(token: str, command: str) -> None:
    assert MAKE is not None
    made = subprocess.run(  # noqa: S603  # our own Makefile
        [MAKE, "run", "BIN=.", "VENV=/nowhere", "--assume-old=/nowhere/.runtime"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "SLACK_BOT_TOKEN": token},
    )
    assert f"(python -m bot {command})" in made.stdout, made.stderr
