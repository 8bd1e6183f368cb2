"""What growth comes to; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.growth_memory import Big, Memory
from bench.growth_store import CLAIM, STEPS, Medians
from bench.results import Answer, Goal, Picture, Spread, Table, at_most

CLAIM_RATIO, MEMORY = 2.0, 150.0
"""Of the longest queue's claim to the shortest's; MB."""


@dataclass
class Growth:
    """Everything that was found, as it came in."""

    waiting: list[int]
    directory: int
    recipients: int
    steps: dict[str, Medians] = field(default_factory=dict)
    waiting_memory: dict[tuple[str, int], list[Memory]] = field(default_factory=dict)
    big: dict[str, list[Big]] = field(default_factory=dict)


METHOD = (
    "Steps of the store, each a transaction or a few of its own: accept one recipient; claim what "
    "is next and settle it; look whether somebody has to be looked up. They go straight to the "
    "database, which holds so many deliveries already; all queues are stepped through by turns.",
    "Memory is that of a real process: watched while so many deliveries wait and it sends; and in "
    "an account of {directory:,} users, of whom the first notification reads them all, and the "
    "second goes to {recipients:,} at once (`HOURLY_LIMIT` and `CONFIRM_ABOVE` are 0).",
)


def build_answer(growth: Growth) -> Answer:
    method = [
        part.format(directory=growth.directory, recipients=growth.recipients) for part in METHOD
    ]
    return Answer(
        title="Growth",
        short=_conclude(growth),
        method=method,
        tables=[
            *(_build_steps(name, medians) for name, medians in growth.steps.items()),
            _build_memory(growth),
            _build_big(growth),
        ],
        goals=[*_judge_claims(growth), *_judge_memory(growth)],
        pictures=[_draw_claims(growth)],
    )


def _conclude(growth: Growth) -> str:
    shortest, longest = growth.waiting[0], growth.waiting[-1]
    ratios = [_compare_claims(growth, medians) for medians in growth.steps.values()]
    most = max(memory.peak for name in growth.steps for memory in _find_memories(growth, name))
    return (
        f"A claim beside {longest:,} waiting deliveries takes {min(ratios):.2f} to "
        f"{max(ratios):.2f} times as long as one beside {shortest:,}. Whatever is asked of it, a "
        f"process has at most {most:.0f} MB."
    )


def _build_steps(name: str, medians: Medians) -> Table:
    rows = [
        (queue, *(Spread.of(found[step]).show(2) for step in STEPS))
        for queue, found in medians.items()
    ]
    return Table(f"{name}: ms for a step beside a queue", ("", *STEPS), rows)


def _build_memory(growth: Growth) -> Table:
    names = list(growth.steps)
    rows = [
        (f"{number:,} waiting", *(_show(growth.waiting_memory[name, number]) for name in names))
        for number in growth.waiting
    ]
    rows += [
        (what, *(_show([read(big) for big in growth.big[name]]) for name in names))
        for what, read in _big_memories(growth)
    ]
    return Table("Resident memory, MB, and the most there was", ("", *names), rows)


def _big_memories(growth: Growth) -> list[tuple[str, Callable[[Big], Memory]]]:
    return [
        (f"{growth.directory:,} CRM users read", lambda big: big.with_directory),
        (f"and {growth.recipients:,} recipients accepted", lambda big: big.with_send),
    ]


def _show(found: Sequence[Memory]) -> str:
    now = Spread.of(memory.now for memory in found).show(0)
    peak = Spread.of(memory.peak for memory in found).show(0)
    return f"{now}; most {peak}"


def _build_big(growth: Growth) -> Table:
    def show(read: Callable[[Big], float]) -> list[str]:
        return [Spread.of(map(read, runs)).show(0) for runs in growth.big.values()]

    rows = [
        (f"first push, {growth.directory:,} CRM users read", *show(lambda big: big.first)),
        (f"acceptance of {growth.recipients:,} recipients", *show(lambda big: big.acceptance)),
    ]
    return Table("A large account and a large send, ms", ("", *growth.big), rows)


def _judge_claims(growth: Growth) -> list[Goal]:
    goals = []
    for name, medians in growth.steps.items():
        what = (
            f"{name}: claim with {growth.waiting[-1]:,} waiting, "
            f"multiple of one with {growth.waiting[0]:,}"
        )
        goals.append(at_most(what, CLAIM_RATIO, _compare_claims(growth, medians), digits=2))
    return goals


def _compare_claims(growth: Growth, medians: Medians) -> float:
    """Return the longest queue's claim as a multiple of the shortest's."""
    claims = [Spread.of(found[CLAIM]).median for found in medians.values()]
    return claims[len(growth.waiting) - 1] / claims[0]


def _judge_memory(growth: Growth) -> list[Goal]:
    goals = []
    for name in growth.steps:
        most = max(memory.peak for memory in _find_memories(growth, name))
        goals.append(at_most(f"{name}: most resident memory throughout", MEMORY, most, " MB", 0))
    return goals


def _find_memories(growth: Growth, name: str) -> list[Memory]:
    waiting = [growth.waiting_memory[name, number] for number in growth.waiting]
    big = [[each.with_directory, each.with_send] for each in growth.big[name]]
    return [memory for found in [*waiting, *big] for memory in found]


def _draw_claims(growth: Growth) -> Picture:
    first = next(iter(growth.steps.values()))
    queues = list(first)[: len(growth.waiting)]
    series = {
        f"{name}: {step}": [Spread.of(medians[queue][step]) for queue in queues]
        for name, medians in growth.steps.items()
        for step in STEPS[:2]
    }
    return Picture("growth-steps", "A step beside a long queue", "ms", queues, series)
