"""What Slack makes of the app's answers to a command, a submission and a typeahead."""

from __future__ import annotations

from typing import Any, NoReturn

from bot.sandbox.slack.delivery import Reply
from bot.sandbox.slack.elements import check_offer, list_options
from bot.sandbox.slack.messages import Channel
from bot.sandbox.slack.modals import Modals
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.posts import check_post
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.views import View
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]

TROUBLE = "We had some trouble connecting. Try again?"


class Answers:
    """Applies them, and complains about those that make no sense."""

    def __init__(self, workspace: Workspace, modals: Modals) -> None:
        self._workspace = workspace
        self._modals = modals

    def check_ack(self, what: str, reply: Reply) -> None:
        """Complain about a late or refused answer; an unreachable app is an outage, not a fault."""
        if reply.error == "operation_timeout":
            self._workspace.complain(f"{what}: unacknowledged within 3 s")
        elif reply.error not in (None, "dispatch_failed"):
            self._workspace.complain(f"{what}: answered with status {reply.status}")

    def apply_command(self, person: Person, typed: str, channel: Channel, reply: Reply) -> None:
        if reply.error is not None:
            name = typed.split(" ", 1)[0]
            self._say_failed(person, channel, f'{name} failed with the error "{reply.error}"')
        elif reply.body:
            body = reply.json if isinstance(reply.json, dict) else {"text": reply.body}
            self._post_ack(person, typed, channel, body)

    def _post_ack(self, person: Person, typed: str, channel: Channel, body: Json) -> None:
        try:
            text, blocks = check_post(self._workspace, "ack", body)
        except Refusal as refusal:
            self._workspace.complain(f"ack: {refusal.code} {refusal.extra or ''}".rstrip())
            return
        public = body.get("response_type") == "in_channel"
        if public:  # then the typed command is shown, too (facts 1.1)
            self._add(channel, person, typed, "command", None)
        message = self._workspace.build_message(channel, self._workspace.bot, text, blocks, "ack")
        message.ephemeral_to = None if public else person.id
        self._workspace.add_message(message)

    def _say_failed(self, person: Person, channel: Channel, text: str) -> None:
        self._add(channel, self._workspace.people["slackbot"], text, "slackbot", person.id)

    def _add(
        self, channel: Channel, author: Person, text: str, via: str, ephemeral_to: str | None
    ) -> None:
        message = self._workspace.build_message(channel, author, text, [], via)
        message.ephemeral_to = ephemeral_to
        self._workspace.add_message(message)

    def apply_submission(self, view: View, reply: Reply) -> None:
        view.errors = {}
        if reply.error is not None:
            view.errors = {"": TROUBLE}
        elif not reply.body:
            self._modals.close(view)
        else:
            self._apply_action(view, reply.json)

    def _apply_action(self, view: View, answer: Any) -> None:
        action = answer.get("response_action") if isinstance(answer, dict) else None
        try:
            if action == "clear":
                self._modals.close_all(view)
            elif action == "errors":
                self._show_errors(view, answer.get("errors"))
            elif action == "update":
                self._modals.update(view, answer.get("view"))
            elif action == "push":
                self._modals.push(view, answer.get("view"))
            else:
                _refuse_action(action)
        except Refusal as refusal:
            view.errors = {"": TROUBLE}
            self._workspace.complain(
                f"view_submission: {refusal.code} {refusal.extra or ''}".rstrip()
            )

    def _show_errors(self, view: View, errors: Any) -> None:
        if not isinstance(errors, dict) or not errors:
            raise Refusal("errors must name at least one block")
        inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
        for block_id, text in errors.items():
            if block_id not in inputs:
                raise Refusal(f"errors name {block_id}, which is no input block")
            if not isinstance(text, str) or not text:
                raise Refusal(f"the error of {block_id} must be a text")
        view.errors = errors

    def apply_suggestion(self, view: View | None, action_id: str, reply: Reply) -> None:
        if not reply.ok:
            return
        offer = reply.json
        if not isinstance(offer, dict) or not {"options", "option_groups"} & set(offer):
            self._workspace.complain("block_suggestion: answered without options")
            return
        problems = list(check_offer(offer, "block_suggestion"))
        for problem in problems:
            self._workspace.complain(problem)
        if view is not None and not problems:
            view.suggested.setdefault(action_id, []).extend(list_options(offer))


def _refuse_action(action: Any) -> NoReturn:
    raise Refusal(f"response_action {action!r} makes no sense")
