"""What a lead that is named adds to a notification: the page it opens, and its owner; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.errors import UserError
from bot.leads.found import LeadPage, name_of
from bot.leadsquared.models import Lead
from bot.notification import Addressee, CrmRecipient, KeyOwner, LeadOwner, Notification, Recipient
from bot.plaintext import echo
from bot.replies.ids import BlockId

NO_LEAD = "Choose the lead whose owner should get this."


def put_behind(notification: Notification, page: LeadPage) -> Notification:
    """Return the notification with the lead's page behind its click, or nothing if unknown."""
    return replace(notification, click_url=page.url, lead_name=name_of(page.lead))


def needs_key_owner(addressees: Sequence[Addressee]) -> bool:
    """Tell whether the lead's owner may be somebody who is named as the key owner too."""
    return LeadOwner() in addressees and KeyOwner() in addressees


def build_recipients(
    addressees: Sequence[Addressee], lead: Lead | None = None, key_owner_id: str | None = None
) -> tuple[Recipient, ...]:
    """Return the recipients with the lead's owner by name; raises UserError if there is none.

    The owner and the key owner make one call if they are one person.
    """
    if LeadOwner() not in addressees:
        return tuple(each for each in addressees if not isinstance(each, LeadOwner))
    if lead is None:
        raise UserError(NO_LEAD, field=BlockId.LEAD)
    if lead.owner_id is None:
        raise UserError(say_ownerless(lead), field=BlockId.OWNER)
    name = lead.owner_name or f"the owner of {name_of(lead)}"
    if lead.owner_id == key_owner_id and KeyOwner() in addressees:
        name += " (also key-owner)"
        addressees = [each for each in addressees if not isinstance(each, KeyOwner)]
    owner = CrmRecipient(lead.owner_id, name)
    return tuple(owner if isinstance(each, LeadOwner) else each for each in addressees)


def say_ownerless(lead: Lead) -> str:
    return (
        f"{echo(name_of(lead))} has no owner in LeadSquared, so nothing was sent. Give the lead "
        "an owner there, or name the person who should get it."
    )
