"""Steps on the way in: interactions, also twice; drafts; and what look-ups find."""

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from bot.errors import UserError
from bot.notification import KEY_OWNER, Outcome, State
from bot.store.outbox import SECOND_ENTER
from bot.store.resolutions import AskAgain, Match, NoMatch, Resolution
from tests.model import Modelled
from tests.store import acceptance
from tests.unit.stateful_base import StoreMachineBase

SENDERS = ["UALICE", "UBOB"]
PEOPLE = ["UA", "UB", ""]
CRM_USERS = ["g1", KEY_OWNER]
NOT_IN_CRM = NoMatch(Outcome(State.UNLINKED, "not_in_crm"))


@dataclass(frozen=True)
class Interaction:
    """What Slack delivers, once or twice."""

    key: str
    sender: str
    users: tuple[str, ...]
    text: str


class IntakeSteps(StoreMachineBase):
    def __init__(self) -> None:
        super().__init__()
        self.interactions: list[Interaction] = []
        self.drafts: dict[str, Interaction] = {}

    @rule(
        users=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True),
        sender=st.sampled_from(SENDERS),
        text=st.sampled_from(["", "", "Again"]),
    )
    def accept(self, users: list[str], sender: str, text: str) -> None:
        key = f"k{len(self.interactions)}"
        self.interactions.append(Interaction(key, sender, tuple(users), text or key))
        self.deliver(self.interactions[-1])

    @precondition(lambda self: self.interactions)
    @rule(data=st.data())
    def accept_again(self, data: st.DataObject) -> None:
        self.deliver(data.draw(st.sampled_from(self.interactions)))

    def deliver(self, given: Interaction) -> None:
        wanted = acceptance(*given.users, key=given.key, sender=given.sender, content=given.text)
        known = self.model.find_by_key(given.key)
        earlier = self.model.find_earlier(given.sender, list(given.users), given.text)
        asks = earlier and (known is None or not self.is_young(known))
        if not asks and given in self.drafts.values():
            with pytest.raises(UserError, match="asked about before"):
                self.run(self.store.outbox.accept(wanted))
            return
        receipt = self.run(self.store.outbox.accept(wanted))
        if asks:
            assert receipt.earlier is not None
            assert receipt.notification_id in earlier
            states = {each.state for each in self.model.of(receipt.notification_id)}
            assert receipt.earlier.states == states
            self.keep_draft(receipt.earlier.draft_id, given)
        else:
            assert receipt.earlier is None
            assert receipt.is_new is (known is None)
            assert known in (None, receipt.notification_id)
            if known is None:
                self.add(receipt.notification_id, given.key, given)

    def is_young(self, notification: str) -> bool:
        return self.model.accepted[notification].accepted_at > self.model.now - SECOND_ENTER

    def add(self, notification: str, key: str, given: Interaction) -> None:
        self.model.accept(notification, key, given.sender, list(given.users), given.text)

    def keep_draft(self, draft_id: str, given: Interaction) -> None:
        """Note the draft of an interaction: one, also once it is taken."""
        kept = [id_ for id_, made_of in self.drafts.items() if made_of == given]
        assert kept in ([], [draft_id])
        self.drafts[draft_id] = given

    @precondition(lambda self: self.drafts)
    @rule(data=st.data(), sender=st.sampled_from(SENDERS))
    def send_anyway(self, data: st.DataObject, sender: str) -> None:
        draft_id = data.draw(st.sampled_from(list(self.drafts)), "draft")
        given = self.drafts[draft_id]
        key = f"draft:{given.key}"
        known = self.model.find_by_key(key)
        press = self.store.outbox.accept_draft(draft_id, sender)
        if sender != given.sender:
            with pytest.raises(UserError):
                self.run(press)
            return
        receipt = self.run(press)
        assert receipt.is_new is (known is None)
        assert known in (None, receipt.notification_id)
        if known is None:
            self.add(receipt.notification_id, key, given)

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
        unresolved = [
            (each.due_at, number)
            for number, each in self.model.deliveries.items()
            if each.state is State.PENDING and each.crm is None and each.due_at <= self.model.now
        ]
        self.run(self.store.resolve(**known))
        for _, number in sorted(unresolved):
            each = self.model.deliveries[number]
            if each.user in known:
                self.record(number, each, known[each.user])

    def record(self, number: int, each: Modelled, found: Resolution) -> None:
        if isinstance(found, AskAgain):
            each.due_at = self.model.now + found.seconds
            each.repeats += 1
        elif isinstance(found, NoMatch):
            each.end(found.outcome.state, found.outcome.code)
        else:
            callers = [
                other
                for other, one in self.model.deliveries.items()
                if (one.notification, one.crm) == (each.notification, found.crm_user_id)
                and one.twin_of is None
            ]
            each.crm, each.repeats = found.crm_user_id, 0
            if callers:
                each.twin_of = callers[0]
                self.model.share(callers[0])
