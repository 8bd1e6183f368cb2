import re
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import UserError
from bot.grammar import (
    Check,
    Command,
    Compose,
    Help,
    Link,
    Send,
    SendTest,
    Status,
    Unlink,
    Whoami,
    parse,
)
from bot.leads.reference import ByEmail, ById, ByPhone, LeadReference
from bot.leadsquared.phone import PhoneNumber
from bot.notification import KeyOwner, LeadOwner, Named, SlackGroup, SlackUser
from bot.plaintext import escape
from bot.presets import Preset

ALICE = SlackUser("U0ALICE01")
PRIYA = SlackUser("U0PRIYA01")
OMAR = SlackUser("W0OMAR001")
KEY_OWNER = KeyOwner()
SALES = SlackGroup("S0SALES01")
OWNER = LeadOwner()
P, O = "<@U0PRIYA01>", "<@W0OMAR001|omar>"  # noqa: E741  # next to P it is not mistaken for a zero
G = "<!subteam^S0SALES01|@sales-team>"
GUID = "6f0c2a1e-1111-4222-8333-abcdefabcdef"


def read(text: str) -> Command:
    return parse(text, sender_id=ALICE.user_id)


def send(
    *recipients: Named,
    title: str | None = None,
    content: str = "hi",
    link: str | None = None,
    icon: str | None = None,
    private: bool = False,
    preset: Preset | None = None,
    lead: LeadReference | None = None,
) -> Send:
    return Send(recipients, title, content, link, icon, private, preset, lead)


def outcome(text: str) -> Command | str:
    """Return the command, or the sentence that refuses it."""
    try:
        return read(text)
    except UserError as exc:
        return exc.hint


def refusal(text: str) -> str:
    with pytest.raises(UserError) as caught:
        read(text)
    return caught.value.hint


# -- sub-commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u00a0\u2003"])
def test_nothing_typed_opens_the_form(text: str) -> None:
    assert read(text) == Compose()


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("help", Help()),
        (" HELP ", Help()),
        ("Check ", Check()),
        ("test", SendTest()),
        ("whoami", Whoami(ALICE.user_id)),
        ("WhoAmI me", Whoami(ALICE.user_id)),
        (f"whoami {P}", Whoami(PRIYA.user_id)),
        ("whoami\u00a0<@U0PRIYA01|Priya Nair>", Whoami(PRIYA.user_id)),
        ("status", Status(None)),
        ("status 1A2B3C4D", Status("1a2b3c4d")),
        ("status `1a2b3c4d`", Status("1a2b3c4d")),
        (f"unlink {O}", Unlink(OMAR.user_id)),
        (f"link {P} Priya@Acme.com", Link(PRIYA.user_id, "priya@acme.com")),
        (f"link {P} <mailto:Priya@Acme.com|Priya@Acme.com>", Link(PRIYA.user_id, "priya@acme.com")),
        (f"link {P} <mailto:priya@acme.com>", Link(PRIYA.user_id, "priya@acme.com")),
        (f"link {P} r&amp;d@acme.com", Link(PRIYA.user_id, "r&d@acme.com")),
        (f"link {P} {GUID.upper()}", Link(PRIYA.user_id, GUID)),
        ("link me priya@acme.com", Link(ALICE.user_id, "priya@acme.com")),
    ],
)
def test_a_sub_command_is_the_first_word_with_its_own_arguments(
    text: str, command: Command
) -> None:
    assert read(text) == command


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("help me out", "/notify help"),
        ("test the waters", "/notify test"),
        ("whoami priya", "/notify whoami @priya"),
        (f"whoami {P} {O}", "/notify whoami @priya"),
        ("whoami @priya", "/notify whoami @priya"),
        ("status of the deal", "/notify status 1a2b3c4d"),
        ("status <!channel>", "/notify status 1a2b3c4d"),
        ("link", "/notify link @priya priya@acme.com"),
        (f"link {P}", "/notify link @priya priya@acme.com"),
        (f"link priya@acme.com {P}", "/notify link @priya priya@acme.com"),
        ("link @priya priya@acme.com", "/notify link @priya priya@acme.com"),
        (f"link {P} priya", "/notify link @priya priya@acme.com"),
        (f"link {P} {GUID[:-1]}", GUID),
        (f"link {P} <https://acme.com>", "/notify link @priya priya@acme.com"),
        (f"link {P} a@acme.com b@acme.com", "/notify link @priya priya@acme.com"),
        ("unlink", "/notify unlink @priya"),
        ("unlink everybody", "/notify unlink @priya"),
    ],
)
def test_wrong_arguments_are_answered_with_the_right_form(text: str, shown: str) -> None:
    assert shown in refusal(text)


