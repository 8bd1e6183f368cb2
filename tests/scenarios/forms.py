"""Forms as the person before whom they open finds them."""

import asyncio

from bot.sandbox.slack import View
from bot.worker import Worker
from tests.scenarios.world import World


async def gets_form(world: World, who: str = "alice") -> View:
    """Return the form in front of somebody, once there is something to fill in."""
    person = world.slack.people[who]
    await world.slack.until(lambda slack: any("submit" in v.given for v in slack.views[person]))
    return person.view


async def until_one_pauses(world: World) -> None:
    """Wait until somebody waits for the clock beside all the workers, who wait for work."""
    workers = sum(isinstance(each, Worker) for each in world.bot._crew.workers)
    async with asyncio.timeout(10):
        await world.clock.until_waiting(workers + 1)
