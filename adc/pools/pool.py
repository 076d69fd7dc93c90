"""A pool: which member serves a request."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from math import inf
from typing import Any

from adc.http.client import Flow
from adc.pools.adaptive import AdaptiveLimit
from adc.pools.balancers.base import Balancer, Learner
from adc.pools.balancers.first import First
from adc.pools.balancers.rendezvous import member_for
from adc.pools.breaker import Breaker
from adc.pools.errors import Failure, FailureSource, Outcome
from adc.pools.limits import Limits
from adc.pools.member import Admin, Health, Member
from adc.pools.outlier import Outlier
from adc.pools.queue import WaitQueue
from adc.pools.slow_start import SlowStart

NO_LIMITS = Limits()

_OVERLAP = 0.2
"""Seconds after an ejection within which an attempt may have begun before it: the clock is as coarse as its ticks."""

Observer = Callable[[Member, float, Outcome, float], None]


def _unheard(member: Member, before: str) -> None:
    """No-op: nothing listens for changes of state."""


class _Load:
    """Counters that all generations of a pool share."""

    __slots__ = ("attempts",)

    def __init__(self) -> None:
        self.attempts = 0


class Pool:
    """A named set of members with one balancer.

    Times are monotonic seconds. The tuple of candidates is computed when a state changes and at the moments that
    ejections and slow starts set, so that a pick among healthy members is one comparison and the balancer's work.

    An ejected member serves when no other member is left, unless its active checks fail too; once it serves well, its
    ejection ends. `panic`: with no backup available, once less than this share of the enabled members is available, all
    enabled members serve, whatever their health (0: never). `changed` is called with a member whose state changed and
    the word for its state before. `unserved` counts picks that found no member.
    """

    __slots__ = (
        "_balancer",
        "_cap",
        "_choose",
        "_load",
        "_observers",
        "_outlier",
        "_panic",
        "_resort",
        "_review_at",
        "_slow_start",
        "_spare",
        "_successor",
        "_usable",
        "breaker",
        "changed",
        "limits",
        "members",
        "name",
        "panicking",
        "queue",
        "unserved",
    )

    def __init__(
        self,
        name: str,
        members: Sequence[Member],
        balancer: Balancer,
        *,
        limits: Limits = NO_LIMITS,
        slow_start: float = 0.0,
        outlier: Outlier | None = None,
        panic: float = 0.0,
        adaptive: AdaptiveLimit | None = None,
        changed: Callable[[Member, str], None] = _unheard,
    ) -> None:
        self.name = name
        self.members = tuple(members)
        self.limits = limits
        self.changed = changed
        self.unserved = 0
        self.panicking = False
        self._balancer = balancer
        self._load = _Load()
        self._cap = limits.connections_per_member
        self._choose: Callable[[Sequence[Member], Flow], Member | None]
        self._choose = self._choose_below_cap if self._cap else balancer.pick
        self._slow_start = SlowStart(slow_start) if slow_start else None
        self._outlier = outlier
        self._panic = panic
        self._successor: Pool | None = None
        self._resort: tuple[Member, ...] = ()
        self._spare: tuple[Member, ...] = ()
        self._usable: tuple[Member, ...] = ()
        self.queue: WaitQueue[Any] | None = None
        if limits.queue:
            self.queue = WaitQueue(limits.queue, newest_first=limits.newest_first)
        self.breaker: Breaker | None = None
        if limits.requests or limits.pending or limits.connections or adaptive is not None:
            self.breaker = Breaker(limits, adaptive)
        self._observers = self._find_observers(adaptive)
        self._review(0.0)

    def _find_observers(self, adaptive: AdaptiveLimit | None) -> list[Observer]:
        """Return the observers of ended attempts; none, unless a feature that learns from them is on."""
        observers: list[Observer] = []
        if isinstance(self._balancer, Learner):
            observers.append(self._balancer.observe)
        if self._outlier is not None:
            observers.append(self._judge)
        if adaptive is not None:
            observers.append(adaptive.observe)
        return observers

    def pick(self, flow: Flow, now: float, exclude: Container[Member] = ()) -> Member | None:
        """Return the member for `flow`, none of `exclude`; None if there is none, or all are at their limit."""
        if now >= self._review_at:
            self._review(now)
        candidates = self._usable
        if exclude:
            return self._pick_another(candidates, flow, exclude)
        choose = self._choose
        member = choose(candidates, flow) if candidates else None
        if member is None:
            self.unserved += 1
        return member

    def relocate(self, key: bytes, flow: Flow, now: float, exclude: Container[Member] = ()) -> Member | None:
        """Return the member for a client that cannot stay where it is: the same for each request with `key` and in all
        workers, whatever the load; None if there is none, or all are at their limit."""
        self.refresh(now)
        if isinstance(self._balancer, First):  # which has an order of its own
            return self.pick(flow, now, exclude)
        free = [member for member in self.beside(exclude) if self.has_room(member)]
        if not free:
            self.unserved += 1
            return None
        return member_for(key, free)

    @property
    def active(self) -> int:
        """Attempts in flight, whichever generation of the pool began them."""
        return self._load.attempts

    @property
    def room(self) -> bool:
        """True if any of the members that serve now is below its limit."""
        return not self._cap or any(member.active < self._cap for member in self._usable)

    def beside(self, tried: Container[Member]) -> list[Member]:
        """Return the members that `pick` would choose from, except `tried`. If `pick` found none of them free, waiting
        helps.

        Ejected members come last: an ejection is a guess about the next request, the failures at `tried` are facts.
        """
        for members in (self._usable, self._spare, self._resort):
            left = [member for member in members if member not in tried]
            if left:
                return left
        return []

    def has_room(self, member: Member) -> bool:
        """True if `member` is below its limit."""
        return not self._cap or member.active < self._cap

    def refresh(self, now: float) -> None:
        """Apply changes that depend only on time. `pick` does this too."""
        if now >= self._review_at:
            self._review(now)

    def watch(self, observer: Observer) -> None:
        """Notify `observer` of the end of every attempt."""
        self._observers.append(observer)

    def started(self, member: Member, now: float) -> None:
        """Note that an attempt at `member` begins."""
        member.active += 1
        if member.shared is not None:
            member.shared.add(1)
        self._load.attempts += 1
        member.requests += 1

    def finished(self, member: Member, now: float, outcome: Outcome, elapsed: float) -> None:
        """Note that an attempt at `member` ended, `elapsed` seconds after it began. Call it once for each `started`."""
        member.active -= 1
        if member.shared is not None:
            member.shared.add(-1)
        self._load.attempts -= 1
        if not isinstance(outcome, int) and outcome.source is FailureSource.MEMBER:
            member.failures += 1
            if outcome.unsent:
                member.connect_failures += 1
        for observe in self._observers:
            observe(member, now, outcome, elapsed)

    def set_health(self, member: Member, health: Health, now: float, reason: str = "") -> None:
        """Apply the results of active checks. A member that passes again is ejected no longer."""
        if member.health is not health:
            if health is Health.UP and member.health is Health.DOWN:
                member.ejected = False
            member.health = health
            self._settle(member, now, reason)

    def set_admin(self, member: Member, admin: Admin, now: float, reason: str = "") -> None:
        """Apply the operator's decision."""
        if member.admin is not admin:
            member.admin = admin
            self._settle(member, now, reason)

    def eject(self, member: Member, now: float, reason: str, unreachable: bool = False) -> bool:
        """Eject `member` for a while; False if it is out already, the limit forbids it, or no member would be left."""
        if self._outlier is None or member.ejected or not self._outlier.room(self.members):
            return False
        if self._usable == (member,) and not self._spare:
            return False
        self._outlier.eject(member, now, unreachable)
        self._settle(member, now, reason)
        return True

    def adopt(self, previous: Pool, now: float, *, checked: bool = True) -> list[Member]:
        """Carry over the members that `previous` has too, by address, and return the ones that only it has.

        Their state, counters and links stay, and so does the queue; weight, backup and name become those of this pool.
        Exchanges that began on `previous` finish on it: it picks among the members of this one, and their results
        count here. So call this when this pool replaces the other, before its first pick. `checked`: active checks
        continue; without them earlier results are dropped, because nothing would ever correct them.
        """
        known = {member.address: member for member in previous.members}
        self.members = tuple(self._carried(member, known, now, checked) for member in self.members)
        if self.queue is not None and previous.queue is not None:
            previous.queue.limit = self.queue.limit
            self.queue = previous.queue
        if self.breaker is not None and previous.breaker is not None:
            self.breaker.adopt(previous.breaker)
        previous._observers[:] = self._observers  # one list for all generations, so that the newest learns
        self._observers = previous._observers
        self._load = previous._load
        for member in self._outlier.excess(self.members) if self._outlier else self.members:
            member.ejected = False
            member.refresh()
        self._review(now)
        previous._successor = self
        previous.members = self.members
        previous._review_at = -inf
        return list(known.values())

    def _follow(self, successor: Pool) -> None:
        """Serve the exchanges that began here like `successor`."""
        self._cap = successor._cap
        self._choose = self._choose_below_cap if self._cap else self._balancer.pick
        self.members = successor.members
        self._resort, self._spare, self._usable = successor._resort, successor._spare, successor._usable
        self._balancer.prepare(self._usable)
        self.queue = successor.queue

    def _carried(self, fresh: Member, known: dict[str, Member], now: float, checked: bool) -> Member:
        member = known.pop(fresh.address, None)
        if member is None:
            fresh.since = fresh.recovered_at = now
            return fresh
        member.pool = fresh.pool
        member.name = fresh.name
        member.weight = fresh.weight
        member.backup = fresh.backup
        member.share_load(fresh.shared)
        if not checked:
            member.health = Health.UNKNOWN
        member.refresh()
        return member

    def _pick_another(
        self, candidates: tuple[Member, ...], flow: Flow, exclude: Container[Member]
    ) -> Member | None:
        left = self.beside(exclude)
        if not left:
            return None
        if left[0] in candidates:
            return self._choose(left, flow)
        member = min(
            left, key=lambda member: member.active / member.share
        )  # not balanced: backups, ejected ones
        return None if self._cap and member.active >= self._cap else member

    def _choose_below_cap(self, members: Sequence[Member], flow: Flow) -> Member | None:
        member = self._balancer.pick(members, flow)
        if member.active < self._cap:
            return member
        free = [member for member in members if member.active < self._cap]
        return self._balancer.pick(free, flow) if free else None

    def _judge(self, member: Member, now: float, outcome: Outcome, elapsed: float) -> None:
        if self._outlier is None:
            return
        if member.ejected:
            if self._outlier.succeeded(outcome) and now - elapsed > member.since + _OVERLAP:
                member.ejected = False
                self._settle(member, now, "served while ejected")
        elif self._outlier.observe(member, outcome, now):
            reason = f"passive: {outcome.value if isinstance(outcome, Failure) else outcome}"
            self.eject(member, now, reason, isinstance(outcome, Failure) and outcome.unsent)

    def _settle(self, member: Member, now: float, reason: str) -> None:
        """Follow a change of state of `member`."""
        self._mark(member, now, reason)
        self._review(now)

    def _mark(self, member: Member, now: float, reason: str) -> None:
        was_available = member.available
        member.refresh()
        if member.available and not was_available:
            member.recovered_at = now
        member.since = now
        member.reason = reason
        before, member.reported = member.reported, member.state
        self.changed(member, before)

    def _review(self, now: float) -> None:
        """Bring shares and candidates up to date and note when time alone will change them next."""
        if self._successor is not None:
            self._successor.refresh(now)
            self._follow(self._successor)
            return
        for member in self.members:
            if member.ejected and member.ejected_until <= now:
                member.ejected = False
                self._mark(member, now, "ejection over")
        self._review_at = inf
        for member in self.members:
            if member.ejected:
                self._review_at = min(self._review_at, member.ejected_until)
            if self._slow_start is not None:
                member.share = self._slow_start.share(member, now)
                self._review_at = min(self._review_at, self._slow_start.next_step(member, now))
            else:
                member.share = float(member.weight)
        self._usable = self._candidates()
        self._balancer.prepare(self._usable)

    def _candidates(self) -> tuple[Member, ...]:
        primaries = tuple(member for member in self.members if member.available and not member.backup)
        backups = tuple(member for member in self.members if member.available and member.backup)
        enabled = tuple(
            member for member in self.members if member.admin is Admin.ENABLED and member.weight > 0
        )
        self.panicking = not backups and len(primaries) < len(enabled) * self._panic
        if self.panicking:
            self._spare = self._resort = ()
            return enabled
        self._spare = backups if primaries else ()
        resort = tuple(member for member in enabled if member.ejected and member.health is not Health.DOWN)
        self._resort = resort if primaries or backups else ()
        return primaries or backups or resort
