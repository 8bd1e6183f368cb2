"""Plain text cut to bytes where a person would cut it, or to characters as browsers do."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"


def shorten(text: str, max_bytes: int) -> str:
    """Return text of at most `max_bytes` in UTF-8: whole, or cut at a word and marked with `…`.

    Where the last word is more than half of what fits, the cut is inside it, but never inside
    what a person sees as one character. Below the three bytes of `…`, nothing fits.
    """
    encoded = text.encode(errors="surrogatepass")
    if len(encoded) <= max_bytes:
        return text
    room = max_bytes - len(ELLIPSIS.encode())
    if room < 0:
        return ""
    while encoded[room] & 0xC0 == 0x80:  # the middle of a code point
        room -= 1
    end = len(encoded[:room].decode(errors="surrogatepass"))
    return text[: _find_cut(text, end)].rstrip() + ELLIPSIS


def clip(text: str, most: int) -> str:
    """Return at most `most` characters as people see them; `…` is the last if some were cut."""
    seen = last = 0
    for index in range(len(text)):
        if index and _is_joined(text, index):
            continue
        seen += 1
        if seen == most:
            last = index
        elif seen > most:
            return text[:last].rstrip() + ELLIPSIS
    return text


def _find_cut(text: str, end: int) -> int:
    space = end
    while space > end // 2 and not text[space].isspace():
        space -= 1
    if text[space].isspace():
        return space
    while end and _is_joined(text, end):
        end -= 1
    return end


def _is_joined(text: str, index: int) -> bool:
    """Tell whether a cut before `index` would go through one character as people see it.

    The standard library knows no grapheme clusters; this is their gist: combining marks, joiners,
    skin tones, tags, flags, and Indic conjuncts.
    """
    before, after = text[index - 1], text[index]
    if _is_flag_half(before) and _is_flag_half(after):
        start = index
        while start and _is_flag_half(text[start - 1]):
            start -= 1
        return (index - start) % 2 == 1
    return (
        unicodedata.category(after).startswith("M")
        or after in "\u200c\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or "\U000e0020" <= after <= "\U000e007f"
        or before == "\u200d"
        or unicodedata.combining(before) == 9  # a virama ties the next consonant
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
