"""Why a delivery ended as it did: a few words for lists, and a sentence with the next step."""

from __future__ import annotations

from collections.abc import Sequence

from bot.notification import Delivery, State
from bot.plaintext import escape

BLOCKED_HELP = (
    "Browser notifications may also be blocked there: in Chrome, open "
    "`chrome://settings/content/notifications` and make sure LeadSquared is under Allowed; in "
    "Firefox, on the LeadSquared page, click the padlock, then Connection secure, More "
    "information, Permissions, and allow Send Notifications."
)

LINK_HELP = "An admin can run `/notify link @them &lt;their LeadSquared e-mail&gt;`."

SHORT = {
    "access_401": "LeadSquared refused our keys",
    "access_403": "LeadSquared denied access",
    "access_404": "LeadSquared's address is wrong",
    "rejected": "LeadSquared rejected it",
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

ADVICE = {
    "access_401": (
        "An admin should check LEADSQUARED_ACCESS_KEY, LEADSQUARED_SECRET_KEY and LEADSQUARED_URL."
    ),
    "access_403": "An admin should check the rights of the user that the keys belong to.",
    "access_404": "An admin should check LEADSQUARED_URL.",
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
    "connect": (
        "LeadSquared could not be reached, so nothing was sent to {name}. Send it again later."
    ),
    "busy": "LeadSquared was busy, so nothing was sent to {name}. Send it again later.",
    "unavailable": (
        "LeadSquared could not tell us who {name} is, so nothing was sent. Send it again later."
    ),
    "rate_limited": (
        "LeadSquared stayed at its limit, so nothing was sent to {name}. Send it again later."
    ),
    "too_late": (
        "Not sent to {name}: too late, it had waited too long. Send it again if it still matters."
    ),
    "slack_away": (
        "Slack could not tell us who {name} is, so nothing was sent. Send it again later."
    ),
    "uncertain": (
        "LeadSquared gave no clear answer for {name}, so this one may or may not have arrived. It "
        "was not repeated. Ask them before you send it again."
    ),
    "lease": (
        "The bot stopped while sending to {name}, so this one may or may not have arrived. It "
        "was not repeated. Ask them before you send it again."
    ),
    "not_in_crm": (
        "{name} has no LeadSquared user: nobody there has their e-mail address. Nothing was sent "
        f"to them. {LINK_HELP}"
    ),
    "inactive": (
        "{name}'s LeadSquared user is deactivated. Nothing was sent to them. A LeadSquared admin "
        f"can activate it. Or: {LINK_HELP}"
    ),
    "no_email": (
        "{name} has no e-mail address in Slack to find their LeadSquared user by. Nothing was "
        f"sent to them. {LINK_HELP}"
    ),
    "unknown_person": (
        "Slack does not know {name} any more. Nothing was sent to them. Check whom you meant."
    ),
    "guest": (
        "{name} is a guest here, and guests are not matched by e-mail. Nothing was sent to them. "
        f"{LINK_HELP}"
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


def name_of(delivery: Delivery) -> str:
    """Return how to call a recipient; a name pings nobody."""
    if delivery.slack_user_id is None and delivery.name is None:
        return "the owner of the API keys"
    return escape(delivery.name or "somebody")


def sentence_of(delivery: Delivery) -> str:
    """Explain one delivery that was not sent, with the next step."""
    if delivery.state is State.CANCELLED:
        return f"Taken back before it was sent to *{name_of(delivery)}*."
    code = _code_of(delivery)
    if code == "rejected":
        said = f": “{escape(delivery.detail)}”" if delivery.detail else ""
        return (
            f"LeadSquared rejected it for *{name_of(delivery)}*{said}. Nothing was sent. "
            f"{BLOCKED_HELP}"
        )
    words = SENTENCES.get(code, "It was not sent to {name}.")
    told = words.format(name=f"*{name_of(delivery)}*")
    if delivery.detail and delivery.state is State.REJECTED:
        return f"{told} LeadSquared said: “{escape(delivery.detail)}”"
    return told


def waiting_for(deliveries: Sequence[Delivery]) -> str:
    """Say what holds up the deliveries that are open, where the last try told."""
    codes = {each.code for each in deliveries if each.state is State.PENDING}
    return next((words for code, words in WAITING.items() if code in codes), "")


def words_of(delivery: Delivery) -> str:
    """Return a few words on why one delivery was not sent."""
    return SHORT.get(_code_of(delivery), str(delivery.state))


def _code_of(delivery: Delivery) -> str:
    """Return the code to explain; what was rejected without a push was only a look-up."""
    if delivery.code == "rejected" and delivery.state is State.UNAVAILABLE:
        return "unavailable"
    return delivery.code or ""
