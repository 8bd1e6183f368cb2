"""The Slack listeners: each reads, stores, acknowledges and stops."""

from __future__ import annotations

from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

from bot.acceptor import Acceptor
from bot.directory import Directory
from bot.slack_api import SlackApi
from bot.store.debts import Debts
from handlers.commands import NotifyCommand
from handlers.compose import ComposeModal
from handlers.errors import ErrorListener
from handlers.shortcuts import Shortcuts


@dataclass(frozen=True)
class Core:
    """What listeners may use of the bot."""

    acceptor: Acceptor
    directory: Directory
    debts: Debts
    slack: SlackApi


def register(app: AsyncApp, core: Core) -> None:
    """Tie every surface named in manifest.yaml to its listener."""
    NotifyCommand(core.acceptor, core.directory, core.debts, core.slack).register(app)
    ComposeModal(core.acceptor, core.directory).register(app)
    Shortcuts(core.acceptor, core.directory, core.slack).register(app)
    app.error(ErrorListener(core.slack).answer)
