"""The Slack listeners: each reads, stores, acknowledges and stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

from bot.acceptor import Acceptor
from bot.directory import Directory
from bot.doctor.live import Doctor
from bot.errands import Errands
from bot.forms import Forms
from bot.group_list import GroupList
from bot.homes import Homes
from bot.observer import UNOBSERVED, Observer
from bot.slack_api import SlackApi
from bot.store.reports import Reports
from bot.store.rounds import Rounds
from handlers.buttons import Buttons
from handlers.commands import NotifyCommand
from handlers.compose import ComposeModal
from handlers.errors import ErrorListener
from handlers.groups import GroupOptions
from handlers.home import HomeTab
from handlers.leads import LeadOptions
from handlers.shortcuts import Shortcuts


@dataclass(frozen=True)
class Core:
    """What listeners may use of the bot."""

    acceptor: Acceptor
    directory: Directory
    reports: Reports
    rounds: Rounds
    group_list: GroupList
    slack: SlackApi
    errands: Errands
    forms: Forms
    homes: Homes
    doctor: Doctor
    report: Callable[[], None]
    """Look for replies that have become due."""
    observer: Observer = UNOBSERVED


def register(app: AsyncApp, core: Core) -> None:
    """Tie every surface named in manifest.yaml to its listener."""
    app.middleware(core.doctor.note_request)
    NotifyCommand(core.acceptor, core.directory, core.reports, core.slack, core.doctor).register(
        app
    )
    ComposeModal(core.acceptor, core.directory, core.slack, core.errands).register(app)
    LeadOptions(core.acceptor.leads, core.directory).register(app)
    GroupOptions(core.group_list, core.directory).register(app)
    Shortcuts(core.acceptor, core.directory, core.group_list, core.forms).register(app)
    Buttons(
        core.acceptor,
        core.directory,
        core.reports,
        core.rounds,
        core.slack,
        core.errands,
        core.homes,
        core.report,
    ).register(app)
    HomeTab(core.acceptor, core.directory, core.homes, core.slack).register(app)
    app.error(ErrorListener(core.directory, core.slack, core.errands, core.observer).answer)
