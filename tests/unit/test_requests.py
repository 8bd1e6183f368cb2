import re
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from slack_bolt.async_app import AsyncAck, AsyncBoltRequest
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from bot.intake import build_bolt
from bot.observer import Unobserved
from bot.requests import find_kind, find_reference
from bot.slack_api import Identity

COMMAND = {"command": "/notify", "user_id": "U1", "team_id": "T1", "text": ""}


class Ear(Unobserved):
    """Hears of acknowledgements."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, float]] = []

    def answered(self, kind: str, seconds: float) -> None:
        self.heard.append((kind, seconds))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (COMMAND, "command"),
        ({"type": "shortcut"}, "shortcut"),
        ({"type": "message_action"}, "message_action"),
        ({"type": "view_submission"}, "view_submission"),
        ({"type": "view_closed"}, "view_closed"),
        ({"type": "block_actions"}, "block_actions"),
        ({"type": "block_suggestion"}, "block_suggestion"),
        ({"type": "event_callback"}, "event"),
        ({"type": "url_verification"}, "other"),
        ({"type": "U012AB3CD was here"}, "other"),
        ({"type": ["a", "list"]}, "other"),
        ({"type": None}, "other"),
        ({}, "other"),
    ],
)
def test_a_request_is_of_one_of_few_kinds(body: dict[str, Any], kind: str) -> None:
    assert find_kind(body) == kind


async def test_a_request_has_an_id_in_all_its_lines_and_only_there() -> None:
    ear = Ear()
    app = build_bolt(Identity("T1", "B1", "U0"), SecretStr("xoxb-1"), ear)
    log = structlog.get_logger()

    @app.command("/notify")
    async def answer(ack: AsyncAck) -> None:
        log.info("request.accepted", reference=find_reference())
        await ack()

    merged = [structlog.contextvars.merge_contextvars]
    with capture_logs(merged) as lines:
        for _ in range(2):
            request = AsyncBoltRequest(mode="socket_mode", body=COMMAND)
            assert (await app.async_dispatch(request)).status == 200
        log.info("bot.ready")
    first, second, outside = (line.get("request") for line in lines)
    assert re.fullmatch("[0-9a-f]{8}", str(first))
    assert first != second
    assert outside is None
    assert [line.get("reference") for line in lines] == [first, second, None]
    assert get_contextvars() == {}
    assert [kind for kind, _ in ear.heard] == ["command", "command"]
    assert all(0 < seconds < 60 for _, seconds in ear.heard)


def test_outside_of_a_request_every_reference_is_another() -> None:
    assert find_reference() != find_reference()
