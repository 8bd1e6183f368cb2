"""kill -9 at random moments under load, again and again; then the books are checked."""

from collections.abc import Callable

import pytest

from tests.processes.conftest import OpenWorld
from tests.processes.rounds import start_rounds

pytestmark = pytest.mark.usefixtures("database_url")

Record = Callable[[str, object], None]


async def test_a_few_kills(open_world: OpenWorld, migrated: None) -> None:
    rounds = start_rounds(await open_world(jitter=0.01))
    await rounds.run(kills=5)
    await rounds.settle()
    assert any(typed.accepted for typed in rounds.typed)


@pytest.mark.long
async def test_fifty_kills(
    open_world: OpenWorld, migrated: None, backend: str, record_testsuite_property: Record
) -> None:
    rounds = start_rounds(await open_world(jitter=0.01))
    await rounds.run(kills=50)
    await rounds.settle()
    record_testsuite_property(f"fifty_kills_on_{backend}", rounds.count())
    states = rounds.world.states()
    assert states.count("unknown") < states.count("sent")
