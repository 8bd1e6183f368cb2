"""Takes one notification in: checks it, stores it, and wakes those who work on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.composer import Composer, Wording
from bot.errors import SlackError, StoreError, UserError
from bot.groups import Group, Groups
from bot.leads.addressing import build_recipients, needs_key_owner, put_behind, say_ownerless
from bot.leads.finder import Leads
from bot.leads.found import LeadPage, Several, name_of
from bot.leads.reference import ById, LeadReference
from bot.leadsquared.models import Lead
from bot.notification import (
    Addressee,
    LeadOwner,
    Named,
    Notification,
    Place,
    Recipient,
    SlackGroup,
    SlackUser,
)
from bot.people import Person
from bot.preview import Preview
from bot.questions import LeadChoice, Question, WhichLead
from bot.replies.ids import BlockId
from bot.store.acceptance import Acceptance
from bot.store.outbox import Outbox, Receipt

log = structlog.get_logger()

STORE_WITHIN = 0.3
"""Seconds kept for storing, out of those in which a listener answers."""

MOST_CHOICES = 10
"""Leads to choose from; beyond that, nobody finds theirs in a list."""

KEY_OWNER_UNKNOWN = (
    "LeadSquared could not tell just now whether the lead's owner is the owner of the API keys, "
    "and nobody should get this twice. Nothing was sent. Leave one of the two out, or try again."
)
TWO_QUESTIONS = (
    "{leads} leads fit, and this would go to {people} people, so it has to be clear which lead is "
    "meant. Nothing was sent. Name it by its id or the address of its page."
)
UNTOLD = (
    "Only the members of one user group may send notifications, and Slack could not tell whether "
    "you are in it. Nothing was sent. Try again."
)
NO_SUCH_GROUP = (
    "Only the members of one user group may send notifications, and Slack does not tell who is in "
    "it. Nothing was sent. An admin should check ALLOWED_USERGROUP: the group must be active, and "
    "the app must have the scope usergroups:read."
)
NOT_IN_GROUP = (
    "Only the members of {group} may send notifications. Nothing was sent. Ask an admin to add you "
    "to it; it may take five minutes until I know."
)


@dataclass(frozen=True)
class Request:
    """What a person asked for, from whichever surface; `key` names the Slack interaction."""

    key: str
    sender: Person
    recipients: Sequence[Named]
    place: Place
    wording: Wording
    lead: LeadReference | None = None
    until: float | None = None
    """When the listener must have its answer, by the loop's time."""


