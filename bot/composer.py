"""From what a person typed to a notification that LeadSquared will take, or why it will not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.characters import OVERRIDES, UNPRINTABLE, printable
from bot.errors import UserError
from bot.leadsquared.models import count_bytes
from bot.links import check_link, find_host, is_host_in, is_private
from bot.notification import Notification
from bot.plaintext import escape
from bot.presets import Preset
from bot.preview import Preview, build_looks
from bot.replies.ids import BlockId

CRM_LINK = re.compile(r"https://(?:[a-z0-9-]+\.)*leadsquared\.com/[^\s<>|]+", re.IGNORECASE)

PRIVATE = (
    "The {name} must lead to a public address, and {host} is none: it means a machine or a network "
    "of whoever opens it. Take another address; for links, an admin can allow this one with "
    "ALLOWED_LINK_HOSTS."
)

CALLED = {BlockId.TITLE: "title", BlockId.CONTENT: "text"}
EXAMPLES = {
    BlockId.LINK: "https://in21.leadsquared.com/",
    BlockId.ICON: "https://example.com/bell.png",
}

LAID_OUT = "\n\t"
"""The control characters that mean something in a text."""


@dataclass(frozen=True)
class Wording:
    """What a person wrote and chose for a notification; what is None follows from the rest."""

    content: str
    title: str | None = None
    link: str | None = None
    icon: str | None = None
    preset: Preset | None = None


@dataclass(frozen=True)
class Attempt:
    """What was written as a notification, with everything that LeadSquared would not take."""

    notification: Notification
    mistakes: tuple[UserError, ...]
    size: int
    """Bytes of title and content in UTF-8, with the line that names the sender."""

    def preview(self, max_bytes: int) -> Preview:
        """Return how it will look; an address that cannot be sent is left out."""
        made, wrong = self.notification, {mistake.field for mistake in self.mistakes}
        return Preview(
            looks=build_looks(made),
            click_url=None if BlockId.LINK in wrong else made.click_url,
            icon_url=None if BlockId.ICON in wrong else made.icon_url,
            size=self.size,
            max_bytes=max_bytes,
            mistakes=tuple(mistake.hint for mistake in self.mistakes),
        )


@dataclass(frozen=True)
class Composer:
    """The rules of this installation; `max_bytes` is for title and content together, in UTF-8."""

    max_bytes: int
    sign: bool
    link_hosts: tuple[str, ...] = ()
    icon_base: str | None = None
    """Where the pictures of presets are, with a slash at its end; None for nowhere."""

    def compose(
        self, wording: Wording, sender_name: str, lead_name: str | None = None
    ) -> Notification:
        """Return the notification as it will be shown; raises UserError naming the field."""
        attempt = self.attempt(wording, sender_name, lead_name)
        if attempt.mistakes:
            raise attempt.mistakes[0]
        return attempt.notification

    def attempt(self, wording: Wording, sender_name: str, lead_name: str | None = None) -> Attempt:
        """Return the same, whatever is wrong with it."""
        typed = (wording.title or "").strip()
        made = Notification(
            title=typed or _build_title(wording.preset, lead_name, sender_name),
            content=wording.content.replace("\r\n", "\n"),
            click_url=wording.link or _find_crm_link(wording.content),
            icon_url=wording.icon or self._find_icon(wording.preset),
        )
        signed = replace(made, content=made.content + self.signature(sender_name))
        size = count_bytes(signed.title, signed.content)
        return Attempt(signed, tuple(self._find_mistakes(made, size)), size)

    def _find_icon(self, preset: Preset | None) -> str | None:
        return self.icon_base + preset.icon_file if self.icon_base and preset else None

    def _is_own_icon(self, url: str | None) -> bool:
        """Tell whether it is one of ours: an admin may keep those anywhere."""
        return url is not None and url in map(self._find_icon, Preset)

    def _find_mistakes(self, made: Notification, size: int) -> Iterator[UserError]:
        """Yield what is wrong with a notification that is not signed yet but weighed so."""
        yield from _check_text(made.title, BlockId.TITLE, allowed="")
        yield from _check_text(made.content, BlockId.CONTENT, allowed=LAID_OUT)
        if not _is_visible(made.content):
            yield UserError(
                "The notification has no text that can be seen. Write what it should say, such as "
                "“Asha asked for 3 pm”.",
                field=BlockId.CONTENT,
            )
        yield from self._check_size(size)
        yield from self._check_link(made.click_url, BlockId.LINK, self.link_hosts)
        if not self._is_own_icon(made.icon_url):
            yield from self._check_link(made.icon_url, BlockId.ICON)

    def signature(self, sender_name: str) -> str:
        """Return the line that says who wrote it, so that nobody can write as nobody."""
        return f"\n— {printable(sender_name)}, Slack" if self.sign else ""

    def room(self, sender_name: str) -> int:
        """Return the bytes left for title and content."""
        return self.max_bytes - count_bytes("", self.signature(sender_name))

    def _check_size(self, size: int) -> Iterator[UserError]:
        if size > self.max_bytes:
            counted = ", with the line that names you" if self.sign else ""
            yield UserError(
                f"Title + content is {size:,} bytes{counted}; LeadSquared takes "
                f"{self.max_bytes:,}. Cut about {size - self.max_bytes:,} "
                "(accents and emoji count 2–4, Indic letters 3).",
                field=BlockId.CONTENT,
            )

    def _check_link(
        self, url: str | None, field: BlockId, hosts: tuple[str, ...] = ()
    ) -> Iterator[UserError]:
        if not url:
            return
        name = "link" if field is BlockId.LINK else "icon"
        try:
            check_link(url)
        except ValueError as exc:
            yield UserError(f"The {name} {exc}. Example: `{EXAMPLES[field]}`.", field=field)
            return
        host = find_host(url)
        if hosts and not is_host_in(host, hosts):
            yield UserError(
                f"Links to {escape(host)} are not allowed here, only to {', '.join(hosts)}. "
                "An admin can add it to ALLOWED_LINK_HOSTS.",
                field=field,
            )
        elif not hosts and is_private(host):
            yield UserError(PRIVATE.format(name=name, host=escape(host)), field=field)


def _build_title(preset: Preset | None, lead_name: str | None, sender_name: str) -> str:
    if preset:
        return preset.build_title(printable(" ".join((lead_name or "").split())))
    return f"Message from {printable(sender_name)}"


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def _find_crm_link(content: str) -> str | None:
    """Return the first LeadSquared page named in the text: that is what it is about."""
    for found in CRM_LINK.finditer(content):
        try:
            return check_link(found[0].rstrip(".,;:!?)"))
        except ValueError:
            continue
    return None


def _check_text(text: str, field: BlockId, *, allowed: str) -> Iterator[UserError]:
    for character in text:
        hidden = unicodedata.category(character) in UNPRINTABLE and character not in allowed
        if hidden or character in OVERRIDES:
            yield UserError(_unprintable(field, character), field=field)
            return


def _unprintable(field: BlockId, character: str) -> str:
    if character == "\n":
        return "The title must be one line. Put a bar (|) between the title and the text."
    return (
        f"The {CALLED[field]} has a character that cannot be shown (U+{ord(character):04X}). "
        "Delete it, or type the text again instead of pasting it."
    )
