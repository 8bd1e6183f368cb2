"""Draws the icons of the presets, `bot/icons/*.png`: `python -m bench.draw_icons [folder]`."""

from __future__ import annotations

import math
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

SIZE = 96
SAMPLES = 4
"""In each direction, in each pixel; their mean makes edges smooth."""

FOLDER = Path(__file__).parents[1] / "bot" / "icons"

Rgb = tuple[int, int, int]
Shape = Callable[[float, float], bool]
"""Tells whether a point belongs to it; (-1, -1) to (1, 1) from the upper left."""

WHITE: Rgb = (255, 255, 255)


def is_near(x: float, y: float, a: tuple[float, float], b: tuple[float, float], by: float) -> bool:
    """Tell whether a point is within `by` of the line from `a` to `b`."""
    (ax, ay), (bx, by_) = a, b
    dx, dy = bx - ax, by_ - ay
    along = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / ((dx * dx + dy * dy) or 1.0)))
    return math.hypot(x - ax - along * dx, y - ay - along * dy) <= by


def is_in_box(x: float, y: float, half: tuple[float, float], corner: float) -> bool:
    """Tell whether a point is in a box with round corners in the middle."""
    outside = (max(abs(x) - half[0] + corner, 0.0), max(abs(y) - half[1] + corner, 0.0))
    return math.hypot(*outside) <= corner


def bubble(x: float, y: float) -> bool:
    """A speech bubble with three dots."""
    if any(math.hypot(x - at, y + 0.08) <= 0.085 for at in (-0.27, 0.0, 0.27)):
        return False
    tail = 0.25 <= y <= 0.58 and -0.34 <= x <= 0.02 - (y - 0.25)
    return is_in_box(x, y + 0.08, (0.56, 0.4), 0.2) or tail


def envelope(x: float, y: float) -> bool:
    """A closed envelope."""
    flap = is_near(abs(x), y, (0.0, 0.12), (0.6, -0.36), 0.05)
    return is_in_box(x, y, (0.58, 0.42), 0.09) and not flap


def handset(x: float, y: float) -> bool:
    """A telephone's handset, leaning."""
    turned, across = (x + y) * math.sqrt(0.5), (y - x) * math.sqrt(0.5)
    grip = math.hypot(turned, across + 0.42)
    if 0.53 <= grip <= 0.8 and across > 0.05:
        return True
    ends = (is_near(side * turned, across, (0.62, 0.0), (0.5, -0.06), 0.17) for side in (1, -1))
    return any(ends)


def flame(x: float, y: float) -> bool:
    """A flame with a smaller one in it."""
    return drop(x, y, 0.46, 0.2, -0.68) and not drop(x, y, 0.2, 0.4, -0.12)


def drop(x: float, y: float, radius: float, middle: float, top: float) -> bool:
    """A round bottom that narrows to a point which bends to one side."""
    if y >= middle:
        return math.hypot(x, y - middle) <= radius
    if y <= top:
        return False
    height = (middle - y) / (middle - top)
    bend = 0.16 * math.sin(height * math.pi)
    width = radius * (1 - math.pow(height, 1.6))
    return abs(x + bend * radius) <= width


ICONS: dict[str, tuple[Rgb, Shape]] = {
    "sms": ((31, 138, 112), bubble),
    "email": ((43, 93, 168), envelope),
    "call": ((178, 58, 72), handset),
    "hot": ((217, 106, 20), flame),
}


def draw(background: Rgb, symbol: Shape) -> list[bytes]:
    """Return the rows of a disk with a white symbol, in RGBA."""
    return [
        b"".join(_mix(background, symbol, column, row) for column in range(SIZE))
        for row in range(SIZE)
    ]


def _mix(background: Rgb, symbol: Shape, column: int, row: int) -> bytes:
    inside = white = 0
    for number in range(SAMPLES * SAMPLES):
        x = 2 * (column + (number % SAMPLES + 0.5) / SAMPLES) / SIZE - 1
        y = 2 * (row + (number // SAMPLES + 0.5) / SAMPLES) / SIZE - 1
        if math.hypot(x, y) <= 0.98:
            inside += 1
            white += symbol(x, y)
    if not inside:
        return bytes(4)
    parts = zip(background, WHITE, strict=True)
    colour = [round((dark * (inside - white) + light * white) / inside) for dark, light in parts]
    return bytes([*colour, round(255 * inside / SAMPLES**2)])


def build_png(rows: list[bytes]) -> bytes:
    """Return the file: https://www.w3.org/TR/png-3/"""
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_build_chunk(*chunk) for chunk in chunks)


def _build_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main(folder: Path) -> None:
    for name, (background, symbol) in ICONS.items():
        path = folder / f"{name}.png"
        path.write_bytes(build_png(draw(background, symbol)))
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
