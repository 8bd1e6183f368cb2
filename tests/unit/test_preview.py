from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.composer import Composer, Wording
from bot.notification import Notification, Place
from bot.plaintext import clip
from bot.presets import Preset
from bot.preview import Preview, build_looks
from bot.replies.compose import Prefill, modal
from bot.replies.preview import build_blocks
from bot.sandbox.slack.views import check_view, is_too_large

COMPOSER = Composer(2048, sign=True, icon_base="https://bot.io/icons/")


def preview(title: str | None = "T", content: str = "C", **changes: Any) -> Preview:
    wording = Wording(content, title, **changes)
    return COMPOSER.attempt(wording, "Alice Rao").preview(COMPOSER.max_bytes)


@pytest.mark.parametrize(
    ("text", "most", "want"),
    [
        ("", 3, ""),
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("e\u0301e\u0301e\u0301x", 3, "e\u0301e\u0301…"),
        ("👩‍💻👩‍💻👩‍💻", 3, "👩‍💻👩‍💻👩‍💻"),
        ("👩‍💻👩‍💻👩‍💻👩‍💻", 3, "👩‍💻👩‍💻…"),
        ("🇮🇳🇮🇳🇮🇳🇮🇳", 3, "🇮🇳🇮🇳…"),
        ("👍🏽👍🏽👍🏽👍🏽", 3, "👍🏽👍🏽…"),
        ("क्षक्षक्षक्ष", 3, "क्षक्ष…"),
    ],
)
def test_a_cut_counts_what_people_see_as_one_character(text: str, most: int, want: str) -> None:
    assert clip(text, most) == want


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_is_the_beginning_and_short_texts_are_whole(text: str, most: int) -> None:
    got = clip(text, most)
    assert got == text or text.startswith(got.removesuffix("…"))
    assert got == text or len(text) > most


def test_each_browser_cuts_where_it_was_seen_to() -> None:
    chrome, firefox = build_looks(Notification("t" * 100, "c" * 300))
    assert (chrome.browsers, firefox.browsers) == (("Chrome",), ("Firefox",))
    assert (len(chrome.title), len(chrome.text)) == (64, 121)
    assert (len(firefox.title), len(firefox.text)) == (50, 200)
    assert chrome.title.endswith("t…")
    assert firefox.text.endswith("c…")


def test_a_short_notification_looks_the_same_everywhere() -> None:
    [look] = build_looks(Notification("t" * 50, "c" * 121))
    assert look.browsers == ("Chrome", "Firefox")
    assert (look.title, look.text) == ("t" * 50, "c" * 121)


def test_what_nothing_shows_is_marked() -> None:
    [look] = build_looks(Notification("a\nb\x00", "\na\n\tb\x1b\ud800"))
    assert (look.title, look.text) == ("a\ufffdb\ufffd", "a\n\tb\ufffd\ufffd")


def read(shown: Preview) -> str:
    """Return every text in the blocks, a line each."""
    texts = []
    for block in build_blocks(shown):
        texts += [part["text"] for part in [block.get("text"), *block.get("elements", ())] if part]
    return "\n".join(texts)


def test_the_size_is_that_with_the_signature() -> None:
    assert "1,204 of 2,048 bytes." in read(preview("T" * 4, "C" * (1200 - 21)))
    assert len("\n— Alice Rao, Slack".encode()) == 21


def test_it_says_where_a_click_goes() -> None:
    assert "A click opens no page" in read(preview())
    assert "A click opens https://x.io/?a&amp;b" in read(preview(link="https://x.io/?a&b"))
    found = preview(content="See https://in21.leadsquared.com/Lead?id=7, please")
    assert "A click opens https://in21.leadsquared.com/Lead?id=7" in read(found)


def test_mistakes_are_told_and_wrong_addresses_are_not_shown() -> None:
    shown = preview("a\nb", "c" * 3000, link="http://x.io/", icon="javascript:alert(1)")
    text = read(shown)
    assert "This cannot be sent yet" in text
    assert "• The title must be one line" in text
    assert "• Title + content is 3,024 bytes" in text
    assert "• The link must begin with https://" in text
    assert "• The icon must begin with https://" in text
    assert "3,024 of 2,048 bytes" in text
    assert (shown.click_url, shown.icon_url) == (None, None)
    assert "This cannot be sent yet" not in read(preview())


def test_marks_and_emoji_names_are_shown_as_a_browser_shows_them() -> None:
    blocks = build_blocks(preview("*Due* :tada:", "<!channel> & _you_"))
    header, text = (block for block in blocks if block.get("text", {}).get("emoji") is False)
    assert header["text"]["text"] == "*Due* :tada:"
    assert text["text"]["text"].startswith("<!channel> & _you_")
    assert (header["text"]["type"], text["text"]["type"]) == ("plain_text", "plain_text")


def test_the_icon_stands_beside_the_text() -> None:
    [text] = [block for block in build_blocks(preview(preset=Preset.HOT)) if "accessory" in block]
    assert text["accessory"]["image_url"] == "https://bot.io/icons/hot.png"


def check(view: dict[str, Any]) -> None:
    assert check_view(view, "modal") == []
    assert not is_too_large(view)


wide_text = st.text(max_size=400) | st.builds(
    lambda piece, times: (piece * times)[:4000],
    st.text(min_size=1, max_size=8),
    st.integers(1, 3000),
)
optional_text = st.none() | wide_text
MARKS = "\u0301" * 3999


@given(optional_text, wide_text, optional_text, optional_text, st.none() | st.sampled_from(Preset))
@example("x" + MARKS, "x" + MARKS, None, None, None)
@example(None, "", "https://x.io/?" + "&" * 1980, "https://x.io/" + "a" * 1980, Preset.CALL)
@example("", "&" * 3000, "https://" + "<" * 1990, "\x00", Preset.SMS)
def test_slack_takes_the_modal_whatever_is_written(
    title: str | None, content: str, link: str | None, icon: str | None, preset: Preset | None
) -> None:
    shown = preview(title, content, link=link, icon=icon, preset=preset)
    check(modal(Place(), Prefill(title or "", content, link or "", icon or "", (), preset), shown))


def test_the_check_of_the_modal_would_find_a_text_that_is_too_long() -> None:
    view = modal(Place(), Prefill(), preview())
    view["blocks"][-1]["elements"][0]["text"] = "x" * 3001
    assert check_view(view, "modal") != []
