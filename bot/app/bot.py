"""One process: connects, works, and ends in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from aiohttp import web

from bot.app.connections import Connections, open_connections
from bot.app.foundation import Foundation
from bot.app.front import Front, build_front
from bot.config import EXAMPLES
from bot.crew import Crew
from bot.dispatcher import Dispatcher
from bot.errors import ConfigError, SlackRefusedError, StoreError
from bot.health import Health
from bot.icons import Icons
from bot.intake import PATH, Intake
from bot.janitor import Janitor
from bot.reporter import Reporter
from bot.slack_api import Identity, SlackApi
from bot.socket_mode import Envelopes, SocketMode

log = structlog.get_logger()

BODY_MOST = 1024 * 1024

REQUESTS_WITHIN = 4.0
"""Seconds for Slack's requests under way at shutdown."""

DRAIN_WITHIN = 12.0
"""Seconds for calls in flight at shutdown; hosts kill after thirty."""

REPLY_WITHIN = 4.0
"""Seconds for the replies that have become due by then; the next process pays the rest."""


class Bot:
    """All the parts of one process."""

    def __init__(self, base: Foundation) -> None:
        self._base = base
        self._crew = Crew(base.random)
        self._requests_ended = asyncio.Event()
        self.ready = asyncio.Event()  # Slack's requests are answered
        self._front: Front | None = None
        self._socket: SocketMode | None = None

    def build_web(self) -> web.Application:
        """Return the web application; it answers from the start, also before the rest is up."""
        app = web.Application(client_max_size=BODY_MOST)
        app.on_cleanup.append(self._note_end_of_requests)
        app.on_response_prepare.append(self._note_answer)
        settings = self._base.settings
        secret = settings.slack_signing_secret
        if secret is not None and settings.slack_app_token is None:
            intake = Intake(
                secret.get_secret_value(), lambda: self._front.bolt if self._front else None
            )
            app.router.add_post(PATH, intake.answer)
        Health(self._base.database, self._is_reached_by_slack).add_routes(app)
        self._base.metrics.add_routes(app)
        Icons().add_routes(app)
        return app

    async def run(self) -> None:
        """Connect, then work until stopped; a part that fails ends all of it.

        Raises ConfigError, in a group, if Slack refuses the bot token.
        """
        try:
            await self._crew.keep_trying("database", self._base.open)
            async with open_connections(self._base) as connections:
                await self._work(connections)
        finally:
            await self._base.database.close()

    def stop(self) -> None:
        """Take no new work; `run` ends once what is under way has ended."""
        self._crew.stop()

    def _is_reached_by_slack(self) -> bool:
        return self._front is not None and (self._socket is None or self._socket.is_connected)

    async def _work(self, connections: Connections) -> None:
        base, slack = self._base, connections.slack
        reporters = Reporter.open(base.store.debts, slack, base.clock, base.random, base.metrics)
        dispatcher = Dispatcher(
            base.store.claims,
            base.gate,
            connections.crm,
            base.clock,
            base.random,
            reporters[0].wake,
            base.watch,
            base.metrics,
        )
        janitor = Janitor(
            base.store.claims,
            base.store.retention,
            base.clock,
            keep_days=base.settings.keep_days,
            on_settled=reporters[0].wake,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                self._crew.start(tasks, dispatcher, janitor, base.watch)
                identity = await self._crew.keep_trying("slack", lambda: _identify(slack))
                if identity is not None:
                    front = build_front(base, connections, identity, dispatcher, reporters)
                    self._front = front
                    self._crew.start(tasks, *front.workers, *reporters)
                    await self._let_in(tasks, slack, front, identity)
        finally:  # also when a part failed: calls under way would be unknown for nothing
            await self._finish(dispatcher, reporters)
            base.watch.check()

    async def _let_in(
        self, tasks: asyncio.TaskGroup, slack: SlackApi, front: Front, identity: Identity
    ) -> None:
        """Let Slack in: in Socket Mode by a connection of ours, else it finds the way by itself."""
        base, token = self._base, self._base.settings.slack_app_token
        if token is not None:
            self._socket = SocketMode(
                lambda: slack.open_socket(token),
                Envelopes(front.bolt),
                base.clock,
                base.random,
                base.watch,
            )
            self._crew.start(tasks, self._socket)
            await self._socket.begun.wait()
            if not self._socket.has_connected:
                return
        self.ready.set()
        log.info("bot.ready", team=identity.team_id)

    async def _finish(self, dispatcher: Dispatcher, reporters: Sequence[Reporter]) -> None:
        """End what is under way, store it, and pay the replies that are due."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REQUESTS_WITHIN if self._crew.is_stopping else 0):
                await self._requests_ended.wait()  # they need Slack and the database
        await dispatcher.drain(DRAIN_WITHIN)
        try:
            async with asyncio.timeout(REPLY_WITHIN):
                await self._base.drain(REPLY_WITHIN)
                await asyncio.gather(*(each.pay_all() for each in reporters))
        except (TimeoutError, StoreError):
            log.warning("bot.left_replies")

    async def _note_end_of_requests(self, _app: web.Application) -> None:
        self._requests_ended.set()

    async def _note_answer(self, request: web.Request, response: web.StreamResponse) -> None:
        if self._front is not None and request.path == PATH:
            self._front.doctor.note_answer(response.status)


async def _identify(slack: SlackApi) -> Identity:
    """Return whose token ours is; raises ConfigError if Slack refuses it."""
    try:
        return await slack.get_identity()
    except SlackRefusedError as exc:
        example = EXAMPLES["SLACK_BOT_TOKEN"]
        line = f"SLACK_BOT_TOKEN: Slack refused it ({exc.code}). Example: {example}"
        raise ConfigError([line]) from exc
