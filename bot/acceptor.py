"""Takes one notification in: checks it, stores it, and wakes those who work on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.composer import Composer
from bot.errors import UserError
from bot.groups import Group, Groups
from bot.notification import Named, Place, Recipient, SlackGroup, SlackUser
from bot.people import Person
from bot.presets import Preset
from bot.preview import Preview
from bot.questions import Question
from bot.store.acceptance import Acceptance
from bot.store.outbox import Outbox, Receipt


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
    confirm_above: int
    """A send to more recipients must be confirmed, as one to a group must; 0: only to a group."""
    resolve: Callable[[], None]
    dispatch: Callable[[], None]

    async def accept(self, request: Request) -> Receipt | Question:
        """Commit a notification, or return what must be asked before.

        Raises UserError with nothing stored, or StoreError.
        """
        self.check_place(request.place)
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

    def check_place(self, place: Place) -> None:
        """Refuse a place that ALLOWED_CHANNELS does not name."""
        if self.allowed_channels and place.channel_id not in self.allowed_channels:
            channels = ", ".join(f"<#{each}>" for each in self.allowed_channels)
            raise UserError(f"Notifications can only be sent from {channels}. Try it there.")
