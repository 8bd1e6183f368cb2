"""What the acknowledgements come to; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.peers import DEFAULT, NODE, NOT_MEASURED, OURS
from bench.results import Answer, Goal, Picture, Spread, Table, at_most, percentile

RATIO, AT_16 = 0.3, 100.0
"""Of the medians at one connection; milliseconds at p99."""


@dataclass(frozen=True)
class Load:
    """What one process did with one number of connections in one run; milliseconds."""

    times: list[float]
    cpu: float
    """For each request, the process alone: not the load, and not the Postgres server."""
    refused: int


Results = dict[str, dict[int, list[Load]]]
"""By who answered and by the number of connections: one load for each run."""

METHOD = (
    "Signed `/notify` requests over 1, 16 and 64 connections kept open, each connection sending "
    "its next as soon as it is answered; processes take turns, each once everything that anybody "
    "wrote is on the disk. The bot parses, checks the sender, "
    "commits the notification durably (SQLite with `synchronous=FULL`, Postgres with `fsync`) and "
    "then acknowledges, while it goes on sending 25 calls per 5 s (`HOURLY_LIMIT` is 0, as one "
    "person sends them all); the bare listeners do nothing "
    "but `ack()`, as their documentation shows "
    "([Python](https://docs.slack.dev/tools/bolt-python/concepts/async), "
    "[`process_before_response`](https://docs.slack.dev/tools/bolt-python/concepts/lazy-listeners),"
    " [JavaScript](https://docs.slack.dev/tools/bolt-js/getting-started)).",
)
NOTES = (
    "Bolt for Python looks for a listener's `ack()` every 10 ms unless `process_before_response` "
    "is set: that is the floor of its default settings at one connection, and CPU it spends.",
    "At 16 and 64 connections the load is more than one process can take, so the latency is how "
    "long the queue is: connections times the work for one request.",
    "CPU is that of the process alone; the Postgres server's comes on top, and so does what the "
    "bot sends in the background meanwhile.",
)


def build_answer(results: Results, stored: Mapping[str, int], warm_up: int) -> Answer:
    """Tell what was found; `warm_up` requests went before each load and were stored as well."""
    stored = {
        name: number - _count_first(results[name], warm_up) for name, number in stored.items()
    }
    return Answer(
        title="Acknowledgement",
        short=_conclude(results),
        method=METHOD,
        tables=[
            _build_table("Latency p50, ms", results, lambda load: percentile(load.times, 50)),
            _build_table("Latency p99, ms", results, lambda load: percentile(load.times, 99)),
            _build_table("CPU for a request, ms", results, lambda load: load.cpu),
            _build_refusals(results, stored),
        ],
        goals=_judge(results, stored),
        pictures=[_draw("p50", 50, results), _draw("p99", 99, results)],
        notes=NOTES,
    )


def _conclude(results: Results) -> str:
    bare = _find_p50(results[DEFAULT][1])
    parts = [
        f"{name} acknowledges a stored notification in {_find_p50(results[name][1]):.1f} ms at one "
        f"connection, {_find_p50(results[name][1]) / bare:.2f} times what a listener that only "
        "acknowledges takes with Bolt's default settings."
        for name in OURS
    ]
    return " ".join(part[0].upper() + part[1:] for part in parts)


def _build_table(title: str, results: Results, read: Callable[[Load], float]) -> Table:
    connections = _find_connections(results)
    head = ("connections", *map(str, connections))
    rows = [
        (name, *(Spread.of(map(read, loads[number])).show(2) for number in connections))
        for name, loads in results.items()
    ]
    if NODE not in results:
        rows.append((NODE, *(NOT_MEASURED for _ in connections)))
    return Table(title, head, rows)


def _find_connections(results: Results) -> list[int]:
    return list(next(iter(results.values())))


def _build_refusals(results: Results, stored: Mapping[str, int]) -> Table:
    rows = [
        (name, f"{_count_sent(loads):,}", str(_count_refused(loads)), _show_stored(name, stored))
        for name, loads in results.items()
    ]
    head = ("", "requests", "not answered 200", "stored")
    return Table("Requests, all runs", head, rows)


def _count_sent(loads: Mapping[int, list[Load]]) -> int:
    return sum(len(load.times) for each in loads.values() for load in each)


def _count_refused(loads: Mapping[int, list[Load]]) -> int:
    return sum(load.refused for each in loads.values() for load in each)


def _count_first(loads: Mapping[int, list[Load]], warm_up: int) -> int:
    """Return how many requests were not measured: those, and the one that found it ready."""
    return 1 + warm_up * sum(map(len, loads.values()))


def _show_stored(name: str, stored: Mapping[str, int]) -> str:
    return f"{stored[name]:,}" if name in stored else "nothing to store"


def _judge(results: Results, stored: Mapping[str, int]) -> list[Goal]:
    goals = []
    for name in OURS:
        loads = results[name]
        ratio = _find_p50(loads[1]) / _find_p50(results[DEFAULT][1])
        goals.append(
            at_most(f"{name}: p50 at 1 connection, multiple of bare Bolt's", RATIO, ratio, digits=2)
        )
        p99 = Spread.of(percentile(load.times, 99) for load in loads[16]).median
        goals.append(at_most(f"{name}: p99 at 16 connections", AT_16, p99, " ms"))
        lost = _count_sent(loads) - stored[name] + _count_refused(loads)
        goals.append(Goal(f"{name}: nothing refused or lost", str(lost), lost == 0))
    return goals


def _find_p50(loads: list[Load]) -> float:
    return Spread.of(percentile(load.times, 50) for load in loads).median


def _draw(name: str, rank: int, results: Results) -> Picture:
    connections = _find_connections(results)
    series = {
        who.replace("`", ""): [
            Spread.of(percentile(load.times, rank) for load in loads[number])
            for number in connections
        ]
        for who, loads in results.items()
    }
    groups = [f"{number} connections" for number in connections]
    groups[0] = "1 connection"
    title = f"Acknowledgement of /notify, {name}"
    return Picture(f"ack-{name}", title, "ms", groups, series, logarithmic=True)
