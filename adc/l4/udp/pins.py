"""Clients that stay with a member by their address, beyond the end of a session (`persistence: source`)."""

from __future__ import annotations

import time

from adc.http.client import Flow
from adc.persistence.decide import Action, MemberState, Stickiness, decide
from adc.persistence.identity import member_id
from adc.persistence.interface import PENDING
from adc.persistence.table import TablePersistence
from adc.pools.member import Admin, Member
from adc.pools.pool import Pool


class SourcePins:
    """Pins the sources of datagrams to members. A pin that only another machine may know is not waited for."""

    def __init__(self, persistence: TablePersistence[Flow], stickiness: Stickiness) -> None:
        self._persistence = persistence
        self._stickiness = stickiness

    def choose(self, pool: Pool, flow: Flow, now: float) -> Member | None:
        """Return the member for a new session of `flow`; None if none may serve it."""
        wall = time.time()
        found = self._persistence.pinned(flow, wall)
        pin = None if found is PENDING else found
        ids = {member_id(pool.name, member.address): member for member in pool.members}
        pinned = None if pin is None else ids.get(pin.member)
        verdict = decide(pin, _state(pinned), wall, self._stickiness)
        if verdict.action is Action.REFUSE:
            return None
        if verdict.moves:
            counts = self._persistence.counts.moved
            counts[verdict.reason] = counts.get(verdict.reason, 0) + 1
        member = pinned if verdict.action is Action.KEEP else pool.pick(flow, now)
        if member is None:
            return None
        stands = self._persistence.assigned(flow, member_id(pool.name, member.address), wall, pin)
        return ids.get(stands, member)


def _state(member: Member | None) -> MemberState:
    if member is None:
        return MemberState.REMOVED
    if member.admin is Admin.DISABLED:
        return MemberState.DISABLED
    if not member.pinnable:
        return MemberState.DOWN
    return MemberState.UP if member.admin is Admin.ENABLED else MemberState.DRAINING
