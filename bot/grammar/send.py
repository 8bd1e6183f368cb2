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
from bot.leads.reference import EXAMPLES, LeadReference, read_lead_reference
from bot.leadsquared.phone import PhoneNumber
from bot.notification import LeadOwner, Named
from bot.plaintext import TOKEN, echo, unescape
from bot.presets import Preset


@dataclass(frozen=True)
class Send:
    """A message; title and content are Slack text as typed, for `plaintext.from_typed`.

    Without a title the preset gives one, or the caller one that names the sender. `link` and `icon`
    are addresses that are still to be checked. Without `lead`, no recipient is a LeadOwner.
    """

    recipients: tuple[Named, ...]
    title: str | None
    content: str
    link: str | None
    icon: str | None
    private: bool
    preset: Preset | None = None
    lead: LeadReference | None = None


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

_DIGITS = re.compile(r"[+(]{0,2}\d[\d()./\u2010-\u2015-]*")
_MORE_DIGITS = re.compile(rf"[^\S\r\n]+([\d(][\d()./\u2010-\u2015-]*)(?=[\s{BAR}]|\Z)")

_ADDRESSES = ("link", "icon")
_OPTIONS = (*_ADDRESSES, "lead", "as", "private")
_NO_RECIPIENT = (
    f"Say first who should get it: {EXAMPLE}. Recipients are @people, @groups, `me`, `key-owner` "
    "and, with `--lead`, `owner`; `/notify help` shows the rest."
)
_ORDER = (
    "Recipients come first, then options, then the text: "
    "`/notify @priya @lee --private Callback due | Asha asked for 3 pm`."
)
_HOW_TO_NAME = (
    "A phone number with spaces needs quotes: "
    '`/notify @priya --lead "+91 90000 00001" Callback due`.'
)
_WHICH_LEAD = f"`--lead` needs a lead behind it: {EXAMPLES}. {_HOW_TO_NAME}"
_SPACED_NUMBER = (
    "I cannot tell where the phone number behind `--lead` ends. Put it in quotes: "
    '`/notify @priya --lead "+91 90000 00001" 3 pm is fine`.'
)
_NO_LEAD = (
    "`owner` is the owner of a lead, so name the lead: "
    "`/notify owner --lead asha.rao@example.com Callback due | Asha asked for 3 pm`. For the "
    f"owner of the LeadSquared API keys, write `key-owner`. {IF_TEXT}"
)
_NO_TEXT = f"There is no text to send. Write it behind the recipients: {EXAMPLE}."


def read_send(text: str, sender_id: str) -> Send:
    """Return the message in what was typed; a UserError says what is wrong and what to write."""
    recipients, rest = read_recipients(text, sender_id)
    if not recipients:
        raise UserError(_ORDER if _OPTION.match(rest) else _NO_RECIPIENT)
    options, rest = _read_options(rest)
    if LeadOwner() in recipients and "lead" not in options:
        raise UserError(_NO_LEAD)
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
        lead=_read_lead_value(options["lead"]) if "lead" in options else None,
    )


def _read_options(text: str) -> tuple[dict[str, str], str]:
    """Return the options and the text behind them."""
    options: dict[str, str] = {}
    position = 0
    while found := _OPTION.match(text, position):
        if found["end"]:
            return options, text[found.end() :]
        name = found["name"].lower()
        if name not in _OPTIONS and found["dashes"] != "--":
            break  # a text that begins with a long dash
        _check_name(name, options)
        read = _READERS.get(name, _read_flag)
        options[name], position = read(name, text, found.end())
    rest = text[position:]
    if options and begins_with_mention(rest):
        raise UserError(f"{_ORDER} {IF_TEXT}")
    return options, rest


def _check_name(name: str, options: dict[str, str]) -> None:
    if name not in _OPTIONS:
        raise UserError(
            f"There is no option “--{echo(name)}”. There are `--lead asha.rao@example.com`, "
            f"`--link https://…`, `--icon https://…`, `--as {'|'.join(Preset)}` and `--private`. "
            f"{IF_TEXT}"
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


def _read_lead(_name: str, text: str, position: int) -> tuple[str, int]:
    """Return what names a lead, as it stands there, and where it ends."""
    found = _VALUE.match(text, position)
    if not found:
        raise UserError(_WHICH_LEAD)
    if found[2] and _goes_on(found[2], text, found.end()):
        raise UserError(_SPACED_NUMBER)
    return (found[1] or found[2] or "").rstrip(","), found.end()


def _goes_on(value: str, text: str, position: int) -> bool:
    """Tell whether a phone number may not end here, as digits stand behind a space."""
    more = _MORE_DIGITS.match(text, position)
    if not more or not _DIGITS.fullmatch(value):
        return False
    return PhoneNumber.read(value) is None or PhoneNumber.read(f"{value} {more[1]}") is not None


def _read_lead_value(value: str) -> LeadReference:
    try:
        return read_lead_reference(value)
    except UserError as exc:
        raise UserError(f"{exc.hint} {_HOW_TO_NAME}", field=exc.field) from exc


_READERS = dict.fromkeys(_ADDRESSES, _read_address) | {"as": _read_preset, "lead": _read_lead}
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
