"""What people do in the small Slack: every action of the page, carried out by the stand-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox.slack import Reply
from bot.sandbox.slack.inputs import find_missing
from bot.sandbox.web.reading import BadRequestError, Wanted
from bot.sandbox.web.stage import Stage

Json = dict[str, Any]
Action = Callable[[Wanted], Awaitable[Json]]

COMMANDS = ("/notify",)
SHORTCUTS = ("notify_global", "notify_message")


class SlackActions:
    """By name, in `table`; each answers with what the page must know at once."""

    def __init__(self, stage: Stage) -> None:
        self._slack = stage.slack
        self.table: dict[str, Action] = {
            "say": self.say,
            "command": self.command,
            "shortcut": self.shortcut,
            "press": self.press,
            "submit": self.submit,
            "close": self.close,
            "suggest": self.suggest,
            "home": self.home,
        }

    async def say(self, wanted: Wanted) -> Json:
        person = wanted.person()
        text = wanted.text("text").strip()
        if not text:
            raise BadRequestError("there is nothing to say")
        thread = wanted.message(person, "thread") if wanted.has("thread") else None
        message = await self._slack.say(person, text, wanted.channel(person), thread=thread)
        return {"ts": message.ts}

    async def command(self, wanted: Wanted) -> Json:
        person = wanted.person()
        word, _, text = wanted.text("text").strip().partition(" ")
        if word not in COMMANDS:
            raise BadRequestError(f"{word} is not a valid command. Here, {COMMANDS[0]} is.")
        self._check_listening()
        channel = wanted.channel(person)
        return _tell(await self._slack.command(person, word, text.strip(), channel))

    async def shortcut(self, wanted: Wanted) -> Json:
        person, callback_id = wanted.person(), wanted.text("shortcut")
        if callback_id not in SHORTCUTS:
            raise LookupError(f"no shortcut is called {callback_id}")
        self._check_listening()
        message = wanted.message(person) if wanted.has("message") else None
        return _tell(await person.use_shortcut(callback_id, message))

    async def press(self, wanted: Wanted) -> Json:
        """Press or choose in a message, a form (with what is typed into it) or the Home tab."""
        person, action_id = wanted.person(), wanted.text("action")
        self._check_listening()
        if wanted.has("view"):
            view = wanted.view(person)
            self._slack.fill(view, wanted.values())
            reply = await person.press(view, action_id, wanted.any("value"))
        elif wanted.has("message"):
            message = wanted.message(person)
            reply = await person.press(message, action_id, wanted.any("value"))
        else:
            reply = await person.press(person.home, action_id, wanted.any("value"))
        return _tell(reply)

    async def submit(self, wanted: Wanted) -> Json:
        """Send a form; what Slack itself would not let through comes back as `missing`."""
        person = wanted.person()
        view = wanted.view(person)
        self._check_listening()
        self._slack.fill(view, wanted.values())
        if missing := find_missing(view.blocks, view.values):
            return {"ok": False, "missing": missing}
        return _tell(await self._slack.submit(view, {}, person))

    async def close(self, wanted: Wanted) -> Json:
        everything = wanted.flag("everything")
        await self._slack.close_view(wanted.view(wanted.person()), everything=everything)
        return {"ok": True}

    async def suggest(self, wanted: Wanted) -> Json:
        """Ask the app what it offers for what was typed into one of its menus."""
        person = wanted.person()
        self._check_listening()
        view, query = wanted.view(person), wanted.text("query")
        reply = await self._slack.suggest(view, wanted.text("action"), query, person)
        return _tell(reply) | {"options": reply.options}

    async def home(self, wanted: Wanted) -> Json:
        self._check_listening()
        return _tell(await wanted.person().open_home())

    def _check_listening(self) -> None:
        if self._slack.bot_url is None:
            raise ValueError("The bot is still starting.")


def _tell(reply: Reply) -> Json:
    """Say how the acknowledgement went; `seconds` is how long it took."""
    return {"ok": reply.ok, "error": reply.error, "seconds": reply.ack_seconds}
