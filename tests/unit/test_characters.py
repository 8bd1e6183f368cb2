import pytest

from bot.characters import printable, untwist
from bot.forwarding import build_prefill
from bot.people import read_person
from bot.plaintext import echo as echo_typed
from bot.replies.message import echo

TURNING = ["\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"]
NEEDED = ["\u200d", "\u200c", "\u200e", "\u200f", "മലയാളം\u200d", "👩\u200d🔬"]


@pytest.mark.parametrize("mark", TURNING, ids=ascii)
def test_nothing_that_is_shown_turns_around_what_stands_behind_it(mark: str) -> None:
    twisted = f"Due{mark}“ :eraweb"
    assert mark not in untwist(twisted) + echo(twisted) + echo_typed(twisted) + printable(twisted)
    assert echo(twisted) == "Due“ :eraweb"


@pytest.mark.parametrize("needed", NEEDED, ids=ascii)
def test_what_scripts_and_emoji_need_stays(needed: str) -> None:
    assert untwist(needed) == printable(needed) == needed


@pytest.mark.parametrize("hidden", [*TURNING, "\x00", "\x1b", "\x7f", "\x85", "\ud800"], ids=ascii)
def test_a_name_from_slack_has_letters_and_nothing_hidden(hidden: str) -> None:
    user = {"id": "U1", "profile": {"real_name": f"Alice {hidden} Rao"}}
    assert read_person(user, "T1").name == "Alice Rao"
    assert read_person({"id": "U1", "name": hidden}, "T1").name == "U1"


def test_what_is_forwarded_comes_without_it_so_that_it_can_be_sent() -> None:
    message = {"ts": "1.2", "text": "a\u202eb", "username": "Rob\u202eot"}
    prefill = build_prefill(
        {"message": message, "channel": {"id": "C1", "name": "sales"}}, {}, max_bytes=2048
    )
    assert (prefill.title, prefill.content) == ("Robot in #sales", "ab")
