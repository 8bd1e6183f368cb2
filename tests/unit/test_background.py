import asyncio

import pytest

from bot.background import Tasks, Watch
from bot.errors import SlackUnavailableError, StoreUnavailableError


class Bug(Exception):  # noqa: N818  # what it is
    """Something nobody expected."""


async def fail(error: Exception) -> None:
    raise error


async def hear(watch: Watch) -> list[Exception]:
    """Return what the watch has heard by now."""
    for _ in range(3):
        await asyncio.sleep(0)
    try:
        watch.check()
    except ExceptionGroup as group:
        return list(group.exceptions)
    return []


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def tasks(watch: Watch) -> Tasks:
    return Tasks(watch)


async def test_a_bug_that_nobody_awaits_ends_the_watch(watch: Watch, tasks: Tasks) -> None:
    running = asyncio.create_task(watch.run())
    tasks.start("first", asyncio.sleep(0))
    bug = Bug()
    tasks.start("second", fail(bug))
    with pytest.raises(ExceptionGroup) as caught:
        await running
    assert caught.value.exceptions == (bug,)
    assert await hear(watch) == []  # said once


async def test_the_other_tasks_go_on_after_a_bug(watch: Watch, tasks: Tasks) -> None:
    may_end = asyncio.Event()
    other = tasks.start("other", may_end.wait())
    tasks.start("broken", fail(Bug()))
    assert len(await hear(watch)) == 1
    may_end.set()
    assert await tasks.drain(60) == 0
    assert other.result() is True


async def test_what_fails_while_draining_is_heard_as_well(watch: Watch, tasks: Tasks) -> None:
    watch.stop()
    await watch.run()
    bug = Bug()
    tasks.start("late", fail(bug))
    await tasks.drain()
    assert await hear(watch) == [bug]


@pytest.mark.parametrize("error", [StoreUnavailableError(), asyncio.CancelledError()])
async def test_trouble_with_the_database_is_no_bug_and_neither_is_an_end(
    watch: Watch, tasks: Tasks, error: Exception
) -> None:
    tasks.start("store", fail(error))
    assert await hear(watch) == []


async def test_any_other_error_of_ours_is_one(watch: Watch, tasks: Tasks) -> None:
    error = SlackUnavailableError()
    tasks.start("errand", fail(error))
    assert await hear(watch) == [error]


async def test_who_waits_for_the_end_gets_the_bug_and_the_watch_does_not(
    watch: Watch, tasks: Tasks
) -> None:
    with pytest.raises(Bug):
        await tasks.finish("awaited", fail(Bug()))
    assert await hear(watch) == []


async def test_when_who_waits_is_cancelled_it_goes_on_and_the_watch_gets_the_bug(
    watch: Watch, tasks: Tasks
) -> None:
    may_end, bug = asyncio.Event(), Bug()

    async def fail_later() -> None:
        await may_end.wait()
        raise bug

    waiting = asyncio.create_task(tasks.finish("shielded", fail_later()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert len(tasks) == 1
    may_end.set()
    assert await hear(watch) == [bug]


async def test_what_is_started_while_draining_may_end_too(tasks: Tasks) -> None:
    ended: list[str] = []

    async def end(name: str) -> None:
        await asyncio.sleep(0)
        ended.append(name)

    async def start_another() -> None:
        tasks.start("second", end("second"))
        await end("first")

    tasks.start("first", start_another())
    assert await tasks.drain() == 0
    assert ended == ["first", "second"]


async def test_what_is_late_is_cancelled_and_counted(watch: Watch, tasks: Tasks) -> None:
    late = tasks.start("late", asyncio.Event().wait())
    assert await tasks.drain(0) == 1
    await asyncio.wait({late})
    assert late.cancelled()
    assert await hear(watch) == []


async def test_a_watch_that_is_stopped_ends_in_peace(watch: Watch) -> None:
    running = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    assert not running.done()
    watch.stop()
    await running
