import asyncio
from collections.abc import AsyncIterator

import pytest
from aiolimiter import AsyncLimiter
from structlog.testing import capture_logs

import bot.leads.search as module
from bot.background import Watch
from bot.errors import StoreUnavailableError
from bot.leads.found import Found, Hint
from bot.leads.search import KEEP, PAUSE
from bot.rate_gate import RateGate
from bot.sandbox.leadsquared import FaultKind
from bot.store.database import Database
from bot.store.gate import GateStore, Permit
from tests.clock import FrozenClock
from tests.store import ACCOUNT, LIMITS
from tests.unit.leads_desk import Desk, open_desk, settle

TICK = 0.01


@pytest.fixture
async def desk(clock: FrozenClock) -> AsyncIterator[Desk]:
    async with open_desk(clock) as opened:
        yield opened


def names(found: Found) -> list[str]:
    return [lead.name for lead in found.leads]


def type_in(desk: Desk, text: str, view: str = "V1") -> asyncio.Task[Found]:
    return asyncio.create_task(desk.leads.search(view, text))


async def type_slowly(desk: Desk, text: str) -> asyncio.Task[Found]:
    """Type, and let that get as far as it can."""
    task = type_in(desk, text)
    await settle()
    return task


# -- what is found ----------------------------------------------------------------------------


async def test_what_was_typed_is_searched_for_as_it_is(desk: Desk) -> None:
    found = await desk.leads.search("V1", "  Asha \n")
    assert names(found) == ["Asha Rao", "Asha Menon"]
    assert found.hint is None
    assert found.leads[0].owner_name == "Priya Nair"
    assert desk.questions == ["Asha"]


@pytest.mark.parametrize("text", ["", "as", "  as  ", "\n\u202e as\x00"])
async def test_less_than_three_characters_are_not_searched_for(desk: Desk, text: str) -> None:
    assert await desk.leads.search("V1", text) == Found(hint=Hint.TOO_SHORT)
    assert desk.crm.calls == []


async def test_what_cannot_be_shown_is_not_asked_either(desk: Desk) -> None:
    assert names(await desk.leads.search("V1", "\u202easha\ud83d \x00rao")) == ["Asha Rao"]
    assert desk.questions == ["asha rao"]


async def test_nobody_is_said_to_be_nobody(desk: Desk) -> None:
    assert await desk.leads.search("V1", "nobody here") == Found(hint=Hint.NONE)


@pytest.mark.parametrize(("count", "hint"), [(100, None), (101, Hint.MORE), (300, Hint.MORE)])
async def test_of_many_leads_the_first_hundred_are_shown_and_the_cut_is_said(
    desk: Desk, count: int, hint: Hint | None
) -> None:
    for number in range(count):
        guid = f"{number + 1:08}-1111-4222-8333-abcdefabcdef"
        desk.crm.leads.append(desk.crm.leads[2] | {"ProspectID": guid, "Company": "Many Ltd"})
    for _ in range(2):
        found = await desk.leads.search("V1", "many")
        assert (len(found.leads), found.hint) == (100, hint)
        assert found.leads[0].id.startswith("00000001")
    assert desk.questions == ["many"]


# -- how often it asks ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["asha", "zzz"])
async def test_an_answer_serves_everybody_for_a_minute(desk: Desk, text: str) -> None:
    first = await desk.leads.search("V1", text)
    desk.clock.forward(KEEP - TICK)
    assert await desk.leads.search("V2", text) == first
    assert desk.questions == [text]
    desk.clock.forward(TICK)
    assert await desk.leads.search("V1", text) == first
    assert desk.questions == [text, text]


async def test_a_word_typed_to_its_end_is_asked_once(desk: Desk) -> None:
    for text in ("kum", "kuma", "kumar"):
        assert names(await desk.leads.search("V1", text)) == ["Ravi Kumar"]
    assert desk.questions == ["kum"]
    desk.clock.forward(KEEP)
    await desk.leads.search("V1", "kuma")
    assert desk.questions == ["kum", "kuma"]


async def test_a_longer_text_is_asked_where_its_answer_is_not_sure(desk: Desk) -> None:
    assert names(await desk.leads.search("V1", "ash")) == ["Asha Rao", "Asha Menon"]
    assert names(await desk.leads.search("V1", "asha.r")) == ["Asha Rao"]
    assert names(await desk.leads.search("V1", "asha m")) == ["Asha Menon"]
    assert desk.questions == ["ash", "asha.r", "asha m"]


async def test_an_answer_that_may_have_been_cut_tells_nothing_of_longer_texts(desk: Desk) -> None:
    for number in range(1, 4):
        guid = f"{number:08}-1111-4222-8333-abcdefabcdef"
        desk.crm.leads.append(desk.crm.leads[0] | {"ProspectID": guid})
    desk.crm.account.search_most = 5
    assert len((await desk.leads.search("V1", "ash")).leads) == 5
    assert len((await desk.leads.search("V1", "asha")).leads) == 5
    assert desk.questions == ["ash", "asha"]


