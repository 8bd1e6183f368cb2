"""Why a delivery ended as it did: a few words for lists, and a sentence with the next step."""

from __future__ import annotations

from collections.abc import Sequence

from bot.notification import Delivery, State
from bot.people import Description
from bot.plaintext import escape, shorten
from bot.replies.message import echo

BLOCKED_HELP = (
    "Browser notifications may also be blocked there: in Chrome, open "
    "`chrome://settings/content/notifications` and make sure LeadSquared is under Allowed; in "
    "Firefox, on the LeadSquared page, click the padlock, then Connection secure, More "
    "information, Permissions, and allow Send Notifications."
)

RETRY_LATER = "Press Retry later."
MAY_BE_MISSING = (
    "so this one may or may not have arrived. It was not repeated. Ask them, then press Send again "
    "if it is missing."
)

SHORT = {
    "access_401": "LeadSquared refused our keys",
    "access_403": "LeadSquared denied access",
    "access_404": "LeadSquared's address is wrong",
    "rejected": "LeadSquared rejected it",
    "redirected": "LeadSquared's address sent us elsewhere",
    "untyped": "LeadSquared refused it",
    "connect": "LeadSquared could not be reached",
    "busy": "LeadSquared was busy",
    "unavailable": "LeadSquared could not be asked",
    "rate_limited": "LeadSquared was at its limit",
    "too_late": "waited too long",
    "slack_away": "Slack did not answer",
    "uncertain": "no clear answer from LeadSquared",
    "lease": "the bot stopped while sending",
    "not_in_crm": "no LeadSquared user",
    "inactive": "deactivated in LeadSquared",
    "no_email": "no e-mail address in Slack",
    "unknown_person": "unknown to Slack",
    "guest": "a guest here",
    "bot": "a bot",
    "external": "from another workspace",
    "deactivated": "deactivated in Slack",
}

WAITING = {
    "rate_limited": "LeadSquared is at its limit, so this waits for its turn.",
    "connect": "LeadSquared cannot be reached at the moment; it is tried again.",
    "busy": "LeadSquared is busy at the moment; it is tried again.",
}

NOT_FOUND_YET = "Looking up who this goes to has failed so far; it is tried again."

ADVICE = {
    "access_401": (
        "An admin should check LEADSQUARED_ACCESS_KEY, LEADSQUARED_SECRET_KEY and LEADSQUARED_URL."
    ),
    "access_403": "An admin should check the rights of the user that the keys belong to.",
    "access_404": "An admin should check LEADSQUARED_URL.",
    "redirected": "An admin should check LEADSQUARED_URL.",
    "untyped": "If it stays so, an admin should look into the log.",
}

SENTENCES = {
    "access_401": f"LeadSquared refused our keys, so nothing was sent. {ADVICE['access_401']}",
    "access_403": (
        f"LeadSquared does not let our keys do this, so nothing was sent. {ADVICE['access_403']}"
    ),
    "access_404": (
        "LeadSquared has nothing at the address we use, so nothing was sent. "
        f"{ADVICE['access_404']}"
    ),
    "redirected": (
        f"LeadSquared's address sent us elsewhere, so nothing was sent. {ADVICE['redirected']}"
    ),
    "untyped": (
        f"LeadSquared refused it without saying why. Nothing was sent. {ADVICE['untyped']}"
    ),
    "connect": (
        f"LeadSquared could not be reached, so nothing was sent to {{name}}. {RETRY_LATER}"
    ),
    "busy": f"LeadSquared was busy, so nothing was sent to {{name}}. {RETRY_LATER}",
    "unavailable": (
        f"LeadSquared could not tell us who {{name}} is, so nothing was sent. {RETRY_LATER}"
    ),
    "rate_limited": (
        f"LeadSquared stayed at its limit, so nothing was sent to {{name}}. {RETRY_LATER}"
    ),
    "too_late": (
        "It had waited too long, so it was not sent to {name}. Press Retry if it still matters."
    ),
    "slack_away": f"Slack could not tell us who {{name}} is, so nothing was sent. {RETRY_LATER}",
    "uncertain": f"LeadSquared gave no clear answer for {{name}}, {MAY_BE_MISSING}",
    "lease": f"The bot stopped while sending to {{name}}, {MAY_BE_MISSING}",
    "not_in_crm": (
        "{name} has no LeadSquared user: nobody there has {email}. Nothing was sent to them. {link}"
    ),
    "inactive": (
        "{name}'s LeadSquared user is deactivated. Nothing was sent to them. A LeadSquared admin "
        "can activate it; then press Retry."
    ),
    "no_email": (
        "{name} has no e-mail address in Slack to find their LeadSquared user by. Nothing was "
        "sent to them. {link}"
    ),
    "unknown_person": (
        "Slack does not know {name} any more. Nothing was sent to them. Choose somebody else."
    ),
    "guest": (
        "{name} is a guest here, and guests are not matched by e-mail. Nothing was sent to them. "
        "{link}"
    ),
    "bot": "{name} is a bot. Nothing was sent to it. Choose a person.",
    "external": (
        "{name} belongs to another workspace. Nothing was sent to them. "
        "Choose somebody of this workspace."
    ),
    "deactivated": (
        "{name}'s Slack account is deactivated. Nothing was sent to them. Choose somebody else."
    ),
}

