"""The answer to `/notify check`, as Slack shows it."""

from typing import Any

from bot.doctor.findings import Finding, doubt, fine, wrong
from bot.replies import checkup


def texts(blocks: list[dict[str, Any]]) -> list[str]:
    return [block["text"]["text"] for block in blocks]


def test_the_worst_comes_first_below_a_summary() -> None:
    found = [fine("A", "a"), doubt("B", "b", "See"), wrong("C", "c", "Set it"), fine("D", "d")]
    message = checkup.build(found, waiting_for=["LeadSquared", "Database"])
    assert message.text == "1 thing wrong, 1 thing to look at."
    assert texts(message.blocks)[0].splitlines() == [
        "*1 thing wrong, 1 thing to look at.*",
        "✗ *C*: c. Next: Set it.",
        "! *B*: b. Next: See.",
        "✓ *A*: a.",
        "✓ *D*: d.",
        "Still asking: LeadSquared, Database. The answer appears here.",
    ]


def test_nothing_that_leadsquared_says_pings_anybody() -> None:
    message = checkup.build([wrong("A", "it said “<!channel> & <@U1>”", "See")])
    assert "it said “&lt;!channel&gt; &amp; &lt;@U1&gt;”" in texts(message.blocks)[0]


def test_more_lines_than_a_section_takes_are_spread_and_none_is_cut() -> None:
    found: list[Finding] = [doubt(f"N{number}", "x" * 200, "y" * 200) for number in range(40)]
    blocks = checkup.build(found).blocks
    assert all(len(text) <= 3_000 for text in texts(blocks))
    lines = "\n".join(texts(blocks)).splitlines()
    assert lines[1:] == [f"! *N{n}*: {'x' * 200}. Next: {'y' * 200}." for n in range(40)]
    assert 1 < len(blocks) < 50


def test_a_line_that_is_too_long_by_itself_is_cut_where_it_can_be_seen() -> None:
    [text] = texts(checkup.build([wrong("A", "&" * 5_000, "z")]).blocks)
    assert len(text) <= 3_000
    assert text.endswith("&amp;…. Next: z.")