def test_a_sub_command_that_begins_a_sentence_says_how_to_send_it() -> None:
    assert "`/notify @priya help me out`" in refusal("help me out")


@pytest.mark.parametrize("word", ["help", "test", "status", "whoami", "link", "check"])
def test_behind_a_recipient_a_sub_command_is_text(word: str) -> None:
    assert read(f"{P} {word} me") == send(PRIYA, content=f"{word} me")


# -- recipients -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "recipients"),
    [
        (P, [PRIYA]),
        ("<@U0PRIYA01|priya>", [PRIYA]),
        ("<@U0PRIYA01|>", [PRIYA]),
        (O, [OMAR]),
        (f"{P} {O}", [PRIYA, OMAR]),
        (f"{P}{O}", [PRIYA, OMAR]),
        (f"{P},{O},", [PRIYA, OMAR]),
        (f"{P} , {O}", [PRIYA, OMAR]),
        (f"{P}\u00a0{O}\u3000", [PRIYA, OMAR]),
        (f"{P}\n{O}\n", [PRIYA, OMAR]),
        (f"\u2068{P}\u2069 \u200b{O}\u2069", [PRIYA, OMAR]),
        (f"{O} {P} {O}", [OMAR, PRIYA]),
        ("me", [ALICE]),
        ("Me,", [ALICE]),
        ("me:", [ALICE]),
        ("key-owner", [KEY_OWNER]),
        ("Key\u2013Owner", [KEY_OWNER]),
        (f"me {P} key-owner", [ALICE, PRIYA, KEY_OWNER]),
        (f"{P} key-owner", [PRIYA, KEY_OWNER]),
        (f"<@{ALICE.user_id}> {P}, me,", [ALICE, PRIYA]),
        (f"{P}:", [PRIYA]),
        (G, [SALES]),
        ("<!subteam^S0SALES01>", [SALES]),
        ("<!subteam^S0SALES01|>", [SALES]),
        (f"{G}<!subteam^S0SALES01>", [SALES]),
        (f"{P} {G}, {O}", [PRIYA, SALES, OMAR]),
        (f"{G}{P} me key-owner", [SALES, PRIYA, ALICE, KEY_OWNER]),
        (f"{G}:", [SALES]),
        (f"\u2068{G}\u2069", [SALES]),
    ],
)
def test_recipients_come_first_and_count_once(typed: str, recipients: list[Named]) -> None:
    assert read(f"{typed} --private hi") == send(*recipients, private=True)
    assert read(f"{typed} -- hi") == send(*recipients)
    got = read(f"{typed} hi")
    assert isinstance(got, Send)
    assert got.recipients == tuple(recipients)
    assert got.content == "hi"


