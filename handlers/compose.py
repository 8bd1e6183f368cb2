"""The compose modal's submission; mistakes are shown at the field, and the text stays."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.acceptor import Acceptor, Request
from bot.composer import Wording
from bot.directory import Directory
from bot.errands import Errands
from bot.errors import SlackRefusedError, UserError
from bot.leads.reference import ById
from bot.leadsquared.models import check_lead_id
from bot.notification import LeadOwner, Named, SlackGroup, SlackUser
from bot.people import Person, is_user_id
from bot.presets import Preset
from bot.preview import Preview
from bot.replies import ActionId, BlockId, CallbackId, questions
from bot.replies.compose import Prefill, modal, read_place
from bot.slack_api import OpenView, SlackApi
from bot.store.outbox import Receipt
from handlers.patience import LISTEN_WITHIN

NO_FORM = "There is no form to preview here. Write `/notify` alone to open one."

GROUP_ID = re.compile(r"S[A-Z0-9]{1,40}")

NOT_LOADED = ("invalid_arguments", "invalid_blocks")
"""What Slack calls a picture that it cannot load, in a view and in a message."""


@dataclass(frozen=True)
class ComposeModal:
    """Accepts what was written in the modal."""

    acceptor: Acceptor
    directory: Directory
    slack: SlackApi
    errands: Errands

    def register(self, app: AsyncApp) -> None:
        app.view(CallbackId.COMPOSE)(self.submit)
        app.view(CallbackId.CONFIRM)(self.confirm)
        app.action(ActionId.PREVIEW)(self.preview)

    async def submit(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        async with asyncio.timeout(LISTEN_WITHIN) as patience:
            sender = await self.directory.get_sender(body["user"]["id"])
            request = _build_request(view, sender, patience.when())
            receipt = await self.acceptor.accept(_check_people(request))
        if isinstance(receipt, Receipt):
            await ack()
        else:
            await ack(response_action="update", view=questions.modal(receipt))

    async def preview(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Show how what is written so far will look; nothing is stored."""
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(body["user"]["id"])
        view = body.get("view")  # Bolt's own `view` is None but for submissions
        if view is None:
            raise UserError(NO_FORM)
        request = _build_request(view, sender)
        pressed = OpenView(view["id"], view["hash"])
        self.errands.run("preview", self._show(pressed, request))
        await ack()

    async def _show(self, pressed: OpenView, request: Request) -> None:
        """Update the view unless it changed meanwhile.

        Slack refuses a view with a picture that it cannot load (“downloading image failed”:
        https://github.com/slackapi/python-slack-sdk/issues/1782), so that goes without.
        """
        shown = await self.acceptor.preview(request)
        try:
            await self.slack.update_view(pressed, _rebuild(request, shown))
        except SlackRefusedError as exc:
            if not shown.icon_url or exc.code not in NOT_LOADED:
                raise
            plainer = replace(shown, icon_url=None, icon_failed=True)
            await self.slack.update_view(pressed, _rebuild(request, plainer))

    async def confirm(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Send the draft that the question was about."""
        async with asyncio.timeout(LISTEN_WITHIN):
            sender = await self.directory.get_sender(body["user"]["id"])
            await self.acceptor.accept_draft(str(view.get("private_metadata")), sender)
        await ack()


def _rebuild(request: Request, shown: Preview) -> dict[str, Any]:
    """Build the form again with what is written in it; an address that is wrong stays by its id."""
    users = [each for each in request.recipients if isinstance(each, SlackUser)]
    written = request.wording
    prefill = Prefill(
        title=written.title or "",
        content=written.content,
        link=written.link or "" if written.link == shown.click_url else "",
        icon=written.icon or "" if written.icon == shown.icon_url else "",
        recipients=tuple(user.user_id for user in users),
        preset=written.preset,
    )
    return modal(request.place, prefill, shown)


def _check_people(request: Request) -> Request:
    if not request.recipients:
        raise UserError(
            "Choose at least one person or group, or below a lead and its owner.",
            field=BlockId.RECIPIENTS,
        )
    return request


def _build_request(view: dict[str, Any], sender: Person, until: float | None = None) -> Request:
    recipients: list[Named] = [*_read_people(view), *dict.fromkeys(_read_groups(view))]
    ticked = _read(view, BlockId.OWNER, "selected_options")
    if isinstance(ticked, list) and ticked:
        recipients.append(LeadOwner())
    return Request(
        key=str(view["id"]),
        sender=sender,
        recipients=recipients,
        place=read_place(view.get("private_metadata")),
        wording=Wording(
            content=_read_text(view, BlockId.CONTENT) or "",
            title=_read_text(view, BlockId.TITLE),
            link=_read_text(view, BlockId.LINK),
            icon=_read_text(view, BlockId.ICON),
            preset=_read_preset(view),
        ),
        lead=_read_lead(view),
        until=until,
    )


def _read_people(view: dict[str, Any]) -> list[SlackUser]:
    chosen = _read(view, BlockId.RECIPIENTS, "selected_users")
    user_ids = filter(is_user_id, chosen) if isinstance(chosen, list) else ()
    return [SlackUser(each) for each in dict.fromkeys(user_ids)]


def _read_groups(view: dict[str, Any]) -> Iterator[SlackGroup]:
    chosen = _read(view, BlockId.GROUPS, "selected_options")
    for option in chosen if isinstance(chosen, list) else []:
        value = option.get("value") if isinstance(option, dict) else None
        if not isinstance(value, str) or not GROUP_ID.fullmatch(value):
            raise UserError(
                "That was no group. Type its name and choose from the list, or leave this empty.",
                field=BlockId.GROUPS,
            )
        yield SlackGroup(value)


def _read_preset(view: dict[str, Any]) -> Preset | None:
    chosen = _read(view, BlockId.KIND, "selected_option")
    value = chosen.get("value") if isinstance(chosen, dict) else None
    return Preset(value) if value in list(Preset) else None


def _read_lead(view: dict[str, Any]) -> ById | None:
    chosen = _read(view, BlockId.LEAD, "selected_option")
    if not isinstance(chosen, dict):
        return None
    try:
        return ById(check_lead_id(chosen.get("value")))
    except ValueError:
        raise UserError(
            "That was no lead. Type a name, an e-mail address or a number and choose from the "
            "list, or leave this empty.",
            field=BlockId.LEAD,
        ) from None


def _read_text(view: dict[str, Any], block: BlockId) -> str | None:
    value = _read(view, block, "value")
    return value if isinstance(value, str) else None


def _read(view: dict[str, Any], block: BlockId, key: str) -> Any:
    """Return what an input holds; None for one that is missing or was left alone."""
    found: Any = view
    for name in ("state", "values", block, block, key):
        found = found.get(name) if isinstance(found, dict) else None
    return found
