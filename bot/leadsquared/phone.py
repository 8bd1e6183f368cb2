"""Phone numbers, as people write them and as LeadSquared wants them; pure.

The documentation takes a number with or without country code, without spaces and hyphens; one
integrator found that only the stored form `+91-9000000000` matched:
https://apidocs.leadsquared.com/get-lead-by-phone/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_NUMBER = re.compile(r"\(?(\+|00)?((?:[ \u00a0()./\u2010-\u2015-]*[0-9])+)[ \u00a0)]*")
_TRUNK_ZERO = re.compile(r"\(0\)")
_NO_DIGIT = re.compile(r"[^0-9]")
_COUNTRY = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"  # all others have three digits
    r"|[2-9][0-9]{2}"
)
"""https://www.itu.int/pub/T-SP-E.164D"""

FEWEST_DIGITS, MOST_DIGITS = 6, 15


@dataclass(frozen=True)
class PhoneNumber:
    """Digits alone; `country` is None where the number was given without one."""

    country: str | None
    local: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the number a text consists of, None if it is something else."""
        found = _NUMBER.fullmatch(text.strip())
        if not found:
            return None
        digits = _NO_DIGIT.sub("", _TRUNK_ZERO.sub("", found[2]) if found[1] else found[2])
        if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
            return None
        if not found[1]:
            return cls(None, digits)
        country = _COUNTRY.match(digits)
        return cls(country[0], digits[country.end() :]) if country else None

    @property
    def plain(self) -> str:
        """The digits, with the country code if it is known."""
        return (self.country or "") + self.local

    @property
    def stored(self) -> str | None:
        """The form LeadSquared stores; None where the country code is not known."""
        return f"+{self.country}-{_bare(self.local)}" if self.country else None

    def within(self, country: str | None) -> Self:
        """Return the number in full, for an account whose people leave out `country`."""
        return type(self)(self.country or country, self.local)

    def is_same(self, other: Self) -> bool:
        """Tell whether both may be one line: a missing country code fits any, another one never."""
        if self.country and other.country:
            return self.country == other.country and _bare(self.local) == _bare(other.local)
        return bool(self._forms & other._forms)

    @property
    def _forms(self) -> set[str]:
        return {_bare(self.local), _bare(self.plain)}


def _bare(digits: str) -> str:
    """Leave out the zero that some countries dial before a number."""
    return digits.lstrip("0")
