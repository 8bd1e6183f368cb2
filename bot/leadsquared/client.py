"""LeadSquared over HTTP: thin, bounded, and exact about whether a request went out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from math import inf
from typing import Protocol, TypeVar

import aiohttp
from pydantic import SecretStr

from bot.errors import CrmConnectError, CrmError, CrmUnavailableError, CrmUncertainError
from bot.leadsquared import wire
from bot.leadsquared.models import Account, BrowserPush, CrmUser, KeyOwnerIdentity, Lead
from bot.leadsquared.phone import PhoneNumber
from bot.leadsquared.session import Sending
from bot.observer import UNOBSERVED, Observer

T = TypeVar("T")
Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""

LARGE = 256 * 1024
"""Bytes of an answer that is read beside the loop: Slack is answered meanwhile."""


class Permits(Protocol):
    """The rate gate, as far as a look-up needs it."""

    def permit(self, *, interactive: bool = False) -> AbstractAsyncContextManager[object]: ...


class LeadSquaredClient:
    """The calls we make; a failed one raises a `CrmError`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        access_key: SecretStr,
        secret_key: SecretStr,
        timeout: float,
        gate: Permits,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._keys = {"x-LSQ-AccessKey": access_key, "x-LSQ-SecretKey": secret_key}
        # Half is left for the answer; from the threshold on aiohttp rounds up to whole seconds.
        self._timeout = aiohttp.ClientTimeout(timeout, connect=timeout / 2, ceil_threshold=inf)
        self._gate = gate
        self._observer = observer

    async def push(self, push: BrowserPush) -> wire.Sent:
        """Send one notification; the caller holds the permit."""
        request = wire.push_request(push)
        with self._counted(request):
            return self._unwrap(wire.decode_push(*await self._exchange(request)))

    async def get_key_owner(self, *, interactive: bool = False) -> KeyOwnerIdentity:
        return await self._look_up(wire.key_owner_request(), wire.parse_key_owner, interactive)

    async def fetch_users(self, *, interactive: bool = False) -> list[CrmUser]:
        return await self._look_up(wire.users_request(), wire.parse_users, interactive)

    async def find_user_by_email(self, email: str, *, interactive: bool = False) -> CrmUser | None:
        request = wire.user_by_email_request(email)
        return wire.find_by_email(
            await self._look_up(request, wire.parse_users, interactive), email
        )

    async def find_user_by_id(self, user_id: str, *, interactive: bool = False) -> CrmUser | None:
        request = wire.user_by_id_request(user_id)
        return wire.find_by_id(await self._look_up(request, wire.parse_users, interactive), user_id)

    async def fetch_account(self, *, interactive: bool = False) -> Account:
        return await self._look_up(wire.key_owner_request(), wire.parse_account, interactive)

    async def search_leads(
        self,
        text: str,
        *,
        interactive: bool = False,
        on_permit: Callable[[], object] = lambda: None,
    ) -> list[Lead]:
        """Return what a quick search finds; once `on_permit` was called, the call is made."""
        request = wire.search_request(text)
        return await self._look_up(request, wire.parse_leads, interactive, on_permit)

    async def find_lead_by_id(self, lead_id: str, *, interactive: bool = False) -> Lead | None:
        request = wire.lead_by_id_request(lead_id)
        return wire.lead_with_id(
            await self._look_up(request, wire.parse_leads, interactive), lead_id
        )

    async def find_leads_by_email(self, email: str, *, interactive: bool = False) -> list[Lead]:
        request = wire.leads_by_email_request(email)
        return wire.leads_with_email(
            await self._look_up(request, wire.parse_leads, interactive), email
        )

    async def find_leads_by_phone(
        self, number: PhoneNumber, *, as_stored: bool = False, interactive: bool = False
    ) -> list[Lead]:
        """Ask for a number in its plain form, or as LeadSquared stores it."""
        form = number.stored if as_stored else None
        request = wire.leads_by_phone_request(form or number.plain)
        return wire.leads_with_phone(
            await self._look_up(request, wire.parse_leads, interactive), number
        )

    async def _look_up(
        self,
        request: wire.Request,
        parse: Callable[[object], T | CrmError],
        interactive: bool,
        on_permit: Callable[[], object] = lambda: None,
    ) -> T:
        async with self._gate.permit(interactive=interactive):
            on_permit()
            with self._counted(request):
                answer = await self._exchange(request)
                read = partial(self._read, request, parse, answer)
                return await asyncio.to_thread(read) if len(answer[2]) > LARGE else read()

    def _read(
        self, request: wire.Request, parse: Callable[[object], T | CrmError], answer: Answer
    ) -> T:
        return self._unwrap(parse(self._unwrap(wire.decode_lookup(*answer, request.shrink))))

    @contextmanager
    def _counted(self, request: wire.Request) -> Iterator[None]:
        """Tell the observer how long a call takes and how it ends; most often `ok`."""
        begun, outcome = time.perf_counter(), "cancelled"
        try:
            yield
            outcome = "ok"
        except CrmError as exc:
            outcome = exc.code
            raise
        finally:
            self._observer.called(request.name, outcome, time.perf_counter() - begun)

    def _unwrap(self, result: T | CrmError) -> T:
        """Return what was asked for, or raise the error; none of ours repeats a key."""
        if not isinstance(result, CrmError):
            return result
        for key in self._keys.values():
            result.detail = result.detail.replace(key.get_secret_value(), "...")
        raise result

    async def _exchange(self, request: wire.Request) -> Answer:
        keys = {name: key.get_secret_value() for name, key in self._keys.items()}
        sending = Sending()
        try:
            async with self._session.request(
                request.method,
                self._base_url + request.path,
                params=request.params,
                data=request.body,
                headers=keys | ({"Content-Type": "application/json"} if request.json else {}),
                allow_redirects=False,
                timeout=self._timeout,
                trace_request_ctx=sending,
            ) as response:
                body = await _read(response.content, request.max_bytes)
        except (aiohttp.ClientError, OSError):  # from None: their texts hold the whole URL
            if sending.watched and not sending.begun:
                raise CrmConnectError from None
            raise (CrmUncertainError if request.mutates else CrmUnavailableError) from None
        return response.status, response.headers, body


async def _read(content: aiohttp.StreamReader, most: int) -> bytes:
    """Read what is left after decompression; of more than `most` bytes, nothing."""
    body = bytearray()
    while chunk := await content.read(most + 1 - len(body)):
        body += chunk
    return bytes(body) if len(body) <= most else b""
