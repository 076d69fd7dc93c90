"""The decision about a pinned client, given the state of its member."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, NamedTuple

from adc.persistence.pin import Pin


class MemberState(Enum):
    """A pinned member as its pool sees it. REMOVED: the pool has no member of that id."""

    UP = "up"
    DOWN = "down"
    DRAINING = "draining"
    DISABLED = "disabled"
    REMOVED = "removed"


GRACE: Final = 0.5
"""Seconds that a pin outlives its timeout: the clocks of workers are as coarse as their ticks, and other workers
and nodes learn of a refresh a little later."""

_ROUNDING: Final = 0.01
_JUMP: Final = 5.0


class Stickiness(NamedTuple):
    """Duration and strength of pins. `timeout` without a request, `absolute_timeout` after the pin was made (0:
    never), in seconds. `keep_draining`: a draining member keeps its clients until their pins expire.

    Not every use of a pin is stored. A write lets the pin live for `lifetime`, and a request writes again if less than
    `keep` is left, so that after each request the pin lives for at least `timeout`, and at most `slack` longer.
    """

    timeout: float
    absolute_timeout: float = 0.0
    fallback: Literal["rebalance", "error"] = "rebalance"
    keep_draining: bool = True
    grace: float = GRACE

    @property
    def keep(self) -> float:
        """Seconds that any request must leave to its pin."""
        return self.timeout + self.grace

    @property
    def lifetime(self) -> float:
        """Seconds that a write leaves to a pin."""
        return self.keep + self.timeout / 10

    @property
    def slack(self) -> float:
        """Seconds that a pin may live longer than `timeout`."""
        return self.lifetime - self.timeout

    def expiry(self, created: float, now: float) -> float:
        """Return when a pin made at `created` and written `now` expires."""
        if self.absolute_timeout > 0:
            return min(now + self.lifetime, created + self.absolute_timeout)
        return now + self.lifetime

    def expired(self, pin: Pin, now: float) -> bool:
        """True if either timeout has passed."""
        return pin.expires <= now or 0 < self.absolute_timeout <= now - pin.created

    def refresh_due(self, pin: Pin, now: float) -> bool:
        """True if the use of `pin` must be written down: too little is left, or so much that the timeout must have
        been lowered or the clock been set back."""
        left = pin.expires - now
        if left > self.lifetime + _JUMP:
            return True
        if left >= self.keep:
            return False
        return self.absolute_timeout <= 0 or pin.expires < pin.created + self.absolute_timeout - _ROUNDING


class Action(Enum):
    """KEEP the pinned member, CHOOSE a new one by balancing, or REFUSE with 503."""

    KEEP = "keep"
    CHOOSE = "choose"
    REFUSE = "refuse"


class Verdict(NamedTuple):
    """`reason` is for logs and counters; `moves` is True if a client that had a member gets another one."""

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
