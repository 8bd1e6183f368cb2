from bench.results import Answer, Goal, Picture, Spread, Table, at_most, percentile
from bench.writer import write_answer, write_page

ANSWER = Answer(
    title="From Enter to push",
    short="Fast enough.",
    method=["How it was done."],
    tables=[Table("Milliseconds", ("", "SQLite", "Postgres"), [("idle", "5.0", "6.1 (6.0–7.0)")])],
    goals=[Goal("p50 ≤ 10 ms", "5.0 ms", met=True), Goal("p99 ≤ 50 ms", "51.0 ms", met=False)],
    pictures=[Picture("latency", "Latency", "ms", ["idle"], {"SQLite": [Spread(5, 5, 5)]})],
    notes=["A thing to know.", "Another."],
)

PART = """\
## From Enter to push

**In short.** Fast enough.

How it was done.

**Milliseconds**

|  | SQLite | Postgres |
| :--- | ---: | ---: |
| idle | 5.0 | 6.1 (6.0–7.0) |

![Latency, ms](benchmarks/latency.svg)

- A thing to know.
- Another."""

GOALS = """\
## Goals

1 of 2 goals missed.

| question | goal | found |  |
| :--- | :--- | :--- | :--- |
| [From Enter to push](#from-enter-to-push) | p50 ≤ 10 ms | 5.0 ms | met |
| [From Enter to push](#from-enter-to-push) | p99 ≤ 50 ms | 51.0 ms | **missed** |

- p99 ≤ 50 ms: a disk that is slow.
"""


def test_an_answer_is_a_part_of_the_page() -> None:
    assert write_answer(ANSWER) == PART


def test_the_page_tells_the_machine_the_versions_and_what_was_missed() -> None:
    page = write_page(
        [ANSWER],
        {"cores": "2", "memory": "8 GB"},
        {"Python": "3.13"},
        3,
        {"p99": "a disk that is slow."},
    )
    assert page.startswith("# Benchmarks\n")
    assert "median of 3 runs" in page
    assert "\n\nMachine: cores 2, memory 8 GB.\n\nVersions: Python 3.13.\n\n" in page
    assert GOALS in page
    assert page.endswith(f"\n\n{PART}\n")


def test_a_page_without_a_miss_says_so() -> None:
    met = Answer("Rate", "", [], [], goals=[Goal("0 refused", "0", met=True)])
    assert "\n\nAll goals are met.\n\n" in write_page([met], {}, {}, 3, {})


def test_a_miss_without_a_reason_says_so() -> None:
    page = write_page([ANSWER], {}, {}, 3, {"p50": "never asked for"})
    assert "\n- p99 ≤ 50 ms: the cause is not known yet.\n" in page
    assert "never asked for" not in page


def test_a_spread_shows_the_median_and_the_range() -> None:
    assert Spread.of([3.0, 1.0, 2.0]).show() == "2.0 (1.0–3.0)"
    assert Spread.of([1234.0, 1234.0, 1234.0]).show(0) == "1,234"
    assert Spread.of([0.001, 0.002]).show(1) == "0.0"


def test_a_goal_is_met_up_to_its_limit() -> None:
    assert at_most("p50", 10.0, 10.0, " ms") == Goal("p50 ≤ 10 ms", "10.0 ms", met=True)
    assert at_most("p50", 10.0, 10.01, " ms", 2) == Goal("p50 ≤ 10 ms", "10.01 ms", met=False)


def test_a_percentile_is_not_beyond_what_was_measured() -> None:
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert percentile([float(n) for n in range(1, 102)], 99) == 100.0
    assert percentile([1.0, 2.0], 99) <= 2.0
