"""`/notify help` and its like: the whole first word, with nothing but its own arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import UserError
from bot.grammar.recipients import EXAMPLE, ask_to_pick, find_person
from bot.plaintext import echo, unescape


@dataclass(frozen=True)
class Help:
    """Show what can be typed."""


@dataclass(frozen=True)
class Whoami:
    """Show who a person is in LeadSquared."""

    user_id: str


@dataclass(frozen=True)
class SendTest:
    """Send a test notification to the sender."""


@dataclass(frozen=True)
class Status:
    """Show what became of a notification; of the sender's last one if none is named."""

    notification_id: str | None


@dataclass(frozen=True)
class Link:
    """Tie a Slack user to the CRM user with this e-mail address or id, in lower case."""

    user_id: str
    crm_user: str


@dataclass(frozen=True)
class Unlink:
    """Forget what a Slack user is tied to."""

    user_id: str


@dataclass(frozen=True)
class Check:
    """Show admins what is wrong with the bot, and the next step for each thing."""


Subcommand = Check | Help | Whoami | SendTest | Status | Link | Unlink

_ARGUMENT = re.compile(r"<[^<>]*>|\S+")
_NOTIFICATION_ID = re.compile(r"[0-9a-z-]{1,64}")
_EMAIL = re.compile(r"[^\s@<>|,]+@[^\s@<>|,]+")
_CRM_USER_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_subcommand(text: str, sender_id: str) -> Subcommand | None:
    """Return the sub-command a text is, if its first word names one."""
    first, *rest = text.split(maxsplit=1)
    name = first.lower()
    if name not in _READERS:
        return None
    arguments = _ARGUMENT.findall(rest[0]) if rest else []
    return _READERS[name](arguments, sender_id)


def _read_help(arguments: list[str], _sender_id: str) -> Help:
    _refuse_any(
        arguments, "For the help, write `/notify help` and nothing more.", "@priya help me out"
    )
    return Help()


def _read_test(arguments: list[str], _sender_id: str) -> SendTest:
    _refuse_any(
        arguments,
        "For a test notification to yourself, write `/notify test` and nothing more.",
        "@priya test call at 3 pm",
    )
    return SendTest()


def _read_check(arguments: list[str], _sender_id: str) -> Check:
    _refuse_any(
        arguments,
        "To see how the bot is doing, write `/notify check` and nothing more.",
        "@priya check your e-mail",
    )
    return Check()


def _read_whoami(arguments: list[str], sender_id: str) -> Whoami:
    usage = (
        "To see who somebody is in LeadSquared, write `/notify whoami` or `/notify whoami @priya`."
    )
    if not arguments:
        return Whoami(sender_id)
    return Whoami(_get_person(arguments, 1, usage, sender_id))


def _read_status(arguments: list[str], _sender_id: str) -> Status:
    if not arguments:
        return Status(None)
    notification_id = arguments[0].strip("`\"'\u2018\u2019“”#").lower()
    if len(arguments) > 1 or not _NOTIFICATION_ID.fullmatch(notification_id):
        raise UserError(
            "For your last notification, write `/notify status`; for another, add its id: "
            "`/notify status 1a2b3c4d`. To send a message, begin with who should get it: "
            f"{EXAMPLE}."
        )
    return Status(notification_id)


def _read_link(arguments: list[str], sender_id: str) -> Link:
    usage = (
        "To link somebody, name them and their LeadSquared e-mail address or user id: "
        "`/notify link @priya priya@acme.com`."
    )
    user_id = _get_person(arguments, 2, usage, sender_id)
    return Link(user_id, _get_crm_user(arguments[1]))


def _read_unlink(arguments: list[str], sender_id: str) -> Unlink:
    usage = "To remove somebody's link, name one person: `/notify unlink @priya`."
    return Unlink(_get_person(arguments, 1, usage, sender_id))


_READERS: dict[str, Callable[[list[str], str], Subcommand]] = {
    "help": _read_help,
    "whoami": _read_whoami,
    "test": _read_test,
    "status": _read_status,
    "link": _read_link,
    "unlink": _read_unlink,
    "check": _read_check,
}


def _refuse_any(arguments: list[str], usage: str, message: str) -> None:
    if arguments:
        raise UserError(
            f"{usage} To send a message, begin with who should get it: `/notify {message}`."
        )


def _get_person(arguments: list[str], count: int, usage: str, sender_id: str) -> str:
    """Return the person an argument list of this length begins with."""
    if len(arguments) != count:
        raise UserError(usage)
    person = find_person(arguments[0], sender_id)
    if person is not None:
        return person
    raise ask_to_pick(arguments[0], usage) if arguments[0].startswith("@") else UserError(usage)


def _get_crm_user(argument: str) -> str:
    """Return an e-mail address or a CRM user id, bare and in lower case."""
    wanted = argument
    if wanted.startswith("<"):
        wanted = wanted[1:-1].partition("|")[0].removeprefix("mailto:")
    wanted = unescape(wanted).lower()
    if not (_EMAIL.fullmatch(wanted) or _CRM_USER_ID.fullmatch(wanted)):
        raise UserError(
            f"“{echo(argument)}” is neither an e-mail address nor a LeadSquared user id. Write "
            "`/notify link @priya priya@acme.com`, or the id from LeadSquared: "
            "`/notify link @priya 6f0c2a1e-1111-4222-8333-abcdefabcdef`."
        )
    return wanted
