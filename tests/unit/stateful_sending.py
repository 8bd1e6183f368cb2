"""Steps between the queue and the CRM: claims, answers on time and late, and what time ends."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from bot.errors import CrmConnectError, CrmError, CrmRateLimitedError
from bot.notification import Outcome, State
from bot.store.claims import Claim
from bot.store.gate import Wait
from tests.unit.stateful_base import LIMITS, StoreMachineBase

OUTCOMES = [
    Outcome(State.SENT),
    Outcome(State.REJECTED, "rejected"),
    Outcome(State.UNAVAILABLE, "busy"),
    Outcome(State.UNKNOWN, "uncertain"),
]


class SendingSteps(StoreMachineBase):
    @rule()
    def claim(self) -> None:
        model, expected = self.model, self.model.find_next()
        assert self.run(self.store.claims.peek()) is (expected is not None)
        claim = self.run(self.store.claims.claim())
        wait = model.gate.find_wait(model.now)
        if expected is None:
            assert claim is None
        elif wait:
            assert claim == Wait(wait)
        else:
            assert isinstance(claim, Claim)
            self.begin(claim, expected)

    def begin(self, claim: Claim, expected: int) -> None:
        each, gate = self.model.deliveries[expected], self.model.gate
        assert claim.permit.is_probe is gate.is_probing
        gate.take(claim.permit.id, self.model.now)
        each.state, each.attempt = State.SENDING, each.attempt + 1
        each.lease_until = self.model.now + LIMITS.lease
        each.pushes += 1
        self.claims.append(claim)
        assert (claim.delivery_id, claim.notification_id) == (expected, each.notification)
        assert (claim.attempt, claim.repeats) == (each.attempt, each.repeats)
        assert claim.crm_user_id == each.crm

    def draw_claim(self, data: st.DataObject) -> Claim:
        """Choose a claim made at any time: a late answer may come twice."""
        return data.draw(st.sampled_from(self.claims), "claim")

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        outcome=st.sampled_from(OUTCOMES),
        error=st.sampled_from([None, CrmConnectError()]),
        condemns=st.booleans(),
    )
    def settle(
        self, data: st.DataObject, outcome: Outcome, error: CrmError | None, condemns: bool
    ) -> None:
        claim, model = self.draw_claim(data), self.model
        stored = self.run(self.store.claims.settle(claim, outcome, error, condemns=condemns))
        model.gate.give_back(claim.permit.id, error, used=True, now=model.now)
        each = model.find_sending(claim.delivery_id, claim.attempt)
        if each is None:
            corrected = model.correct(claim.delivery_id, claim.attempt, outcome.state, outcome.code)
            assert stored is corrected
            return
        assert stored
        each.end(outcome.state, outcome.code)
        model.share(claim.delivery_id)
        for other in model.of(each.notification):
            if condemns and other.state is State.PENDING:
                other.end(outcome.state, outcome.code)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 4.0]), counts=st.booleans())
    def repeat(self, data: st.DataObject, seconds: float, counts: bool) -> None:
        self.put_back(self.draw_claim(data), CrmConnectError(), seconds, counts=counts)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), retry_after=st.sampled_from([0.0, 3.0]))
    def refuse(self, data: st.DataObject, retry_after: float) -> None:
        """Let the CRM say that it is too much: the gate closes, until one call proves it open."""
        error = CrmRateLimitedError(retry_after=retry_after)
        self.put_back(self.draw_claim(data), error, 0.0, counts=False)

    def put_back(self, claim: Claim, error: CrmError, seconds: float, *, counts: bool) -> None:
        model = self.model
        step = self.store.claims.repeat(claim, error, seconds=seconds, counts=counts)
        stored = self.run(step)
        model.gate.give_back(claim.permit.id, error, used=True, now=model.now)
        each = model.find_sending(claim.delivery_id, claim.attempt)
        if each is None:
            corrected = model.correct(
                claim.delivery_id, claim.attempt, State.UNAVAILABLE, error.code
            )
            assert stored is corrected
            return
        assert stored
        each.end(State.PENDING, error.code)
        each.due_at = model.now + seconds
        each.repeats = claim.repeats + counts
        each.pushes -= 1  # the CRM did not take it

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        claim = self.draw_claim(data)
        self.run(self.store.claims.hand_back(claim))
        self.model.gate.give_back(claim.permit.id, None, used=False, now=self.model.now)
        each = self.model.find_sending(claim.delivery_id, claim.attempt)
        if each is not None:
            each.state = State.PENDING
            each.pushes -= 1

    @rule()
    def sweep(self) -> None:
        assert self.run(self.store.claims.sweep()) == self.model.sweep()
