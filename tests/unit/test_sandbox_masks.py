import json

import pytest

from bot.sandbox.web.masks import MASK, SHOWN_MOST, mask_text, show_body, show_headers

FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "http://127.0.0.1:1/commands/T0ACME001/7003/secret-part_x",
            f"http://127.0.0.1:1/commands/T0ACME001/{MASK}",
        ),
        ("/actions/T0ACME001/7003/abc", f"/actions/T0ACME001/{MASK}"),
        ("token xoxb-1-sandbox here", f"token xoxb-{MASK} here"),
        ("xapp-1-A0-2-3", f"xapp-{MASK}"),
        ("?accessKey=u$r0&secretKey=abc&x=1", f"?accessKey={MASK}&secretKey={MASK}&x=1"),
        ("/notify @priya Callback due | 3 pm", "/notify @priya Callback due | 3 pm"),
    ],
)
def test_what_opens_something_is_masked_and_the_rest_stays(text: str, shown: str) -> None:
    assert mask_text(text) == shown


def test_headers_that_tell_something_are_shown_without_the_keys() -> None:
    shown = show_headers(
        {
            "Authorization": "Bearer xoxb-1-sandbox",
            "x-LSQ-AccessKey": "u$r0stand0in",
            "x-LSQ-SecretKey": "0123456789abcdef",
            "X-Slack-Signature": "v0=0123456789abcdef",
            "Content-Type": "application/json",
            "Retry-After": "2",
            "Accept-Encoding": "gzip",
        }
    )
    assert shown == {
        "Authorization": f"Bearer {MASK}",
        "x-LSQ-AccessKey": MASK,
        "x-LSQ-SecretKey": MASK,
        "X-Slack-Signature": f"v0=012{MASK}",
        "Content-Type": "application/json",
        "Retry-After": "2",
    }


def test_a_form_is_opened_and_the_json_in_it_too() -> None:
    body = b"token=legacy&text=3+pm&payload=" + b"%7B%22trigger_id%22%3A%221.2%22%2C%22n%22%3A1%7D"
    assert json.loads(show_body(body, FORM)) == {
        "token": MASK,
        "text": "3 pm",
        "payload": {"trigger_id": MASK, "n": 1},
    }


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [
        (b'{"a":"\xc3\xa9"}', JSON, '{\n  "a": "é"\n}'),
        (b"<h1>Bad Gateway</h1>", "text/html", "<h1>Bad Gateway</h1>"),
        (b'{"Status": "Succ', JSON, '{"Status": "Succ'),
        (b"", JSON, ""),
        (b"\xff", "text/plain", "\ufffd"),
        (b"[" * 100_000, JSON, "[" * SHOWN_MOST + "\n… and so on"),
        (b"text=%7Bnot+json", FORM, '{\n  "text": "{not json"\n}'),
    ],
    ids=["json", "html", "broken", "empty", "bytes", "deep", "brace"],
)
def test_every_body_is_shown_somehow(body: bytes, content_type: str, shown: str) -> None:
    assert show_body(body, content_type) == shown


def test_a_token_deep_inside_is_masked_and_a_number_of_that_name_is_not() -> None:
    body = json.dumps({"a": [{"token": "secret"}, {"trigger_id": 5}]}).encode()
    assert json.loads(show_body(body, JSON)) == {"a": [{"token": MASK}, {"trigger_id": 5}]}
