r"""The people and groups at the beginning of a `/notify` text.

Whatever looks like a recipient there is taken for one, or refused with words; nothing is guessed.
`--` alone says that the text begins: `@priya @home today` is refused, `@priya -- @home today` is a
message. So are `@priya and @lee …` and `@lee @priya's deal …`, which could be read in two ways.

`me` there is always the sender; a text that begins so needs `--` before it: `@priya -- me too`.
`owner` or an e-mail address after a recipient is text (`@priya owner called back`), unless a comma,
another recipient, an option, the bar or a line break sets them off.
"""

from __future__ import annotations

import re

from bot.errors import UserError
from bot.notification import KeyOwner, LeadOwner, Named, SlackGroup, SlackUser
from bot.plaintext import echo

EXAMPLE = "`/notify @priya Callback due | Asha asked for 3 pm`"

INVISIBLE = r"\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""Marks without width. Phones put them around mentions; inside a text they are left alone."""

BAR = r"|\uff5c"
"""The bar between title and content; keyboards for Chinese and Japanese write the wide one."""

GAP = rf"[\s,{INVISIBLE}]*+"
"""What may stand between recipients and options; possessive, so that it is read once."""


_USER = r"<@(?P<user>[UW][A-Z0-9]+)(?:\|[^<>]*)?>"
_GROUP = r"<!subteam\^(?P<group>[^<>|]+)(?:\|[^<>]*)?>"
_MENTION = re.sub(r"\?P<\w+>", "?:", f"(?:{_USER}|{_GROUP})")
_PERSON = re.compile(_USER)
_COLON = r":(?=\s|\Z)"

_RECIPIENT = re.compile(
    rf"""(?P<gap>{GAP})(?:
        (?P<possessive>{_MENTION}(?=['\u2019]\w))
      | {_USER}
      | (?P<word>(?i:me|owner|key[-\u2010-\u2015]owner)) (?=[\s,{BAR}<{INVISIBLE}]|{_COLON}|\Z)
      | (?P<conjunction>(?i:and|&amp;|\+)\s+<(?:@|!subteam\^))
      | {_GROUP}
      | (?P<everybody><!(?:here|channel|everyone)(?:\|[^<>]*)?>|@(?:here|channel|everyone)\b)
      | (?P<channel><\#[^<>]*>)
      | (?P<email><mailto:[^<>]*>|(?!--|[–—―])[^\s@<>,{BAR}]+@[\w-]+(?:\.[\w-]+)+)
      | (?P<name>@[^\s,{BAR}<>]+)
    )""",
    re.VERBOSE,
)
_SETS_OFF = re.compile(
    rf"[^\S\r\n]*(?:[,{BAR}\r\n]|{_COLON}|\Z)|{GAP}(?:<[@!#]|--|[–—―]|(?i:key[-\u2010-\u2015]owner\b))"
)
_END = re.compile(rf"\A(?:[{INVISIBLE}]++(?=[\s,:]))?(?:{_COLON})?[\s,]*")

IF_TEXT = "If that is where your text begins, put `--` before it: `/notify @priya -- …`."

_ONE_BY_ONE = f"Name the people one by one: `/notify @priya @lee Standup moved`. {IF_TEXT}"
_REFUSALS = {
    "possessive": "I cannot tell whether that is a recipient or where your text begins. If it is "
    "text, put `--` before it: `/notify @lee -- @priya's deal is closed`. If it is a recipient, "
    f"put a space behind the name: {EXAMPLE}.",
    "conjunction": "Between recipients there are only spaces or commas: "
    f"`/notify @priya @lee Standup moved`. {IF_TEXT}",
    "everybody": "A notification is for people and user groups, not for here, channel or "
    f"everyone. {_ONE_BY_ONE}",
    "channel": f"A notification is for people and user groups, not for a channel. {_ONE_BY_ONE}",
    "email": "A recipient is a person in Slack, not an e-mail address. Write @ and pick the "
    f"person: {EXAMPLE}. If they have another address in LeadSquared, an admin can link them: "
    f"`/notify link @priya priya@acme.com`. {IF_TEXT}",
}


def read_recipients(text: str, sender_id: str) -> tuple[tuple[Named, ...], str]:
    """Return the recipients, each once and in order, and what follows them."""
    recipients: dict[Named, None] = {}
    position = 0
    while found := _RECIPIENT.match(text, position):
        word = (found["word"] or "").lower()
        may_be_text = word == "owner" or found["email"]
        if recipients and may_be_text and not _is_set_off(found):
            break
        recipients[_get_recipient(found, word, sender_id)] = None
        position = found.end()
    return tuple(recipients), _END.sub("", text[position:], count=1)


def find_person(text: str, sender_id: str) -> str | None:
    """Return the user id of one mention, or of `me`."""
    if text.lower() == "me":
        return sender_id
    found = _PERSON.fullmatch(text)
    return found["user"] if found else None


def begins_with_mention(text: str) -> bool:
    """Tell whether a person or a group stands first, as a recipient would."""
    found = _RECIPIENT.match(text)
    return bool(found and (found["user"] or found["group"]))


def ask_to_pick(name: str, next_step: str) -> UserError:
    """Say how a name becomes a person; similar names make every guess a risk."""
    return UserError(
        f"I do not know who “{echo(name)}” is. Pick the person from Slack's suggestions while you "
        f"write the name, so that it turns into a link. {next_step}"
    )


def _is_set_off(found: re.Match[str]) -> bool:
    return "," in found["gap"] or bool(_SETS_OFF.match(found.string, found.end()))


def _get_recipient(found: re.Match[str], word: str, sender_id: str) -> Named:
    if found["user"]:
        return SlackUser(found["user"])
    if found["group"]:
        return SlackGroup(found["group"])
    if word == "me":
        return SlackUser(sender_id)
    if word == "owner":
        return LeadOwner()
    if word:
        return KeyOwner()
    if found["name"]:
        raise ask_to_pick(found["name"], f"Then: {EXAMPLE}. {IF_TEXT}")
    raise UserError(_REFUSALS[str(found.lastgroup)])
