"""Hostile forms of real requests: what somebody could send, and what nobody should."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_plus, urlencode

from tests.fuzz.seeds import JSON, TEXT, Seed

Path = list[str | int]

HUGE = 60_000
DEEP = 3_000

STRINGS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\u202e\u2066\u200b\ufeff",
    "\x1b[31m\r\n\x07",
    "😀" * 50,
    "अ\u0301" * 200,
    "%00%ff%",
    "{}",
    "null",
    "payload",
    "<!channel> <!here> <@U0PRIYA01> <!subteam^S0SALES01> <#C0SALES01>",
    "<https://evil.example|click> & &amp;lt; < >",
    "'; DROP TABLE notifications; --",
    "{name} {0} %s %(x)s ${x} {{7*7}}",
    "https://evil\\@good.example/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "javascript:alert(1)",
    "../../etc/passwd",
    "U0PRIYA01",
    "U0NOBODY1",
    "T0OTHER01",
    "1e999",
    "-1",
    "0" * 400,
    "compose",
    "confirm",
    "send_draft_0",
)
OTHERS: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**63,
    -(2**200),
    float("inf"),
    float("nan"),
    [],
    {},
    [[]],
    [None],
    {"": {"": None}},
    {"type": "plain_text", "text": 5},
    {"selected_users": [[], {}, None, 5]},
)
COMMAND_PARTS = (
    "<@U0PRIYA01>",
    "<@U0PRIYA01|priya>",
    "<@U0NOBODY1>",
    "<@",
    "<!subteam^S0SALES01>",
    "<!subteam^S0NOBODY1|@x>",
    "<!channel>",
    "<#C0SALES01|sales>",
    "@priya",
    "me",
    "owner",
    "key-owner",
    "--lead asha.rao@example.com",
    '--lead "+91 90000',
    "--link <https://x.io|y>",
    "--link https://evil\\@good/",
    "--link=https://169.254.169.254/",
    "--icon https://x.io/i.png",
    "--as call",
    "--as nonsense",
    "--private",
    "--",
    "—link",
    "|",
    "\\|",
    "｜",
    "\n",
    ":tada:",
    "&lt;&amp;&gt;",
    "`*_~```",
    "status",
    "status 0000",
    "whoami",
    "whoami <@U0LEE0001>",
    "unlink <@U0OMAR001>",
    "link <@U0OMAR001> <mailto:a@b.io|a@b.io>",
    "payload={}",
)
CONTENT_TYPES = (
    "",
    "text/plain",
    "text/html; charset=utf-16",
    "application/json; charset=utf-7",
    "application/x-www-form-urlencoded; charset=nonsense",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    ";;;",
)


class Mutator:
    """Makes hostile bodies; all it does follows from its random source."""

    def __init__(self, rng: random.Random, others_ids: Sequence[str] = ()) -> None:
        """Take the ids of what is somebody else's: they are put wherever an id may stand."""
        self._rng = rng
        self._strings = [*STRINGS, *others_ids, *others_ids]

    def mutate(self, seed: Seed, marker: str) -> tuple[bytes, str]:
        """Return a body and its content type, with `marker` in the place of its text."""
        content_type = seed.content_type
        if self._rng.random() < 0.08:
            content_type = self._rng.choice(CONTENT_TYPES)
        if seed.payload is None:
            body = self._mutate_form(seed, marker)
        else:
            text = self._mutate_json(seed.payload, marker)
            is_json = seed.content_type == JSON
            body = text.encode(errors="replace") if is_json else self._wrap(text)
        return (self._break_bytes(body) if self._rng.random() < 0.05 else body), content_type

    def _mutate_form(self, seed: Seed, marker: str) -> bytes:
        fields = list(_freshen(seed.fields, marker).items())
        typed = self._rng.random() < 0.5
        if typed:
            fields = [(k, self._type(marker) if k == "text" else v) for k, v in fields]
        for _ in range(0 if typed else self._rng.randint(1, 3)):
            fields = self._rng.choice(
                [self._drop, self._double, self._replace, self._add, self._shuffle]
            )(fields)
        encoded = urlencode(
            [(k, v.replace(TEXT, marker)) for k, v in fields], errors="surrogatepass"
        )
        return encoded.encode()

    def _type(self, marker: str) -> str:
        """Return something to type after `/notify`."""
        count = self._rng.randint(1, 8)
        parts = [self._rng.choice(COMMAND_PARTS) for _ in range(count)]
        parts.insert(self._rng.randint(0, count), marker)
        if self._rng.random() < 0.1:
            parts.insert(self._rng.randint(0, count), self._string(marker))
        return self._rng.choice([" ", "", ", "]).join(parts)

    def _drop(self, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        gone = self._rng.randrange(len(fields)) if fields else 0
        return [each for index, each in enumerate(fields) if index != gone]

    def _double(self, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if not fields:
            return fields
        name, value = self._rng.choice(fields)
        return [*fields, (name, self._rng.choice([value, self._string(TEXT)]))]

    def _replace(self, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if not fields:
            return fields
        which = self._rng.randrange(len(fields))
        value = self._string(TEXT)
        return [(k, value if index == which else v) for index, (k, v) in enumerate(fields)]

    def _add(self, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        name = self._rng.choice(["payload", "ssl_check", "type", "x" * 500, "user[id]", "event"])
        more = [(name, self._string(TEXT))] * self._rng.choice([1, 1, 1, 90])
        return [*fields, *more]

    def _shuffle(self, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return self._rng.sample(fields, len(fields))

    def _wrap(self, text: str) -> bytes:
        """Return a payload as a form, at times with other fields around it."""
        encoded = b"payload=" + _quote(text)
        if self._rng.random() < 0.05:
            encoded = self._rng.choice([b"command=%2Fnotify&", b"payload=%7B%7D&"]) + encoded
        return encoded

    def _mutate_json(self, payload: Any, marker: str) -> str:
        changed = _freshen(payload, marker)
        for _ in range(self._rng.choice([1, 1, 2, 3, 6])):
            changed = self._change(changed)
        text = json.dumps(changed, ensure_ascii=self._rng.random() < 0.7)
        if self._rng.random() < 0.03:
            text = self._double_key(text)
        if self._rng.random() < 0.02:
            text = self._nest(text)
        return text.replace(TEXT, marker)

    def _change(self, value: Any) -> Any:
        """Change one thing somewhere in it."""
        paths = list(_walk(value, []))
        path = self._rng.choice(paths)
        if not path or not isinstance(value, dict | list):
            return self._value()
        parent: Any = value
        for step in path[:-1]:
            parent = parent[step]
        self._rng.choice([self._delete, self._put, self._put, self._put, self._swap])(
            parent, path[-1], value, paths
        )
        return value

    def _delete(self, parent: Any, key: Any, _whole: Any, _paths: list[Path]) -> None:
        del parent[key]

    def _put(self, parent: Any, key: Any, _whole: Any, _paths: list[Path]) -> None:
        parent[key] = self._value()

    def _swap(self, parent: Any, key: Any, whole: Any, paths: list[Path]) -> None:
        """Put there what stands somewhere else."""
        other = whole
        for step in self._rng.choice(paths):
            other = other[step]
        parent[key] = copy.deepcopy(other)

    def _value(self) -> Any:
        if self._rng.random() < 0.5:
            return self._string(TEXT)
        return copy.deepcopy(self._rng.choice(OTHERS))

    def _string(self, marker: str) -> str:
        if self._rng.random() < 0.02:
            return marker * (HUGE // len(marker))
        nasty = self._rng.choice(self._strings)
        return self._rng.choice([nasty, nasty + marker])

    def _double_key(self, text: str) -> str:
        names = ["user", "type", "actions", "view", "callback_id", "event"]
        return text.replace("{", '{"' + self._rng.choice(names) + '": 5, ', 1)

    def _nest(self, text: str) -> str:
        opening, closing = self._rng.choice([("[", "]"), ('{"a":', "}")])
        depth = self._rng.choice([50, DEEP, 20 * DEEP])
        return opening * depth + text + closing * self._rng.choice([0, depth])

    def _break_bytes(self, body: bytes) -> bytes:
        at = self._rng.randrange(len(body) + 1)
        change: Callable[[], bytes] = self._rng.choice(
            [
                lambda: body[:at],
                lambda: body[:at] + b"\xff\xfe\x80" + body[at:],
                lambda: body[:at] + b"%" + body[at:],
                lambda: body[:at] + b"&payload=" + body[at:],
                lambda: body + b"\x00" * 10,
                lambda: b"\xef\xbb\xbf" + body,
            ]
        )
        return change()


def keep(seed: Seed, marker: str) -> bytes:
    """Return a seed as it is, but for the marker and the interaction that it is."""
    if seed.payload is None:
        return keep_form(seed.fields, marker)
    text = json.dumps(_freshen(seed.payload, marker)).replace(TEXT, marker)
    return text.encode() if seed.content_type == JSON else b"payload=" + _quote(text)


def keep_form(fields: dict[str, str], marker: str) -> bytes:
    fresh = _freshen(fields, marker)
    return urlencode({k: v.replace(TEXT, marker) for k, v in fresh.items()}).encode()


def _freshen(payload: Any, marker: str) -> Any:
    """Return it as an interaction of its own: most have an effect once only."""
    fresh = copy.deepcopy(payload)
    if "trigger_id" in fresh:
        fresh["trigger_id"] += marker
    if fresh.get("type") == "view_submission":
        fresh["view"]["id"] += marker
    return fresh


def _quote(text: str) -> bytes:
    return quote_plus(text, errors="replace").encode()


def _walk(value: Any, path: Path) -> list[Path]:
    """Return the ways to every place in it."""
    found = [path]
    steps: Any = value.keys() if isinstance(value, dict) else ()
    if isinstance(value, list):
        steps = range(len(value))
    for step in steps:
        found += _walk(value[step], [*path, step])
    return found