NAMELESS = SENTENCES | {
    "unavailable": (
        f"LeadSquared could not tell us who you meant, so nothing was sent. {RETRY_LATER}"
    ),
    "slack_away": f"Slack could not tell us who you meant, so nothing was sent. {RETRY_LATER}",
    "unknown_person": (
        "Slack does not know the person you meant. Nothing was sent to them. Choose somebody else."
    ),
}
"""What is said of somebody whose name nobody could tell us."""

UNASKED = "unavailable"
"""The code where nobody could tell who somebody is in LeadSquared."""

QUOTE_BYTES = 500
"""Bytes of LeadSquared's own words; what we say after them must fit as well."""

LINKABLE = ("not_in_crm", "inactive", "no_email", "guest")
"""Where an admin can say who somebody is in LeadSquared."""


def name_of(delivery: Delivery) -> str:
    """Return how to call a recipient; a name pings nobody."""
    if delivery.slack_user_id is None and delivery.name is None:
        return "the owner of the API keys"
    return echo(delivery.name or "somebody")


def is_named(delivery: Delivery) -> bool:
    return delivery.slack_user_id is None or bool(delivery.name)


def advise(code: str, api_host: str | None = None) -> str:
    """Return what an admin can do, if this is for one to mend; `api_host` is the account's."""
    advice = ADVICE.get(code, "")
    if code != "access_401" or api_host is None:
        return advice
    return f"{advice.removesuffix('.')} (this account's host is https://{escape(api_host)})."


def explain_access(code: str, api_host: str | None = None) -> str:
    """Say that LeadSquared refused us as a whole; for one of the `access_…` codes."""
    return _name_host(SENTENCES[code], code, api_host)


def _name_host(words: str, code: str, api_host: str | None) -> str:
    advice = advise(code)
    return words.replace(advice, advise(code, api_host)) if advice else words


def sentence_of(delivery: Delivery, *, alone: bool = False, api_host: str | None = None) -> str:
    """Explain one delivery that was not sent, with the next step.

    `alone` is whoever asked: only they read an e-mail address. `api_host` is the account's.
    """
    name = f"*{name_of(delivery)}*" if is_named(delivery) else "the person you meant"
    if delivery.state is State.CANCELLED:
        return f"Taken back before it was sent to {name}."
    code, said = _code_of(delivery), quote(delivery.detail)
    if code == "rejected":
        return f"LeadSquared rejected it for {name}{said or '.'} Nothing was sent. {BLOCKED_HELP}"
    if code == "untyped" and said:
        return f"LeadSquared refused it{said} Nothing was sent. {ADVICE[code]}"
    words = (SENTENCES if is_named(delivery) else NAMELESS).get(code, "It was not sent to {name}.")
    words = _name_host(words, code, api_host)
    known = echo(delivery.email) if alone and delivery.email else "their e-mail address"
    told = words.format(name=name, email=known, link=link_help(delivery.name or "them"))
    return f"{told} LeadSquared said{said}" if said and delivery.state is State.REJECTED else told


def quote(said: str | None) -> str:
    """Return LeadSquared's own words after a colon, ended by one full stop."""
    if not said:
        return ""
    quoted = shorten(said, QUOTE_BYTES)
    end = "" if quoted[-1] in ".!?…" else "."
    return f": “{escape(quoted)}”{end}"


def link_help(name: str) -> str:
    """Return what an admin can do about somebody who is not found by e-mail."""
    person = echo(name.replace("`", "'"))
    return f"An admin can run `/notify link @{person} &lt;their LeadSquared e-mail&gt;`."


def why_not_linked(known: Description) -> str:
    """Say why a person has no LeadSquared user, and what can be done."""
    code = known.problem or ""
    help_ = f" {link_help(known.person.name)}" if code in LINKABLE else ""
    if code == "not_in_crm":
        return f"nobody there has this e-mail address.{help_}"
    return f"{SHORT.get(code, 'not found in LeadSquared')}.{help_}"


def waiting_for(deliveries: Sequence[Delivery]) -> str:
    """Say what holds up the deliveries that are open, where the last try told."""
    waiting = [each for each in deliveries if each.state is State.PENDING]
    codes = {each.code for each in waiting}
    known = next((words for code, words in WAITING.items() if code in codes), "")
    return known or (NOT_FOUND_YET if any(each.repeats for each in waiting) else "")


def words_of(delivery: Delivery, *, alone: bool = False) -> str:
    """Return a few words on why one delivery was not sent; none where its state says it all."""
    if delivery.state is State.SENDING:
        return "being sent"
    if delivery.state is State.PENDING:
        return _waiting_words(delivery)
    if delivery.state is State.CANCELLED:
        return ""
    code = _code_of(delivery)
    words = SHORT.get(code, str(delivery.state))
    with_email = alone and code == "not_in_crm" and delivery.email
    return f"{words} with {echo(delivery.email or '')}" if with_email else words


def _waiting_words(delivery: Delivery) -> str:
    why = SHORT.get(delivery.code or "", "they could not be looked up" if delivery.repeats else "")
    times = "1 time" if delivery.repeats == 1 else f"{delivery.repeats} times"
    parts = [why, f"tried {times}" if delivery.repeats else ""]
    told = "; ".join(part for part in parts if part)
    return f"waiting: {told}" if told else "waiting"


def _code_of(delivery: Delivery) -> str:
    """Return the code to explain; what was rejected without a push was only a look-up."""
    if delivery.code == "rejected" and delivery.state is State.UNAVAILABLE:
        return "unavailable"
    return delivery.code or ""
