"""`/metrics`: the numbers of one process, and those that all processes share in the database.

Anybody may read them where METRICS_TOKEN is not set, so no label names a person, a place or a
text: labels are words of ours, of Slack and of LeadSquared, from sets that do not grow.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping

from aiohttp import hdrs, web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pydantic import SecretStr

from bot.clock import Clock
from bot.errors import StoreError
from bot.notification import State
from bot.slack_api import TOKEN_REFUSED
from bot.slack_client import NO_ANSWER, RATE_LIMITED
from bot.store.gauges import Gauges

READ_EVERY = 5.0
"""Seconds, at least, between two looks at the database, however many ask."""

READ_WITHIN = 2.0

ACK_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 3.0)
CALL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
WAIT_BUCKETS = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

SLACK_OUTCOMES = TOKEN_REFUSED | {
    "ok",
    NO_ANSWER,
    RATE_LIMITED,
    "cant_update_message",
    "channel_not_found",
    "expired_trigger_id",
    "hash_conflict",
    "invalid_blocks",
    "is_archived",
    "message_not_found",
    "messages_tab_disabled",
    "missing_scope",
    "msg_too_long",
    "no_such_subteam",
    "not_found",
    "not_in_channel",
    "response_url_404",
    "restricted_action",
    "trigger_expired",
    "user_not_found",
}
"""Slack's words that are counted by themselves; every other one is `other`."""

PUSH_OUTCOMES = ("ok", "access_401", "access_403", "access_404", "rate_limited", "uncertain")
"""What alerts ask about, so it is told as 0 before it happens."""

ReadGauges = Callable[[], Awaitable[Gauges]]


class Metrics:
    """The observer that counts, and the route that tells."""

    def __init__(self, token: SecretStr | None, clock: Clock) -> None:
        self._token = token
        self._clock = clock
        self.read_gauges: ReadGauges | None = None
        """Given once the database is there and has its tables."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they tell nothing, at length
        self._registry = registry = CollectorRegistry(auto_describe=False)
        self._gauges = _GaugeCollector()
        registry.register(self._gauges)
        ProcessCollector(registry=registry)
        self._acknowledgements = Histogram(
            "notifier_acknowledgement_seconds",
            "From a request of Slack's, read and verified, to its acknowledgement.",
            ["kind"],
            buckets=ACK_BUCKETS,
            registry=registry,
        )
        self._failures = Counter(
            "notifier_request_failures",
            "Requests that met a bug, and were answered with a reference.",
            registry=registry,
        )
        self._moves = Counter(
            "notifier_deliveries",
            "Deliveries that came into this state; one that is repeated comes to pending again.",
            ["state"],
            registry=registry,
        )
        self._waits = Histogram(
            "notifier_permit_wait_seconds",
            "How long calls to LeadSquared waited for their permit.",
            ["purpose"],
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._calls = Counter(
            "notifier_crm_calls",
            "Calls to LeadSquared, by what came of them.",
            ["operation", "outcome"],
            registry=registry,
        )
        self._call_times = Histogram(
            "notifier_crm_call_seconds",
            "How long calls to LeadSquared took.",
            ["operation"],
            buckets=CALL_BUCKETS,
            registry=registry,
        )
        self._slack_calls = Counter(
            "notifier_slack_calls",
            "Calls to Slack, by what came of them.",
            ["method", "outcome"],
            registry=registry,
        )
        self._replies = Counter(
            "notifier_replies",
            "Replies that Slack took (paid), will be offered again (put_off), or were given up.",
            ["outcome"],
            registry=registry,
        )
        for state in State:
            self._moves.labels(state.value)  # 0 is a number too: alerts ask how it grows
        for outcome in ("paid", "put_off", "lost"):
            self._replies.labels(outcome)
        for outcome in PUSH_OUTCOMES:
            self._calls.labels("Browser.Push", outcome)
        for outcome in TOKEN_REFUSED:
            self._slack_calls.labels("chat.postMessage", outcome)

    def answered(self, kind: str, seconds: float) -> None:
        self._acknowledgements.labels(kind).observe(seconds)

    def broke(self) -> None:
        self._failures.inc()

    def moved(self, states: Mapping[str, int]) -> None:
        for state, count in states.items():
            self._moves.labels(state).inc(count)

    def waited(self, purpose: str, seconds: float) -> None:
        self._waits.labels(purpose).observe(seconds)

    def called(self, operation: str, outcome: str, seconds: float) -> None:
        self._calls.labels(operation, outcome).inc()
        self._call_times.labels(operation).observe(seconds)

    def asked(self, method: str, outcome: str) -> None:
        known = outcome if outcome in SLACK_OUTCOMES else "other"
        self._slack_calls.labels(method, known).inc()

    def replied(self, outcome: str) -> None:
        self._replies.labels(outcome).inc()

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/metrics", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer 200 whatever the database does; 401 to who does not have METRICS_TOKEN."""
        if not self._may_read(request.headers.get(hdrs.AUTHORIZATION, "")):
            challenge = {hdrs.WWW_AUTHENTICATE: "Bearer"}
            return web.json_response({"error": "token needed"}, status=401, headers=challenge)
        await self._gauges.refresh(self.read_gauges, self._clock)
        text = generate_latest(self._registry)
        return web.Response(body=text, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})

    def _may_read(self, authorization: str) -> bool:
        if self._token is None:
            return True
        expected = f"Bearer {self._token.get_secret_value()}"
        return hmac.compare_digest(authorization.encode(errors="replace"), expected.encode())


class _GaugeCollector(Collector):
    """What the database says, at most once in `READ_EVERY`; without it, that alone."""

    def __init__(self) -> None:
        self._found: Gauges | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def refresh(self, read: ReadGauges | None, clock: Clock) -> None:
        async with self._reading:
            if read is None or clock.time() - self._read_at < READ_EVERY:
                return
            self._read_at = clock.time()
            try:
                async with asyncio.timeout(READ_WITHIN):
                    self._found = await read()
            except (StoreError, TimeoutError):
                self._found = None  # what it was would pass for what it is

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = self._found
        yield _gauge("database_up", "1 if the database answered the last look.", found is not None)
        if found is None:
            return
        about = "Deliveries that have not ended; from 5,000 on nobody counts."
        deliveries = GaugeMetricFamily("notifier_deliveries_open", about, labels=["state"])
        deliveries.add_metric([State.PENDING.value], found.pending)
        deliveries.add_metric([State.SENDING.value], found.sending)
        yield deliveries
        yield _gauge("queue_oldest_seconds", "How long the oldest of them waits.", found.oldest)
        yield _gauge("replies_owed", "Outcomes that Slack has not taken yet.", found.owed)
        yield _gauge("rate_limit_calls", "Calls that are allowed in a period.", found.limit)
        yield _gauge("rate_limit_period_seconds", "The period.", found.period)
        yield _gauge("rate_limit_learned", "1 if a refusal taught these.", found.is_learned)
        yield _gauge("gate_closed_seconds", "Until calls may go out again.", found.closed)


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"notifier_{name}", about, value=float(value))