@pytest.mark.parametrize(
    ("text", "recipients", "title", "content"),
    [
        (f"{P}, me Standup moved", [PRIYA, ALICE], None, "Standup moved"),
        (f"{P} me, Standup moved", [PRIYA, ALICE], None, "Standup moved"),
        (f"{P} me: Standup moved", [PRIYA, ALICE], None, "Standup moved"),
        (f"{P} me {O} Standup moved", [PRIYA, ALICE, OMAR], None, "Standup moved"),
        (f"{P} me key-owner Standup moved", [PRIYA, ALICE, KEY_OWNER], None, "Standup moved"),
        (f"{P} me -- Standup moved", [PRIYA, ALICE], None, "Standup moved"),
        (f"{P} me — Standup moved", [PRIYA, ALICE], None, "Standup moved"),
        (f"{P} me -- too", [PRIYA, ALICE], None, "too"),
        (f"{P} me | Standup moved", [PRIYA, ALICE], None, "Standup moved"),
        (f"{P} me \nStandup moved", [PRIYA, ALICE], None, "Standup moved"),
        (f"{P} -- me too | I agree", [PRIYA], "me too", "I agree"),
        (f"{G} -- {G} moved | today", [SALES], f"{G} moved", "today"),
        (f"{G} owner called | today", [SALES], "owner called", "today"),
        (f"{P} meeting moved", [PRIYA], None, "meeting moved"),
        (f"{P} me:smile:", [PRIYA], None, "me:smile:"),
        (f"{P} me-too | hi", [PRIYA], "me-too", "hi"),
        (f"{P} owner called back | today", [PRIYA], "owner called back", "today"),
        (f"{P} owner's call | today", [PRIYA], "owner's call", "today"),
        (f"{P} -- owner, again", [PRIYA], None, "owner, again"),
        ("me too | I agree", [ALICE], "too", "I agree"),
        (f"{P} me too | I agree", [PRIYA, ALICE], "too", "I agree"),
        (f"{P} Me Standup moved", [PRIYA, ALICE], None, "Standup moved"),
        ("me me hi", [ALICE], None, "hi"),
        (f"{P} a@b.io called | now", [PRIYA], "a@b.io called", "now"),
    ],
)
def test_me_is_the_sender_and_what_cannot_be_a_recipient_is_text(
    text: str, recipients: list[Named], title: str | None, content: str
) -> None:
    assert read(text) == send(*recipients, title=title, content=content)


@pytest.mark.parametrize(
    ("text", "preset", "title", "content"),
    [
        ("--as call Asha called at 3 pm", Preset.CALL, None, "Asha called at 3 pm"),
        ("--as sms | Hello", Preset.SMS, None, "Hello"),
        ("--as email Offer | Asha replied", Preset.EMAIL, "Offer", "Asha replied"),
        ("--as HOT, hi", Preset.HOT, None, "hi"),
        ("--as=hot hi", Preset.HOT, None, "hi"),
        ("--as “call” hi", Preset.CALL, None, "hi"),
        ("—as call hi", Preset.CALL, None, "hi"),
        ("--as call Asha called\nat 3 pm", Preset.CALL, None, "Asha called\nat 3 pm"),
        ("--as call Asha | called\nat 3 pm", Preset.CALL, "Asha", "called\nat 3 pm"),
        ("--as call -- --as sms", Preset.CALL, None, "--as sms"),
        ("--as call as agreed", Preset.CALL, None, "as agreed"),
        ("as call hi", None, None, "as call hi"),
    ],
)
def test_a_preset_gives_the_title_so_only_a_bar_makes_another(
    text: str, preset: Preset | None, title: str | None, content: str
) -> None:
    assert read(f"{P} {text}") == send(PRIYA, title=title, content=content, preset=preset)


