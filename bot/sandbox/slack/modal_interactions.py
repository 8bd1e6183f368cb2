"""What people do in modals: fill in, submit, close, search."""

from __future__ import annotations

from typing import Any, Unpack

from bot.sandbox.slack import payloads
from bot.sandbox.slack.delivery import Reply
from bot.sandbox.slack.inputs import build_entry, find_inputs, find_missing
from bot.sandbox.slack.people import APP_ID, Person
from bot.sandbox.slack.sending import Forged, Sending
from bot.sandbox.slack.views import View

Json = dict[str, Any]

MIN_QUERY = 3
"""Characters before an external select asks, unless it says otherwise (facts 1.7)."""


class ModalInteractions(Sending):
    """Raises where Slack's own client would not let a person do it."""

    async def submit(
        self,
        view: View,
        values: dict[str, Any] | None = None,
        person: Person | None = None,
        **forged: Unpack[Forged],
    ) -> Reply:
        """Fill in `{block_id: value}` and submit; raises where Slack's own client would refuse."""
        self.fill(view, values or {})
        missing = find_missing(view.blocks, view.values)
        if missing:
            raise ValueError(f"Slack does not submit: {', '.join(missing)} must be filled in")
        payload = payloads.build_interaction(
            "view_submission",
            person or view.person,
            api_app_id=APP_ID,
            trigger_id=self._issue_trigger(view.person, forged),
            view=view.build_payload(),
            response_urls=self._build_response_urls(view),
        )
        reply = await self._interact("view_submission", payload, forged)
        self._answers.apply_submission(view, reply)
        await self.workspace.changed()
        return reply

    def fill(self, view: View, values: dict[str, Any]) -> None:
        """Type into a modal without submitting it."""
        if not view.is_open:
            raise LookupError(f"{view.title!r} is closed")
        elements = {block["block_id"]: element for block, element in find_inputs(view.blocks)}
        for block_id, value in values.items():
            if block_id not in elements:
                raise LookupError(f"no input {block_id!r}, only {sorted(elements)}")
            element = elements[block_id]
            offered = view.suggested.get(element["action_id"], [])
            view.values[block_id][element["action_id"]] = build_entry(element, value, offered)

    def _build_response_urls(self, view: View) -> list[Json]:
        urls = []
        for block, element in find_inputs(view.blocks):
            entry = view.values[block["block_id"]][element["action_id"]]
            chosen = entry.get("selected_conversation") or entry.get("selected_channel")
            if not (element.get("response_url_enabled") and chosen):
                continue
            channel = self.workspace.get_channel(chosen)
            urls.append(
                {
                    "block_id": block["block_id"],
                    "action_id": element["action_id"],
                    "channel_id": channel.id,
                    "response_url": self.tickets.issue_url(self._base, "app", view.person, channel),
                }
            )
        return urls

    async def close_view(
        self, view: View, *, everything: bool = False, **forged: Unpack[Forged]
    ) -> Reply | None:
        """Close a modal, or with the x all of its stack; told only with notify_on_close."""
        root = self._modals.find(view.root_id, None) or view
        told = root if everything else view
        if everything:
            self._modals.close_all(view)
        else:
            self._modals.close(view)
        reply = None
        if told.given.get("notify_on_close"):
            payload = payloads.build_interaction(
                "view_closed",
                view.person,
                api_app_id=APP_ID,
                view=told.build_payload(values={}),
                is_cleared=everything,
            )
            reply = await self._interact("view_closed", payload, forged)
        await self.workspace.changed()
        return reply

    async def suggest(
        self,
        view: View,
        action_id: str,
        query: str,
        person: Person | None = None,
        **forged: Unpack[Forged],
    ) -> Reply:
        """Type into an external select of a view, found by its action or block id."""
        for block, element in find_inputs(view.blocks):
            if "external" in element["type"] and action_id in (
                block["block_id"],
                element["action_id"],
            ):
                break
        else:
            raise LookupError(f"no external select {action_id!r}")
        if len(query) < element.get("min_query_length", MIN_QUERY):
            raise ValueError(f"Slack does not ask yet for {query!r}")
        payload = payloads.build_interaction(
            "block_suggestion",
            person or view.person,
            api_app_id=APP_ID,
            action_id=element["action_id"],
            block_id=block["block_id"],
            value=query,
            **payloads.build_view_place(view),
        )
        reply = await self._interact("block_suggestion", payload, forged)
        self._answers.apply_suggestion(view, element["action_id"], reply)
        return reply

    async def gets_view(
        self,
        person: Person,
        title: str | None,
        timeout: float,  # noqa: ASYNC109  # as above
    ) -> View:
        def is_there() -> bool:
            stack = self.views[person]
            return bool(stack) and title in (None, stack[-1].title)

        await self.workspace.wait_for(is_there, timeout)
        return self.views[person][-1]
