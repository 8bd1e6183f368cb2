"""Runs one question by itself: `python -m bench.<question> [--quick]` prints what it found."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bench.results import Answer
from bench.writer import write_answer

Size = TypeVar("Size")


def run_command(
    measure: Callable[[Size], Coroutine[Any, Any, Answer]], full: Size, quick: Size
) -> None:
    """Measure in full, or with `--quick` just enough to see that it works."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a small run; its numbers mean little")
    chosen = quick if parser.parse_args().quick else full
    print(write_answer(asyncio.run(measure(chosen))))
