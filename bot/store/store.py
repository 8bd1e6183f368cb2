"""All parts of the store, over one database."""

from __future__ import annotations

from bot.store.checkup import CheckupStore
from bot.store.claims import Claims
from bot.store.database import Database
from bot.store.debts import Debts
from bot.store.gate import GateStore, Limits
from bot.store.gauges import GaugesStore
from bot.store.outbox import Outbox
from bot.store.overview import OverviewStore
from bot.store.people import PeopleStore
from bot.store.quota import Quota
from bot.store.reports import Reports
from bot.store.resolutions import Resolutions
from bot.store.retention import Retention
from bot.store.rounds import Rounds


class Store:
    """What one process has of the store; `account` names the CRM account its limits are for."""

    def __init__(
        self,
        database: Database,
        limits: Limits,
        account: str,
        *,
        deliver_within: float,
        hourly_limit: int,
    ) -> None:
        quota = Quota(database, hourly_limit)
        self.database = database
        self.gate = GateStore(database, limits, account)
        self.claims = Claims(database, self.gate)
        self.outbox = Outbox(database, self.gate, quota, deliver_within=deliver_within)
        self.rounds = Rounds(database, quota, deliver_within=deliver_within)
        self.resolutions = Resolutions(database)
        self.debts = Debts(database)
        self.retention = Retention(database)
        self.reports = Reports(database)
        self.people = PeopleStore(database)
        self.overview = OverviewStore(database, self.gate, deliver_within=deliver_within)
        self.gauges = GaugesStore(database, self.gate, deliver_within=deliver_within)
        self.checkup = CheckupStore(database, self.gate, self.overview)