def test_a_preset_goes_with_other_options() -> None:
    assert read(f"{P} --private --as call --link https://x.io hi") == send(
        PRIYA, link="https://x.io", private=True, preset=Preset.CALL
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("owner Callback due", "`/notify owner --lead asha.rao@example.com "),
        ("owner called back | today", "put `--` before it"),
        (f"{P}, owner Callback due", "name the lead"),
        (f"{P} owner {O} Callback due", "name the lead"),
        ("key-owner owner --private hi", "name the lead"),
        ("Check everything", "`/notify @priya check your e-mail`"),
        (f"{P} --as telegram hi", "`sms` (Incoming SMS), `email` (E-mail received), `call` ("),
        (f"{P} --as hi", "and `hot` (Hot prospect) behind it: `/notify @priya --as call"),
        (f"{P} --as", "needs one of"),
        (f"{P} --as | hi", "needs one of"),
        (f"{P} --as= hi", "needs one of"),
        (f"{P} —as agreed: hi", "needs one of"),
        (f"{P} --as sms --as call hi", "`--as` is there twice"),
        (f"{P} --as call", "There is no text to send"),
        ("<!here> hi", "for people"),
        ("<!channel|channel> hi", "for people"),
        (f"{P} <!everyone> hi", "for people"),
        ("@here hi", "for people"),
        ("<#C0SALES01|sales> hi", "not for a channel"),
        ("<#C0SALES01|> hi", "not for a channel"),
        ("@sales-team hi", "I do not know who “@sales-team” is"),
        (f"{G} @sales-team hi", "`/notify @priya -- …`"),
        (f"{G}, owner hi", "name the lead"),
        (f"{P} and {G} hi", "only spaces or commas"),
        (f"{G} + <!subteam^S1> hi", "only spaces or commas"),
        (f"{P} {G}'s deal is closed", "put a space behind the name"),
        ("@priya hi", "Pick the person from Slack's suggestions"),
        (f"{P} @home today", "`/notify @priya -- …`"),
        ("asha@acme.com hi", "not an e-mail address"),
        (f"{P}, asha@acme.com called", "`/notify @priya -- …`"),
        ("<mailto:asha@acme.com|asha@acme.com> hi", "not an e-mail address"),
        (f"{P} and {O} hi", "only spaces or commas"),
        (f"{P} &amp; {O} hi", "only spaces or commas"),
        (f"{O} {P}'s deal is closed", "`/notify @lee -- @priya's deal is closed`"),
        (f"{P}\u2019s deal is closed", "put a space behind the name"),
        (f"{P} --private {O} hi", "Recipients come first"),
        (f"{P} --private <!subteam^S1> hi", "Recipients come first"),
    ],
)
def test_what_cannot_be_a_recipient_is_refused_with_words(text: str, words: str) -> None:
    hint = refusal(text)
    assert words in hint
    assert "`/notify " in hint


@pytest.mark.parametrize(
    "text",
    [
        "Callback due | Asha asked for 3 pm",
        "priya hi",
        "meeting at 3",
        "| hi",
        ", hi",
        "&lt;@U0PRIYA01&gt; hi",
        "<@B0BOT> hi",
        "<@U0PRIYA01 hi",
        "payload",
        "\u200b",
        "\x00",
    ],
)
def test_without_a_recipient_the_right_form_is_shown(text: str) -> None:
    assert "`/notify @priya Callback due | Asha asked for 3 pm`" in refusal(text)
    assert "`/notify help`" in refusal(text)


@pytest.mark.parametrize("text", [f"--private {P} hi", "-- hi", "—link https://x.io hi"])
def test_options_before_recipients_are_refused_with_the_order(text: str) -> None:
    assert "Recipients come first" in refusal(text)


# -- options --------------------------------------------------------------------------------------

LINK = "https://crm.acme.com/lead?a=1&b=2"


@pytest.mark.parametrize("dashes", ["--", "—", "–", "——", "–-", "-–"])
@pytest.mark.parametrize(
    "value",
    [
        " https://crm.acme.com/lead?a=1&amp;b=2",
        "=https://crm.acme.com/lead?a=1&amp;b=2",
        " = https://crm.acme.com/lead?a=1&amp;b=2",
        " https://crm.acme.com/lead?a=1&amp;b=2,",
        " <https://crm.acme.com/lead?a=1&amp;b=2>",
        "=<https://crm.acme.com/lead?a=1&amp;b=2|crm.acme.com/lead>",
        "\u00a0“https://crm.acme.com/lead?a=1&amp;b=2”",
        '="https://crm.acme.com/lead?a=1&amp;b=2"',
        " \u2018<https://crm.acme.com/lead?a=1&amp;b=2|lead>\u2019",
        " “https://crm.acme.com/lead?a=1&amp;b=2",
    ],
)
def test_an_address_is_read_however_it_is_written(dashes: str, value: str) -> None:
    assert read(f"{P} {dashes}link{value} hi") == send(PRIYA, link=LINK)
    assert read(f"{P} {dashes}Icon{value} | hi") == send(PRIYA, icon=LINK)


