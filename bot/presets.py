"""LeadSquared's four documented uses of browser notifications: their titles and icons; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Preset(StrEnum):
    """What a notification is about; the value is what people type after `--as`."""

    SMS = "sms"
    EMAIL = "email"
    CALL = "call"
    HOT = "hot"

    @property
    def label(self) -> str:
        """Return what a form calls it."""
        return _PATTERNS[self].label

    @property
    def icon_file(self) -> str:
        """Return the name of its picture, in `bot/icons` or wherever ICON_BASE_URL leads."""
        return f"{self}.png"

    def build_title(self, lead_name: str | None = None) -> str:
        """Return the title for this use, with whom it is about if that is known."""
        pattern = _PATTERNS[self]
        name = (lead_name or "").strip()
        return f"{pattern.before_name} {name}" if name else pattern.title


@dataclass(frozen=True)
class _Pattern:
    label: str
    title: str
    before_name: str


_PATTERNS = {
    Preset.SMS: _Pattern("Incoming SMS", "New SMS", "SMS from"),
    Preset.EMAIL: _Pattern("E-mail received", "New e-mail", "E-mail from"),
    Preset.CALL: _Pattern("Missed call or voice message", "Missed call", "Missed call from"),
    Preset.HOT: _Pattern("Hot prospect", "Hot prospect", "Hot prospect:"),
}
