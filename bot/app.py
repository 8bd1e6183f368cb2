"""The composition root: settings in, one running bot out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Callable, Sequence

import aiohttp
import structlog
from aiohttp import web
from aiolimiter import AsyncLimiter
from slack_bolt.async_app import AsyncApp

import handlers
from bot.acceptor import Acceptor
from bot.background import Watch
from bot.clients import build_crm_client, build_slack_api, open_slack_session
from bot.clock import Clock, SystemClock
from bot.composer import Composer
from bot.config import EXAMPLES, Settings
from bot.crew import Crew
from bot.directory import Directory
from bot.dispatcher import Dispatcher
from bot.doctor.headers import HeaderWatch
from bot.doctor.live import Doctor
from bot.doctor.permits import Patient
from bot.doctor.storage import PERMIT_WITHIN
from bot.errands import Errands
from bot.errors import ConfigError, SlackRefusedError, StoreError
from bot.forms import Forms
from bot.group_list import GroupList
from bot.groups import Groups
from bot.health import Health
from bot.homes import Homes
from bot.icons import Icons
from bot.intake import PATH, Intake, build_bolt
from bot.janitor import Janitor
from bot.leads.finder import Leads
from bot.leadsquared.client import LeadSquaredClient
from bot.leadsquared.session import open_session
from bot.metrics import Metrics
from bot.rate_gate import RateGate
from bot.reporter import Reporter
from bot.resolver import Resolver
from bot.roster import Roster
from bot.slack_api import Identity, SlackApi
from bot.socket_mode import Envelopes, SocketMode
from bot.store.database import open_database
from bot.store.gate import Limits
from bot.store.schema import bring_up
from bot.store.store import Store
from bot.worker import Worker

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

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        now: Callable[[], float] | None = None,
        limiter: AsyncLimiter | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._random = random.SystemRandom().random
        self._watch = Watch()
        self._database = open_database(settings.database_url, now=now)
        self._database.on_broken = self._watch.fail
        self._metrics = Metrics(settings.metrics_token, self._clock)
        self._database.observer = self._metrics
        limits = Limits(
            settings.leadsquared_rate_limit,
            settings.leadsquared_rate_period,
            settings.reserved,
            settings.leadsquared_timeout,
        )
        self._store = Store(
            self._database,
            limits,
            settings.leadsquared_url,
            deliver_within=settings.deliver_within,
            hourly_limit=settings.hourly_limit,
        )
        limiter = limiter or AsyncLimiter(limits.limit, limits.period)
        self._gate = RateGate(self._store.gate, limiter, self._clock, self._watch, self._metrics)
        self._errands = Errands(self._watch)
        self._headers = HeaderWatch(), HeaderWatch()  # of Slack's answers and LeadSquared's
        self._crew = Crew(self._random)
        self._requests_ended = asyncio.Event()
        self.ready = asyncio.Event()  # Slack's requests are answered
        self._bolt: AsyncApp | None = None
        self._socket: SocketMode | None = None
        self._doctor: Doctor | None = None

    def build_web(self) -> web.Application:
        """Return the web application; it answers from the start, also before the rest is up."""
        app = web.Application(client_max_size=BODY_MOST)
        app.on_cleanup.append(self._note_end_of_requests)
        app.on_response_prepare.append(self._note_answer)
        secret = self._settings.slack_signing_secret
        if secret is not None and self._settings.slack_app_token is None:
            intake = Intake(secret.get_secret_value(), lambda: self._bolt)
            app.router.add_post(PATH, intake.answer)
        Health(self._database, self._is_reached_by_slack).add_routes(app)
        self._metrics.add_routes(app)
        Icons().add_routes(app)
        return app

    async def run(self) -> None:
        """Connect, then work until stopped; a part that fails ends all of it.

        Raises ConfigError, in a group, if Slack refuses the bot token.
        """
        try:
            await self._crew.keep_trying("database", self._open_store)
            slack_trace, crm_trace = (watch.build_trace() for watch in self._headers)
            async with (
                open_slack_session(slack_trace) as slack_session,
                open_session(crm_trace) as crm_session,
            ):
                await self._work(slack_session, crm_session)
        finally:
            await self._database.close()

    def _is_reached_by_slack(self) -> bool:
        return self._bolt is not None and (self._socket is None or self._socket.is_connected)

    def stop(self) -> None:
        """Take no new work; `run` ends once what is under way has ended."""
        self._crew.stop()

    async def _work(
        self, slack_session: aiohttp.ClientSession, crm_session: aiohttp.ClientSession
    ) -> None:
        crm = build_crm_client(self._settings, crm_session, self._gate, self._metrics)
        slack = build_slack_api(self._settings, slack_session, self._metrics)
        reporters = Reporter.open(
            self._store.debts, slack, self._clock, self._random, self._metrics
        )
        report = reporters[0].wake
        dispatcher = Dispatcher(
            self._store.claims,
            self._gate,
            crm,
            self._clock,
            self._random,
            report,
            self._watch,
            self._metrics,
        )
        janitor = Janitor(
            self._store.claims,
            self._store.retention,
            self._clock,
            keep_days=self._settings.keep_days,
            on_settled=report,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                self._crew.start(tasks, dispatcher, janitor, self._watch)
                identity = await self._crew.keep_trying("slack", lambda: _identify(slack))
                if identity is not None:
                    patient = Patient(self._gate, PERMIT_WITHIN)
                    checking = build_crm_client(self._settings, crm_session, patient)
                    others = self._open_slack(identity, slack, crm, checking, dispatcher, reporters)
                    self._crew.start(tasks, *others, *reporters)
                    await self._begin(tasks, slack, identity)
        finally:  # also when a part failed: calls under way would be unknown for nothing
            await self._finish(dispatcher, reporters)
            self._watch.check()

    def _open_slack(
        self,
        identity: Identity,
        slack: SlackApi,
        crm: LeadSquaredClient,
        checking: LeadSquaredClient,
        dispatcher: Dispatcher,
        reporters: Sequence[Reporter],
    ) -> Sequence[Worker]:
        """Build what needs to know which workspace this is, and let requests in."""
        directory = Directory(
            self._store.people,
            slack,
            Roster(crm, self._clock),
            self._clock,
            team_id=identity.team_id,
            admins=self._settings.admins,
        )
        resolver = Resolver(
            self._store.resolutions,
            directory,
            self._clock,
            self._random,
            on_resolved=_wake(dispatcher, reporters[0]),
        )
        composer = Composer(
            self._settings.notification_max_bytes,
            self._settings.sign_notifications,
            self._settings.allowed_link_hosts,
            self._settings.icon_base,
        )
        leads = Leads(crm, self._clock)
        acceptor = Acceptor(
            self._store.outbox,
            composer,
            Groups(slack, self._clock),
            leads,
            self._settings.allowed_channels,
            self._settings.allowed_usergroup,
            self._settings.confirm_above,
            resolve=resolver.wake,
            dispatch=dispatcher.wake,
        )
        homes = Homes(
            directory,
            self._store.reports,
            self._store.overview,
            slack,
            self._errands,
            self._clock,
            check_place=acceptor.check_place,
        )
        for each in reporters:
            each.on_change = homes.refresh
            each.find_api_host = leads.find_api_host
        self._doctor = doctor = Doctor(
            self._settings,
            os.environ,
            slack,
            checking,
            self._store.checkup,
            self._errands,
            self._headers,
            homes.publish,
        )
        self._bolt = build_bolt(identity, self._settings.slack_bot_token, self._metrics)
        core = handlers.Core(
            acceptor,
            directory,
            self._store.reports,
            self._store.rounds,
            GroupList(slack, self._clock),
            slack,
            self._errands,
            Forms(slack, self._errands, self._clock),
            homes,
            doctor,
            report=reporters[0].wake,
            observer=self._metrics,
        )
        handlers.register(self._bolt, core)
        return resolver, homes

    async def _begin(self, tasks: asyncio.TaskGroup, slack: SlackApi, identity: Identity) -> None:
        """Let Slack in: in Socket Mode by a connection of ours, else it finds the way by itself."""
        token = self._settings.slack_app_token
        if token is not None and self._bolt is not None:
            self._socket = SocketMode(
                lambda: slack.open_socket(token),
                Envelopes(self._bolt),
                self._clock,
                self._random,
                self._watch,
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
                await self._gate.drain()
                await self._store.outbox.drain()
                await self._errands.drain(REPLY_WITHIN)
                await asyncio.gather(*(each.pay_all() for each in reporters))
        except (TimeoutError, StoreError):
            log.warning("bot.left_replies")

    async def _note_end_of_requests(self, _app: web.Application) -> None:
        self._requests_ended.set()

    async def _note_answer(self, request: web.Request, response: web.StreamResponse) -> None:
        if self._doctor is not None and request.path == PATH:
            self._doctor.note_answer(response.status)

    async def _open_store(self) -> None:
        await bring_up(self._database)
        await self._store.gate.prepare()
        self._metrics.read_gauges = self._store.gauges.read


def _wake(*workers: Worker) -> Callable[[], None]:
    def wake() -> None:
        for worker in workers:
            worker.wake()

    return wake


async def _identify(slack: SlackApi) -> Identity:
    """Return whose token ours is; raises ConfigError if Slack refuses it."""
    try:
        return await slack.get_identity()
    except SlackRefusedError as exc:
        example = EXAMPLES["SLACK_BOT_TOKEN"]
        line = f"SLACK_BOT_TOKEN: Slack refused it ({exc.code}). Example: {example}"
        raise ConfigError([line]) from exc
