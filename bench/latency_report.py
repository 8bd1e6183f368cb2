"""What the times from Enter to the push come to; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.results import Answer, Goal, Picture, Spread, Table, at_most, percentile

NO_RESERVE = "SQLite, reserve 0"
"""Shown for what the reserve buys; the goals are for what is shipped."""

IDLE_P50, IDLE_P99, BESIDE_P95 = 10.0, 50.0, 1_000.0
"""Milliseconds."""


@dataclass(frozen=True)
class Times:
    """Milliseconds until the push arrived at the CRM."""

    from_enter: float
    from_acknowledgement: float


Run = tuple[Sequence[Times], Sequence[Times], int]
"""The times when idle and during the send, and the calls refused for rate."""

METHOD = (
    "One person's `/notify` to one other, from the moment the request leaves until the CRM counts "
    "the push: four a second while the bot has nothing else to do, and one every {gap:g} s while "
    "it sends to {crowd:,} people at LeadSquared's limit, with the reserve of 2 slots that is "
    "shipped. The third column is what `LEADSQUARED_RESERVED=0` gives. All are measured in turns, "
    "a moment apart, once everything that anybody wrote is on the disk: a commit would wait for it."
)
NOTES = (
    "During the big send every slot is used as soon as it opens, but for the two that are kept "
    "for single notifications; what is left is the work itself, and other work of the process.",
    "Without a reserve a single notification waits for the next slot that opens: that is what the "
    "slower big sends in “Rate” buy.",
)


def build_answer(crowd: int, results: Mapping[str, Sequence[Run]], gap: float) -> Answer:
    rows = [
        *(("idle, p50", name, _spread(runs, 0, 50)) for name, runs in results.items()),
        *(("idle, p99", name, _spread(runs, 0, 99)) for name, runs in results.items()),
        *(("during the send, p50", name, _spread(runs, 1, 50)) for name, runs in results.items()),
        *(("during the send, p95", name, _spread(runs, 1, 95)) for name, runs in results.items()),
    ]
    table = Table(
        "From Enter to the push at the CRM, ms",
        ("", *results),
        [
            (what, *(spread.show(1) for kind, _, spread in rows if kind == what))
            for what in dict.fromkeys(kind for kind, _, _ in rows)
        ],
    )
    acks = Table(
        "The same from the acknowledgement, ms",
        ("", *results),
        [
            ("idle, p50", *(_spread(runs, 0, 50, _after).show(1) for runs in results.values())),
            ("idle, p99", *(_spread(runs, 0, 99, _after).show(1) for runs in results.values())),
        ],
    )
    return Answer(
        title="From Enter to push",
        short=_conclude(crowd, results),
        method=[METHOD.format(gap=gap, crowd=crowd)],
        tables=[table, acks],
        goals=_judge(results),
        pictures=[
            Picture(
                "latency",
                "From Enter to the push at the CRM",
                "ms",
                list(dict.fromkeys(kind for kind, _, _ in rows)),
                {name: [spread for _, who, spread in rows if who == name] for name in results},
                logarithmic=True,
            )
        ],
        notes=NOTES,
    )


def _conclude(crowd: int, results: Mapping[str, Sequence[Run]]) -> str:
    idle = [_spread(runs, 0, 50).median for runs in results.values()]
    beside = {name: _spread(runs, 1, 95).median for name, runs in results.items()}
    with_reserve = [median for name, median in beside.items() if name != NO_RESERVE]
    return (
        f"An idle bot has the push at the CRM {min(idle):.0f} to {max(idle):.0f} ms after Enter. "
        f"Beside a send to {crowd:,} people 95 of 100 single notifications are there within "
        f"{max(with_reserve):,.0f} ms, and within {beside[NO_RESERVE]:,.0f} ms without a reserve."
    )


def _whole(times: Times) -> float:
    return times.from_enter


def _after(times: Times) -> float:
    return times.from_acknowledgement


def _spread(
    runs: Sequence[Run], part: int, rank: int, read: Callable[[Times], float] = _whole
) -> Spread:
    """Return the percentile over the runs; part 0 is idle, 1 during the send."""
    parts = [(idle, beside)[part] for idle, beside, _ in runs]
    return Spread.of(percentile([read(times) for times in each], rank) for each in parts)


def _judge(results: Mapping[str, Sequence[Run]]) -> list[Goal]:
    goals = []
    for name, runs in results.items():
        if name == NO_RESERVE:
            continue
        p50, p99, p95 = _spread(runs, 0, 50), _spread(runs, 0, 99), _spread(runs, 1, 95)
        refused = sum(refused for _, _, refused in runs)
        goals += [
            at_most(f"{name}: idle, p50", IDLE_P50, p50.median, " ms"),
            at_most(f"{name}: idle, p99", IDLE_P99, p99.median, " ms"),
            at_most(f"{name}: during the send, p95", BESIDE_P95, p95.median, " ms", 0),
            Goal(f"{name}: calls refused: 0", str(refused), refused == 0),
        ]
    return goals
