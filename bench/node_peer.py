"""The peer on Node, installed by name from the lock file beside it; absent where npm is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bench.machine import find_node

FOLDER = Path(__file__).parent / "node"
INSTALL = ("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")


def prepare_node() -> tuple[str, ...] | None:
    """Install what the peer needs and return its command; None where there is no Node."""
    node = shutil.which("node")
    if node is None or find_node() is None:
        return None
    if not (FOLDER / "node_modules" / "@slack" / "bolt").is_dir():
        subprocess.run(INSTALL, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return (node, str(FOLDER / "app.js"))