def test_an_address_ends_at_the_bar() -> None:
    assert read(f"{P} --link https://x.io|hi") == send(PRIYA, link="https://x.io")


def test_an_address_is_decoded_once() -> None:
    got = read(f"{P} --link https://x.io/?q=&amp;lt; hi")
    assert got == send(PRIYA, link="https://x.io/?q=&lt;")


def test_options_come_in_any_order() -> None:
    typed = f"{P} --icon=https://i.io/a.png --PRIVATE --link <https://x.io/a|x.io/a> Due | hi"
    want = send(PRIYA, title="Due", link="https://x.io/a", icon="https://i.io/a.png", private=True)
    assert read(typed) == want


@pytest.mark.parametrize(
    ("typed", "content"),
    [
        ("-- --link is missing", "--link is missing"),
        ("-- -- twice", "-- twice"),
        ("-- @here is fine", "@here is fine"),
        (f"-- {O} called", f"{O} called"),
        ("— Asha called", "Asha called"),
        ("– Asha called", "Asha called"),
        ("——\nAsha called", "Asha called"),
        ("--|hi", "hi"),
        ("—Asha called", "—Asha called"),
        ("—link-building works", "—link-building works"),
        ("- item", "- item"),
        ("-5 % today", "-5 % today"),
        ("--5 degrees", "--5 degrees"),
        ("call --private", "call --private"),
        ("call --link https://x.io", "call --link https://x.io"),
    ],
)
def test_options_end_where_the_text_begins(typed: str, content: str) -> None:
    assert read(f"{P} {typed}") == send(PRIYA, content=content)


@pytest.mark.parametrize("name", ["link", "icon"])
@pytest.mark.parametrize(
    "value", ["", " ", "=", " | hi", " --private hi", " Callback due", ' "" hi', " <@U1> hi", ":x"]
)
def test_an_option_without_its_address_is_refused(name: str, value: str) -> None:
    hint = refusal(f"{P} --{name}{value}")
    assert f"`/notify @priya --{name} https://" in hint


def test_a_flag_takes_no_value() -> None:
    assert "`/notify @priya --private " in refusal(f"{P} --private=yes hi")


@pytest.mark.parametrize(
    "typed",
    ["--private --private", "--link https://a.io --link=https://b.io", "—private --Private"],
)
def test_an_option_that_is_there_twice_is_refused(typed: str) -> None:
    assert "is there twice" in refusal(f"{P} {typed} hi")


def test_an_unknown_option_is_refused_with_those_there_are() -> None:
    hint = refusal(f"{P} --silent hi")
    assert "“--silent”" in hint
    assert "`--icon https://…`, `--as sms|email|call|hot` and `--private`" in hint
    assert "`--lead asha.rao@example.com`" in hint


ASHA = ByEmail("asha@example.com")
NUMBER = ByPhone(PhoneNumber("91", "9000000001"))


