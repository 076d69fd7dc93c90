"""Passing a request, once, to the node of the cluster that its client belongs to, or serving it here.

A request is passed only on a connection whose other end has proved `cluster.secret` (`adc.runtime.serve.peer`), and it
is served here instead only if the other node cannot have executed it, or may execute it twice: the connection was not
proved, the node refused the request with a reply that only a node can sign, or the method is idempotent.
"""

from __future__ import annotations

from math import inf
from typing import Final, Protocol

from adc.codecs.interface import MemberConnection
from adc.http.headers import Headers
from adc.http.message import Request, Response
from adc.http.methods import IDEMPOTENT
from adc.persistence.decide import Stickiness
from adc.persistence.marks import Markers
from adc.persistence.pin import Pin
from adc.persistence.table import TablePersistence
from adc.pools.errors import Failure, FailureSource, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.retry import RetryPolicy
from adc.proxy.states import AWAITING
from adc.proxy.timeouts import Timeouts
from adc.proxy.upstream.attempt import Attempt, Dispatch, PoolDispatch
from adc.proxy.upstream.passed import CLIENT, MARKER, OURS, PEER, POOL, REFUSAL, REFUSED, SCHEME, signed_parts
from adc.proxy.upstream.request import UpstreamRequest
from adc.proxy.upstream.sticky import StickyChoice

CONNECT_LIMIT: Final = 0.3
"""Seconds that another node may take to accept a connection and prove the secret."""

_ITS_OWN: Final = 1.0
"""Seconds for the other node's own 504 to arrive."""

_REPLACED: Final = OURS | {b"x-request-id"}


class Peers(Protocol):
    """The other nodes, as far as they live."""

    name: str
    pool: Pool
    markers: Markers | None
    redirects: bool

    @property
    def apart(self) -> bool:
        """True while nodes cannot share what they know of clients."""

    def owner(self, client: bytes, now: float) -> Member | None:
        """Return the node that owns `client`, as a member named after it; None if it is this one. `now` is
        wall-clock."""

    def sent(self, attempt: PassedAttempt) -> None:
        """Report `attempt` failed if its node falls silent before it responds."""

    def lives(self, node: Member) -> bool:
        """True if `node` proved lately that it lives."""

    def silent(self, node: Member) -> None:
        """Pass nothing to `node` until it proves again that it lives."""

    def counted(self, node: str, result: str) -> None:
        """Count a passed request by its result."""


class ClusterChoice(StickyChoice):
    """Passes requests of unknown clients to the node that owns them, and chooses for all others."""

    __slots__ = ("_pass_on", "_peers", "_table")

    def __init__(
        self,
        pool: Pool,
        persistence: TablePersistence[Request],
        stickiness: Stickiness,
        peers: Peers,
        timeouts: Timeouts,
    ) -> None:
        super().__init__(pool, persistence, stickiness)
        self._table = persistence
        self._peers = peers
        self._pass_on = PassOn(self, peers, timeouts)

    def _ask(self, dispatch: PoolDispatch, upstream: UpstreamRequest, wall: float) -> None:
        """Leave it to the node that the client belongs to to pin it, if there is such a node."""
        if self._peers.redirects:
            self._fetch(dispatch, upstream, wall)
        else:
            super()._ask(dispatch, upstream, wall)

    def _choose(self, dispatch: PoolDispatch, upstream: UpstreamRequest, pin: Pin | None) -> Member | None:
        request = upstream.request
        if pin is None and not request.passed_by and not request.upgrade:
            client = self._table.key(request)
            now = upstream.context.clock.wall
            owner = None if client is None else self._peers.owner(client, now)
            if owner is not None:
                self._pass_on.to(dispatch, upstream, owner)
                return None
        return super()._choose(dispatch, upstream, pin)

    def place(
        self, upstream: UpstreamRequest, pin: Pin | None, tried: tuple[Member, ...] = ()
    ) -> Member | None:
        """Choose as every other node would while the nodes cannot share pins."""
        request = upstream.request
        client = self._table.key(request) if self._peers.apart else None
        if client is None:
            return super().place(upstream, pin, tried)
        return self.pool.relocate(client, request, upstream.context.clock.now, tried)

    def serve_here(self, dispatch: PoolDispatch, upstream: UpstreamRequest) -> None:
        """Serve the client here, because the node that it belongs to cannot."""
        upstream.attempts = 0
        upstream.tried = ()
        self._begin(dispatch, upstream, super()._choose(dispatch, upstream, None))


