import json
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Never
from urllib.parse import quote_plus

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.notification import State
from bot.redaction import HIDDEN, LONGEST, Redactor

ANYTHING = st.text(max_size=40)
WORDS = st.text("ABCdef0123456789", min_size=4, max_size=20)
HIDEABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=20)
URL_SAFE = st.text("abcXYZ0123456789-._~%", min_size=4, max_size=20)

FORMS: list[Callable[[str], str]] = [
    lambda secret: secret,
    lambda secret: quote_plus(secret),
    lambda secret: quote_plus(secret).lower() if secret.islower() else quote_plus(secret),
    lambda secret: json.dumps(secret),
    lambda secret: repr(secret),
    lambda secret: repr(secret.encode()),
    lambda secret: repr({"x": [secret]}),
]

SHAPES: list[tuple[str, st.SearchStrategy[str]]] = [
    ("xoxb-{}", WORDS),
    ("xoxp-1-{}", WORDS),
    ("xoxe.xoxp-1-{}", WORDS),
    ("XAPP-1-{}", WORDS),
    ("https://hooks.slack.com/commands/T012AB3CD/1/{}", WORDS),
    ("HTTPS://Hooks.Slack-Gov.com/services/{}", WORDS),
    ("http://127.0.0.1:8000/actions/T0ACME001/12/{}", WORDS),
    ("/services/T012AB3CD/B012AB3CD/{}", WORDS),
    ("postgres://bot:{}@db.example.com:5432/bot", URL_SAFE),
    ("postgresql+psycopg://bot:{}@db/bot", URL_SAFE),
    ("https://api.leadsquared.com/v2/x?accessKey={}&secretKey=x", URL_SAFE),
    ("/v2/x?accessKey=x&secretKey={}", URL_SAFE),
    ("GET /v2/Leads?emailaddress={} HTTP/1.1", URL_SAFE),
    ("accessKey={}", URL_SAFE),
    ("'secretKey': '{}'", WORDS),
    ("x-LSQ-AccessKey: {}", WORDS),
    ("b'x-LSQ-SecretKey', b'{}'", WORDS),
    ("Authorization: Bearer {}", WORDS),
    ("<CIMultiDict('Authorization': 'Basic {}')>", WORDS),
    ('"authorization": "{}"', WORDS),
    ("password={} host=db", WORDS),
    ("{}@acme.com", WORDS),
    ("priya.nair+{}@mail.acme.co.in", WORDS),
    ("emailaddress {}%40acme.com", WORDS),
    ("[type=x, input_value='{}', input_type=str]", WORDS),
    ("[parameters: ('{}', 1)]", WORDS),
    ("DETAIL:  Failing row contains ({}).", WORDS),
]


@given(secret=HIDEABLE, form=st.sampled_from(FORMS), before=ANYTHING, after=ANYTHING)
@example(secret='a"b\\c$', form=json.dumps, before="", after="")
def test_a_secret_of_ours_does_not_come_out_whatever_surrounds_it(
    secret: str, form: Callable[[str], str], before: str, after: str
) -> None:
    written = form(secret)
    cleaned = Redactor([secret, "another-one"]).clean_text(before + written + after)
    assert written.strip("'\"") not in cleaned.replace(HIDDEN, "\0")


@settings(max_examples=600)
@given(st.data(), st.sampled_from(SHAPES), ANYTHING, ANYTHING)
def test_what_looks_like_a_secret_does_not_come_out_whatever_surrounds_it(
    data: st.DataObject, shape: tuple[str, st.SearchStrategy[str]], before: str, after: str
) -> None:
    form, secrets = shape
    secret = f"q{data.draw(secrets)}q"  # long enough not to be a part of the rest
    cleaned = Redactor().clean_text(before + form.format(secret) + after)
    assert secret not in cleaned


@pytest.mark.parametrize("form", [form for form, _ in SHAPES])
def test_every_shape_is_hidden(form: str) -> None:
    cleaned = Redactor().clean_text(f"It failed: {form.format('0123456789')}, so it stopped")
    assert "0123456789" not in cleaned
    assert HIDDEN in cleaned
    assert cleaned.startswith("It failed: ")


