"""What the store should hold, said plainly: no SQL, no indexes, no transactions."""

from dataclasses import dataclass, field

from bot.errors import CrmConnectError, CrmError, CrmRateLimitedError
from bot.notification import FINAL, KEY_OWNER, State
from bot.store.claims import LEASE_RAN_OUT, TOO_LATE
from bot.store.gate import REOPEN_MARGIN, Limits
from bot.store.outbox import ALIVE, SECOND_ENTER
from tests.clock import FrozenClock


@dataclass
class Modelled:
    """A delivery as it should be; `pushes` counts what may have gone out in its round."""

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


@dataclass
class ModelledReply:
    """A reply owed, until it is paid."""

    notification: str
    asked_by: str
    due_at: float
    lease_until: float | None = None
    is_paid: bool = False


@dataclass
class Accepted:
    """A notification; `same` is what makes another one the same again."""

    key: str
    same: tuple[str, tuple[str, ...]]
    accepted_at: float


@dataclass
class ModelledGate:
    """The account's slots, and what closes them; `slots` holds when each is free, and for whom."""

    limits: Limits
    slots: list[tuple[float, str | None]]
    closed_until: float = 0.0
    is_probing: bool = False
    probe_permit: str | None = None
    probe_until: float = 0.0

    def find_wait(self, now: float) -> float:
        """Return the seconds until a slot may be taken; 0 is now."""
        closed = max(self.closed_until, self.probe_until if self.is_probing else 0.0) - now
        return max(0.0, closed) or max(0.0, min(free_at for free_at, _ in self.slots) - now)

    def take(self, permit: str, now: float) -> None:
        number = next(n for n, (free_at, _) in enumerate(self.slots) if free_at <= now)
        self.slots[number] = (now + self.limits.lease, permit)
        if self.is_probing:
            self.probe_permit, self.probe_until = permit, now + self.limits.lease

    def give_back(self, permit: str, error: CrmError | None, *, used: bool, now: float) -> None:
        free_at = now + (self.limits.period + REOPEN_MARGIN if used else 0.0)
        self.slots = [(free_at, None) if slot[1] == permit else slot for slot in self.slots]
        if isinstance(error, CrmRateLimitedError):
            delay = max(self.limits.period, error.retry_after) + REOPEN_MARGIN
            self.closed_until = max(self.closed_until, now + delay)
            self.is_probing, self.probe_permit, self.probe_until = True, None, 0.0
        elif self.probe_permit == permit:
            self.is_probing = not used or isinstance(error, CrmConnectError)
            self.probe_permit, self.probe_until = None, 0.0


