"""The hostile requests of a run, each made from the run's seed and its number alone."""

from __future__ import annotations

import gzip
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.slack import StandInSlack
from tests.fuzz.mutations import Mutator, keep, keep_form
from tests.fuzz.seeds import Seed, Victim

FORM = "application/x-www-form-urlencoded"
ATTACKER, STRANGER = "U0DEV0001", "U0OMAR001"
"""Who acts in signed requests, and in those that only look like it."""

REPLAYABLE = 500


class Kind(StrEnum):
    """What a request is; its marker begins with it."""

    MEANT = "MEANT"
    MUTANT = "MUTANT"
    REPLAYED = "REPLAYED"
    FORGED = "FORGED"
    RAW = "RAW"


WEIGHTS = {
    Kind.MEANT: 2,
    Kind.MUTANT: 60,
    Kind.REPLAYED: 5,
    Kind.FORGED: 28,
    Kind.RAW: 5,
}

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """One request; a raw one has all its bytes in `body`."""

    kind: Kind
    marker: str
    body: bytes
    headers: Headers
    chunked: bool = False


class Requests:
    """Makes them in any order; only what is replayed depends on what was made before."""

    def __init__(self, slack: StandInSlack, seeds: Sequence[Seed], victim: Victim, run: int):
        self._slack = slack
        self._seeds = seeds
        self._others_ids = (victim.notification_id, victim.draft_id)
        self._run = run
        self._sent: deque[Request] = deque(maxlen=REPLAYABLE)

    def build(self, number: int) -> Request:
        rng = random.Random(f"{self._run}:{number}")  # noqa: S311  # to be had again
        kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if kind is Kind.REPLAYED and self._sent:
            return rng.choice(self._sent)
        marker = f"{kind}x{number}x"
        match kind:
            case Kind.MEANT:
                return self._mean(marker)
            case Kind.FORGED:
                return self._forge(rng, marker)
            case Kind.RAW:
                return Request(kind, marker, self._write_raw(rng, marker), [])
            case _:
                request = self._mutate(rng, f"{Kind.MUTANT}x{number}x")
                self._sent.append(request)
                return request

    def _mean(self, marker: str) -> Request:
        """Make a command that has to have its effect, whatever else goes on."""
        command = next(each for each in self._seeds if "text" in each.fields)
        fields = command.fields | {"text": f"<@U0PRIYA01> {marker} | {marker}"}
        body = keep_form(fields, marker)
        return Request(Kind.MEANT, marker, body, self._sign(body, FORM))

    def _mutate(self, rng: random.Random, marker: str) -> Request:
        mutator = Mutator(rng, self._others_ids)
        body, content_type = mutator.mutate(rng.choice(self._seeds), marker)
        headers = self._sign(body, content_type)
        return Request(Kind.MUTANT, marker, body, headers, chunked=rng.random() < 0.1)

    def _forge(self, rng: random.Random, marker: str) -> Request:
        """Make what would have an effect if anybody believed it, or a hostile form of it."""
        seed = rng.choice(self._seeds)
        mutator = Mutator(rng, self._others_ids)
        body = keep(seed, marker) if rng.random() < 0.7 else mutator.mutate(seed, marker)[0]
        body = body.replace(ATTACKER.encode(), STRANGER.encode())
        headers = self._sign_wrongly(rng, body, seed.content_type)
        if rng.random() < 0.1:
            body = gzip.compress(body)
            headers.append(("Content-Encoding", rng.choice(["gzip", "deflate", "br", "x"])))
        return Request(Kind.FORGED, marker, body, headers, chunked=rng.random() < 0.2)

    def _sign(self, body: bytes, content_type: str) -> Headers:
        return [("Content-Type", content_type), *self._slack.sign(body).items()]

    def _sign_wrongly(self, rng: random.Random, body: bytes, content_type: str) -> Headers:
        right = self._slack.sign(body)
        proof, at = right["X-Slack-Signature"], right["X-Slack-Request-Timestamp"]
        other = self._slack.sign(body + b" ")["X-Slack-Signature"]
        stale = self._slack.sign(body, float(at) - rng.choice([400, -400, 86_400]))
        name, when = "X-Slack-Signature", "X-Slack-Request-Timestamp"
        wrong: Headers = rng.choice(
            [
                [],
                [(when, at)],
                [(name, proof)],
                [(name, other), (when, at)],
                [(name, other), (name, proof), (when, at)],
                [(name, f"{other},{proof}"), (when, at)],
                [(name, proof), (when, str(int(at) - 1))],
                [(name, proof), (when, str(int(at) - 1)), (when, at)],
                [(name, proof[:-1]), (when, at)],
                [(name, proof.upper()), (when, at)],
                [(name, proof.replace("v0", "v1")), (when, at)],
                [(name, "ä" * 67), (when, at)],
                [(name, "v0=" + "a" * 7_000), (when, at)],
                [(name, proof), (when, rng.choice(["", "nan", "1e9", "-1", "9" * 5_000, "now"]))],
                list(stale.items()),
                [(f"X-{n}", "y" * 100) for n in range(100)],
            ]
        )
        return [("Content-Type", content_type), *wrong]

    def _write_raw(self, rng: random.Random, marker: str) -> bytes:
        """Write what is hardly HTTP, or HTTP as Slack never speaks it."""
        path = b"/slack/events"
        host = b"Host: x\r\n"
        mark = marker.encode()
        return rng.choice(
            [
                mark,
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + mark,
                b"POST " + path + b" HTTP/1.0\r\n\r\n",
                b"POST " + path + b" HTTP/9.9\r\n" + host + b"\r\n" + mark,
                b"POST " + path + b"\r\n\r\n",
                b"post " + path + b" HTTP/1.1\r\n" + host + b"\r\n",
                b"POST " + path + b" HTTP/1.1\r\n" + mark + b"\r\n\r\n",
                b"POST " + path + b" HTTP/1.1\r\nX-\x00: " + mark + b"\r\n\r\n",
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"X: " + mark * 2_000 + b"\r\n\r\n",
                b"POST " + path + b" HTTP/1.1\r\n" + b"X: 1\r\n" * 500 + b"\r\n",
                b"POST /" + mark * 2_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Content-Length: -5\r\n\r\n" + mark,
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Content-Length: x\r\n\r\n",
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Content-Length: 99999999\r\n\r\n",
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Content-Length: 900\r\n\r\n" + mark,
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Content-Length: 4\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + mark,
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n"
                b"zz\r\n" + mark,
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n"
                b"fffffffff\r\n" + mark,
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Expect: 100-continue\r\n"
                b"Content-Length: 5\r\n\r\n",
                b"POST " + path + b" HTTP/1.1\r\n" + host + b"Expect: " + mark + b"\r\n\r\n",
                b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + host + b"\r\n",
                b"GET /icons/..%2f..%2fconfig.py HTTP/1.1\r\n" + host + b"\r\n",
                b"GET " + path + b"?x=" + mark + b" HTTP/1.1\r\n" + host + b"\r\n",
                b"GET /healthz HTTP/1.1\r\n" + host + b"Upgrade: websocket\r\n"
                b"Connection: Upgrade\r\n\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"CONNECT example.com:443 HTTP/1.1\r\n" + host + b"\r\n",
                b"GET http://169.254.169.254/ HTTP/1.1\r\n" + host + b"\r\n",
            ]
        )
