import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.leadsquared.phone import PhoneNumber


def read(text: str) -> PhoneNumber:
    number = PhoneNumber.read(text)
    assert number is not None
    return number


@pytest.mark.parametrize(
    ("text", "country", "local"),
    [
        ("+91-9000000001", "91", "9000000001"),
        (" +91 90000 00001 ", "91", "9000000001"),
        ("+919000000001", "91", "9000000001"),
        ("00919000000001", "91", "9000000001"),
        ("(+91) 9000000001", "91", "9000000001"),
        ("+91\u00a09000000001", "91", "9000000001"),
        ("+91\u20119000000001", "91", "9000000001"),
        ("+1 (202) 555-0100", "1", "2025550100"),
        ("+7.495.123.4567", "7", "4951234567"),
        ("+44 (0)20 7946 0000", "44", "2079460000"),
        ("+353 1 234 5678", "353", "12345678"),
        ("+971 4 123 4567", "971", "41234567"),
        ("9000000001", None, "9000000001"),
        ("020 / 7946-0000", None, "02079460000"),
        ("(020) 79460000", None, "02079460000"),
        ("919000000001", None, "919000000001"),
        ("123456", None, "123456"),
        ("1" * 15, None, "1" * 15),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, country: str | None, local: str) -> None:
    assert PhoneNumber.read(text) == PhoneNumber(country, local)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "12345",
        "1" * 16,
        "+0 123456",
        "9000000001x12",
        "90 or 12345678",
        "٩٠٠٠٠٠٠٠٠١",
        "9000000001\n9000000002",
        "asha@example.com",
        "91+9000000001",
    ],
)
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert PhoneNumber.read(text) is None


@pytest.mark.parametrize(
    ("text", "plain", "stored"),
    [
        ("+91-9000000001", "919000000001", "+91-9000000001"),
        ("9000000001", "9000000001", None),
        ("+49 0301234567", "490301234567", "+49-301234567"),
    ],
)
def test_a_number_has_two_forms_for_the_crm(text: str, plain: str, stored: str | None) -> None:
    assert (read(text).plain, read(text).stored) == (plain, stored)


def test_the_account_s_country_is_for_numbers_without_one() -> None:
    assert read("09000000001").within("91").stored == "+91-9000000001"
    assert read("+49 301234567").within("91") == read("+49 301234567")
    assert read("9000000001").within(None).stored is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+91-9000000001", "+91 9000000001", True),
        ("+91-9000000001", "9000000001", True),
        ("+91-9000000001", "919000000001", True),
        ("+91-9000000001", "09000000001", True),
        ("+44-2079460000", "020 7946 0000", True),
        ("9000000001", "09000000001", True),
        ("+91-9000000001", "+91-9000000002", False),
        ("+91-9000000001", "+1-9000000001", False),
        ("+1-9000000001", "919000000001", False),
        ("9000000001", "919000000001", False),
        ("+91-9000000001", "900001", False),
    ],
)
def test_one_line_is_told_from_another(one: str, other: str, same: bool) -> None:
    assert read(one).is_same(read(other)) is same
    assert read(other).is_same(read(one)) is same


@given(st.text())
def test_every_text_is_a_number_or_none(text: str) -> None:
    number = PhoneNumber.read(text)
    if number:
        assert number.plain.isascii()
        assert number.plain.isdigit()
        assert number.is_same(number)


@given(st.text(alphabet="+0123456789 -()./", max_size=30))
def test_what_is_read_can_be_read_again(text: str) -> None:
    number = PhoneNumber.read(text)
    if number and number.stored:
        again = PhoneNumber.read(number.stored)
        assert again is None or again.is_same(number)  # without its zeros it may be too short