class PassedAttempt(Attempt):
    """A request at another node, with the marker that it carries. `here` serves it if that node does not."""

    __slots__ = ("here", "marker", "passing")

    def __init__(
        self, passing: PassOn, here: PoolDispatch, upstream: UpstreamRequest, member: Member
    ) -> None:
        super().__init__(passing, upstream, member)
        self.passing = passing
        self.here = here
        self.marker = b""

    @property
    def responder(self) -> Member | None:
        """None: the node that serves has added to the response what its persistence adds."""
        return None

    def response_head(self, response: Response, body: bytes, end: bool) -> None:
        if response.status == REFUSED and self.passing.refuses(self, response):
            if end:
                self._settle(REFUSED)
            self.passing.refused(self)
        else:
            super().response_head(response, body, end)

    def gone(self) -> None:
        """Fail because the node fell silent."""
        self.cancel(Failure.RESPONSE_TIMEOUT)
        self.passing.failed(self, Failure.RESPONSE_TIMEOUT, "the node fell silent")


class PassOn(Dispatch):
    """Sends requests to other nodes as the client sent them: the node that serves adds what a proxy adds."""

    __slots__ = ("_choice", "_peers")

    def __init__(self, choice: ClusterChoice, peers: Peers, limits: Timeouts) -> None:
        response_head = limits.response_head + _ITS_OWN
        timeouts = Timeouts(CONNECT_LIMIT, response_head, limits.idle, inf, limits.tunnel)
        super().__init__(peers.pool, timeouts, RetryPolicy(0))
        self._choice = choice
        self._peers = peers

    def to(self, here: PoolDispatch, upstream: UpstreamRequest, owner: Member) -> None:
        """Pass `upstream` to `owner`: what must not be executed twice goes on a connection proved just now."""
        self._peers.counted(owner.name, "passed")
        if upstream.request.method not in IDEMPOTENT:
            owner.link.close_idle()
        self._attempt(here, upstream, owner)

    def _attempt(self, here: PoolDispatch, upstream: UpstreamRequest, owner: Member) -> None:
        attempt = PassedAttempt(self, here, upstream, owner)
        upstream.attempt = attempt
        upstream.member = owner.address
        attempt.launch()

    def again(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Return False: the node that serves has retried."""
        return False

    def send(self, attempt: Attempt, connection: MemberConnection) -> None:
        markers = self._peers.markers
        if not isinstance(attempt, PassedAttempt) or markers is None:
            return
        upstream = attempt.upstream
        request = upstream.request
        told = [
            (POOL, self._choice.pool.name.encode()),
            (CLIENT, request.source.encode()),
            (PEER, request.client.peer.encode()),
            (SCHEME, request.scheme.encode()),
            (b"X-Request-Id", upstream.request_id.encode()),
        ]
        kept = [pair for pair in request.headers.pairs if pair[0].lower() not in _REPLACED] + told
        parts = signed_parts(request.method, upstream.target, Headers(kept))
        wall = upstream.context.clock.wall
        attempt.marker = markers.sign(self._peers.name, attempt.member.name, parts, wall)
        self._peers.sent(attempt)
        attempt.transmit(connection, [*kept, (MARKER, attempt.marker)])

    def failed(self, attempt: Attempt, failure: Failure, detail: str) -> None:
        upstream = attempt.upstream
        self._peers.counted(attempt.member.name, failure.value)
        upstream.context.member_failed(attempt.member, failure, detail, upstream.request_id)
        if failure.unsent and failure.source is FailureSource.MEMBER:
            self._peers.silent(attempt.member)
        repeat = isinstance(attempt, PassedAttempt) and self.may_repeat(upstream, failure)
        if not isinstance(attempt, PassedAttempt) or not repeat or self._is_slow(attempt.member, failure):
            self.refuse(upstream, failure)
        elif failure is Failure.STALE_CONNECTION:
            upstream.redial = True
            self._attempt(attempt.here, upstream, attempt.member)
        else:
            self._choice.serve_here(attempt.here, upstream)

    def _is_slow(self, node: Member, failure: Failure) -> bool:
        """True if it was the application that did not respond in time: it would not here, either."""
        return failure is Failure.RESPONSE_TIMEOUT and self._peers.lives(node)

    def refuses(self, attempt: PassedAttempt, response: Response) -> bool:
        """True if the other node signed that it does not serve the request; an application's 421 is a response."""
        markers = self._peers.markers
        return markers is not None and markers.refuses(response.headers.get(REFUSAL), attempt.marker)

    def refused(self, attempt: PassedAttempt) -> None:
        """Serve here what the other node did not."""
        upstream = attempt.upstream
        self._peers.counted(attempt.member.name, "refused")
        attempt.cancel(REFUSED)
        if upstream.replayable:
            self._choice.serve_here(attempt.here, upstream)
        else:
            self.refuse(upstream, Failure.NO_MEMBER)

    def may_repeat(self, upstream: UpstreamRequest, failure: Failure) -> bool:
        """True if the request can be sent again and no harm is done by executing it twice."""
        if not upstream.replayable or upstream.state != AWAITING:
            return False
        return failure.unsent or upstream.request.method in IDEMPOTENT
