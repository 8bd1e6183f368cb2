import struct
import tomllib
import zlib
from pathlib import Path

import pytest

from bench import draw_icons
from bot import icons
from bot.presets import Preset

ROOT = Path(__file__).parents[2]
FOLDER = Path(icons.__file__).parent


def read_png(data: bytes) -> tuple[bytes, bytes]:
    """Return the header and the pixels; every checksum is checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, position = {}, 8
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        assert checksum == zlib.crc32(kind + body)
        chunks[kind] = body
        position += 12 + length
    return chunks[b"IHDR"], zlib.decompress(chunks[b"IDAT"])


def test_every_preset_has_its_picture_and_there_is_no_other() -> None:
    assert {path.name for path in FOLDER.glob("*.png")} == {preset.icon_file for preset in Preset}


@pytest.mark.parametrize("preset", Preset)
def test_a_picture_is_small_and_what_the_script_draws(preset: Preset) -> None:
    """The pixels are compared: other versions of zlib pack them differently."""
    data = (FOLDER / preset.icon_file).read_bytes()
    assert len(data) <= 4096
    header, pixels = read_png(data)
    assert struct.unpack_from(">II", header) == (96, 96)
    drawn = draw_icons.build_png(draw_icons.draw(*draw_icons.ICONS[preset]))
    assert read_png(drawn) == (header, pixels)


def test_pictures_are_part_of_an_installed_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["package-data"]["bot.icons"] == ["*.png"]