async def test_two_views_share_one_call(desk: Desk) -> None:
    both = await asyncio.gather(type_in(desk, "asha", "V1"), type_in(desk, "asha", "V2"))
    assert both[0] == both[1]
    assert desk.questions == ["asha"]


async def test_only_so_many_answers_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    for text in ("asha", "ravi", "zoë", "ravi", "zoë", "asha"):
        await desk.leads.search("V1", text)
    assert desk.questions == ["asha", "ravi", "zoë", "asha"]


async def test_the_oldest_answer_makes_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    for text in ("asha", "ravi"):
        await desk.leads.search("V1", text)
    desk.clock.forward(KEEP)
    for text in ("asha", "zoë", "asha"):
        await desk.leads.search("V1", text)
    assert desk.questions == ["asha", "ravi", "asha", "zoë"]


# -- while somebody types on ------------------------------------------------------------------


class PausingClock(FrozenClock):
    """Time in which every pause lasts until the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self.over = asyncio.Event()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.over.wait()


async def test_nothing_is_asked_before_a_pause_in_typing() -> None:
    clock = PausingClock()
    async with open_desk(clock) as desk:
        desk.gate.open.clear()
        typed = [await type_slowly(desk, text) for text in ("ash", "asha", "asha m")]
        assert [task.done() for task in typed] == [True, True, False]
        assert (clock.pauses, desk.gate.waiting) == ([PAUSE] * 3, 0)
        clock.over.set()
        await settle()
        assert desk.gate.waiting == 1
        desk.gate.open.set()
        assert names(await typed[2]) == ["Asha Menon"]
        assert desk.questions == ["asha m"]


async def test_of_what_waits_for_a_permit_only_the_newest_is_asked(desk: Desk) -> None:
    desk.gate.open.clear()
    typed = [await type_slowly(desk, text) for text in ("ash", "asha", "asha m")]
    assert [task.done() for task in typed] == [True, True, False]
    assert desk.gate.waiting == 1
    desk.gate.open.set()
    first, second, third = await asyncio.gather(*typed)
    assert first == second == Found(hint=Hint.SUPERSEDED)
    assert names(third) == ["Asha Menon"]
    assert desk.questions == ["asha m"]


async def test_another_view_is_not_disturbed(desk: Desk) -> None:
    desk.gate.open.clear()
    mine, theirs = type_in(desk, "ravi", "V1"), type_in(desk, "ravi", "V2")
    await settle()
    newer = type_in(desk, "zoë", "V1")
    await settle()
    desk.gate.open.set()
    assert names(await theirs) == ["Ravi Kumar"]
    assert names(await newer) == ["Zoë Müller"]
    assert await mine == await theirs  # as it was asked after all
    assert sorted(desk.questions) == ["ravi", "zoë"]


@pytest.mark.parametrize("slowly", [True, False])
async def test_deleting_back_to_an_earlier_text_asks_for_that(desk: Desk, slowly: bool) -> None:
    desk.gate.open.clear()
    texts = ("asha", "ashab", "asha")
    typed = [await type_slowly(desk, text) if slowly else type_in(desk, text) for text in texts]
    await settle()
    desk.gate.open.set()
    first, second, third = await asyncio.gather(*typed)
    assert first == second == Found(hint=Hint.SUPERSEDED)
    assert len(third.leads) == 2
    assert desk.questions == ["asha"]


@pytest.mark.parametrize("newest", ["as", "ravi"])
async def test_a_newer_text_that_needs_no_call_gives_up_the_older_too(
    desk: Desk, newest: str
) -> None:
    await desk.leads.search("V1", "ravi")
    desk.gate.open.clear()
    older = type_in(desk, "asha")
    await settle()
    await desk.leads.search("V1", newest)
    assert await older == Found(hint=Hint.SUPERSEDED)
    desk.gate.open.set()
    await settle()
    assert desk.questions == ["ravi"]


async def test_what_is_under_way_is_let_be_and_its_answer_kept(desk: Desk) -> None:
    desk.crm.faults.next("search", "hang")
    older = type_in(desk, "rav")
    await desk.crm.until(lambda: desk.questions == ["rav"])
    assert names(await desk.leads.search("V1", "zoë")) == ["Zoë Müller"]
    desk.crm.release()
    assert names(await older) == ["Ravi Kumar"]
    assert names(await desk.leads.search("V1", "ravi")) == ["Ravi Kumar"]
    assert desk.questions == ["rav", "zoë"]


# -- when it takes too long, or fails ---------------------------------------------------------


async def test_a_search_takes_no_longer_than_two_and_a_half_seconds(desk: Desk) -> None:
    desk.crm.faults.next("search", "hang")
    slow = type_in(desk, "ravi")
    await desk.crm.until(lambda: desk.questions == ["ravi"])
    await desk.time.forward(2.4)
    assert not slow.done()
    await desk.time.forward(0.1)
    assert slow.done()
    assert await slow == Found(hint=Hint.TOO_SLOW)


async def test_an_answer_that_came_too_late_serves_the_next_who_asks(desk: Desk) -> None:
    desk.crm.faults.next("search", "hang")
    slow = type_in(desk, "ravi")
    await desk.crm.until(lambda: desk.questions == ["ravi"])
    await desk.time.forward(2.5)
    assert (await slow).hint is Hint.TOO_SLOW
    again = type_in(desk, "ravi")
    await settle()
    desk.crm.release()
    assert names(await again) == ["Ravi Kumar"]
    assert desk.questions == ["ravi"]


async def test_a_search_that_waited_in_vain_for_a_permit_is_not_asked_later(desk: Desk) -> None:
    desk.gate.open.clear()
    slow = type_in(desk, "ravi")
    await settle()
    await desk.time.forward(2.5)
    assert await slow == Found(hint=Hint.TOO_SLOW)
    await settle()
    assert desk.gate.waiting == 0
    desk.gate.open.set()
    assert names(await desk.leads.search("V1", "zoë")) == ["Zoë Müller"]
    assert desk.questions == ["zoë"]


async def test_a_listener_that_is_cancelled_leaves_nothing_waiting(desk: Desk) -> None:
    desk.gate.open.clear()
    gone = type_in(desk, "ravi")
    await settle()
    gone.cancel()
    await settle()
    assert gone.cancelled()
    assert desk.gate.waiting == 0


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (FaultKind.UNAVAILABLE_503, Hint.UNAVAILABLE),
        (FaultKind.RATE_LIMIT_429, Hint.UNAVAILABLE),
        (FaultKind.RATE_LIMIT_200, Hint.UNAVAILABLE),
        (FaultKind.NULL_REFERENCE, Hint.UNAVAILABLE),
        (FaultKind.HTML_200, Hint.UNAVAILABLE),
        (FaultKind.NULL_200, Hint.UNAVAILABLE),
        (FaultKind.BROKEN_JSON_200, Hint.UNAVAILABLE),
        (FaultKind.HUGE_BODY, Hint.UNAVAILABLE),
        (FaultKind.GZIP_BOMB, Hint.UNAVAILABLE),
        (FaultKind.CUT_BODY, Hint.UNAVAILABLE),
        (FaultKind.RESET_BEFORE, Hint.UNAVAILABLE),
        (FaultKind.REDIRECT_302, Hint.UNAVAILABLE),
        (FaultKind.UNAUTHORIZED_401, Hint.REFUSED),
        (FaultKind.FORBIDDEN_403, Hint.REFUSED),
        (FaultKind.MX_500, Hint.REFUSED),
    ],
)
async def test_a_failed_search_says_so_and_the_next_one_asks_again(
    desk: Desk, fault: FaultKind, hint: Hint
) -> None:
    desk.crm.faults.next("search", fault)
    assert await desk.leads.search("V1", "ravi") == Found(hint=hint)
    assert names(await desk.leads.search("V1", "ravi")) == ["Ravi Kumar"]


async def test_a_failed_search_is_logged_without_what_was_typed(desk: Desk) -> None:
    desk.crm.faults.next("search", "unavailable_503")
    with capture_logs() as logs:
        await desk.leads.search("V1", "ravi")
        await settle()
    event = {"event": "lead_search.failed", "error": "CrmUnavailableError"}
    assert logs == [event | {"log_level": "warning"}]


async def test_a_crm_that_cannot_be_reached_is_away(desk: Desk) -> None:
    await desk.crm.refuse_connections()
    assert await desk.leads.search("V1", "ravi") == Found(hint=Hint.UNAVAILABLE)


async def test_without_the_database_nothing_is_asked_and_the_listener_hears_of_it(
    desk: Desk,
) -> None:
    desk.gate.error = StoreUnavailableError()
    with pytest.raises(StoreUnavailableError):
        await desk.leads.search("V1", "ravi")
    assert desk.crm.calls == []


# -- with the real gate -----------------------------------------------------------------------


async def test_a_big_send_leaves_searches_their_slots(
    database: Database, clock: FrozenClock
) -> None:
    store = GateStore(database, LIMITS, ACCOUNT)
    await store.prepare()
    while isinstance(await store.take_alone(interactive=False), Permit):
        pass
    gate = RateGate(store, AsyncLimiter(1000, 1), clock, Watch())
    begun = clock.time()
    async with open_desk(clock, gate) as desk:
        assert names(await desk.leads.search("V1", "ravi")) == ["Ravi Kumar"]
    assert clock.time() - begun == pytest.approx(PAUSE)


async def test_a_search_given_up_takes_no_slot(database: Database, clock: FrozenClock) -> None:
    store = GateStore(database, LIMITS, ACCOUNT)
    await store.prepare()
    limiter = AsyncLimiter(1, 3600)
    await limiter.acquire()
    gate = RateGate(store, limiter, clock, Watch())
    async with open_desk(clock, gate) as desk:
        older, newer = type_in(desk, "ravi"), type_in(desk, "zoë")
        await settle()
        assert await older == Found(hint=Hint.SUPERSEDED)
        newer.cancel()
        await settle()
        await gate.drain()
        assert desk.crm.calls == []
    slots = [await store.take_alone(interactive=True) for _ in range(LIMITS.limit)]
    assert all(isinstance(slot, Permit) for slot in slots)
