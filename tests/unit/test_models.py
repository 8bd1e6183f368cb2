import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.leadsquared.models import (
    BrowserPush,
    CrmUser,
    KeyOwnerIdentity,
    check_crm_user_id,
    count_bytes,
)
from bot.notification import KEY_OWNER

ASHA = "6f0c2a1e-1111-4222-8333-abcdefabcdef"
BOB = "7a1d3b2f-2222-4333-8444-bcdefabcdefa"
SAMPLES = Path(__file__).parents[1] / "samples"


def read_sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


# -- the recipient ----------------------------------------------------------------------------


def test_a_push_without_a_recipient_cannot_be_made() -> None:
    with pytest.raises(ValidationError, match="user_id"):
        BrowserPush(title="a", content="b")  # type: ignore[call-arg]  # what the test is about


@pytest.mark.parametrize("nobody", [None, "", "key_owner", "x", 7, "0" * 32, f" {ASHA}"])
def test_nobody_is_not_a_recipient(nobody: Any) -> None:
    with pytest.raises(ValidationError, match="user_id"):
        BrowserPush(user_id=nobody, title="a", content="b")


def test_the_owner_of_the_keys_is_an_explicit_recipient() -> None:
    assert BrowserPush.create(user_id=KEY_OWNER, title="a", content="b").user_id == KEY_OWNER


def test_a_crm_user_id_is_kept_in_lower_case() -> None:
    assert BrowserPush(user_id=ASHA.upper(), title="a", content="b").user_id == ASHA


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        ASHA[:-1],
        ASHA + "0",
        ASHA + "\n",
        "{" + ASHA + "}",
        ASHA.replace("-", ""),
        ASHA.replace("a", "g"),
        ASHA.replace("1111", "\u0661" * 4),
        "00000000-0000-0000-0000-000000000000",
    ],
)
def test_what_is_not_a_guid_is_no_user_id(value: object) -> None:
    with pytest.raises(ValueError, match="must be a LeadSquared user id"):
        check_crm_user_id(value)


# -- the text ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "content"),
    [("a" * 1024, "b" * 1024), ("ü" * 512, "🎉" * 256), ("a", "b" * 2047)],
)
def test_a_text_of_exactly_the_limit_is_taken_as_it_was_typed(title: str, content: str) -> None:
    push = BrowserPush(user_id=ASHA, title=title, content=content)
    assert (push.title, push.content) == (title, content)
    assert count_bytes(title, content) == 2048


@pytest.mark.parametrize(
    ("title", "content", "reason"),
    [
        ("a", "b" * 2048, "2,049 bytes; LeadSquared takes 2,048"),
        ("ü" * 512, "🎉" * 257, "2,052 bytes"),
        ("", "b", "title must not be empty"),
        (" \n", "b", "title must not be empty"),
        ("a", "", "content must not be empty"),
        ("a\0", "b", "title must not contain a NUL"),
        ("a", "\0b", "content must not contain a NUL"),
        ("\ud800", "b", "title must not contain half"),
        ("a", "b\udfff", "content must not contain half"),
        (7, "b", "title"),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused(title: Any, content: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        BrowserPush(user_id=ASHA, title=title, content=content)


@pytest.mark.parametrize(("max_bytes", "fits"), [(3, True), (2, False)])
def test_the_limit_is_a_setting(max_bytes: int, fits: bool) -> None:
    def build() -> BrowserPush:
        return BrowserPush.create(user_id=ASHA, title="a", content="ü", max_bytes=max_bytes)

    if fits:
        assert build().content == "ü"
    else:
        with pytest.raises(ValidationError, match="3 bytes; LeadSquared takes 2"):
            build()


@given(st.text(), st.text())
def test_every_push_that_can_be_made_can_be_encoded(title: str, content: str) -> None:
    try:
        push = BrowserPush(user_id=ASHA, title=title, content=content)
    except ValidationError:
        return
    assert len(push.title.encode()) + len(push.content.encode()) <= 2048


def test_the_text_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValidationError) as caught:
        BrowserPush(user_id="secret recipient", title="a", content="b")
    assert "secret" not in str(caught.value)


def test_a_push_does_not_change() -> None:
    push = BrowserPush(user_id=ASHA, title="a", content="b")
    with pytest.raises(ValidationError, match="frozen"):
        push.user_id = BOB


# -- links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["click_url", "icon_url"])
def test_both_links_of_a_push_are_checked(field: str) -> None:
    with pytest.raises(ValidationError, match="user name"):
        BrowserPush.model_validate(
            {"user_id": ASHA, "title": "a", "content": "b", field: "https://user@example.com"}
        )


# -- people -----------------------------------------------------------------------------------


def test_the_list_call_tells_who_is_active() -> None:
    asha, bob = map(CrmUser.from_wire, read_sample("users_get"))
    assert asha == CrmUser(id=ASHA, name="Asha Rao", email="asha@example.com", active=True)
    assert bob == CrmUser(id=BOB, name="Bob", email=None, active=False)


@pytest.mark.parametrize("name", ["user_by_email", "user_by_id"])
def test_a_look_up_finds_only_active_users(name: str) -> None:
    [user] = map(CrmUser.from_wire, read_sample(name))
    assert user == CrmUser(id=ASHA, name="Asha Rao", email="asha@example.com", active=True)


@pytest.mark.parametrize(
    ("code", "active"),
    [(0, True), ("0", True), (None, True), (1, False), ("1", False), (2, False), ("x", False)],
)
def test_status_code_zero_is_active(code: object, active: bool) -> None:
    assert CrmUser.from_wire({"ID": ASHA, "StatusCode": code}).active is active


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, ""),
        ({"FirstName": None, "LastName": "Rao"}, "Rao"),
        ({"FirstName": " Asha \n", "LastName": ""}, "Asha"),
        ({"FirstName": 7, "LastName": ["x"]}, ""),
        ({"FirstName": "A\x00\ud800", "LastName": "B"}, "A B"),
    ],
)
def test_a_name_is_what_there_is_of_it(fields: dict[str, Any], name: str) -> None:
    assert CrmUser.from_wire({"UserID": ASHA, **fields}).name == name


