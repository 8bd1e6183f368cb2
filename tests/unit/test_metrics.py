import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot.errors import StoreUnavailableError
from bot.metrics import READ_EVERY, Metrics
from bot.store.gauges import Gauges
from tests.clock import FrozenClock

GAUGES = Gauges(
    pending=3,
    oldest=7.5,
    sending=2,
    owed=1,
    limit=20,
    period=5.0,
    is_learned=True,
    closed=4.0,
)

Client = TestClient[web.Request, web.Application]
Samples = dict[str, float]


@asynccontextmanager
async def serving(metrics: Metrics) -> AsyncIterator[Client]:
    app = web.Application()
    metrics.add_routes(app)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def metrics(clock: FrozenClock) -> Metrics:
    return Metrics(None, clock)


@pytest.fixture
async def client(metrics: Metrics) -> AsyncIterator[Client]:
    async with serving(metrics) as client:
        yield client


async def scrape(client: Client) -> Samples:
    """Return every sample by its name and labels, as they are written."""
    answer = await client.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return parse(await answer.text())


def parse(text: str) -> Samples:
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return {_write(sample.name, sample.labels): sample.value for sample in samples}


def _write(name: str, labels: dict[str, str]) -> str:
    return " ".join([name, *(f"{label}={value}" for label, value in sorted(labels.items()))])


def answering(*found: Gauges | Exception) -> tuple[Callable[[], Awaitable[Gauges]], list[int]]:
    """Return a reader of gauges with these answers, the last one for ever, and its calls."""
    calls: list[int] = []

    async def read() -> Gauges:
        calls.append(1)
        each = found[min(len(calls), len(found)) - 1]
        if isinstance(each, Exception):
            raise each
        return each

    return read, calls


async def test_before_the_database_is_there_it_is_said_to_be_away(client: Client) -> None:
    found = await scrape(client)
    assert found["notifier_database_up"] == 0
    assert "notifier_queue_oldest_seconds" not in found
    assert found["notifier_deliveries_total state=sent"] == 0
    assert found["notifier_replies_total outcome=lost"] == 0
    assert found["process_resident_memory_bytes"] > 1e6


async def test_the_gauges_are_what_the_database_says(client: Client, metrics: Metrics) -> None:
    metrics.read_gauges, _ = answering(GAUGES)
    found = await scrape(client)
    assert {name: value for name, value in found.items() if name in EXPECTED} == EXPECTED


EXPECTED = {
    "notifier_database_up": 1,
    "notifier_deliveries_open state=pending": 3,
    "notifier_deliveries_open state=sending": 2,
    "notifier_queue_oldest_seconds": 7.5,
    "notifier_replies_owed": 1,
    "notifier_rate_limit_calls": 20,
    "notifier_rate_limit_period_seconds": 5,
    "notifier_rate_limit_learned": 1,
    "notifier_gate_closed_seconds": 4,
}


async def test_the_database_is_asked_once_in_a_while_however_many_ask(
    client: Client, metrics: Metrics, clock: FrozenClock
) -> None:
    metrics.read_gauges, calls = answering(GAUGES)
    await asyncio.gather(*(scrape(client) for _ in range(5)))
    clock.forward(READ_EVERY - 0.01)
    await scrape(client)
    assert len(calls) == 1
    clock.forward(0.01)
    await scrape(client)
    assert len(calls) == 2


@pytest.mark.parametrize("error", [StoreUnavailableError("away"), TimeoutError()])
async def test_a_database_that_goes_is_said_and_what_it_last_said_is_not(
    client: Client, metrics: Metrics, clock: FrozenClock, error: Exception
) -> None:
    metrics.read_gauges, _ = answering(GAUGES, error, GAUGES)
    shown = []
    for _ in range(3):
        found = await scrape(client)
        shown.append((found["notifier_database_up"], "notifier_replies_owed" in found))
        clock.forward(READ_EVERY)
    assert shown == [(1, True), (0, False), (1, True)]


async def test_a_database_that_hangs_is_not_waited_for(
    client: Client, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> Gauges:
        await asyncio.Event().wait()
        raise AssertionError("not reached")

    monkeypatch.setattr("bot.metrics.READ_WITHIN", 0.01)
    metrics.read_gauges = hang
    assert (await scrape(client))["notifier_database_up"] == 0


async def test_what_happens_is_counted(client: Client, metrics: Metrics) -> None:
    metrics.answered("command", 0.004)
    metrics.broke()
    metrics.moved({"sent": 2, "rejected": 1})
    metrics.waited("push", 3.0)
    metrics.called("Users.Get", "rate_limited", 0.2)
    metrics.replied("lost")
    found = await scrape(client)
    counted = {name: value for name, value in found.items() if value and "process_" not in name}
    for name, value in {
        "notifier_acknowledgement_seconds_bucket kind=command le=0.005": 1,
        "notifier_acknowledgement_seconds_count kind=command": 1,
        "notifier_request_failures_total": 1,
        "notifier_deliveries_total state=sent": 2,
        "notifier_deliveries_total state=rejected": 1,
        "notifier_permit_wait_seconds_sum purpose=push": 3,
        "notifier_crm_calls_total operation=Users.Get outcome=rate_limited": 1,
        "notifier_crm_call_seconds_bucket le=0.25 operation=Users.Get": 1,
        "notifier_replies_total outcome=lost": 1,
    }.items():
        assert counted.pop(name) == value
    assert "notifier_acknowledgement_seconds_bucket kind=command le=0.002" not in counted


async def test_words_of_slack_that_nobody_knows_are_one_series(
    client: Client, metrics: Metrics
) -> None:
    for code in ("ok", "is_archived", "ratelimited", "Priya wrote this", "and this"):
        metrics.asked("chat.postMessage", code)
    found = await scrape(client)
    counted = {name: value for name, value in found.items() if value and "slack_calls" in name}
    assert counted == {
        "notifier_slack_calls_total method=chat.postMessage outcome=ok": 1,
        "notifier_slack_calls_total method=chat.postMessage outcome=is_archived": 1,
        "notifier_slack_calls_total method=chat.postMessage outcome=ratelimited": 1,
        "notifier_slack_calls_total method=chat.postMessage outcome=other": 2,
    }


async def test_two_bots_in_one_process_count_apart(clock: FrozenClock) -> None:
    one, other = Metrics(None, clock), Metrics(None, clock)
    one.replied("paid")
    async with serving(other) as client:
        assert (await scrape(client))["notifier_replies_total outcome=paid"] == 0


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer scrape-m"}, 401),
        ({"Authorization": "Bearer scrape-me2"}, 401),
        ({"Authorization": "Basic scrape-me"}, 401),
        ({"Authorization": "Bearer scräpe-me"}, 401),
        ({"Authorization": "Bearer scrape-me"}, 200),
    ],
)
async def test_with_a_token_only_who_has_it_may_read(
    clock: FrozenClock, given: dict[str, str], status: int
) -> None:
    async with serving(Metrics(SecretStr("scrape-me"), clock)) as client:
        answer = await client.get("/metrics", headers=given)
        assert answer.status == status
        assert ("notifier_" in await answer.text()) == (status == 200)
        assert answer.headers.get("WWW-Authenticate") == (None if status == 200 else "Bearer")


async def test_a_head_request_is_answered(client: Client) -> None:
    answer = await client.head("/metrics")
    assert (answer.status, await answer.text()) == (200, "")