@dataclass
class Model:
    """Deliveries and replies by their number, notifications by their id."""

    clock: FrozenClock
    limits: Limits
    deliver_within: float
    deliveries: dict[int, Modelled] = field(default_factory=dict)
    replies: dict[int, ModelledReply] = field(default_factory=dict)
    accepted: dict[str, Accepted] = field(default_factory=dict)
    pressed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.gate = ModelledGate(self.limits, [(0.0, None)] * self.limits.limit)

    @property
    def now(self) -> float:
        return self.clock.time()

    def of(self, notification: str) -> list[Modelled]:
        return [each for each in self.deliveries.values() if each.notification == notification]

    # Acceptance.

    def accept(self, notification: str, key: str, sender: str, users: list[str], text: str) -> None:
        same = (f"{sender} {text}", tuple(sorted(users)))
        self.accepted[notification] = Accepted(key, same, self.now)
        for position, user in enumerate(users):
            crm = None if user else KEY_OWNER
            self.deliveries[len(self.deliveries) + 1] = Modelled(
                notification, position, user, crm, self.now, self.now + self.deliver_within
            )
        self.owe(notification, sender)

    def find_by_key(self, key: str) -> str | None:
        return next((id_ for id_, each in self.accepted.items() if each.key == key), None)

    def find_earlier(self, sender: str, users: list[str], text: str) -> set[str]:
        """Return the newest of those that reached the same people with the same, a moment ago."""
        same = (f"{sender} {text}", tuple(sorted(users)))
        alive = {
            id_: each.accepted_at
            for id_, each in self.accepted.items()
            if each.same == same
            and each.accepted_at > self.now - SECOND_ENTER
            and any(delivery.state in ALIVE for delivery in self.of(id_))
        }
        return {id_ for id_, at in alive.items() if at == max(alive.values())}

    # Sending.

    def find_next(self) -> int | None:
        """Return the lowest position, then the oldest, of what is due."""
        ready = [
            (each.position, number)
            for number, each in self.deliveries.items()
            if each.state is State.PENDING
            and each.crm is not None
            and each.twin_of is None
            and each.due_at <= self.now < each.expires_at
        ]
        return min(ready)[1] if ready else None

    def share(self, primary: int) -> None:
        ended = self.deliveries[primary]
        for each in self.deliveries.values():
            if each.twin_of == primary and ended.state in FINAL:
                each.end(ended.state, ended.code)

    def find_sending(self, number: int, attempt: int) -> Modelled | None:
        """Return the delivery of an attempt that is still being sent."""
        each = self.deliveries[number]
        return each if (each.attempt, each.state) == (attempt, State.SENDING) else None

    def correct(self, number: int, attempt: int, state: State, code: str | None) -> bool:
        """Replace what the lease of this very attempt left behind, and owe the last reply again."""
        each = self.deliveries[number]
        if (each.attempt, each.state, each.code) != (attempt, State.UNKNOWN, LEASE_RAN_OUT):
            return False
        each.end(state, code)
        self.share(number)
        last = [reply for reply in self.replies.values() if reply.notification == each.notification]
        last[-1].is_paid, last[-1].due_at, last[-1].lease_until = False, self.now, None
        return True

    def sweep(self) -> int:
        """End what time has ended, and return how many that were."""
        late, dead = [], []
        for number, each in self.deliveries.items():
            if each.state is State.PENDING and each.expires_at <= self.now:
                late.append(number)
            elif each.state is State.SENDING and each.lease_until <= self.now:
                dead.append(number)
        for number in late:
            self.deliveries[number].end(State.UNAVAILABLE, TOO_LATE)
        for number in dead:
            self.deliveries[number].end(State.UNKNOWN, LEASE_RAN_OUT)
            self.share(number)
        return len(late) + len(dead)

    # Buttons and replies.

    def cancel(self, notification: str) -> int:
        """Take back what waits, but for those who share a call that is under way."""
        waiting = [
            each
            for each in self.of(notification)
            if each.state is State.PENDING
            and (each.twin_of is None or self.deliveries[each.twin_of].state is not State.SENDING)
        ]
        for each in waiting:
            each.end(State.CANCELLED, None)
        return len(waiting)

    def reopen(self, notification: str, states: tuple[State, ...], asked_by: str) -> int:
        again = [each for each in self.of(notification) if each.state in states]
        for each in again:
            each.end(State.PENDING, None)
            each.crm, each.twin_of = (None if each.user else KEY_OWNER), None
            each.due_at, each.expires_at = self.now, self.now + self.deliver_within
            each.repeats = each.pushes = 0
        if again:
            self.owe(notification, asked_by)
        return len(again)

    def owe(self, notification: str, asked_by: str) -> None:
        self.replies[len(self.replies) + 1] = ModelledReply(notification, asked_by, self.now)

    def find_payable(self) -> set[int]:
        """Return the replies that may be handed out: those that are due longest."""
        payable = {
            number: each.due_at
            for number, each in self.replies.items()
            if not each.is_paid
            and each.due_at <= self.now
            and (each.lease_until is None or each.lease_until <= self.now)
            and all(delivery.state in FINAL for delivery in self.of(each.notification))
        }
        return {number for number, due in payable.items() if due == min(payable.values())}