@pytest.mark.parametrize(
    ("value", "email"),
    [
        (" Asha@Example.COM ", "asha@example.com"),
        ("", None),
        (None, None),
        (7, None),
        ("asha", None),
        ("a b@x.com", None),
        ("a\x00@x.com", None),
    ],
)
def test_an_e_mail_is_kept_in_lower_case(value: object, email: str | None) -> None:
    assert CrmUser.from_wire({"ID": ASHA, "EmailAddress": value}).email == email


@pytest.mark.parametrize("data", [None, [], "x", 7, {}, {"ID": 7}, {"ID": ""}, {"ID": "Asha"}])
def test_a_user_without_an_id_is_none(data: object) -> None:
    with pytest.raises(ValueError, match="must be a"):
        CrmUser.from_wire(data)


def test_the_key_owner_says_who_they_are_and_where_their_account_lives() -> None:
    assert KeyOwnerIdentity.from_wire(read_sample("key_owner")) == KeyOwnerIdentity(
        id=ASHA,
        name="Asha",
        email="asha@example.com",
        api_host="api-in21.leadsquared.com",
        web_host="in21.leadsquared.com",
    )


@pytest.mark.parametrize(
    ("fields", "email"),
    [
        ({"PassPhrase": "a@x.com", "EmailAddress": "b@x.com"}, "b@x.com"),
        ({"PassPhrase": "a@x.com", "EmailAddress": ""}, "a@x.com"),
        ({"PassPhrase": "open sesame"}, None),
        ({}, None),
    ],
)
def test_a_pass_phrase_is_an_e_mail_only_if_it_looks_like_one(
    fields: dict[str, str], email: str | None
) -> None:
    assert KeyOwnerIdentity.from_wire({"Id": ASHA, **fields}).email == email


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("in21.leadsquared.com", "in21.leadsquared.com"),
        ("https://IN21.leadsquared.com/", "in21.leadsquared.com"),
        ("in21.leadsquared.com/x", None),
        ("evil@good", None),
        ("exämple.com", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_a_host_is_bare_or_not_known(value: object, host: str | None) -> None:
    data = {"Id": ASHA, "LSQCommonServiceURLs": {"api": value, "app": value}}
    identity = KeyOwnerIdentity.from_wire(data)
    assert (identity.api_host, identity.web_host) == (host, host)


@pytest.mark.parametrize("urls", [None, [], "x"])
def test_hosts_may_be_missing(urls: object) -> None:
    identity = KeyOwnerIdentity.from_wire({"Id": ASHA, "LSQCommonServiceURLs": urls})
    assert (identity.api_host, identity.web_host) == (None, None)


@pytest.mark.parametrize("data", [None, [], {}, {"Id": None}])
def test_a_key_owner_without_an_id_is_none(data: object) -> None:
    with pytest.raises(ValueError, match="must be a"):
        KeyOwnerIdentity.from_wire(data)
