"""What becomes of a pinned client, given the state of its member."""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple

from adc.persistence.pin import Pin


class MemberState(Enum):
    """A pinned member as its pool sees it. REMOVED: the pool has no member of that id."""

    UP = "up"
    DOWN = "down"
    DRAINING = "draining"
    DISABLED = "disabled"
    REMOVED = "removed"


class Stickiness(NamedTuple):
    """How long a pin holds and how hard. `timeout` without a request, `absolute_timeout` after it was made
    (0: never), in seconds. `keep_draining`: a draining member keeps its clients until their pins time out."""

    timeout: float
    absolute_timeout: float = 0.0
    fallback: Literal["rebalance", "error"] = "rebalance"
    keep_draining: bool = True

    def expired(self, pin: Pin, now: float) -> bool:
        """Whether either time limit has passed."""
        return now - pin.seen >= self.timeout or 0 < self.absolute_timeout <= now - pin.created

    def time_left(self, created: float, now: float) -> float:
        """How long a pin made at `created` and used `now` will live on without another request."""
        if self.absolute_timeout > 0:
            return min(self.timeout, created + self.absolute_timeout - now)
        return self.timeout

    @property
    def refresh_after(self) -> float:
        """Seconds after which the use of a pin is worth writing down: a tenth of the timeout."""
        return self.timeout / 10

    def refresh_due(self, pin: Pin, now: float) -> bool:
        """Whether the use of `pin` is worth writing down."""
        return now - pin.seen >= self.refresh_after


class Action(Enum):
    """KEEP the pinned member, CHOOSE one afresh by balancing, or REFUSE with 503."""

    KEEP = "keep"
    CHOOSE = "choose"
    REFUSE = "refuse"


class Verdict(NamedTuple):
    """`reason` names why for logs and counters; `moves` says that a client which had a member gets
    another."""

    action: Action
    reason: str
    moves: bool = False


_NEW = Verdict(Action.CHOOSE, "new")
_EXPIRED = Verdict(Action.CHOOSE, "expired")
_PINNED = Verdict(Action.KEEP, "pinned")
_KEPT_DRAINING = Verdict(Action.KEEP, "draining")
_REFUSED = Verdict(Action.REFUSE, "down")
_MOVED = {state: Verdict(Action.CHOOSE, state.value, moves=True) for state in MemberState}


def decide(pin: Pin | None, state: MemberState, now: float, options: Stickiness) -> Verdict:
    """Keep, choose or refuse. A client that was moved stays where it was moved to when its first member is
    back. `fallback: error` waits for a member that is down; one that is removed or disabled is not waited
    for."""
    if pin is None:
        return _NEW
    if options.expired(pin, now):
        return _EXPIRED
    if state is MemberState.UP:
        return _PINNED
    if state is MemberState.DRAINING and options.keep_draining:
        return _KEPT_DRAINING
    if state is MemberState.DOWN and options.fallback == "error":
        return _REFUSED
    return _MOVED[state]
