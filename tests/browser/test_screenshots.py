import struct
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.screenshots import SCALE, SCENES, take

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_scene_is_played_and_its_part_of_the_page_kept(
    browser: Browser, tmp_path: Path
) -> None:
    [scene] = [each for each in SCENES if each.name == "notification"]
    picture = (await take(scene, browser, tmp_path)).read_bytes()
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert 300 * SCALE < width < scene.size[0] * SCALE / 2
    assert 200 * SCALE < height < scene.size[1] * SCALE / 2
