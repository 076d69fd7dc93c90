"""The choice that keeps each client on its member. Routes whose pool has no persistence have none of this."""

from __future__ import annotations

from functools import partial
from typing import Final

from adc.http.headers import Headers, Pair
from adc.http.message import Request
from adc.persistence.assignment import Assignment
from adc.persistence.decide import Action, MemberState, Stickiness, decide
from adc.persistence.identity import member_id
from adc.persistence.interface import PENDING, Persistence
from adc.persistence.pin import Pin
from adc.persistence.table import TablePersistence
from adc.pools.errors import Failure
from adc.pools.member import Admin, Member
from adc.pools.pool import Pool
from adc.proxy.states import ENDED
from adc.proxy.upstream.attempt import PoolDispatch
from adc.proxy.upstream.choice import Choice
from adc.proxy.upstream.request import UpstreamRequest

_ENABLED: Final = Admin.ENABLED


class StickyChoice(Choice):
    """Chooses the member that the client is pinned to, and for other clients as the pool balances."""

    __slots__ = ("_ids", "_members", "_of", "_persistence", "_stickiness")

    def __init__(self, pool: Pool, persistence: Persistence, stickiness: Stickiness) -> None:
        super().__init__(pool, persistence.marks_requests)
        self._persistence = persistence
        self._stickiness = stickiness
        self._of: tuple[Member, ...] = ()
        self._members: dict[bytes, Member] = {}
        self._ids: dict[Member, bytes] = {}

    def first(self, dispatch: PoolDispatch, upstream: UpstreamRequest, now: float) -> Member | None:
        pool, wall = self.pool, upstream.context.clock.wall
        if self._of is not pool.members:
            self._learn_members()
        pin = self._persistence.pinned(upstream.request, wall)
        if pin is PENDING:
            self._ask(dispatch, upstream, wall)
            return None
        if pin is None:
            return self._choose(dispatch, upstream, None)
        # The member of most clients serves as before: the result of `_choose` in that case, without its calls.
        member = self._members.get(pin.member)
        if (
            member is not None
            and member.pinnable
            and member.admin is _ENABLED
            and pool.has_room(member)
            and self._persistence.assigned(upstream.request, pin.member, wall, pin) == pin.member
        ):
            upstream.assignment = Assignment(self._persistence, pin, pin.member, True)
            return member
        return self._choose(dispatch, upstream, pin)

    def _know_members(self, now: float) -> None:
        """Follow reloads: they may have changed the members, those of the pools of before, too."""
        self.pool.refresh(now)
        if self._of is not self.pool.members:
            self._learn_members()

    def _learn_members(self) -> None:
        pool = self.pool
        self._of = pool.members
        self._members = {member_id(pool.name, member.address): member for member in pool.members}
        self._ids = {member: name for name, member in self._members.items()}

    def _ask(self, dispatch: PoolDispatch, upstream: UpstreamRequest, wall: float) -> None:
        """Ask the other machines for the client's pin. Where a request alone makes a pin, ask with the pin that is to
        be made if there is none: of machines that ask at one moment only one makes its pin."""
        persistence, request = self._persistence, upstream.request
        if isinstance(persistence, TablePersistence) and not persistence.learns:
            self._know_members(upstream.context.clock.now)
            member = self.place(upstream, None)
            if member is not None:
                claimed = partial(self._claimed, dispatch, upstream, member)
                persistence.claim(request, self._ids[member], wall, claimed)
                return
        self._fetch(dispatch, upstream, wall)

    def _fetch(self, dispatch: PoolDispatch, upstream: UpstreamRequest, wall: float) -> None:
        self._persistence.fetch(upstream.request, wall, partial(self._fetched, dispatch, upstream))

    def _claimed(
        self, dispatch: PoolDispatch, upstream: UpstreamRequest, member: Member, pin: Pin | None
    ) -> None:
        """Pin the client by `pin`, or to `member` from now on."""
        if upstream.state == ENDED:
            return
        if pin is not None:
            self._fetched(dispatch, upstream, pin)
            return
        now = upstream.context.clock.now
        self._know_members(now)
        mine = self._ids.get(member)
        if mine is None or not member.pinnable:  # gone in the meantime
            self._begin(dispatch, upstream, self.first(dispatch, upstream, now))
        elif not self.pool.has_room(member):
            dispatch.unserved(upstream, member)
        else:
            upstream.assignment = Assignment(self._persistence, None, mine, False)
            dispatch.begin(upstream, member)

    def _fetched(self, dispatch: PoolDispatch, upstream: UpstreamRequest, pin: Pin | None) -> None:
        if upstream.state != ENDED:  # the client may have gone meanwhile
            self._begin(dispatch, upstream, self._choose(dispatch, upstream, pin))

    def _begin(self, dispatch: PoolDispatch, upstream: UpstreamRequest, member: Member | None) -> None:
        if member is not None:
            dispatch.begin(upstream, member)

    def _choose(self, dispatch: PoolDispatch, upstream: UpstreamRequest, pin: Pin | None) -> Member | None:
        """Keep, choose or refuse; what `first` returns."""
        clock = upstream.context.clock
        self._know_members(clock.now)  # a pin that had to be fetched may have taken a while
        member = self._members.get(pin.member) if pin is not None else None
        verdict = decide(pin, self._state(member), clock.wall, self._stickiness)
        if verdict.action is Action.REFUSE:
            dispatch.refuse(upstream, Failure.NO_MEMBER)
            return None
        kept = verdict.action is Action.KEEP
        if not kept:
            member = self._kept_for(upstream, pin)
            if member is None:
                member = self.place(upstream, pin if verdict.moves else None)
        elif member is not None and not self.pool.has_room(member):
            dispatch.unserved(upstream, member)
            return None
        if member is None:
            dispatch.unserved(upstream)
            return None
        if verdict.moves:
            self._count_move(verdict.reason)
        return self._assign(upstream, member, pin, kept)

    def _kept_for(self, upstream: UpstreamRequest, pin: Pin | None) -> Member | None:
        """Return the member that knows the client by its connection, if the client shows no pin: one that
        authenticates with NTLM need not keep cookies."""
        if pin is not None or not upstream.request.tied:
            return None
        member = self.kept_member(upstream)
        return member if member is not None and self.pool.has_room(member) else None

    def place(
        self, upstream: UpstreamRequest, pin: Pin | None, tried: tuple[Member, ...] = ()
    ) -> Member | None:
        """Choose a member for a client that has none, or whose member does not serve: then the same one for each of
        its requests. None if no member is free."""
        now, request = upstream.context.clock.now, upstream.request
        if pin is None:
            return self.pool.pick(request, now, tried)
        return self.pool.relocate(_identity(pin), request, now, tried)

    def _assign(self, upstream: UpstreamRequest, member: Member, pin: Pin | None, kept: bool) -> Member:
        """Remember where the client belongs; returns the member that stands, should another worker have
        pinned the same client a moment before."""
        mine, persistence = self._ids[member], self._persistence
        stands = persistence.assigned(upstream.request, mine, upstream.context.clock.wall, pin)
        if stands != mine:
            theirs = self._members.get(stands)
            if theirs is not None and theirs.pinnable:
                upstream.assignment = Assignment(persistence, pin, stands, False)
                return theirs
        upstream.assignment = Assignment(persistence, pin, mine, kept)
        return member

    def _state(self, member: Member | None) -> MemberState:
        if member is None:
            return MemberState.REMOVED
        if member.admin is Admin.DISABLED:
            return MemberState.DISABLED
        if not member.pinnable and not self.pool.panicking:
            return MemberState.DOWN
        return MemberState.UP if member.admin is Admin.ENABLED else MemberState.DRAINING

    def _count_move(self, reason: str) -> None:
        moved = self._persistence.counts.moved
        moved[reason] = moved.get(reason, 0) + 1

    def unmarked(self, request: Request, lines: list[Pair]) -> list[Pair]:
        if b"cookie" not in request.headers:
            return lines
        headers = Headers(lines)
        self._persistence.forward(headers)
        return headers.pairs

    # Another member.

    def is_bound(self, upstream: UpstreamRequest) -> bool:
        assignment = upstream.assignment
        return assignment is not None and assignment.kept and self._stickiness.fallback == "error"

    def next(
        self,
        upstream: UpstreamRequest,
        failed: Member,
        now: float,
        tried: tuple[Member, ...],
        refused: bool = False,
    ) -> Member | None:
        """Return the member for another attempt: where another request of the client has moved it already, else the
        same one for each request of the client, so that its session stays in one place. The client's pin follows only
        if its member is down or refuses connections, or if the client is new and nothing is lost."""
        self._know_members(now)
        assignment, request = upstream.assignment, upstream.request
        if assignment is None:
            return self.pool.pick(request, now, tried)
        pin = self._current_pin(upstream, assignment)
        if pin is not None:
            member = self._members.get(pin.member)
            if member is not None and self._serves(member, tried):
                upstream.assignment = Assignment(self._persistence, pin, pin.member, True)
                return member
        member = self.place(upstream, pin, tried)
        gone = refused or not failed.pinnable
        return None if member is None else self._moved(upstream, assignment, gone, member, pin)

    def _current_pin(self, upstream: UpstreamRequest, assignment: Assignment) -> Pin | None:
        found = self._persistence.pinned(upstream.request, upstream.context.clock.wall)
        return found if isinstance(found, Pin) else assignment.pin

    def _serves(self, member: Member, tried: tuple[Member, ...]) -> bool:
        return member.pinnable and member not in tried and self.pool.has_room(member)

    def _moved(
        self,
        upstream: UpstreamRequest,
        assignment: Assignment,
        gone: bool,
        member: Member,
        pin: Pin | None,
    ) -> Member:
        """Let the client belong to `member` if its own is `gone` or the client is new; returns the member that
        stands."""
        if assignment.kept and not gone:
            return member
        if assignment.kept:
            self._count_move(MemberState.DOWN.value)
        member = self._assign(upstream, member, pin, False)
        before = assignment.pin if assignment.kept else None
        upstream.assignment = Assignment(self._persistence, before, self._ids[member], False)
        return member

    def hedge(self, upstream: UpstreamRequest, known: tuple[Member, ...], now: float) -> Member | None:
        """Return the member that would be next if the first had failed; the pin stays where it is."""
        self._know_members(now)
        assignment = upstream.assignment
        if assignment is None:
            return self.pool.pick(upstream.request, now, known)
        if self.is_bound(upstream):
            return None
        return self.place(upstream, self._current_pin(upstream, assignment), known)

    def hedge_won(self, upstream: UpstreamRequest, first: Member, winner: Member, now: float) -> None:
        """Move the pin as after a failure of `first`: a client that was pinned stays, unless `first` is down."""
        self._know_members(now)
        assignment = upstream.assignment
        if assignment is not None and winner in self._ids:
            pin = self._current_pin(upstream, assignment)
            self._moved(upstream, assignment, not first.pinnable, winner, pin)


def _identity(pin: Pin) -> bytes:
    """Return what all requests of a client with this pin have in common."""
    return b"%b %d" % (pin.member, round(pin.created * 1e6))
