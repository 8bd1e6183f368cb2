import importlib
import json
import re
import shutil
import tomllib
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from bench.ack_report import Load
from bench.ack_report import build_answer as build_ack_answer
from bench.growth import build_queues
from bench.growth_store import STEPS, measure_steps
from bench.peers import DEFAULT, NODE, NOT_MEASURED, OURS
from bench.rate_cells import Outcome, Setting, find_bound
from bench.rate_peers import PEERS, Account, Job
from bench.rate_report import BOT, PAIR, SHIPPED
from bench.rate_report import build_answer as build_rate_answer
from bench.requests import build_request
from bot.migrations.run import upgrade
from bot.sandbox.leadsquared import Counting

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem != "__init__")

MEASURED = re.compile(
    r"\d[\d,]*(?:\.\d+)?(?=[ \u00a0]?(?:(?:ms|µs|MB|GB)\b|%|\u00d7))|\d+\.\d+(?= s\b)"
)
"""A number with a unit that only measurements have; `25 calls per 5 seconds` is a setting."""


def find_unfounded(text: str, page: str) -> list[str]:
    """Return the measurements in a text that the page of benchmarks does not have."""
    return [
        number
        for number in MEASURED.findall(text)
        if not re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d]|[.,]\d)", page)
    ]


def test_every_measurement_in_the_readme_comes_from_the_benchmarks() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert find_unfounded((ROOT / "README.md").read_text(encoding="utf-8"), page) == []


@pytest.mark.parametrize(
    ("text", "unfounded"),
    [
        ("acknowledged in 3.1 ms", []),
        ("acknowledged in 3 ms, with 92 MB", ["3"]),
        ("starts in 1.20 s", ["1.20"]),
        ("waits 5 seconds; 25 per 5 s; Python 3.11", []),
        ("uses 0.4% and 10,000 MB", ["10,000"]),
        ("1.03\N{MULTIPLICATION SIGN} the bound", ["1.03"]),
    ],
)
def test_a_number_without_a_measurement_is_found(text: str, unfounded: list[str]) -> None:
    page = "| this bot | 3.1 (2.9–3.4) | 92 | 0.4 | 21.20 | 1.032 | 110,000 |"
    assert find_unfounded(text, page) == unfounded


@pytest.mark.parametrize("module", MODULES)
def test_every_module_can_be_imported_without_the_peers(module: str) -> None:
    assert importlib.import_module(f"bench.{module}").__doc__


async def test_the_steps_of_the_store_are_measured_for_every_queue(tmp_path: Path) -> None:
    empty, numbers = tmp_path / "empty.db", count()
    upgrade(f"sqlite:///{empty}")

    def create() -> str:
        return f"sqlite:///{shutil.copy(empty, tmp_path / f'{next(numbers)}.db')}"

    queues = build_queues([10, 50])
    found = await measure_steps(queues, create, runs=2, steps=2)
    assert list(found) == list(queues)
    for medians in found.values():
        assert set(medians) == set(STEPS)
        assert all(len(times) == 2 and min(times) > 0 for times in medians.values())


def test_every_request_is_a_notification_of_its_own() -> None:
    fields = [dict(parse_qsl(build_request("U1").body)) for _ in range(3)]
    assert (
        len({each["text"] for each in fields}) == len({each["trigger_id"] for each in fields}) == 3
    )


def test_a_job_reaches_the_child_as_it_was() -> None:
    account = Account("http://127.0.0.1:1", "a", "s", "guid", 0.5)
    job = Job("limits", 150, 2, [account])
    assert Job.load(job.dump()) == job
    assert set(json.loads(job.dump())) == {"peer", "calls", "processes", "accounts"}


def test_the_bound_is_a_period_after_each_full_limit_but_the_last() -> None:
    assert find_bound(150) == 25.0
    assert find_bound(25) == 0.0


def build_outcome(seconds: float, refused: int = 0) -> Outcome:
    return Outcome(150, seconds, refused, 150 - refused, 25 + refused)


SLIDING = Setting(Counting.SLIDING, 0.15)
TOKENS = Setting(Counting.TOKEN_BUCKET, 0.6)


def build_rates(slowest: float, refused: int) -> dict[str, dict[Setting, list[Outcome]]]:
    good = {SLIDING: [build_outcome(25.5)] * 3, TOKENS: [build_outcome(27.0)] * 3}
    worse = {SLIDING: [build_outcome(slowest)] * 3, TOKENS: [build_outcome(27.0, refused)] * 3}
    peer = {each: [build_outcome(24.0, 27)] * 3 for each in good}
    return {BOT: good, SHIPPED: good, PEERS["aiolimiter"].title: peer, PAIR: worse}


def test_the_rate_goals_hold_for_every_cell_of_ours_and_for_no_peer() -> None:
    answer = build_rate_answer(150, build_rates(25.5, 0), None)
    assert [(goal.found, goal.met) for goal in answer.goals] == [
        ("0", True),
        ("1.020", True),
        ("1.080", True),
    ]
    assert answer.tables[0].rows[2] == ("`AsyncLimiter(25, 5)`", "27", "27")


def test_one_slow_or_refused_cell_misses_the_rate_goals() -> None:
    answer = build_rate_answer(150, build_rates(26.5, 1), build_outcome(25.25))
    assert [goal.met for goal in answer.goals] == [False, False, True]
    assert "1.01 of the bound with the machine to itself" in answer.method[1]


def build_loads(milliseconds: float, cpu: float) -> dict[int, list[Load]]:
    return {number: [Load([milliseconds] * 10, cpu, 0)] for number in (1, 16)}


def test_what_was_sent_and_not_stored_counts_as_lost() -> None:
    ours = {name: build_loads(3.0, 1.0) for name in OURS}
    results = {**ours, DEFAULT: build_loads(11.0, 2.0)}
    stored = {OURS[0]: 1 + 2 * 25 + 20, OURS[1]: 1 + 2 * 25 + 19}
    answer = build_ack_answer(results, stored, warm_up=25)
    found = {goal.aim: (goal.found, goal.met) for goal in answer.goals}
    assert found[f"{OURS[0]}: nothing refused or lost"] == ("0", True)
    assert found[f"{OURS[1]}: nothing refused or lost"] == ("1", False)
    assert found[f"{OURS[0]}: p50 at 1 connection, multiple of bare Bolt's ≤ 0.3"] == ("0.27", True)


def test_a_machine_without_node_says_so() -> None:
    results = {**{name: build_loads(3.0, 1.0) for name in OURS}, DEFAULT: build_loads(11.0, 2.0)}
    answer = build_ack_answer(results, dict.fromkeys(OURS, 71), warm_up=25)
    assert answer.tables[0].rows[-1] == (NODE, NOT_MEASURED, NOT_MEASURED)


def test_the_peer_on_node_is_pinned_and_names_no_index() -> None:
    folder = ROOT / "bench" / "node"
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert wanted == {"@slack/bolt": packages["node_modules/@slack/bolt"]["version"]}
    assert all("resolved" not in each and each["integrity"] for each in packages.values())


def test_every_peer_that_is_imported_is_pinned() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = " ".join(groups["dependency-groups"]["bench"])
    for peer in ("limits", "pyrate-limiter", "throttled-py", "matplotlib"):
        assert peer in named