@given(st.text())
def test_cleaning_what_is_clean_changes_nothing(text: str) -> None:
    redactor = Redactor(["a-secret"])
    once = redactor.clean_text(text)
    assert redactor.clean_text(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "delivery.answered",
        "C012AB3CD",
        "2026-11-23T16:06:50.123456Z",
        "no such table: deliveries",
        "'nonsense' is not a valid State",
        "rate limited for 30 s",
        'File "/app/bot/store/database.py", line 12, in _run',
        "https://api.leadsquared.com refused",
        'connection failed: FATAL: the database "bot" is starting up',
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert Redactor(["u$r0123456789"]).clean_text(text) == text


def test_a_secret_of_three_letters_is_a_part_of_words() -> None:
    assert Redactor(["bot", ""]).clean_text("the bot") == "the bot"


def test_of_a_long_text_the_end_stays_from_a_whole_word_on() -> None:
    secret = "s3cret-0123456789"
    for cut in range(len(secret)):
        text = "head " + secret + " tail" + "." * (LONGEST - cut - 5)
        cleaned = Redactor([secret]).clean_text(text)
        assert len(cleaned) <= LONGEST
        assert cleaned.startswith("tail...")


class Level(IntEnum):
    HIGH = 3


class Evil:
    def __repr__(self) -> Never:
        raise RuntimeError("no")


PLAIN_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.characters(categories=["Cs"])
    | st.binary()
    | st.sampled_from([ValueError("x"), State.SENT, Level.HIGH, Evil, ...])
)
VALUES = st.recursive(
    PLAIN_VALUES,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.binary(), inner)
        | st.frozensets(st.text() | st.integers())
    ),
    max_leaves=20,
)


def render(event: dict[str, Any]) -> Any:
    line = structlog.processors.JSONRenderer()(
        None, "info", Redactor(["a-secret"])(None, "", event)
    )
    assert isinstance(line, str)
    assert line.isascii()
    assert "\n" not in line
    found = json.loads(line, parse_constant=pytest.fail)
    json.dumps(found, ensure_ascii=False).encode()  # no halves of surrogate pairs
    return found


@given(st.dictionaries(st.text(), VALUES))
def test_a_line_is_json_whatever_is_in_it(event: dict[str, Any]) -> None:
    assert isinstance(render(event), dict)


@given(value=VALUES, before=ANYTHING, after=ANYTHING)
def test_a_secret_does_not_come_out_however_deep_it_is(
    value: object, before: str, after: str
) -> None:
    text = before + "priya@acme.com" + after
    event = {"x": [value, {text: (text, {"y": {text}})}], "authorization": text}
    assert "priya@acme.com" not in json.dumps(render(event))


def test_values_are_plain_or_their_type_alone() -> None:
    deep: Any = []
    deep.append(deep)
    enormous = 10**5000  # Python itself refuses to write it
    event = {"a": State.SENT, "b": Level.HIGH, "c": ValueError("x"), "d": b"x", "e": (1.5, {2})}
    found = render(event | {"f": float("-inf"), "g": 2**63, "h": deep, "i": enormous, "j": Evil()})
    assert found == {
        "a": "sent",
        "b": 3,
        "c": "<ValueError>",
        "d": "<bytes>",
        "e": [1.5, [2]],
        "f": "-inf",
        "g": "<int>",
        "h": [[[[[["<list>"]]]]]],
        "i": "<int>",
        "j": "<Evil>",
    }


@pytest.mark.parametrize(
    "name", ["Authorization", "access_key", "x-LSQ-SecretKey", "response_url", "bot_token", "token"]
)
def test_a_field_named_like_a_secret_shows_nothing(name: str) -> None:
    assert render({name: "abc", "nested": {name: ["abc"]}}) == {
        name: HIDDEN,
        "nested": {name: HIDDEN},
    }
