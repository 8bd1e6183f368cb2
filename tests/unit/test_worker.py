import asyncio

import pytest

from bot import worker
from bot.clock import SystemClock
from bot.errors import CommitInDoubtError, StoreUnavailableError
from bot.worker import LOOK_EVERY, Worker
from tests.clock import FrozenClock


class Script(Worker):
    """Takes the steps of a script, then stops itself."""

    name = "script"

    def __init__(self, clock: FrozenClock, *steps: bool | Exception) -> None:
        super().__init__(clock)
        self.steps = list(steps)
        self.times: list[float] = []

    async def step(self) -> bool:
        self.times.append(self._clock.time())
        step = self.steps.pop(0)
        if not self.steps:
            self.stop()
        if isinstance(step, Exception):
            raise step
        return step


async def run(clock: FrozenClock, *steps: bool | Exception) -> list[float]:
    """Return the seconds after the start at which each step was taken."""
    begun = clock.time()
    script = Script(clock, *steps)
    await script.run()
    assert script.steps == []
    return [at - begun for at in script.times]


async def test_while_there_is_work_it_does_not_wait(clock: FrozenClock) -> None:
    assert await run(clock, True, True, True) == [0, 0, 0]


async def test_with_no_work_it_looks_once_a_second(clock: FrozenClock) -> None:
    assert await run(clock, False, False, True, True) == [0, LOOK_EVERY, 2, 2]


@pytest.mark.parametrize("error", [StoreUnavailableError(), CommitInDoubtError()])
async def test_while_the_database_is_away_it_waits(clock: FrozenClock, error: Exception) -> None:
    assert await run(clock, error, error, True) == [0, 1, 2]


@pytest.mark.parametrize("error", [LookupError("a bug"), TimeoutError("not ours")])
async def test_any_other_error_ends_the_worker(clock: FrozenClock, error: Exception) -> None:
    with pytest.raises(type(error)):
        await run(clock, False, error, True)


async def test_a_worker_that_is_woken_does_not_wait_for_its_second(clock: FrozenClock) -> None:
    script = Script(clock, False, True)
    begun = clock.time()
    script.wake()
    await script.run()
    assert script.times == [begun, begun]


async def test_a_worker_stopped_before_it_runs_takes_no_step(clock: FrozenClock) -> None:
    script = Script(clock, True)
    script.stop()
    await script.run()
    assert script.times == []


class Stuck(Worker):
    """Waits for its turn for ever."""

    name = "stuck"

    async def step(self) -> bool:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_step_that_takes_too_long_is_cut_short_at_the_end(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STEP_WITHIN", 0.0)
    stuck = Stuck(clock)
    running = asyncio.create_task(stuck.run())
    await asyncio.sleep(0)
    assert not running.done()
    stuck.stop()
    await running


async def test_the_machines_clock_waits_for_the_event_or_the_time() -> None:
    clock, event = SystemClock(), asyncio.Event()
    begun = clock.time()
    await clock.wait(event, 0.001)
    assert clock.time() > begun
    event.set()
    await clock.wait(event, 3600)
    assert not event.is_set()
