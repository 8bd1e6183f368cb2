"""The store against a plain model of what its deliveries should be, step by step."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import copyfile
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.errors import CrmConnectError
from bot.notification import FINAL, KEY_OWNER, Outcome, State
from bot.store.claims import LEASE_RAN_OUT, TOO_LATE, Claim
from bot.store.database import open_database
from bot.store.gate import Limits
from bot.store.resolutions import AskAgain, Match, NoMatch, Resolution
from tests.clock import FrozenClock
from tests.store import Store

T = TypeVar("T")

LIMITS = Limits(limit=100, period=1.0, reserved=0, timeout=10.0)  # slots are never the question
DELIVER_WITHIN = 30.0
PEOPLE = ["UA", "UB", ""]
CRM_USERS = ["g1", KEY_OWNER]
OUTCOMES = [
    Outcome(State.SENT),
    Outcome(State.REJECTED, "rejected"),
    Outcome(State.UNAVAILABLE, "busy"),
    Outcome(State.UNKNOWN, "uncertain"),
]
NOT_IN_CRM = NoMatch(Outcome(State.UNLINKED, "not_in_crm"))


@dataclass
class Modelled:
    """A delivery as it should be; `pushes` counts the calls that may have gone out."""

    notification: str
    position: int
    user: str
    crm: str | None
    due_at: float
    expires_at: float
    state: State = State.PENDING
    code: str | None = None
    twin_of: int | None = None
    attempt: int = 0
    repeats: int = 0
    lease_until: float = 0.0
    pushes: int = 0

    def end(self, state: State, code: str | None) -> None:
        self.state, self.code = state, code


class StoreMachine(RuleBasedStateMachine):
    """Every step is done to the store and to the model."""

    template: Path
    folder: Path
    numbers = count()

    def __init__(self) -> None:
        super().__init__()
        path = self.folder / f"{next(self.numbers)}.db"
        copyfile(self.template, path)
        self.runner = asyncio.Runner()
        self.clock = FrozenClock()
        self.database = open_database(f"sqlite:///{path}", now=self.clock.time)
        self.store = Store(self.database, LIMITS, deliver_within=DELIVER_WITHIN)
        self.run(self.store.gate.prepare())
        self.model: dict[int, Modelled] = {}
        self.accepted: dict[str, tuple[str, list[str]]] = {}
        self.claims: list[Claim] = []
        self.owed: set[str] = set()

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(step)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()

    # What the model knows.

    def is_claimable(self, each: Modelled) -> bool:
        now = self.clock.time()
        mine = each.state is State.PENDING and each.crm is not None and each.twin_of is None
        return mine and each.due_at <= now < each.expires_at

    def find_next(self) -> int | None:
        ready = [(each.position, i) for i, each in self.model.items() if self.is_claimable(each)]
        return min(ready)[1] if ready else None

    def share(self, primary: int) -> None:
        ended = self.model[primary]
        for each in self.model.values():
            if each.twin_of == primary and ended.state in FINAL:
                each.end(ended.state, ended.code)

    def find_sending(self, claim: Claim) -> Modelled | None:
        """Return the delivery of a claim that is still being sent."""
        each = self.model[claim.delivery_id]
        return each if (each.attempt, each.state) == (claim.attempt, State.SENDING) else None

    def correct(self, claim: Claim, state: State, code: str | None) -> bool:
        """Replace what the lease of this very attempt left behind, and owe one more reply."""
        each = self.model[claim.delivery_id]
        left = (claim.attempt, State.UNKNOWN, LEASE_RAN_OUT)
        if (each.attempt, each.state, each.code) != left:
            return False
        each.end(state, code)
        self.share(claim.delivery_id)
        self.owed.add(each.notification)
        return True

    def is_open(self, notification: str) -> bool:
        return any(
            each.state not in FINAL
            for each in self.model.values()
            if each.notification == notification
        )

    # Steps.

    @rule(users=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True))
    def accept(self, users: list[str]) -> None:
        key = f"k{len(self.accepted)}"
        notification = self.run(self.store.accept(*users, key=key))
        self.accepted[key] = (notification, users)
        self.owed.add(notification)
        now = self.clock.time()
        for position, user in enumerate(users):
            crm = None if user else KEY_OWNER
            self.model[len(self.model) + 1] = Modelled(
                notification, position, user, crm, now, now + DELIVER_WITHIN
            )

    @precondition(lambda self: self.accepted)
    @rule(data=st.data())
    def accept_again(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.accepted)))
        notification, users = self.accepted[key]
        assert self.run(self.store.accept(*users, key=key)) == notification

    @rule(
        found=st.fixed_dictionaries(
            {
                user: st.one_of(
                    st.sampled_from(CRM_USERS).map(lambda crm: Match(crm, "Somebody")),
                    st.sampled_from([NOT_IN_CRM, AskAgain(0.0), AskAgain(5.0)]),
                    st.none(),
                )
                for user in PEOPLE
                if user
            }
        )
    )
    def resolve(self, found: dict[str, Resolution | None]) -> None:
        known = {user: each for user, each in found.items() if each is not None}
        self.run(self.store.resolve(**known))
        for number, each in self.model.items():
            asked = each.state is State.PENDING and each.crm is None
            if asked and each.due_at <= self.clock.time() and each.user in known:
                self.record(number, each, known[each.user])

    def record(self, number: int, each: Modelled, found: Resolution) -> None:
        if isinstance(found, AskAgain):
            each.due_at = self.clock.time() + found.seconds
            each.repeats += 1
        elif isinstance(found, NoMatch):
            each.end(found.outcome.state, found.outcome.code)
        else:
            callers = [
                other
                for other, one in self.model.items()
                if (one.notification, one.crm) == (each.notification, found.crm_user_id)
                and one.twin_of is None
            ]
            each.crm, each.repeats = found.crm_user_id, 0
            if callers:
                each.twin_of = callers[0]
                self.share(callers[0])

    @rule()
    def claim(self) -> None:
        expected = self.find_next()
        assert self.run(self.store.claims.peek()) is (expected is not None)
        claim = self.run(self.store.claims.claim())
        if expected is None:
            assert claim is None
            return
        assert isinstance(claim, Claim)
        each = self.model[expected]
        each.state, each.attempt = State.SENDING, each.attempt + 1
        each.lease_until = self.clock.time() + LIMITS.lease
        each.pushes += 1
        self.claims.append(claim)
        assert claim.delivery_id == expected
        assert (claim.attempt, claim.repeats) == (each.attempt, each.repeats)
        assert claim.crm_user_id == each.crm

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES), condemns=st.booleans())
    def settle(self, data: st.DataObject, outcome: Outcome, condemns: bool) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        stored = self.run(self.store.claims.settle(claim, outcome, None, condemns=condemns))
        each = self.find_sending(claim)
        if each is None:
            assert stored is self.correct(claim, outcome.state, outcome.code)
            return
        assert stored
        each.end(outcome.state, outcome.code)
        self.share(claim.delivery_id)
        for other in self.model.values():
            same = other.notification == each.notification
            if condemns and same and other.state is State.PENDING:
                other.end(outcome.state, outcome.code)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 4.0]), counts=st.booleans())
    def repeat(self, data: st.DataObject, seconds: float, counts: bool) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        error = CrmConnectError()
        step = self.store.claims.repeat(claim, error, seconds=seconds, counts=counts)
        stored = self.run(step)
        each = self.find_sending(claim)
        if each is None:
            assert stored is self.correct(claim, State.UNAVAILABLE, error.code)
            return
        assert stored
        each.end(State.PENDING, error.code)
        each.due_at = self.clock.time() + seconds
        each.repeats = claim.repeats + counts
        each.pushes -= 1  # the CRM did not take it

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        self.run(self.store.claims.hand_back(claim))
        each = self.find_sending(claim)
        if each is not None:
            each.state = State.PENDING
            each.pushes -= 1

    @rule()
    def sweep(self) -> None:
        now, swept = self.clock.time(), 0
        reaped = []
        for number, each in self.model.items():
            if each.state is State.PENDING and each.expires_at <= now:
                each.end(State.UNAVAILABLE, TOO_LATE)
                swept += 1
            elif each.state is State.SENDING and each.lease_until <= now:
                each.end(State.UNKNOWN, LEASE_RAN_OUT)
                reaped.append(number)
        for number in reaped:
            self.share(number)
        assert self.run(self.store.claims.sweep()) == swept + len(reaped)

    @rule()
    def pay(self) -> None:
        debt = self.run(self.store.debts.take())
        due = {notification for notification in self.owed if not self.is_open(notification)}
        if debt is None:
            assert not due
            return None
        if debt.report.is_open:
            assert not due
            return self.run(self.store.debts.show_again(debt.id, seconds=4.0))
        assert debt.report.notification_id in due
        self.owed.discard(debt.report.notification_id)
        return self.run(self.store.debts.pay(debt.id))

    @rule(seconds=st.sampled_from([0.5, 4.0, LIMITS.lease]))
    def forward(self, seconds: float) -> None:
        self.clock.forward(seconds)

    # What always holds.

    @invariant()
    def every_delivery_is_where_the_model_says(self) -> None:
        stored = {
            row.id: (row.state, row.code, row.attempt, row.repeats, row.crm_user_id, row.twin_of)
            for row in self.run(self.store.rows())
        }
        assert stored == {
            number: (each.state, each.code, each.attempt, each.repeats, each.crm, each.twin_of)
            for number, each in self.model.items()
        }

    @invariant()
    def counts_add_up(self) -> None:
        for notification, users in self.accepted.values():
            report = self.run(self.store.reports.find(notification))
            assert report is not None
            assert len(report.deliveries) == len(users)

    @invariant()
    def nobody_is_called_twice(self) -> None:
        calls: dict[tuple[str, str | None], int] = {}
        for each in self.model.values():
            key = (each.notification, each.crm)
            calls[key] = calls.get(key, 0) + each.pushes
        assert all(number <= 1 for number in calls.values())


def test_the_store_does_what_the_model_says(empty_database: Path, tmp_path: Path) -> None:
    class Machine(StoreMachine):
        template = empty_database
        folder = tmp_path

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