@pytest.mark.parametrize("dashes", ["--", "—", "––"])
@pytest.mark.parametrize(
    ("value", "lead"),
    [
        (" asha@example.com", ASHA),
        ("=Asha@Example.com,", ASHA),
        (" <mailto:asha@example.com|asha@example.com>", ASHA),
        (" “<mailto:asha@example.com|asha@example.com>”", ASHA),
        (" +919000000001", NUMBER),
        (" +91-90000-00001", NUMBER),
        (" <tel:+919000000001|+91 90000 00001>", NUMBER),
        (' "+91 90000 00001"', NUMBER),
        ("=\u2018(+91) 90000 00001\u2019", NUMBER),
        (" 9000000001", ByPhone(PhoneNumber(None, "9000000001"))),
        (f" {GUID.upper()}", ById(GUID)),
        (
            f" <https://in21.leadsquared.com/LeadManagement/LeadDetails?a=1&amp;LeadID={GUID}>",
            ById(GUID, "in21.leadsquared.com"),
        ),
        (
            f" https://us11.leadsquared.com/LeadManagement/LeadDetails?LeadID={GUID}",
            ById(GUID, "us11.leadsquared.com"),
        ),
    ],
)
def test_a_lead_is_named_however_it_is_written(
    dashes: str, value: str, lead: LeadReference
) -> None:
    assert read(f"{P} {dashes}lead{value} Due | hi") == send(PRIYA, title="Due", lead=lead)
    assert read(f"owner {dashes}lead{value} | hi") == send(OWNER, lead=lead)


def test_the_owner_of_the_lead_is_a_recipient_among_others() -> None:
    typed = "--lead asha@example.com --private hi"
    want = send(PRIYA, OWNER, private=True, lead=ASHA)
    assert read(f"{P} owner {typed}") == read(f"{P}, OWNER: {typed}") == want
    assert read(f"owner, owner {P} {typed}") == send(OWNER, PRIYA, private=True, lead=ASHA)
    assert read(f"{P} {typed} owner").recipients == (PRIYA,)  # type: ignore[union-attr]  # a Send


@pytest.mark.parametrize(
    "value", ["", " ", "=", " | hi", " --private hi", " Asha hi", ' "" hi', " <@U1> hi", " +91 hi"]
)
def test_what_names_no_lead_is_refused_with_what_does(value: str) -> None:
    hint = refusal(f"{P} --lead{value}")
    assert "`--lead asha.rao@example.com`, `--lead +919000000001`" in hint
    assert '`/notify @priya --lead "+91 90000 00001" ' in hint


@pytest.mark.parametrize(
    "value",
    ["+91 90000 00001", "90000 00001", "900000 0001", "+91-90000 00001", "(022) 2345 678", "91 9"],
)
def test_a_phone_number_with_spaces_needs_quotes(value: str) -> None:
    assert "Put it in quotes" in refusal(f"{P} --lead {value} Callback due")


@pytest.mark.parametrize(
    ("typed", "content"),
    [
        ("+919000000001 -- 3 pm", "3 pm"),
        ('"+919000000001" 3 pm', "3 pm"),
        ("+919000000001\n3 pm", "3 pm"),
        ("+919000000001 3pm", "3pm"),
        ("+919000000001 2026 was good", "2026 was good"),  # too long to be one number
        (f"{GUID} 3 pm", "3 pm"),
        ("asha@example.com 3 pm", "3 pm"),
    ],
)
def test_digits_that_cannot_be_part_of_the_number_are_text(typed: str, content: str) -> None:
    got = read(f"{P} --lead {typed}")
    assert isinstance(got, Send)
    assert got.content == content


