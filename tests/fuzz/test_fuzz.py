from tests.fuzz.run import fuzz

SEED, REQUESTS, CONNECTIONS, SECONDS = 20, 1_000, 8, 60.0


async def test_hostile_requests_do_no_harm() -> None:
    """A short form of `make fuzz`."""
    report = await fuzz(SEED, REQUESTS, CONNECTIONS, SECONDS)
    assert report.faults == []
    assert report.requests == REQUESTS
    assert report.pushes > 10
