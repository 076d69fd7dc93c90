"""Forwarding that keeps each client on its member. Routes whose pool has no persistence have none of this."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from adc.codecs.interface import MemberConnection
from adc.http.headers import Headers, Pair
from adc.http.message import Response
from adc.persistence.decide import Action, MemberState, Stickiness, decide
from adc.persistence.identity import member_id
from adc.persistence.interface import PENDING, Persistence
from adc.persistence.pin import Pin
from adc.persistence.table import TablePersistence
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Admin, Member
from adc.pools.pool import Pool
from adc.pools.retry import RetryPolicy
from adc.proxy.attempt import Attempt
from adc.proxy.forward import Forward
from adc.proxy.pipeline import Timeouts

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange

_ENABLED: Final = Admin.ENABLED


class Assignment:
    """The state of one exchange's pin: the `pin` found, the id of the member that it belongs to
    from now on, and whether that is the one it had (`kept`)."""

    __slots__ = ("kept", "member", "pin")

    def __init__(self, pin: Pin | None, member: bytes, kept: bool) -> None:
        self.pin = pin
        self.member = member
        self.kept = kept


class StickyForward(Forward):
    """Passes each exchange to the member that its client is pinned to, others as the pool balances."""

    __slots__ = ("_ids", "_members", "_of", "_persistence", "_stickiness")

    def __init__(
        self,
        pool: Pool,
        timeouts: Timeouts,
        retry: RetryPolicy,
        persistence: Persistence,
        stickiness: Stickiness,
    ) -> None:
        super().__init__(pool, timeouts, retry)
        self._persistence = persistence
        self._stickiness = stickiness
        self._of: tuple[Member, ...] = ()
        self._members: dict[bytes, Member] = {}
        self._ids: dict[Member, bytes] = {}

    def __call__(self, exchange: Exchange) -> None:
        self.enter(exchange)
        self.choose(exchange)

    def choose(self, exchange: Exchange) -> None:
        pool, wall = self.pool, exchange.service.clock.wall
        if self._of is not pool.members:
            self._learn_members()
        if exchange.tried:
            self._choose_another(exchange)
            return
        pin = self._persistence.pinned(exchange.request, wall)
        if pin is PENDING:
            self._ask(exchange, wall)
            return
        if pin is None:
            self._choose(exchange, None)
            return
        # The member of most clients serves as before: what `_choose` comes to then, in one go.
        member = self._members.get(pin.member)
        if (
            member is not None
            and member.pinnable
            and member.admin is _ENABLED
            and pool.has_room(member)
            and self._persistence.assigned(exchange.request, pin.member, wall, pin) == pin.member
        ):
            exchange.sticky = Assignment(pin, pin.member, True)
            self._try(exchange, member)
        else:
            self._choose(exchange, pin)

    def _choose_another(self, exchange: Exchange) -> None:
        """The turn has come of an exchange whose member failed."""
        tried = exchange.tried
        member = self._elsewhere(exchange, tried[-1], exchange.service.clock.now, tried)
        if member is None:
            self.unserved(exchange)
            return
        member.retries += 1
        self._try(exchange, member)

    def _know_members(self, now: float) -> None:
        """Several reloads may have changed the members, of the pools of before, too."""
        self.pool.refresh(now)
        if self._of is not self.pool.members:
            self._learn_members()

    def _learn_members(self) -> None:
        pool = self.pool
        self._of = pool.members
        self._members = {member_id(pool.name, member.address): member for member in pool.members}
        self._ids = {member: name for name, member in self._members.items()}

    def _ask(self, exchange: Exchange, wall: float) -> None:
        """Ask the other machines for the client's pin. Where a request alone makes a pin, ask with the pin that is to
        be made if there is none: of machines that ask at one moment only one makes its pin."""
        persistence, request = self._persistence, exchange.request
        if isinstance(persistence, TablePersistence) and not persistence.learns:
            self._know_members(exchange.service.clock.now)
            member = self.place(exchange, None)
            if member is not None:
                claimed = partial(self._claimed, exchange, member)
                persistence.claim(request, self._ids[member], wall, claimed)
                return
        persistence.fetch(request, wall, partial(self._fetched, exchange))

    def _claimed(self, exchange: Exchange, member: Member, pin: Pin | None) -> None:
        """The client has `pin`, or belongs to `member` from now on."""
        if exchange.finished_at:
            return
        if pin is not None:
            self._choose(exchange, pin)
            return
        self._know_members(exchange.service.clock.now)
        mine = self._ids.get(member)
        if mine is None or not member.pinnable:  # gone in the meantime
            self.choose(exchange)
        elif not self.pool.has_room(member):
            self.unserved(exchange, member)
        else:
            exchange.sticky = Assignment(None, mine, False)
            self._try(exchange, member)

    def _fetched(self, exchange: Exchange, pin: Pin | None) -> None:
        if not exchange.finished_at:  # the client may have gone meanwhile
            self._choose(exchange, pin)

    def _choose(self, exchange: Exchange, pin: Pin | None) -> None:
        """Keep, choose or refuse."""
        clock = exchange.service.clock
        self._know_members(clock.now)  # a pin that had to be fetched may have taken a while
        member = self._members.get(pin.member) if pin is not None else None
        verdict = decide(pin, self._state(member), clock.wall, self._stickiness)
        if verdict.action is Action.REFUSE:
            self.refuse(exchange, Failure.NO_MEMBER)
            return
        kept = verdict.action is Action.KEEP
        if not kept:
            member = self._kept_for(exchange, pin)
            if member is None:
                member = self.place(exchange, pin if verdict.moves else None)
        elif member is not None and not self.pool.has_room(member):
            self.unserved(exchange, member)
            return
        if member is None:
            self.unserved(exchange)
            return
        if verdict.moves:
            self._count_move(verdict.reason)
        self._try(exchange, self._assign(exchange, member, pin, kept))

    def _kept_for(self, exchange: Exchange, pin: Pin | None) -> Member | None:
        """Return the member that knows the client by its connection, if the client shows no pin: one that
        authenticates with NTLM need not keep cookies."""
        if pin is not None or not exchange.request.tied:
            return None
        member = self.kept_member(exchange)
        return member if member is not None and self.pool.has_room(member) else None

    def place(self, exchange: Exchange, pin: Pin | None, tried: tuple[Member, ...] = ()) -> Member | None:
        """Choose a member for a client that has none, or whose member does not serve: then the same one for each of
        its requests. None if no member is free."""
        now, request = exchange.service.clock.now, exchange.request
        if pin is None:
            return self.pool.pick(request, now, tried)
        return self.pool.relocate(_identity(pin), request, now, tried)

    def _assign(self, exchange: Exchange, member: Member, pin: Pin | None, kept: bool) -> Member:
        """Remember where the client belongs; returns the member that stands, should another worker have
        pinned the same client a moment before."""
        mine = self._ids[member]
        stands = self._persistence.assigned(exchange.request, mine, exchange.service.clock.wall, pin)
        if stands != mine:
            theirs = self._members.get(stands)
            if theirs is not None and theirs.pinnable:
                exchange.sticky = Assignment(pin, stands, False)
                return theirs
        exchange.sticky = Assignment(pin, mine, kept)
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

    def send(self, exchange: Exchange, connection: MemberConnection, lines: list[Pair] | None = None) -> None:
        if self._persistence.marks_requests and b"cookie" in exchange.request.headers:
            headers = Headers(exchange.service.member_lines(exchange))
            self._persistence.forward(headers)
            lines = headers.pairs
        super().send(exchange, connection, lines)

    def another(
        self, attempt: Attempt, outcome: Outcome, now: float, tried: tuple[Member, ...]
    ) -> Member | None:
        """A stale connection says nothing of the member: the same one again, on a new connection. Otherwise
        another one for this request; the client's pin follows only if its member is really down, or if the
        client is new and nothing is lost."""
        exchange = attempt.exchange
        assignment = exchange.sticky
        self._know_members(now)
        if outcome is Failure.STALE_CONNECTION and attempt.member.pinnable:
            return attempt.member
        if assignment is None:
            return super().another(attempt, outcome, now, tried)
        if assignment.kept and self._stickiness.fallback == "error":
            return None
        return self._elsewhere(exchange, attempt.member, now, tried)

    def may_wait(self, exchange: Exchange, tried: tuple[Member, ...]) -> bool:
        assignment = exchange.sticky
        bound = assignment is not None and assignment.kept and self._stickiness.fallback == "error"
        return not bound and super().may_wait(exchange, tried)

    def _elsewhere(
        self, exchange: Exchange, failed: Member, now: float, tried: tuple[Member, ...]
    ) -> Member | None:
        """Return the member for another attempt: where another request of the client has moved it already, else the
        same one for each request of the client, so that its session stays in one place."""
        assignment, request = exchange.sticky, exchange.request
        found = self._persistence.pinned(request, exchange.service.clock.wall)
        pin = found if isinstance(found, Pin) else None if assignment is None else assignment.pin
        if pin is not None:
            member = self._members.get(pin.member)
            if member is not None and self._serves(member, tried):
                exchange.sticky = Assignment(pin, pin.member, True)
                return member
        member = self.place(exchange, pin, tried)
        return None if member is None else self._moved(exchange, failed, member, pin)

    def _serves(self, member: Member, tried: tuple[Member, ...]) -> bool:
        return member.pinnable and member not in tried and self.pool.has_room(member)

    def _moved(self, exchange: Exchange, failed: Member, member: Member, pin: Pin | None) -> Member:
        """Let the client belong to `member` if `failed` is really down; returns the member that stands."""
        assignment = exchange.sticky
        if assignment is None or (assignment.kept and failed.pinnable):
            return member
        if assignment.kept:
            self._count_move(MemberState.DOWN.value)
        member = self._assign(exchange, member, pin, False)
        exchange.sticky = Assignment(assignment.pin if assignment.kept else None, self._ids[member], False)
        return member

    def switch(self, attempt: Attempt, response: Response, body: bytes) -> None:
        stick(attempt.exchange, response)
        super().switch(attempt, response, body)

    def answered(self, exchange: Exchange, attempt: Attempt, response: Response) -> None:
        """Let the persistence learn from the response or add to it."""
        assignment = exchange.sticky
        if assignment is None:
            return
        member = self._ids.get(attempt.member) if self._persistence.learns else assignment.member
        if member is not None:
            self._persistence.response(
                exchange.request, response.headers, member, exchange.service.clock.wall, assignment.pin
            )


def _identity(pin: Pin) -> bytes:
    """Return what all requests of a client with this pin have in common."""
    return b"%b %d" % (pin.member, round(pin.created * 1e6))


def stick(exchange: Exchange, response: Response) -> None:
    """The last response stage of routes to pools with persistence: after a cache has taken its copy, so that
    what belongs to one client is never stored. Responses that no member gave just now pass as they are."""
    attempt = exchange.attempt
    asked = None if attempt is None else attempt.answered_by
    if asked is not None and isinstance(asked.forward, StickyForward):
        asked.forward.answered(exchange, asked, response)