# -- title and content ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "title", "content"),
    [
        ("Callback due | Asha asked for 3 pm", "Callback due", "Asha asked for 3 pm"),
        ("Callback due|3 pm", "Callback due", "3 pm"),
        ("Callback due ｜ 3 pm", "Callback due", "3 pm"),
        ("a | b | c", "a", "b | c"),
        (r"a \| b | c \| d", "a | b", "c | d"),
        (r"a \｜ b ｜ c", "a ｜ b", "c"),
        (r"a \| b", None, "a | b"),
        (r"C:\dir | x", r"C:\dir", "x"),
        ("Callback due\nAsha\n3 pm", "Callback due", "Asha\n3 pm"),
        ("Callback due\r\n3 pm", "Callback due", "3 pm"),
        ("Callback due \u2028 3 pm", "Callback due", "3 pm"),
        ("one\ntwo | three", "one\ntwo", "three"),
        ("\\| a\nb", "| a", "b"),
        ("just this", None, "just this"),
        ("| only content", None, "only content"),
        ("| | b", None, "| b"),
        ("only a title |", None, "only a title"),
        (r"\||", None, "|"),
        ("see <https://x.io|the page> | now", "see <https://x.io|the page>", "now"),
        ("see <https://x.io|the page>", None, "see <https://x.io|the page>"),
        (r"see <https://x.io|a\|b> \| now", None, r"see <https://x.io|a\|b> | now"),
        (
            "to <#C1|sales> and <!subteam^S1|@team> | x",
            "to <#C1|sales> and <!subteam^S1|@team>",
            "x",
        ),
        ("1 < 2 | 3 > 2", "1 < 2", "3 > 2"),
        ("a &amp; b &lt; c | &amp;lt;", "a &amp; b &lt; c", "&amp;lt;"),
        ("*bold* :tada: | “quoted” — dashed", "*bold* :tada:", "“quoted” — dashed"),
        ("payload | the payload=1&amp;x", "payload", "the payload=1&amp;x"),
        ("कॉलबैक 👩‍👩‍👧‍👦 | ਆਸ਼ਾ ने 3 बजे", "कॉलबैक 👩‍👩‍👧‍👦", "ਆਸ਼ਾ ने 3 बजे"),
        ("a\u200bb \u202ex | \u2066y\u2069", "a\u200bb \u202ex", "\u2066y\u2069"),
        ("nul \x00 | bell \x07", "nul \x00", "bell \x07"),
        ("\u00a0spaced\u3000|\u2003out\u00a0", "spaced", "out"),
    ],
)
def test_the_first_bar_or_line_break_splits_title_from_content(
    typed: str, title: str | None, content: str
) -> None:
    assert read(f"{P} {typed}") == send(PRIYA, title=title, content=content)


@pytest.mark.parametrize(
    "typed", ["", " ", "|", " | ", "｜", "--", "--private", "--private |", ","]
)
def test_without_text_nothing_is_sent(typed: str) -> None:
    assert "There is no text to send" in refusal(f"{P} {typed}")


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "@<!channel>",
        "@&lt;!channel&gt;",
        "@x&lt;!here&gt;",
        f"{P} --x&lt;!channel&gt;",
        f"link {P} &lt;!channel&gt;",
        f"link {P} <!channel>",
        f"link {P} <@U0OMAR001>",
        f"link {P} <!subteam^S1|@x>",
        "whoami <!subteam^S1|@x>",
        "whoami @&lt;!everyone&gt;",
    ],
)
def test_a_refusal_pings_nobody(text: str) -> None:
    assert not re.search("<[@!#]", refusal(text))


def test_an_echo_is_cut() -> None:
    assert f"“@{'x' * 58}…”" in refusal(f"@{'x' * 3_000} hi")


def test_an_echo_is_escaped_after_it_is_decoded() -> None:
    assert "“a&amp;b&lt;c”" in refusal(f"link {P} a&amp;b&lt;c")


# -- any text at all ------------------------------------------------------------------------------

PIECES = [
    *(P, O, "me", "key-owner", "owner", "and", "help", "link", "status", "whoami", "@x", "a@b.io"),
    *(
        "<!here>",
        "<!subteam^S1|@x>",
        "<#C1|c>",
        "https://x.io",
        "<https://x.io|x>",
        "&amp;",
        "&lt;",
    ),
    *("--lead", "—lead=", "+91", "90000 00001", "<tel:+919000000001|+91 90000 00001>", GUID),
    *("--", "—", "--link", "--link=", "--icon", "--private", "--x", "“", '"', ",", ":", "<", ">"),
    *("|", "｜", "\\|", "\\", "\n", "\u00a0", "\u200b", "\x00", "text", "é"),
]
TYPED = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda between: between.join(parts))
)


