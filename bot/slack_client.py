"""Slack's SDK with every call counted, by method and by what Slack said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackRateLimitedError, SlackRefusedError, SlackUnavailableError
from bot.observer import Observer

RATE_LIMITED = "ratelimited"
NO_ANSWER = "no_answer"


class CountedClient(AsyncWebClient):
    """The SDK's client; all its methods go through `api_call`."""

    def __init__(self, *, observer: Observer, **options: Any) -> None:
        super().__init__(**options)
        self._observer = observer

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        with counted(self._observer, api_method):
            return await super().api_call(api_method, **options)


@contextmanager
def counted(observer: Observer, method: str) -> Iterator[None]:
    """Tell the observer how a call to Slack ends."""
    outcome = NO_ANSWER
    try:
        yield
        outcome = "ok"
    except SlackApiError as exc:
        outcome = _find_code(exc)
        raise
    except SlackRefusedError as exc:
        outcome = exc.code
        raise
    except SlackUnavailableError as exc:
        outcome = RATE_LIMITED if isinstance(exc, SlackRateLimitedError) else NO_ANSWER
        raise
    finally:
        observer.asked(method, outcome)


def _find_code(error: SlackApiError) -> str:
    """Return Slack's word for it; the SDK leaves odd things in `response` where it is no JSON."""
    response: Any = error.response
    data = getattr(response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    if getattr(response, "status_code", None) == 429:
        return RATE_LIMITED
    return code if isinstance(code, str) else NO_ANSWER
