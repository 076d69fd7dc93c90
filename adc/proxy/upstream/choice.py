"""The choice of members: which one a request goes to first, and which next."""

from __future__ import annotations

from abc import abstractmethod

from adc.http.headers import Pair
from adc.http.message import Request
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.proxy.upstream.attempt import PoolDispatch
from adc.proxy.upstream.request import UpstreamRequest


class Choice:
    """Chooses among the members of `pool`. `marks_requests`: some requests carry fields that `unmarked` removes."""

    __slots__ = ("marks_requests", "pool")

    def __init__(self, pool: Pool, marks_requests: bool = False) -> None:
        self.pool = pool
        self.marks_requests = marks_requests

    @abstractmethod
    def first(self, dispatch: PoolDispatch, upstream: UpstreamRequest, now: float) -> Member | None:
        """Return the member for the first attempt. None if `dispatch` has been told otherwise: that the request has to
        wait, that it is refused, or later, with `begin`, which member it goes to."""

    @abstractmethod
    def next(
        self,
        upstream: UpstreamRequest,
        failed: Member,
        now: float,
        tried: tuple[Member, ...],
        refused: bool = False,
    ) -> Member | None:
        """Return the member for another attempt after the one at `failed`, none of `tried`; None if there is none.
        `refused`: `failed` refused the connection, so nothing listens there."""

    def is_bound(self, upstream: UpstreamRequest) -> bool:
        """True if no other member may serve the request."""
        return False

    def hedge(self, upstream: UpstreamRequest, known: tuple[Member, ...], now: float) -> Member | None:
        """Return a member for one more attempt beside those at `known`; None if there is none."""
        return self.pool.pick(upstream.request, now, known)

    def hedge_won(self, upstream: UpstreamRequest, first: Member, winner: Member, now: float) -> None:
        """Note that a hedge at `winner` responds; `first` is the member of the first attempt."""

    def unmarked(self, request: Request, lines: list[Pair]) -> list[Pair]:
        """Return `lines`, the fields for a member, without what is for adc alone."""
        return lines

    def kept_member(self, upstream: UpstreamRequest) -> Member | None:
        """Return the member to which a connection is kept for the client, if it may serve."""
        kept = upstream.kept(self.pool.name)
        return kept[0] if kept is not None and kept[0] in self.pool.members and kept[0].pinnable else None


class Balanced(Choice):
    """Chooses as the pool balances; a client that authenticated on a member's connection stays on that."""

    __slots__ = ()

    def first(self, dispatch: PoolDispatch, upstream: UpstreamRequest, now: float) -> Member | None:
        if upstream.request.tied:
            kept = self.kept_member(upstream)
            if kept is not None:
                if self.pool.has_room(kept):
                    return kept
                dispatch.unserved(upstream, kept)
                return None
        member = self.pool.pick(upstream.request, now)
        if member is None:
            dispatch.unserved(upstream)
        return member

    def next(
        self,
        upstream: UpstreamRequest,
        failed: Member,
        now: float,
        tried: tuple[Member, ...],
        refused: bool = False,
    ) -> Member | None:
        return self.pool.pick(upstream.request, now, tried)