@dataclass(frozen=True)
class Acceptor:
    """The one way into the outbox; commands and modals share it."""

    outbox: Outbox
    composer: Composer
    groups: Groups
    leads: Leads
    allowed_channels: Sequence[str]
    allowed_usergroup: str | None
    confirm_above: int
    """A send to more recipients must be confirmed, as one to a group must; 0: only to a group."""
    resolve: Callable[[], None]
    dispatch: Callable[[], None]

    async def accept(self, request: Request) -> Receipt | Question:
        """Commit a notification, or return what must be asked before.

        Raises UserError with nothing stored, or StoreError.
        """
        self.check_place(request.place)
        await self.check_sender(request.sender)
        # What is wrong with the text is said before anybody is asked.
        notification = self.composer.compose(request.wording, request.sender.name)
        named, groups = await self._expand(request.recipients)
        if request.lead is None:
            recipients = build_recipients(named)
            return await self._store(_build(request, notification, recipients), groups)
        return await self._accept_about(request.lead, request, named, groups)

    async def _accept_about(
        self,
        reference: LeadReference,
        request: Request,
        named: Sequence[Addressee],
        groups: Sequence[Group],
    ) -> Receipt | Question:
        """Find the lead that was named, and store what is about it; or ask which one is meant."""
        until = None if request.until is None else request.until - STORE_WITHIN
        found = await self.leads.find(reference, until=until)
        key_owner_id = await self._find_key_owner(named, until)
        if isinstance(found, LeadPage):
            about = self._build_about(request, named, found, key_owner_id)
            return await self._store(about, groups)
        leads = _choosable(found, named)
        if self._is_many(named, groups):
            raise UserError(TWO_QUESTIONS.format(leads=len(found.leads), people=len(named)))
        shown = leads[:MOST_CHOICES]
        pages = [LeadPage(lead, await self.leads.page_url(lead.id, until=until)) for lead in shown]
        drafts = await self.outbox.ask(
            [self._build_about(request, named, page, key_owner_id) for page in pages]
        )
        choices = tuple(_choice(draft, lead) for draft, lead in zip(drafts, shown, strict=True))
        return WhichLead(choices, len(leads) - len(shown), len(found.leads) - len(leads))

    async def _find_key_owner(self, named: Sequence[Addressee], until: float | None) -> str | None:
        """Return the key owner where the lead's owner may be the same person."""
        if not needs_key_owner(named):
            return None
        key_owner_id = await self.leads.find_key_owner_id(until=until)
        if key_owner_id is None:
            raise UserError(KEY_OWNER_UNKNOWN, field=BlockId.OWNER)
        return key_owner_id

    async def _store(self, acceptance: Acceptance, groups: Sequence[Group]) -> Receipt | Question:
        if self._is_many(acceptance.recipients, groups):
            return await self.outbox.ask_first(acceptance, [group.handle for group in groups])
        receipt = await self.outbox.accept(acceptance)
        self.wake(receipt)
        return receipt.earlier or receipt

    def _is_many(self, named: Sequence[Addressee], groups: Sequence[Group]) -> bool:
        return bool(groups) or 0 < self.confirm_above < len(named)

    def _build_about(
        self,
        request: Request,
        named: Sequence[Addressee],
        page: LeadPage,
        key_owner_id: str | None,
    ) -> Acceptance:
        """Return what is to be stored about a lead; raises UserError."""
        lead_name = name_of(page.lead)
        notification = self.composer.compose(request.wording, request.sender.name, lead_name)
        if not request.wording.link:
            notification = put_behind(notification, page)
        recipients = build_recipients(named, page.lead, key_owner_id)
        return _build(request, notification, recipients)

    async def preview(self, request: Request) -> Preview:
        """Return how this would look; nothing is stored or sent, and mistakes are part of it.

        Takes 2 s at most, and no time where the title does not depend on a lead's name.
        """
        try:
            return self._preview(request, await self._find_lead_name(request))
        except (UserError, StoreError) as exc:
            shown = self._preview(request)
            return replace(shown, mistakes=(*shown.mistakes, exc.hint))

    async def _find_lead_name(self, request: Request) -> str | None:
        """Return the name that the title of a preset takes in; forms name a lead by its id."""
        is_needed = request.wording.preset and not (request.wording.title or "").strip()
        if not is_needed or not isinstance(request.lead, ById):
            return None
        return await self.leads.find_name(request.lead)

    def _preview(self, request: Request, lead_name: str | None = None) -> Preview:
        attempt = self.composer.attempt(request.wording, request.sender.name, lead_name)
        opens_lead = request.lead is not None and not request.wording.link
        return replace(attempt.preview(self.composer.max_bytes), opens_lead=opens_lead)

    async def accept_draft(self, draft_id: str, sender: Person) -> Receipt:
        """Commit what was a draft of this sender's; raises UserError if it is gone."""
        await self.check_sender(sender)
        receipt = await self.outbox.accept_draft(draft_id, sender.user_id)
        self.wake(receipt)
        return receipt

    def wake(self, receipt: Receipt) -> None:
        """Wake those who work on what was stored."""
        if receipt.is_new:
            log.info(
                "request.accepted",
                notification=receipt.notification_id,
                recipients=receipt.recipients,
            )
        if receipt.unresolved:
            self.resolve()
        if receipt.unresolved < receipt.recipients:
            self.dispatch()

    async def _expand(self, named: Sequence[Named]) -> tuple[list[Addressee], list[Group]]:
        """Return everybody once, those who were named before the members of groups."""
        people = [each for each in named if not isinstance(each, SlackGroup)]
        group_ids = [each.group_id for each in named if isinstance(each, SlackGroup)]
        groups = await self.groups.get_all(group_ids)
        members = [SlackUser(user_id) for group in groups for user_id in group.members]
        return list(dict.fromkeys([*people, *members])), groups

    async def check_sender(self, sender: Person) -> None:
        """Refuse who is not in ALLOWED_USERGROUP, and everybody if Slack cannot tell who is."""
        if self.allowed_usergroup is None:
            return
        try:
            is_in, group = await self.groups.has_member(self.allowed_usergroup, sender.user_id)
        except SlackError as exc:
            raise UserError(UNTOLD) from exc
        if group.refused or not group.is_active:
            raise UserError(NO_SUCH_GROUP)
        if not is_in:
            raise UserError(NOT_IN_GROUP.format(group=group.name if group.handle else "one group"))

    def check_place(self, place: Place) -> None:
        """Refuse a place that ALLOWED_CHANNELS does not name."""
        if self.allowed_channels and place.channel_id not in self.allowed_channels:
            channels = ", ".join(f"<#{each}>" for each in self.allowed_channels)
            raise UserError(f"Notifications can only be sent from {channels}. Try it there.")


def _build(
    request: Request, notification: Notification, recipients: Sequence[Recipient]
) -> Acceptance:
    return Acceptance(
        key=request.key,
        sender_id=request.sender.user_id,
        sender_name=request.sender.name,
        notification=notification,
        recipients=recipients,
        place=request.place,
    )


def _choosable(found: Several, named: Sequence[Addressee]) -> list[Lead]:
    """Return the leads that this could be about; raises UserError if there are none."""
    if LeadOwner() not in named:
        return list(found.leads)
    owned = [lead for lead in found.leads if lead.owner_id]
    if not owned:
        raise UserError(say_ownerless(found.leads[0]), field=BlockId.OWNER)
    return owned


def _choice(draft_id: str, lead: Lead) -> LeadChoice:
    contact = " · ".join(filter(None, [lead.email, *lead.phones, lead.company]))
    return LeadChoice(draft_id, name_of(lead), contact, lead.owner_name)
