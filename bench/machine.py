"""The machine and the versions that the numbers hold for; no names, no addresses."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "aiohttp",
    "aiolimiter",
    "limits",
    "psycopg",
    "pydantic",
    "pyrate-limiter",
    "slack-bolt",
    "slack-sdk",
    "sqlalchemy",
    "throttled-py",
)


def describe_machine() -> dict[str, str]:
    """Return what a reader needs to compare with a machine of their own (Linux)."""
    memory = _search(r"MemTotal:\s+(\d+)", "/proc/meminfo")
    return {
        "processor": _search(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) / 1e6:.0f} GB" if memory else "unknown",
        "system": f"{platform.system()} {re.sub(r'[^0-9.].*', '', platform.release())}",
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of everything that takes part."""
    import sqlite3

    found = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    if (node := find_node()) is not None:
        found["Node"] = node
    return found | {name: _find_version(name) for name in PACKAGES}


def find_node() -> str | None:
    """Return the version of Node; None where Node or npm is missing."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    return said.stdout.strip().removeprefix("v")


def read_load() -> float:
    """Return how many processes wanted a core in the last minute."""
    return os.getloadavg()[0]


def _find_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _search(pattern: str, path: str) -> str | None:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(pattern, text)
    return found.group(1).strip() if found else None
