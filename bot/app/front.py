"""What faces people in Slack: built once it is known which workspace this is."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

import handlers
from bot.acceptor import Acceptor
from bot.app.connections import Connections
from bot.app.foundation import Foundation
from bot.composer import Composer
from bot.config import Settings
from bot.directory import Directory
from bot.dispatcher import Dispatcher
from bot.doctor.live import Doctor
from bot.forms import Forms
from bot.group_list import GroupList
from bot.groups import Groups
from bot.homes import Homes
from bot.intake import build_bolt
from bot.leads.finder import Leads
from bot.reporter import Reporter
from bot.resolver import Resolver
from bot.roster import Roster
from bot.slack_api import Identity
from bot.worker import Worker


@dataclass(frozen=True)
class Front:
    """Bolt with every listener, and the workers behind them."""

    bolt: AsyncApp
    doctor: Doctor
    workers: Sequence[Worker]


def build_front(
    base: Foundation,
    connections: Connections,
    identity: Identity,
    dispatcher: Dispatcher,
    reporters: Sequence[Reporter],
) -> Front:
    settings, clock, store, slack = base.settings, base.clock, base.store, connections.slack
    directory = Directory(
        store.people,
        slack,
        Roster(connections.crm, clock),
        clock,
        team_id=identity.team_id,
        admins=settings.admins,
    )
    resolver = Resolver(
        store.resolutions,
        directory,
        clock,
        base.random,
        on_resolved=_wake(dispatcher, reporters[0]),
    )
    leads = Leads(connections.crm, clock)
    acceptor = Acceptor(
        store.outbox,
        _build_composer(settings),
        Groups(slack, clock),
        leads,
        settings.allowed_channels,
        settings.allowed_usergroup,
        settings.confirm_above,
        resolve=resolver.wake,
        dispatch=dispatcher.wake,
    )
    store.outbox.on_stored_late = acceptor.wake
    homes = Homes(
        directory,
        store.reports,
        store.overview,
        slack,
        base.errands,
        clock,
        check_place=acceptor.check_place,
    )
    for each in reporters:
        each.on_change = homes.refresh
        each.find_api_host = leads.find_api_host
    doctor = _build_doctor(base, connections, homes)
    bolt = build_bolt(identity, settings.slack_bot_token, base.metrics)
    core = handlers.Core(
        acceptor,
        directory,
        store.reports,
        store.rounds,
        GroupList(slack, clock),
        slack,
        base.errands,
        Forms(slack, base.errands, clock),
        homes,
        doctor,
        report=reporters[0].wake,
        observer=base.metrics,
    )
    handlers.register(bolt, core)
    return Front(bolt, doctor, (resolver, homes))


def _build_composer(settings: Settings) -> Composer:
    return Composer(
        settings.notification_max_bytes,
        settings.sign_notifications,
        settings.allowed_link_hosts,
        settings.icon_base,
    )


def _build_doctor(base: Foundation, connections: Connections, homes: Homes) -> Doctor:
    return Doctor(
        base.settings,
        os.environ,
        connections.slack,
        connections.checking,
        base.store.checkup,
        base.errands,
        connections.headers,
        homes.publish,
    )


def _wake(*workers: Worker) -> Callable[[], None]:
    def wake() -> None:
        for worker in workers:
            worker.wake()

    return wake
