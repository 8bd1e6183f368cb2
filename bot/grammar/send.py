r"""A message to be sent: its recipients, its options, its text.

    <who>… [options] [--] Title | Content

The first bar outside a token splits title from content; `\|` is a bar that does not. Without one,
the first line break does, unless a preset gives the title. A title without content becomes the
content, because a notification needs one. Punctuation behind the recipients is none of the text:
`@priya, Callback due` and `@priya: Callback due` say “Callback due”.

Options stand before the text; behind it they are text. On phones `--` arrives as a long dash, so
`—link` is an option where the name is known and text where it is not, and a dash alone is `--`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.errors import UserError
from bot.grammar.recipients import BAR, EXAMPLE, GAP, IF_TEXT, begins_with_mention, read_recipients
from bot.notification import Named
from bot.plaintext import TOKEN, echo, unescape
from bot.presets import Preset


@dataclass(frozen=True)
class Send:
    """A message; title and content are Slack text as typed, for `plaintext.from_typed`.

    Without a title the preset gives one, or the caller one that names the sender. `link` and `icon`
    are addresses that are still to be checked.
    """

    recipients: tuple[Named, ...]
    title: str | None
    content: str
    link: str | None
    icon: str | None
    private: bool
    preset: Preset | None = None


_OPTION = re.compile(
    rf"""{GAP}(?:
        (?P<end>(?:--|[–—―]{{1,2}})(?=[\s{BAR}]|\Z))
      | (?P<dashes>--|[–—―][-–—―]?|-[–—―])(?P<name>[^\W\d_][\w-]*)
    )""",
    re.VERBOSE,
)
_QUOTES = "\"'\u2018\u2019“”„‟«»"
_VALUE = re.compile(
    rf"(?:\s*=\s*|\s+)(?:[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]|(<[^<>]*>|[^\s{BAR}]+))"
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_BAR = re.compile(rf"{TOKEN}|\\[{BAR}]|(?P<bar>[{BAR}])")
_ESCAPED_BAR = re.compile(rf"({TOKEN})|\\([{BAR}])")
_LINE_BREAK = re.compile(r"\r\n|[\n\r\u2028\u2029]")

_ADDRESSES = ("link", "icon")
_OPTIONS = (*_ADDRESSES, "as", "private")
_NOT_YET = {
    "lead": "Naming a lead with `--lead` is not available yet. To open its page, give its address: "
    "`/notify @priya --link https://… Callback due | Asha asked for 3 pm`.",
}
_NO_RECIPIENT = (
    f"Say first who should get it: {EXAMPLE}. Recipients are @people, @groups, `me` and "
    "`key-owner`; `/notify help` shows the rest."
)
_ORDER = (
    "Recipients come first, then options, then the text: "
    "`/notify @priya @lee --private Callback due | Asha asked for 3 pm`."
)
_NO_TEXT = f"There is no text to send. Write it behind the recipients: {EXAMPLE}."


def read_send(text: str, sender_id: str) -> Send:
    """Return the message in what was typed; a UserError says what is wrong and what to write."""
    recipients, rest = read_recipients(text, sender_id)
    if not recipients:
        raise UserError(_ORDER if _OPTION.match(rest) else _NO_RECIPIENT)
    options, rest = _read_options(rest)
    preset = Preset(options["as"]) if "as" in options else None
    title, content = _split(rest.strip(), one_line_title=preset is None)
    return Send(
        recipients=recipients,
        title=title,
        content=content,
        link=options.get("link"),
        icon=options.get("icon"),
        private="private" in options,
        preset=preset,
    )


def _read_options(text: str) -> tuple[dict[str, str], str]:
    """Return the options and the text behind them."""
    options: dict[str, str] = {}
    position = 0
    while found := _OPTION.match(text, position):
        if found["end"]:
            return options, text[found.end() :]
        name = found["name"].lower()
        if name not in (*_OPTIONS, *_NOT_YET) and found["dashes"] != "--":
            break  # a text that begins with a long dash
        _check_name(name, options)
        read = _READERS.get(name, _read_flag)
        options[name], position = read(name, text, found.end())
    rest = text[position:]
    if options and begins_with_mention(rest):
        raise UserError(f"{_ORDER} {IF_TEXT}")
    return options, rest


def _check_name(name: str, options: dict[str, str]) -> None:
    if name in _NOT_YET:
        raise UserError(_NOT_YET[name])
    if name not in _OPTIONS:
        raise UserError(
            f"There is no option “--{echo(name)}”. There are `--link https://…`, "
            f"`--icon https://…`, `--as {'|'.join(Preset)}` and `--private`. {IF_TEXT}"
        )
    if name in options:
        raise UserError(
            f"`--{name}` is there twice. Keep one of the two and send it again. {_ORDER}"
        )


def _read_address(name: str, text: str, position: int) -> tuple[str, int]:
    """Return the address an option gives, bare or as a token, and where it ends."""
    value, end = _read_value(text, position)
    if value.startswith("<"):
        value = value[1:].partition("|")[0].removesuffix(">")
    value = unescape(value)
    if not _ADDRESS.fullmatch(value):
        raise UserError(
            f"`--{name}` needs a web address behind it: "
            f"`/notify @priya --{name} https://… Callback due | Asha asked for 3 pm`."
        )
    return value, end


def _read_preset(_name: str, text: str, position: int) -> tuple[str, int]:
    value, end = _read_value(text, position)
    if value.lower() not in list(Preset):
        known = [f"`{preset}` ({preset.label})" for preset in Preset]
        raise UserError(
            f"`--as` needs one of {', '.join(known[:-1])} and {known[-1]} behind it: "
            f"`/notify @priya --as call Asha called at 3 pm`. {IF_TEXT}"
        )
    return value.lower(), end


def _read_value(text: str, position: int) -> tuple[str, int]:
    """Return what is written behind an option, and where it ends; nothing if that is nothing."""
    found = _VALUE.match(text, position)
    if not found:
        return "", position
    return (found[1] or found[2] or "").strip(_QUOTES + ","), found.end()


def _read_flag(name: str, text: str, position: int) -> tuple[str, int]:
    if text.startswith("=", position):
        raise UserError(
            f"`--{name}` stands alone, without a value: "
            f"`/notify @priya --{name} Callback due | Asha asked for 3 pm`."
        )
    return "", position


_READERS = dict.fromkeys(_ADDRESSES, _read_address) | {"as": _read_preset}
"""Of the options with a value; each returns it and where it ends."""


def _split(text: str, *, one_line_title: bool) -> tuple[str | None, str]:
    """Return title and content; a title may end with its line unless something else gives one."""
    bar = next((found for found in _BAR.finditer(text) if found["bar"]), None)
    cut = bar or (_LINE_BREAK.search(text) if one_line_title else None)
    title = _restore_bars(text[: cut.start()]) if cut else ""
    content = _restore_bars(text[cut.end() :] if cut else text)
    if not content:
        title, content = "", title
    if not content:
        raise UserError(_NO_TEXT)
    return title or None, content


def _restore_bars(text: str) -> str:
    return _ESCAPED_BAR.sub(lambda found: found[1] or found[2], text.strip())
