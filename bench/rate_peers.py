"""The ways in which a program may keep a limit, each used as its own documentation says.

Run as a child by `bench.rate`: one process, or two that share what the peer lets them share. A job
comes in as JSON; the CRM it calls counts and keeps the record.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import aiohttp

LIMIT, PERIOD = 25, 5
PATIENCE = 300.0
"""Seconds that a call waits for its turn; nobody waits as long."""

Wait = Callable[[], Awaitable[object]]
"""Waits until the next call may begin."""


@dataclass(frozen=True)
class Account:
    """One CRM to call, and how many seconds after the others its calls begin."""

    url: str
    access_key: str
    secret_key: str
    user_id: str
    offset: float


@dataclass(frozen=True)
class Job:
    """A number of calls to each of several accounts, split between the processes."""

    peer: str
    calls: int
    processes: int
    accounts: Sequence[Account]

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Job:
        fields = json.loads(text)
        accounts = [Account(**account) for account in fields.pop("accounts")]
        return cls(**fields, accounts=accounts)


def build_async_limiter(_: Any) -> Wait:
    """https://aiolimiter.readthedocs.io/en/latest/"""
    from aiolimiter import AsyncLimiter

    return AsyncLimiter(LIMIT, PERIOD).acquire


def build_even_pacing(_: Any) -> Wait:
    """One call after the other, a fifth of a second apart."""
    turn = asyncio.Lock()

    async def wait() -> None:
        async with turn:
            await asyncio.sleep(PERIOD / LIMIT)

    return wait


def build_pyrate(shared: Any) -> Wait:
    """https://pyratelimiter.readthedocs.io/: "asyncio & event loops", "MultiprocessBucket"."""
    from pyrate_limiter import BucketAsyncWrapper, Duration, InMemoryBucket, Limiter, Rate

    bucket = shared or InMemoryBucket([Rate(LIMIT, Duration.SECOND * PERIOD)])
    limiter = Limiter(BucketAsyncWrapper(bucket))
    return lambda: limiter.try_acquire_async("crm")


def share_pyrate() -> Any:
    """Return what the processes of one host share, as the same page says."""
    from pyrate_limiter import Duration, MultiprocessBucket, Rate

    return MultiprocessBucket.init([Rate(LIMIT, Duration.SECOND * PERIOD)])


def build_limits(_: Any) -> Wait:
    """https://limits.readthedocs.io/en/stable/quickstart.html, its moving window, awaited."""
    from limits import RateLimitItemPerSecond
    from limits.aio.storage import MemoryStorage
    from limits.aio.strategies import MovingWindowRateLimiter

    limiter = MovingWindowRateLimiter(MemoryStorage())
    limit = RateLimitItemPerSecond(LIMIT, PERIOD)

    async def wait() -> None:
        while not await limiter.hit(limit, "crm"):
            window = await limiter.get_window_stats(limit, "crm")
            await asyncio.sleep(max(0.0, window.reset_time - time.time()))

    return wait


def build_throttled(using: str) -> Callable[[Any], Wait]:
    """https://throttled-py.readthedocs.io/: "Wait & Retry", with one of its algorithms."""

    def build(_: Any) -> Wait:
        from throttled.asyncio import MemoryStore, Throttled, rate_limiter

        quota = rate_limiter.per_duration(timedelta(seconds=PERIOD), limit=LIMIT)
        store = MemoryStore()
        throttle = Throttled("crm", timeout=PATIENCE, using=using, quota=quota, store=store)

        async def wait() -> None:
            if (await throttle.limit()).limited:
                raise TimeoutError

        return wait

    return build


@dataclass(frozen=True)
class Peer:
    """One way; `share` makes what several processes share, `repeats` is what a 429 leads to."""

    title: str
    build: Callable[[Any], Wait]
    share: Callable[[], Any] | None = None
    repeats: bool = False


PEERS = {
    "aiolimiter": Peer("`AsyncLimiter(25, 5)`", build_async_limiter),
    "repeats": Peer("the same, repeating after a 429", build_async_limiter, repeats=True),
    "pacing": Peer("even pacing, 0.2 s", build_even_pacing),
    "pyrate": Peer("pyrate-limiter", build_pyrate, share_pyrate),
    "limits": Peer("limits, moving window", build_limits),
    "token": Peer("throttled-py, token bucket", build_throttled("token_bucket")),
    "sliding": Peer("throttled-py, sliding window", build_throttled("sliding_window")),
}


async def call_all(account: Account, wait: Wait, calls: int, *, repeats: bool) -> None:
    """Make the calls, each as soon as the limiter lets it go."""
    await asyncio.sleep(account.offset)
    headers = {"x-LSQ-AccessKey": account.access_key, "x-LSQ-SecretKey": account.secret_key}
    body = {"UserId": account.user_id, "Title": "Callback due", "Content": "Asha asked for 3 pm"}
    url = f"{account.url}/v2/Notifier.svc/Browser.Push"
    async with aiohttp.ClientSession(headers=headers) as session:

        async def call() -> None:
            await wait()
            while (pause := await push(session, url, body)) is not None and repeats:
                await asyncio.sleep(pause)
                await wait()

        await asyncio.gather(*(call() for _ in range(calls)))


async def push(session: aiohttp.ClientSession, url: str, body: dict[str, str]) -> float | None:
    """Return None, or for a refusal the seconds to wait: what it says, else a period."""
    async with session.post(url, json=body) as response:
        await response.read()
        if response.status != 429:
            return None
        return float(response.headers.get("Retry-After", PERIOD))


def run_part(job: Job, calls: int, shared: Sequence[Any]) -> None:
    """Do one process's part of a job."""
    peer = PEERS[job.peer]

    async def run() -> None:
        parts = zip(job.accounts, shared, strict=True)
        await asyncio.gather(
            *(
                call_all(account, peer.build(bucket), calls, repeats=peer.repeats)
                for account, bucket in parts
            )
        )

    asyncio.run(run())


def run_job(job: Job) -> None:
    """Do a job, in this process or in several that share what they can."""
    share = PEERS[job.peer].share
    alone = job.processes == 1
    shared = [None if alone or share is None else share() for _ in job.accounts]
    if alone:
        run_part(job, job.calls, shared)
        return
    part = job.calls // job.processes
    children = [
        multiprocessing.Process(target=run_part, args=(job, part, shared))
        for _ in range(job.processes)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    if any(child.exitcode for child in children):
        sys.exit("a process failed")


if __name__ == "__main__":
    run_job(Job.load(sys.stdin.read()))
