"""What the cells of the rate table come to; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bench.rate_cells import LIMIT, PERIOD, Outcome, Setting, find_bound
from bench.results import Answer, Goal, Picture, Spread, Table, at_most

BOT = "this bot, reserve 0"
SHIPPED = "this bot, reserve 2 (as shipped)"
PAIR = "this bot, reserve 0, two processes"
OURS = (BOT, SHIPPED, PAIR)
GOALS = {0.15: 1.05, 0.6: 1.13}
"""By the most delay in seconds: the multiple of the bound."""

Results = dict[str, dict[Setting, list[Outcome]]]
"""By who called and how the CRM counted: an outcome for each run."""

METHOD = (
    "{calls} calls to a CRM that counts {limit} per {period:g} s when they arrive, after a random "
    "delay, in each of three ways (LeadSquared does not say which is its own). What no program "
    "can beat is {bound:g} s from the first arrival to the last: one period after each {limit} "
    "calls but the last. For the bot it is one `/notify` to {calls} people, with everything that "
    "is stored and answered on the way (SQLite; two processes: one Postgres). A peer is used as "
    "its documentation says (the pages are named in `bench/rate_peers.py`) and does nothing but "
    "call; what is refused stays refused, but for the one that repeats."
)
NOTES = (
    "The bot counts a period from each *response*, the limiters from when they let a call go: "
    "what the network adds in between is what is refused. `AsyncLimiter`, a leaky bucket, lets a "
    "full bucket and its refill through in the first period besides.",
    "Repeating waits for what `Retry-After` says, or for a period, since LeadSquared documents no "
    "such header. It gets everything through in the end, and hits the limit on the way.",
    "Even pacing cannot use what a period has left, and calls that the network holds up still "
    "meet.",
    "Two processes: `limits`, throttled-py and `AsyncLimiter` share nothing without a Redis or "
    "the like, so each process keeps the limit for itself and the account sees twice as much. "
    "pyrate-limiter's `MultiprocessBucket` is shared by the children of one program only; its "
    "SQLite and Postgres buckets need further packages (filelock, psycopg-pool) and were left out.",
    "The reserve of 2 slots makes a big send slower, as shown, so that a single notification need "
    "not wait for it: what it buys is under “From Enter to push”.",
)


def build_answer(calls: int, results: Results, alone: Outcome | None) -> Answer:
    settings = list(next(iter(results.values())))
    bound = find_bound(calls)
    method = [METHOD.format(calls=calls, limit=LIMIT, period=PERIOD, bound=bound)]
    if alone is not None:
        method.append(_compare_alone(results[BOT][settings[-1]], settings[-1], alone))
    return Answer(
        title="Rate",
        short=_conclude(calls, results),
        method=method,
        tables=[
            _build_table(f"Calls refused, of {calls}", results, settings, _count_refused, 0),
            _build_table("Time, as a multiple of the bound", results, settings, _find_ratio, 2),
            _build_table(f"Most arrivals in any {PERIOD:g} s", results, settings, _find_busiest, 0),
        ],
        goals=[*_judge_refusals(results), *_judge_ratios(results, settings)],
        pictures=_draw(results, settings),
        notes=NOTES,
    )


def _conclude(calls: int, results: Results) -> str:
    ours = [_count_refused(each) for who in OURS for each in _find_all(results[who])]
    peers = [who for who in results if who not in OURS]
    least = {who: min(map(_count_refused, _find_all(results[who]))) for who in peers}
    most = {who: max(map(_count_refused, _find_all(results[who]))) for who in peers}
    clean = [who for who in peers if most[who] == 0]
    ratios = Spread.of(map(_find_ratio, _find_all(results[BOT])))
    refused = f"at most {max(ours):g}" if max(ours) else "none"
    unrefused = f"never any of: {', '.join(clean)}" if clean else "some of each"
    return (
        f"Of {calls} calls {refused} of this bot's were refused, whatever the CRM counted by; of "
        f"the peers' {min(least.values()):g} to {max(most.values()):g}, {unrefused}. The bot took "
        f"{ratios.low:.2f} to {ratios.high:.2f} of the time that no program can beat."
    )


def _find_all(cells: dict[Setting, list[Outcome]]) -> list[Outcome]:
    return [outcome for outcomes in cells.values() for outcome in outcomes]


def _count_refused(outcome: Outcome) -> float:
    return outcome.refused


def _find_ratio(outcome: Outcome) -> float:
    return outcome.ratio


def _find_busiest(outcome: Outcome) -> float:
    return outcome.busiest


def _compare_alone(beside: Iterable[Outcome], setting: Setting, alone: Outcome) -> str:
    ratios = Spread.of(outcome.ratio for outcome in beside)
    return (
        "The cells run beside each other, since they mostly wait; their beginnings share a period "
        f"evenly, so that bursts do not meet. That this is fair: {BOT}, {setting}, takes "
        f"{alone.ratio:.2f} of the bound with the machine to itself, and {ratios.show(2)} beside "
        "all others."
    )


def _build_table(
    title: str,
    results: Results,
    settings: Sequence[Setting],
    read: Callable[[Outcome], float],
    digits: int,
) -> Table:
    rows = [
        (who, *(Spread.of(map(read, cells[each])).show(digits) for each in settings))
        for who, cells in results.items()
    ]
    return Table(title, ("", *map(str, settings)), rows)


def _judge_refusals(results: Results) -> list[Goal]:
    most = max(
        outcome.refused
        for who in OURS
        for outcomes in results[who].values()
        for outcome in outcomes
    )
    return [Goal("calls refused in any cell and run: 0", str(most), most == 0)]


def _judge_ratios(results: Results, settings: Sequence[Setting]) -> list[Goal]:
    goals = []
    for jitter, goal in GOALS.items():
        medians = [
            Spread.of(map(_find_ratio, results[who][each])).median
            for who in (BOT, PAIR)
            for each in settings
            if each.jitter == jitter
        ]
        if medians:
            what = f"reserve 0, delay 0–{jitter * 1000:g} ms: multiple of the bound"
            goals.append(at_most(what, goal, max(medians), digits=3))
    return goals


def _draw(results: Results, settings: Sequence[Setting]) -> list[Picture]:
    time = "Time from the first call to the last"
    kinds = (
        ("rate-refused", "Calls refused", "calls", _count_refused, None),
        ("rate-time", time, "multiple of the bound", _find_ratio, ("the bound", 1.0)),
    )
    groups = [str(setting).replace(", ", "\n") for setting in settings]
    single = {who: cells for who, cells in results.items() if "two processes" not in who}
    return [
        Picture(
            name,
            title,
            unit,
            groups,
            {
                who.replace("`", ""): [Spread.of(map(read, cells[each])) for each in settings]
                for who, cells in single.items()
            },
            line=line,
        )
        for name, title, unit, read, line in kinds
    ]