@settings(max_examples=200, deadline=None)
@given(TYPED)
def test_any_text_is_a_command_or_a_refusal_that_helps(text: str) -> None:
    command = outcome(text)
    if isinstance(command, str):
        assert "`/notify " in command
        assert not re.search("<[@!#]", command)
    elif isinstance(command, Send):
        assert command.recipients
        assert len(set(command.recipients)) == len(command.recipients)
        assert command.lead is not None or LeadOwner() not in command.recipients
        assert command.content == command.content.strip() != ""
        assert command.title is None or command.title == command.title.strip() != ""


RECIPIENTS: dict[str, Named] = {
    P: PRIYA,
    O: OMAR,
    "me,": ALICE,
    "key-owner,": KEY_OWNER,
    G: SALES,
    "<!subteam^S0SALES01>": SALES,
    "<!subteam^S2|>": SlackGroup("S2"),
}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(RECIPIENTS)), st.sampled_from([" ", ", ", "\n", "\u2069 "])
        ),
        min_size=1,
        max_size=12,
    )
)
def test_people_and_groups_in_any_order_count_once_where_they_first_stand(
    typed: list[tuple[str, str]],
) -> None:
    named = dict.fromkeys(RECIPIENTS[token] for token, _ in typed)
    text = "".join(token + gap for token, gap in typed)
    assert read(f"{text}-- Due | hi") == send(*named, title="Due")


# `\` and the bars have rules of their own, tested above.
PLAIN = st.text().map(lambda text: re.sub(r"[|｜\\]", "", escape(text)).strip())


@settings(max_examples=200, deadline=None)
@given(PLAIN, PLAIN.filter(bool))
def test_what_stands_behind_two_dashes_arrives_as_typed(title: str, content: str) -> None:
    got = read(f"{P} -- {title} | {content}")
    assert got == send(PRIYA, title=title or None, content=content)


@pytest.mark.parametrize(
    "text",
    [
        f"{P} " * 8_000 + "hi",
        "".join(f"<@U{number}>," for number in range(9_000)) + "hi",
        f"{P} me, " * 6_000 + "hi",
        f"me {P} " * 6_000 + "hi",
        P + "\u200b" * 100_000 + "hi",
        P + " " * 100_000 + "me" + " " * 100_000 + "hi",
        f"{P} " + "<" * 100_000 + "|hi",
        f"{P} " + "<https:" * 15_000 + "|hi",
        f"{P} " + "\\|" * 50_000 + "|hi",
        f"{P} " + "<https://x.io|x>" * 6_000 + "|hi",
        f"{P} " + "x" * 100_000 + "|hi",
        f"{P} " + "a.b-" * 25_000 + "|hi",
        f"{P} a@" + "b." * 50_000 + " hi",
        f"{P} --link " + "“" * 100_000,
        f"{P} --link https://" + "x" * 100_000 + " hi",
        f"{P} --link" + " " * 100_000 + "|",
        f"{P} --" + "x-" * 50_000 + " hi",
        f"{P} " + "\n" * 100_000 + "hi",
        f"{P} --lead " + "9" * 100_000 + " hi",
        f"{P} --lead 91" + " 9" * 50_000 + " hi",
        f'{P} --lead "' + "9 " * 50_000 + "hi",
        "link " + f"{P} " * 8_000,
        "@" + "<!here>" * 15_000,
        f"{G} " * 4_000 + "hi",
        "<!subteam^" * 10_000 + "hi",
        f"{P} <!subteam^" + "x|" * 50_000 + " hi",
        f"{G}'" * 4_000 + "hi",
    ],
    ids=range(27),
)
def test_long_texts_take_linear_time(text: str) -> None:
    begun = perf_counter()
    outcome(text)
    assert perf_counter() - begun < 2


def test_three_thousand_characters_are_kept_whole() -> None:
    content = "नमस्ते 🙏 " * 375
    assert read(f"{P} Title | {content}") == send(PRIYA, title="Title", content=content.strip())
