r"""Which addresses a notification may carry; pure.

A link is opened, and an icon fetched, by the recipient's browser: nothing here fetches either. So
an address has to be one that every browser reads as we do (`https://evil\@good/` is not), and it
must not lead into the network or the machine of whoever clicks. Names in Punycode (`xn--…`) are
taken: they are shown as they are, and browsers look after names that look like others.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

MAX_LINK_LENGTH = 2000

_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]")
_PORT = re.compile(r"[0-9]{1,5}")
_AUTHORITY = re.compile(r"https://([^/?#]*)", re.IGNORECASE)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
"""Unicode categories of what a person cannot see in a link: spaces, controls, direction marks."""

_PRIVATE_NAMES = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
)
"""What names end with that no public server answers to: RFC 6761, 6762, 8375 and custom."""

_CARRIES_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""NAT64 and the old compatible form: the last four bytes are an IPv4 address."""


def check_link(url: str) -> str:
    r"""Return a link that every browser reads as we do (`https://evil\@good/` is not one)."""
    if len(url) > MAX_LINK_LENGTH:
        raise ValueError(f"must not be longer than {MAX_LINK_LENGTH:,} characters")
    if any(unicodedata.category(character) in _UNSEEN for character in url):
        raise ValueError("must not contain spaces or control characters")
    if "\\" in url:
        raise ValueError("must not contain a backslash")
    found = _AUTHORITY.match(url)
    if not found:
        raise ValueError("must begin with https://")
    _check_authority(found[1])
    return url


def find_host(url: str) -> str:
    """Return the host of a checked link: in lower case, without brackets and final dot."""
    return (urlsplit(url).hostname or "").rstrip(".")


def is_host_in(host: str, allowed: Collection[str]) -> bool:
    """Tell whether a host is one of `allowed`, or below one."""
    return any(host == each or host.endswith(f".{each}") for each in allowed)


def is_private(host: str) -> bool:
    """Tell whether a host can only mean a machine of the recipient's own network, or theirs.

    A number is read as browsers read it: `127.1`, `0x7f.1` and `2130706433` are 127.0.0.1. A public
    name whose address is private cannot be told from others without asking somebody.
    """
    if ":" in host:
        return not _is_global(IPv6Address(host)) if _is_ipv6(host) else True
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        address = _read_ipv4(host)
        return address is None or not address.is_global
    return "." not in host or is_host_in(host, _PRIVATE_NAMES)


def _check_authority(authority: str) -> None:
    if "@" in authority:
        raise ValueError("must not contain a user name")
    host, port = _split_port(authority)
    if not _HOST.fullmatch(host.lower()) or not host.isascii():
        raise ValueError("must name a host, in plain ASCII")
    if host.startswith("[") and not _is_ipv6(host[1:-1]):
        raise ValueError("must name a host, in plain ASCII")
    if port and not (_PORT.fullmatch(port) and 0 < int(port) < 65_536):
        raise ValueError("must have a valid port")


def _split_port(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon and "]" not in port else (authority, "")


def _is_ipv6(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv6Address)
    except ValueError:
        return False


def _is_global(address: IPv6Address) -> bool:
    """Tell whether it leads out into the world, whatever it is wrapped in."""
    wrapped = [address.ipv4_mapped, address.sixtofour]
    if any(address in network for network in _CARRIES_IPV4):
        wrapped.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    inner = [each for each in wrapped if each is not None]
    return all(each.is_global for each in inner) if inner else address.is_global


def _read_ipv4(host: str) -> IPv4Address | None:
    """Return the address browsers make of numbers: https://url.spec.whatwg.org/#concept-ipv4-parser

    None for what they refuse.
    """
    parts = host.split(".")
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        return None
    try:
        *high, low = (_read_number(part) for part in parts)
        if any(each > 255 for each in high) or low >= 256 ** (5 - len(parts)):
            return None
        value = sum(each << 8 * (3 - place) for place, each in enumerate(high)) + low
        return IPv4Address(value)
    except ValueError:
        return None


def _read_number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part.startswith("0") else int(part)
