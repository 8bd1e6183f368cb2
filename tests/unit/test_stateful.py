"""The store against a plain model of what it should hold, step by step, on both databases."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bot.store.database import open_database
from tests.clock import FrozenClock
from tests.unit.stateful_base import StoreMachineBase
from tests.unit.stateful_buttons import ButtonSteps
from tests.unit.stateful_intake import IntakeSteps
from tests.unit.stateful_sending import SendingSteps

EXAMPLES = {"sqlite": 25, "postgres": 12}
MANY_EXAMPLES = 400


@pytest.fixture
def machine(database_url: str) -> Iterator[type[StoreMachineBase]]:
    """The machine over one database, which each example empties."""
    time = FrozenClock()
    with asyncio.Runner() as one:
        opened = open_database(database_url, now=time.time)

        class Machine(IntakeSteps, SendingSteps, ButtonSteps):
            runner = one
            database = opened
            clock = time

        yield Machine
        one.run(opened.close())


def check(machine: type[StoreMachineBase], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def test_the_store_does_what_the_model_says(machine: type[StoreMachineBase], backend: str) -> None:
    check(machine, EXAMPLES[backend])


@pytest.mark.long
def test_the_store_does_what_the_model_says_at_length(machine: type[StoreMachineBase]) -> None:
    check(machine, MANY_EXAMPLES)
