"""The people of the workspace: what Slack knows of each, and what they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.sandbox.slack.delivery import Reply
    from bot.sandbox.slack.interactions import Interactions
    from bot.sandbox.slack.messages import Message
    from bot.sandbox.slack.views import View

TEAM_ID = "T0ACME001"
OTHER_TEAM_ID = "T0OTHER01"
APP_ID = "A0CRMBOT1"
BOT_ID = "B0CRMBOT1"
BOT_USER_ID = "U0BOT0001"
SLACKBOT_ID = "USLACKBOT"


@dataclass(eq=False)
class Person:
    """One Slack user; compared by identity, so that it can be a key."""

    name: str
    id: str
    real_name: str
    email: str | None = None
    team_id: str = TEAM_ID
    is_admin: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    deleted: bool = False
    tz: str = "Asia/Kolkata"
    _slack: Interactions | None = field(default=None, repr=False)

    @property
    def slack(self) -> Interactions:
        if self._slack is None:
            raise RuntimeError(f"{self.name} is in no workspace")
        return self._slack

    def join(self, slack: Interactions) -> None:
        self._slack = slack

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    @property
    def view(self) -> View:
        """The modal in front of this person; LookupError if there is none."""
        stack = self.slack.views[self]
        if not stack:
            raise LookupError(f"{self.name} has no modal open")
        return stack[-1]

    @property
    def home(self) -> View:
        """What the Home tab shows this person; LookupError if the app has published none."""
        view = self.slack.workspace.homes.get(self)
        if view is None:
            raise LookupError(f"{self.name} has no Home tab")
        return view

    async def command(
        self, command: str, text: str = "", channel: str = "sales", **options: Any
    ) -> Reply:
        return await self.slack.command(self, command, text, channel=channel, **options)

    async def say(self, text: str, channel: str = "sales", **options: Any) -> Message:
        return await self.slack.say(self, text, channel=channel, **options)

    async def use_shortcut(
        self, callback_id: str, message: Message | None = None, **options: Any
    ) -> Reply:
        """Use a global shortcut, or a message shortcut when a message is given."""
        if message is None:
            return await self.slack.global_shortcut(self, callback_id, **options)
        return await self.slack.message_shortcut(self, callback_id, message, **options)

    async def press(
        self, where: Message | View, action_id: str, value: Any = None, **options: Any
    ) -> Reply:
        return await self.slack.press(self, where, action_id, value, **options)

    async def submit(self, values: dict[str, Any] | None = None, **options: Any) -> Reply:
        """Submit the modal in front."""
        return await self.slack.submit(self.view, values or {}, self, **options)

    async def open_home(self, **options: Any) -> Reply:
        return await self.slack.open_home(self, **options)

    async def sees(
        self,
        text: str,
        channel: str | None = None,
        timeout: float = 10.0,  # noqa: ASYNC109  # it ends in an assertion with the transcript
    ) -> Message:
        """Wait until a message that this person sees contains `text`; return the newest such."""
        return await self.slack.sees(self, text, channel, timeout)

    async def sees_home(
        self,
        text: str,
        timeout: float = 10.0,  # noqa: ASYNC109  # as above
    ) -> View:
        """Wait until this person's Home tab contains `text`; return it."""
        return await self.slack.sees_home(self, text, timeout)

    async def gets_view(
        self,
        title: str | None = None,
        timeout: float = 10.0,  # noqa: ASYNC109  # as above
    ) -> View:
        """Wait until a modal (of that title) is in front of this person."""
        return await self.slack.gets_view(self, title, timeout)


@dataclass
class Group:
    """A user group."""

    id: str
    handle: str
    name: str
    members: list[Person]
    date_delete: int = 0


def build_user(person: Person, *, with_email: bool) -> dict[str, Any]:
    """Build the object of users.info; without its scope the e-mail key is absent (section 3)."""
    profile: dict[str, Any] = {
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "team": person.team_id,
    }
    if with_email and person.email is not None:
        profile["email"] = person.email
    user: dict[str, Any] = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "profile": profile,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": 1700000000,
    }
    if person.is_stranger:
        user["is_stranger"] = True
    if person.deleted:
        return user  # Slack leaves the rest out for deactivated people
    return user | {
        "real_name": person.real_name,
        "tz": person.tz,
        "is_admin": person.is_admin,
        "is_owner": False,
        "is_restricted": person.is_restricted or person.is_ultra_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
    }


def build_people() -> Iterator[Person]:
    """Yield the people of Acme, one for every case that a bot must tell apart."""
    yield Person("alice", "U0ALICE01", "Alice Rao", "alice@acme.com", is_admin=True)
    yield Person("priya", "U0PRIYA01", "Priya Nair", "priya@acme.com")
    yield Person("lee", "U0LEE0001", "Lee Wong", "Lee.Wong@Acme.com")
    yield Person("dev", "U0DEV0001", "Dev Shah", "dev@acme.com")
    yield Person("omar", "U0OMAR001", "Omar Aziz", "omar@acme.com")
    yield Person("gus", "U0GUS0001", "Gus Guest", "gus@partner.com", is_restricted=True)
    yield Person("exa", "U0EXA0001", "Exa Ternal", team_id=OTHER_TEAM_ID, is_stranger=True)
    yield Person("gone", "U0GONE001", "Gone Girl", "gone@acme.com", deleted=True)
    yield Person("nomail", "U0NOMAIL1", "Noma Il")
    yield Person("inactive", "U0INA0001", "Ina Ctive", "ina@acme.com")
    yield Person("robot", "U0ROBOT01", "Reminder Robot", is_bot=True)
    yield Person("crm-notifier", BOT_USER_ID, "CRM Notifier", is_bot=True)
    yield Person("slackbot", SLACKBOT_ID, "Slackbot")  # the real one says is_bot: false, too


def build_member(number: int) -> Person:
    name = f"u{number:03d}"
    return Person(name, f"U0MEM{number:04d}", f"Member {number:03d}", f"{name}@acme.com")
