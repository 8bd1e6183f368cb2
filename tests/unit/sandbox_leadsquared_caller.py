"""Who calls the stand-in LeadSquared in its tests, and the clock it counts by."""

import json
from typing import Any

import aiohttp

from bot.sandbox.leadsquared import StandInLeadSquared

PUSH = "/v2/Notifier.svc/Browser.Push"
GREETING = {"Title": "Callback due", "Content": "Asha asked for 3 pm"}


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Caller:
    """What a careful client does; each answer is (status, body, headers)."""

    def __init__(self, crm: StandInLeadSquared, session: aiohttp.ClientSession) -> None:
        self.crm = crm
        self.session = session
        self.headers = {"x-LSQ-AccessKey": crm.access_key, "x-LSQ-SecretKey": crm.secret_key}

    async def call(
        self, method: str, path: str, **options: Any
    ) -> tuple[int, bytes, dict[str, str]]:
        given: dict[str, Any] = {"headers": self.headers, "allow_redirects": False} | options
        async with self.session.request(method, self.crm.url + path, **given) as response:
            return response.status, await response.read(), dict(response.headers)

    async def push(self, body: Any = None, **options: Any) -> tuple[int, bytes]:
        given: dict[str, Any] = (
            {"json": GREETING | body} if isinstance(body, dict) else {"json": GREETING}
        )
        if isinstance(body, bytes):
            headers = self.headers | {"Content-Type": "application/json"}
            given = {"data": body, "headers": headers}
        status, raw, _ = await self.call("POST", PUSH, **(given | options))
        return status, raw

    async def get(self, path: str, **query: str) -> Any:
        status, raw, _ = await self.call("GET", path, params=query)
        assert status == 200, raw
        return json.loads(raw)
