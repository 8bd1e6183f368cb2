import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.leads.found import SURELY_ALL, is_same_answer
from bot.leadsquared.models import Lead
from bot.sandbox.leadsquared import Matching
from bot.sandbox.leadsquared.account import Account, build_lead


def lead(number: int = 1, **fields: object) -> Lead:
    guid = f"2b9d1c3e-1111-4222-8333-{number:012x}"
    return Lead.model_validate({"id": guid, **fields})


RAO = lead(1, name="Asha Rao", email="asha.rao@example.com", phones=("+91-9000000001",))
MENON = lead(2, name="Asha Menon", company="Ashland")


@pytest.mark.parametrize(
    ("leads", "text", "longer"),
    [
        ([RAO, MENON], "ash", "asha"),
        ([RAO, MENON], "ASH", "ASHA"),
        ([RAO], "+91-90", "+91-900"),
        ([RAO], "asha.r", "asha.rao@"),
        ([MENON], "ashl", "ashland"),
    ],
)
def test_a_word_typed_to_its_end_finds_the_same(leads: list[Lead], text: str, longer: str) -> None:
    assert is_same_answer(leads, text, longer)


@pytest.mark.parametrize(
    ("leads", "text", "longer"),
    [
        ([], "ash", "asha"),  # whoever compares whole words finds nobody at first
        ([RAO, MENON], "ash", "ashb"),
        ([RAO, MENON], "ash", "ashl"),  # one is left, but may have a field we do not see
        ([RAO, MENON], "asha", "asha r"),
        ([RAO], "asha ra", "asha rao"),  # by words, the second may find others
        ([RAO], "asha", "ash"),
        ([RAO], "rao", "menon"),
        ([lead(name="Zoë")], "zoe", "zoe@"),  # found by something we cannot see
        ([RAO], "pune", "pune1"),
        # found by whole words: whoever is called Ashan is not in the answer to "asha"
        ([lead(name="Asha Ashan")], "asha", "ashan"),
        ([lead(name="Asha", company="Ashanti")], "asha", "ashan"),
        ([lead(email="asha.ashan@example.com")], "asha", "ashan"),
        # found at the start of a field or inside it: both explain the first answer
        ([lead(name="Ashok", company="Basha")], "ash", "asha"),
        ([lead(number, name="Asha") for number in range(SURELY_ALL + 1)], "ash", "asha"),
    ],
)
def test_everything_else_is_asked(leads: list[Lead], text: str, longer: str) -> None:
    assert not is_same_answer(leads, text, longer)


NAMES = st.text(alphabet="ab-", min_size=1, max_size=4)
PEOPLE = st.lists(st.tuples(NAMES, NAMES, NAMES, NAMES), min_size=1, max_size=4)


def ask_twice(
    matching: Matching, people: list[tuple[str, ...]], text: str, longer: str
) -> tuple[list[Lead], list[Lead]]:
    """Return both answers of the stand-in; City is searched too, and no answer of ours shows it."""
    account = Account(matching=matching)
    account.leads.clear()
    for number, (first, last, company, *city) in enumerate(people):
        raw = build_lead(first, last, f"{number}@x.y", "", company, None)
        account.leads.append(raw | {"City": city[0]} if city else raw)
    shorter, longer_ = map(account.search_leads, (text, longer))
    return list(map(Lead.from_wire, shorter)), list(map(Lead.from_wire, longer_))


@given(st.sampled_from(Matching), PEOPLE, NAMES, NAMES)
def test_it_is_the_same_answer_however_the_crm_compares(
    matching: Matching, people: list[tuple[str, ...]], text: str, more: str
) -> None:
    seen = [person[:3] for person in people]
    shorter, longer = ask_twice(matching, seen, text, text + more)
    if is_same_answer(shorter, text, text + more):
        assert shorter == longer


@given(st.sampled_from([Matching.CONTAINS, Matching.PREFIX]), PEOPLE, NAMES, NAMES)
def test_a_field_that_nobody_sees_makes_it_miss_no_lead(
    matching: Matching, people: list[tuple[str, ...]], text: str, more: str
) -> None:
    shorter, longer = ask_twice(matching, people, text, text + more)
    if is_same_answer(shorter, text, text + more):
        assert shorter == longer or (matching is Matching.PREFIX and len(shorter) > len(longer))
        assert all(lead in shorter for lead in longer)
