from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.composer import Composer, Wording
from bot.errors import UserError
from bot.leadsquared.models import BrowserPush
from bot.notification import KEY_OWNER, Notification
from bot.presets import Preset
from bot.replies import BlockId

COMPOSER = Composer(2048, sign=True)
UNSIGNED = Composer(2048, sign=False)


WORDING = Wording("C", "T")


def compose(composer: Composer = COMPOSER, /, **changes: Any) -> Notification:
    return composer.compose(replace(WORDING, **changes), "Alice Rao")


def refused(composer: Composer = COMPOSER, /, **changes: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        compose(composer, **changes)
    return caught.value


def test_the_content_is_signed_and_the_title_is_what_was_typed() -> None:
    assert compose(title="*Due* :tada:") == Notification("*Due* :tada:", "C\n— Alice Rao, Slack")


def test_without_a_signature_the_content_is_what_was_typed() -> None:
    assert compose(UNSIGNED).content == "C"


def test_the_line_that_names_the_sender_cannot_be_turned_around() -> None:
    made = COMPOSER.compose(Wording("C"), "Alice\u202e\x00 Rao")
    assert made.content == "C\n— Alice Rao, Slack"
    assert made.title == "Message from Alice Rao"


def test_without_a_title_the_sender_is_named() -> None:
    assert compose(title=None).title == "Message from Alice Rao"


@pytest.mark.parametrize("letter", ["a", "é", "अ", "😀"])
def test_the_limit_is_counted_in_bytes_of_utf_8(letter: str) -> None:
    size = len(letter.encode())
    fits = letter * ((2048 - 2) // size)
    assert compose(UNSIGNED, title="TT", content=fits).content == fits
    error = refused(UNSIGNED, title="TTT" + "x" * (size - 1), content=fits + "y" * size)
    assert "LeadSquared takes 2,048. Cut about" in error.hint
    assert error.field == BlockId.CONTENT


def test_one_byte_over_the_limit_names_both_numbers() -> None:
    error = refused(UNSIGNED, title="T", content="x" * 2048)
    assert "Title + content is 2,049 bytes; LeadSquared takes 2,048. Cut about 1 " in error.hint


def test_the_signature_counts() -> None:
    room = COMPOSER.room("Alice Rao")
    assert compose(title="T", content="x" * (room - 1))
    assert "with the line that names you" in refused(title="T", content="x" * room).hint


@pytest.mark.parametrize(
    "content",
    ["a\x00b", "a\x07b", "a\x1bb", "a\x7fb", "a\x85b", "a\ud800b", "a\u202eb", "a\u202db"],
)
def test_characters_that_cannot_be_shown_are_refused_by_number(content: str) -> None:
    error = refused(content=content)
    assert f"U+{ord(content[1]):04X}" in error.hint
    assert error.field == BlockId.CONTENT
    assert refused(title=content).field == BlockId.TITLE


def test_line_breaks_are_for_the_content_only() -> None:
    assert compose(content="a\r\nb\tc").content.startswith("a\nb\tc")
    assert "must be one line" in refused(title="a\nb").hint


@pytest.mark.parametrize("content", ["", "  ", "\n\n"])
def test_nothing_to_say_is_refused(content: str) -> None:
    assert "has no text" in refused(content=content).hint


@pytest.mark.parametrize(
    "link",
    [
        "http://x.io",
        "javascript:alert(1)",
        "https://user@x.io",
        "https://user:pw@x.io",
        "https://evil\\@good/",
        "https://exämple.com/",
        "https://x.io/ a",
        "https://",
        "ftp://x.io",
        "https://x.io/" + "a" * 2000,
    ],
)
@pytest.mark.parametrize("field", [BlockId.LINK, BlockId.ICON])
def test_links_that_browsers_could_read_otherwise_are_refused(link: str, field: BlockId) -> None:
    error = refused(**{field: link})
    assert error.field == field
    assert error.hint.startswith(f"The {field} must")


def test_links_lead_only_to_allowed_hosts() -> None:
    composer = Composer(2048, sign=True, link_hosts=("x.io",))
    assert compose(composer, link="https://a.x.io/1").click_url == "https://a.x.io/1"
    assert compose(composer, icon="https://other.io/i.png").icon_url == "https://other.io/i.png"
    assert "ALLOWED_LINK_HOSTS" in refused(composer, link="https://notx.io/").hint


@pytest.mark.parametrize("link", ["https://127.1/", "https://wiki.corp.internal/", "https://a/"])
@pytest.mark.parametrize("field", [BlockId.LINK, BlockId.ICON])
def test_links_lead_out_into_the_world(link: str, field: BlockId) -> None:
    error = refused(**{field: link})
    assert error.field == field
    assert f"The {field} must lead to a public address" in error.hint


def test_an_admin_may_allow_a_host_of_their_own_network() -> None:
    composer = Composer(2048, sign=True, link_hosts=("corp.internal",))
    link = "https://wiki.corp.internal/1"
    assert compose(composer, link=link).click_url == link
    assert "must lead to a public" in refused(composer, icon="https://i.corp.internal/i.png").hint


def test_the_pictures_of_presets_may_be_where_an_admin_keeps_them() -> None:
    base = "https://icons.corp.internal/"
    composer = Composer(2048, sign=False, icon_base=base)
    assert compose_call(composer).icon_url == f"{base}call.png"
    assert refused(composer, icon=f"{base}other.png").field == BlockId.ICON


ILLUSTRATED = Composer(2048, sign=False, icon_base="https://bot.io/icons/")


def compose_call(
    composer: Composer = ILLUSTRATED, /, lead_name: str | None = None, **changes: Any
) -> Notification:
    wording = Wording("At 3 pm", preset=Preset.CALL)
    return composer.compose(replace(wording, **changes), "Alice Rao", lead_name)


def test_a_preset_gives_title_and_icon() -> None:
    made = compose_call()
    assert (made.title, made.icon_url) == ("Missed call", "https://bot.io/icons/call.png")
    assert compose_call(lead_name="Asha Rao").title == "Missed call from Asha Rao"


def test_what_was_typed_wins_over_the_preset() -> None:
    made = compose_call(title="Voicemail", icon="https://x.io/i.png")
    assert (made.title, made.icon_url) == ("Voicemail", "https://x.io/i.png")


def test_a_preset_has_no_icon_where_its_pictures_are_nowhere() -> None:
    assert compose_call(UNSIGNED).icon_url is None


def test_a_lead_name_cannot_break_the_title() -> None:
    assert compose_call(lead_name="Asha\x00\nRao").title == "Missed call from Asha Rao"
    assert compose_call(lead_name="\x00").title == "Missed call"


def test_an_attempt_tells_all_that_is_wrong_and_compose_the_first_of_it() -> None:
    wording = Wording("x" * 3000, "a\nb", "http://x.io/", "nonsense")
    attempt = UNSIGNED.attempt(wording, "Alice Rao")
    assert [mistake.field for mistake in attempt.mistakes] == ["title", "content", "link", "icon"]
    assert attempt.size == 3003
    error = refused(UNSIGNED, title="a\nb", content="x" * 3000, link="http://x.io/")
    assert error.hint == attempt.mistakes[0].hint


@given(st.text(), st.text(), st.text(max_size=40))
def test_whatever_is_composed_the_crm_model_takes(title: str, content: str, name: str) -> None:
    try:
        made = COMPOSER.compose(Wording(content, title or None), name)
    except UserError:
        return
    assert BrowserPush(user_id=KEY_OWNER, title=made.title, content=made.content)
