"""`python -m tests.fuzz`: hostile requests against a real bot, until there are enough."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.fuzz.run import MIB, Report, fuzz


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=3_600.0, help="at most")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
    say(f"seed {seed}")
    run = fuzz(seed, given.requests, given.connections, given.seconds, on_progress=show)
    return tell(asyncio.run(run))


def show(report: Report) -> None:
    memory = f"{report.memory[-1] / MIB:.1f} MiB, " if report.memory else ""
    say(f"{report.requests:,} requests, {memory}{len(report.faults)} faults")
    for fault in report.faults[-3:]:
        say(f"  the last ones: {fault[:300]}")


def tell(report: Report) -> int:
    for status, count in sorted(report.statuses.items()):
        say(f"  {status}: {count:,}")
    rate = report.requests / report.seconds
    say(
        f"{report.requests:,} requests in {report.seconds:.0f} s ({rate:.0f} a second), "
        f"slowest answer {report.slowest:.2f} s, {report.pushes:,} notifications sent"
    )
    sizes = ", ".join(f"{each / MIB:.1f}" for each in report.memory)
    say(f"memory after the warm-up (MiB): {sizes}; growth {report.growth / MIB:.1f}")
    for fault in report.faults[:40]:
        say(f"FAULT {fault}")
    say(f"{len(report.faults)} faults")
    return bool(report.faults)


if __name__ == "__main__":
    sys.exit(main())
