"""From what a person typed to a notification that LeadSquared will take, or why it will not."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.errors import UserError
from bot.leadsquared.models import check_link, count_bytes
from bot.notification import Notification
from bot.plaintext import escape
from bot.replies.ids import BlockId

CRM_LINK = re.compile(r"https://(?:[a-z0-9-]+\.)*leadsquared\.com/[^\s<>|]+", re.IGNORECASE)

UNPRINTABLE = ("Cc", "Cs")
"""Unicode categories: control characters, and halves of characters."""

LAID_OUT = "\n\t"
"""The control characters that mean something in a text."""


@dataclass(frozen=True)
class Composer:
    """The rules of this installation; `max_bytes` is for title and content together, in UTF-8."""

    max_bytes: int
    sign: bool
    link_hosts: tuple[str, ...] = ()

    def compose(
        self,
        *,
        title: str | None,
        content: str,
        link: str | None,
        icon: str | None,
        sender_name: str,
    ) -> Notification:
        """Return the notification as it will be shown; raises UserError naming the field."""
        title = (title or "").strip()
        title = _check_text(
            title or f"Message from {_printable(sender_name)}", BlockId.TITLE, allowed=""
        )
        content = _check_text(content, BlockId.CONTENT, allowed=LAID_OUT)
        if not _is_visible(content):
            raise UserError(
                "The notification has no text. Write it after the recipients, such as "
                "`/notify @priya Callback due | Asha asked for 3 pm`.",
                field=BlockId.CONTENT,
            )
        signed = content + self.signature(sender_name)
        self._check_size(title, signed)
        return Notification(
            title,
            signed,
            self._check_link(link or _find_crm_link(content), BlockId.LINK, self.link_hosts),
            self._check_link(icon, BlockId.ICON),
        )

    def signature(self, sender_name: str) -> str:
        """Return the line that says who wrote it, so that nobody can write as nobody."""
        return f"\n— {_printable(sender_name)}, Slack" if self.sign else ""

    def room(self, sender_name: str) -> int:
        """Return the bytes left for title and content."""
        return self.max_bytes - count_bytes("", self.signature(sender_name))

    def _check_size(self, title: str, content: str) -> None:
        size = count_bytes(title, content)
        if size > self.max_bytes:
            counted = ", with the line that names you" if self.sign else ""
            raise UserError(
                f"Title + content is {size:,} bytes{counted}; LeadSquared takes "
                f"{self.max_bytes:,}. Cut about {size - self.max_bytes:,} "
                "(accents and emoji count 2–4, Indic letters 3).",
                field=BlockId.CONTENT,
            )

    def _check_link(
        self, url: str | None, field: BlockId, hosts: tuple[str, ...] = ()
    ) -> str | None:
        if not url:
            return None
        name = "link" if field is BlockId.LINK else "icon"
        try:
            check_link(url)
        except ValueError as exc:
            raise UserError(
                f"The {name} {exc}. Example: `https://in21.leadsquared.com/`.", field=field
            ) from None
        host = (urlsplit(url).hostname or "").rstrip(".")
        if hosts and not any(host == each or host.endswith(f".{each}") for each in hosts):
            raise UserError(
                f"Links to {escape(host)} are not allowed here, only to {', '.join(hosts)}. "
                "An admin can add it to ALLOWED_LINK_HOSTS.",
                field=field,
            )
        return url


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


def _printable(name: str) -> str:
    return "".join(each for each in name if unicodedata.category(each) not in UNPRINTABLE)


def _check_text(text: str, field: BlockId, *, allowed: str) -> str:
    text = text.replace("\r\n", "\n")
    for character in text:
        if unicodedata.category(character) in UNPRINTABLE and character not in allowed:
            raise UserError(_unprintable(field, character), field=field)
    return text


def _unprintable(field: BlockId, character: str) -> str:
    if character == "\n":
        return "The title must be one line. Put a bar (|) between the title and the text."
    return (
        f"The {field} has a character that cannot be shown (U+{ord(character):04X}). "
        "Delete it, or type the text again instead of pasting it."
    )
