"""Takes one notification in: checks it, stores it, and wakes those who work on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.composer import Composer
from bot.errors import SlackError, UserError
from bot.groups import Group, Groups
from bot.notification import Named, Place, Recipient, SlackGroup, SlackUser
from bot.people import Person
from bot.presets import Preset
from bot.preview import Preview
from bot.questions import Question
from bot.store.acceptance import Acceptance
from bot.store.outbox import Outbox, Receipt

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
    content: str
    title: str | None = None
    link: str | None = None
    icon: str | None = None
    preset: Preset | None = None


@dataclass(frozen=True)
class Acceptor:
    """The one way into the outbox; commands and modals share it."""

    outbox: Outbox
    composer: Composer
    groups: Groups
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
        notification = self.composer.compose(
            title=request.title,
            content=request.content,
            link=request.link,
            icon=request.icon,
            sender_name=request.sender.name,
            preset=request.preset,
        )
        recipients, groups = await self._expand(request.recipients)
        acceptance = Acceptance(
            key=request.key,
            sender_id=request.sender.user_id,
            sender_name=request.sender.name,
            notification=notification,
            recipients=recipients,
            place=request.place,
        )
        if groups or 0 < self.confirm_above < len(recipients):
            return await self.outbox.ask_first(acceptance, [group.handle for group in groups])
        receipt = await self.outbox.accept(acceptance)
        self._wake(receipt)
        return receipt.earlier or receipt

    def preview(self, request: Request) -> Preview:
        """Return how this would look; nothing is stored or sent, and mistakes are part of it."""
        attempt = self.composer.attempt(
            title=request.title,
            content=request.content,
            link=request.link,
            icon=request.icon,
            sender_name=request.sender.name,
            preset=request.preset,
        )
        return attempt.preview(self.composer.max_bytes)

    async def accept_draft(self, draft_id: str, sender: Person) -> Receipt:
        """Commit what was a draft of this sender's; raises UserError if it is gone."""
        await self.check_sender(sender)
        receipt = await self.outbox.accept_draft(draft_id, sender.user_id)
        self._wake(receipt)
        return receipt

    def _wake(self, receipt: Receipt) -> None:
        if receipt.unresolved:
            self.resolve()
        if receipt.unresolved < receipt.recipients:
            self.dispatch()

    async def _expand(self, named: Sequence[Named]) -> tuple[list[Recipient], list[Group]]:
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
