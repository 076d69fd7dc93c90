"""Clients that stay with a member by their address, beyond the end of a flow (`persistence: source`)."""

from __future__ import annotations

from collections.abc import Callable

from adc.http.client import Flow
from adc.persistence.decide import Action, MemberState, Stickiness, decide
from adc.persistence.identity import member_id
from adc.persistence.interface import PENDING
from adc.persistence.pin import Pin
from adc.persistence.table import TablePersistence
from adc.pools.errors import Failure
from adc.pools.member import Admin, Member
from adc.pools.pool import Pool


class Pins:
    """Keeps the clients of one pool on their members. `wall()` returns epoch seconds."""

    def __init__(
        self, persistence: TablePersistence[Flow], stickiness: Stickiness, wall: Callable[[], float]
    ) -> None:
        self._persistence = persistence
        self._stickiness = stickiness
        self._wall = wall
        self._of: tuple[Member, ...] = ()
        self._members: dict[bytes, Member] = {}
        self._ids: dict[Member, bytes] = {}

    def member(
        self, pool: Pool, flow: Flow, now: float, then: Callable[[], None] | None = None
    ) -> Member | Failure | None:
        """Return the member that the client of `flow` is pinned to, NO_MEMBER if only that may serve it and cannot,
        None if any may.

        A pin that only another machine may know is asked for if `then` is given: the result is CLIENT_GONE, and
        `then` is called later.
        """
        self._follow(pool)
        wall = self._wall()
        pin = self._persistence.pinned(flow, wall)
        if pin is PENDING:
            if then is not None:
                self._persistence.fetch(flow, wall, lambda _: then())
                return Failure.CLIENT_GONE
            pin = None
        found = None if pin is None else self._members.get(pin.member)
        verdict = decide(pin, _state(pool, found), wall, self._stickiness)
        if verdict.action is Action.REFUSE:
            return Failure.NO_MEMBER
        if verdict.moves:
            counts = self._persistence.counts.moved
            counts[verdict.reason] = counts.get(verdict.reason, 0) + 1
        return found if verdict.action is Action.KEEP else None

    def assign(self, pool: Pool, flow: Flow, member: Member) -> Member:
        """Pin the client of `flow` to `member`, unless it has a pin to a member that serves: another worker may have
        made it a moment before. Return the member that stands."""
        self._follow(pool)
        key = self._ids.get(member)
        if key is None:  # a reload has removed it
            return member
        wall = self._wall()
        found = self._persistence.pinned(flow, wall)
        pin = None if found is PENDING else found
        pinned = None if pin is None else self._members.get(pin.member)
        if pinned is None or pinned is member or not self._keeps(pool, pin, pinned, wall):
            pinned = self._members.get(self._persistence.assigned(flow, key, wall, pin), member)
        return pinned

    def _keeps(self, pool: Pool, pin: Pin | None, member: Member, wall: float) -> bool:
        return decide(pin, _state(pool, member), wall, self._stickiness).action is Action.KEEP

    def _follow(self, pool: Pool) -> None:
        """Index the members of `pool`, which only a reload changes."""
        if self._of is not pool.members:
            self._of = pool.members
            self._members = {member_id(pool.name, member.address): member for member in pool.members}
            self._ids = {member: name for name, member in self._members.items()}


def _state(pool: Pool, member: Member | None) -> MemberState:
    if member is None:
        return MemberState.REMOVED
    if member.admin is Admin.DISABLED:
        return MemberState.DISABLED
    if not member.pinnable and not pool.panicking:
        return MemberState.DOWN
    return MemberState.UP if member.admin is Admin.ENABLED else MemberState.DRAINING
