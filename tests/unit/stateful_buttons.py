"""Steps that people take afterwards, and the replies that they are owed."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from bot.notification import Place, State
from bot.store.debts import LEASE, Debt
from tests.unit.stateful_base import StoreMachineBase

FAILED = (State.REJECTED, State.UNAVAILABLE, State.UNLINKED)
UNKNOWN = (State.UNKNOWN,)


class ButtonSteps(StoreMachineBase):
    def __init__(self) -> None:
        super().__init__()
        self.debts: list[Debt] = []

    def draw_press(self, data: st.DataObject) -> tuple[str, str, bool]:
        """Choose a notification and a press, new or delivered twice; tell if it is new."""
        notification = data.draw(st.sampled_from(list(self.model.accepted)), "notification")
        pressed = self.model.pressed
        key = data.draw(st.sampled_from([f"p{len(pressed)}", *sorted(pressed)[:1]]), "press")
        is_new = key not in pressed
        pressed.add(key)
        return notification, key, is_new

    @precondition(lambda self: self.model.accepted)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        notification, key, is_new = self.draw_press(data)
        count = self.run(self.store.rounds.cancel(notification, key=key))
        assert count == (self.model.cancel(notification) if is_new else 0)

    @precondition(lambda self: self.model.accepted)
    @rule(
        data=st.data(),
        states=st.sampled_from([FAILED, UNKNOWN]),
        asked_by=st.sampled_from(["UALICE", "UADMIN"]),
    )
    def reopen(self, data: st.DataObject, states: tuple[State, ...], asked_by: str) -> None:
        """Press Retry, or Send again."""
        notification, key, is_new = self.draw_press(data)
        press = self.store.rounds.reopen(
            notification, states, key=key, asked_by=asked_by, place=Place("C1")
        )
        expected = self.model.reopen(notification, states, asked_by) if is_new else 0
        assert self.run(press) == expected

    @rule()
    def take_debt(self) -> None:
        payable = self.model.find_payable()
        debt = self.run(self.store.debts.take())
        if debt is None:
            assert not payable
            return
        if debt.report.is_open:  # progress, for which every outcome comes first
            assert not payable
            self.run(self.store.debts.show_again(debt.id, seconds=4.0))
            return
        assert debt.id in payable
        reply = self.model.replies[debt.id]
        reply.lease_until = self.model.now + LEASE
        deliveries = self.model.of(reply.notification)
        assert debt.asked_by == reply.asked_by
        assert [each.state for each in debt.report.deliveries] == [d.state for d in deliveries]
        self.debts.append(debt)

    @precondition(lambda self: self.debts)
    @rule(data=st.data())
    def pay(self, data: st.DataObject) -> None:
        debt = data.draw(st.sampled_from(self.debts), "debt")
        self.run(self.store.debts.pay(debt.id))
        reply = self.model.replies[debt.id]
        if reply.lease_until is not None:  # else a correction has become due meanwhile
            reply.is_paid, reply.lease_until = True, None
