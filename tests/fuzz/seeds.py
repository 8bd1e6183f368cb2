"""Real requests of every kind, taken from the stand-in while people use the bot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from bot.replies import ActionId
from bot.sandbox.leadsquared import FaultKind
from bot.sandbox.slack import Message, Person, Reply, StandInSlack
from tests.processes.world import World

JSON = "application/json"
TEXT = "SEEDTEXT"
"""Stands in what the seeds would send; each request made of them has its own marker there."""

OPEN = "SELECT count(*) FROM deliveries WHERE state IN ('pending', 'sending')"

COMMANDS = (
    f"@priya Callback due | {TEXT}",
    f"@priya @lee, @omar -- {TEXT} {TEXT}",
    f"me --private --link https://in21.leadsquared.com/x {TEXT} | {TEXT}",
    f"owner --lead asha.rao@example.com --as call {TEXT}",
    f"key-owner --icon https://example.com/i.png {TEXT} | {TEXT}",
    f'@priya --lead "+91 90000 00001" {TEXT} | {TEXT}',
    f"@sales-team {TEXT} | {TEXT}",
    f"@priya --lead asha.m@example.com {TEXT} | payload={TEXT}",
    "status",
    "whoami",
    "whoami @priya",
    "help",
    "link @omar dev@acme.com",
    "unlink @omar",
    "",
)


@dataclass(frozen=True)
class Seed:
    """One request as Slack sends it: its body, and the value that its body decodes to."""

    content_type: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def fields(self) -> dict[str, str]:
        """The fields of a form; none of JSON."""
        if self.content_type == JSON:
            return {}
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def payload(self) -> Any:
        """The JSON in it; None for a command."""
        if self.content_type == JSON:
            return json.loads(self.body)
        return json.loads(self.fields["payload"]) if "payload" in self.fields else None


@dataclass(frozen=True)
class Victim:
    """What somebody else has in the bot, which nobody else may touch."""

    person: Person
    notification_id: str
    draft_id: str


class Recorder:
    """Keeps what the stand-in delivers."""

    def __init__(self, slack: StandInSlack) -> None:
        self.seeds: list[Seed] = []
        self._delivery = slack.delivery
        self._post = slack.delivery.post
        slack.delivery.post = self._record  # type: ignore[method-assign]  # to look on

    def stop(self) -> None:
        self._delivery.post = self._post  # type: ignore[method-assign]

    async def _record(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        self.seeds.append(Seed(headers["Content-Type"], body, dict(headers)))
        return await self._post(body, headers)


async def record_seeds(world: World) -> list[Seed]:
    """Let Dev, who is no admin, use everything there is; return what Slack sent of it."""
    dev = world.person("dev")
    recorder = Recorder(world.slack)
    for text in COMMANDS:
        await dev.command("/notify", text)
    await dev.submit(_fill(world))
    await _record_questions(world, dev)
    await _record_cards(world, dev)
    await _record_forms(world, dev)
    await world.slack.event({"type": "url_verification", "challenge": TEXT})
    recorder.stop()
    return recorder.seeds


async def make_victim(world: World) -> Victim:
    """Let Lee have a notification that failed, and a question that is still to be answered."""
    lee = world.person("lee")
    await is_idle(world)
    world.crm.faults.next("push", FaultKind.MX_500)
    await lee.command("/notify", "@priya Of Lee | VICTIM")
    card = await lee.sees("“Of Lee”")
    await lee.command("/notify", "@sales-team Of Lee too | VICTIM")
    question = await _find_button(world, lee, ActionId.SEND_DRAFT)
    return Victim(lee, _value_of(card, ActionId.RETRY), _value_of(question, ActionId.SEND_DRAFT))


async def is_idle(world: World) -> None:
    """Wait until nothing is left to be sent."""
    await world.storage.shows(OPEN, (0,), within=120)


async def _find_button(world: World, person: Person, action: ActionId) -> Message:
    """Wait for a message with this button, and return the newest."""

    def find(slack: StandInSlack) -> list[Message]:
        return [each for each in slack.visible_to(person) if action in each.action_ids]

    await world.slack.until(lambda slack: bool(find(slack)))
    return find(world.slack)[-1]


def _value_of(message: Message, action: ActionId) -> str:
    elements = [each for block in message.blocks for each in block.get("elements", ())]
    return next(str(each["value"]) for each in elements if each.get("action_id") == action)


def _fill(world: World) -> dict[str, Any]:
    return {"recipients": [world.person("priya")], "title": TEXT, "content": TEXT}


async def _record_questions(world: World, dev: Person) -> None:
    question = await _find_button(world, dev, ActionId.SEND_DRAFT)
    await dev.press(question, ActionId.SEND_DRAFT)
    await dev.command("/notify")
    await dev.submit(_fill(world))
    confirm = dev.view
    assert confirm.callback_id == "confirm"
    await dev.submit()


async def _record_cards(world: World, dev: Person) -> None:
    for fault, action in (
        (FaultKind.MX_500, ActionId.RETRY),
        (FaultKind.RESET_AFTER, ActionId.SEND_AGAIN),
    ):
        await is_idle(world)  # the fault is for the next push, whosever it is
        world.crm.faults.next("push", fault)
        title = f"Card {action}"
        await dev.command("/notify", f"@priya {title} | {TEXT}")
        card = await dev.sees(f"“{title}”")
        await dev.press(card, action)
        await dev.sees("✅ Sent to LeadSquared")
    await dev.command("/notify", f"@priya @omar Several | {TEXT}")
    several = await dev.sees("“Several”")
    await dev.press(several, ActionId.DETAILS)
    await dev.open_home()
    home = await dev.sees_home("Your last notifications")
    await dev.press(home, ActionId.DETAILS, _first(home.blocks))
    await dev.press(home, ActionId.COMPOSE)


def _first(blocks: list[dict[str, Any]]) -> str:
    elements = [each for block in blocks for each in block.get("elements", ())]
    return next(str(one["value"]) for one in elements if one.get("action_id") == ActionId.DETAILS)


async def _record_forms(world: World, dev: Person) -> None:
    await dev.use_shortcut("notify_global")
    view = dev.view
    world.slack.fill(view, _fill(world))
    await dev.press(view, ActionId.PREVIEW)
    await world.slack.suggest(view, "lead", "asha")
    said = await world.person("lee").say(f"*Deal* with {TEXT} & @priya :tada: https://x.io/a|b")
    await dev.use_shortcut("notify_message", said)
    await dev.open_home()
