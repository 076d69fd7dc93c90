"""Passing a request, once, to the node of the cluster that its client belongs to, or serving it here.

A request is passed only on a connection whose other end has proved `cluster.secret` (`adc.runtime.serve.peer`), and it
is served here instead only if the other node cannot have executed it, or may execute it twice: the connection was not
proved, the node refused the request with a reply that only a node can sign, or the method is idempotent.
"""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final, Protocol

from adc.codecs.interface import MemberConnection
from adc.http.client import Client
from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.http.methods import IDEMPOTENT
from adc.persistence.decide import Stickiness
from adc.persistence.marks import Markers
from adc.persistence.pin import Pin
from adc.persistence.table import TablePersistence
from adc.pools.errors import Failure, FailureSource
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.retry import RetryPolicy
from adc.proxy.attempt import Attempt
from adc.proxy.forward import Forward
from adc.proxy.pipeline import Timeouts
from adc.proxy.sticky import StickyForward

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange

REFUSED: Final = 421
"""The status of a request that a node does not serve (RFC 9110 section 15.5.20). It means that only beside
`x-adc-refused`: an application may answer 421, too."""

CONNECT_LIMIT: Final = 0.3
"""Seconds that another node may take to accept a connection and prove the secret."""

_ITS_OWN: Final = 1.0
"""Seconds for the other node's own 504 to arrive."""

MARKER: Final = b"x-adc-passed"
POOL: Final = b"x-adc-pool"
CLIENT: Final = b"x-adc-client"
PEER: Final = b"x-adc-peer"
SCHEME: Final = b"x-adc-scheme"
REFUSAL: Final = b"x-adc-refused"
OURS: Final = frozenset({MARKER, POOL, CLIENT, PEER, SCHEME})
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
        """The node that `client` belongs to, as a member named after it; None if it is this one. `now` is
        wall-clock."""

    def sent(self, attempt: PassedAttempt) -> None:
        """Report `attempt` failed if its node falls silent before it responds."""

    def lives(self, node: Member) -> bool:
        """True if `node` proved lately that it lives."""

    def silent(self, node: Member) -> None:
        """Pass nothing to `node` until it proves again that it lives."""

    def counted(self, node: str, result: str) -> None:
        """A request was passed on, and with what result."""


class ClusterForward(StickyForward):
    """Passes requests of clients that nobody knows to the node that they belong to, and serves all others."""

    __slots__ = ("_pass_on", "_peers", "_table")

    def __init__(
        self,
        pool: Pool,
        timeouts: Timeouts,
        retry: RetryPolicy,
        persistence: TablePersistence,
        stickiness: Stickiness,
        peers: Peers,
    ) -> None:
        super().__init__(pool, timeouts, retry, persistence, stickiness)
        self._table = persistence
        self._peers = peers
        self._pass_on = PassOn(self, peers)

    def _ask(self, exchange: Exchange, wall: float) -> None:
        """Leave it to the node that the client belongs to to pin it, if there is such a node."""
        if self._peers.redirects:
            self._persistence.fetch(exchange.request, wall, partial(self._fetched, exchange))
        else:
            super()._ask(exchange, wall)

    def _choose(self, exchange: Exchange, pin: Pin | None) -> None:
        request = exchange.request
        if pin is None and not request.passed_by and not request.upgrade:
            client = self._table.key(request)
            now = exchange.service.clock.wall
            owner = None if client is None else self._peers.owner(client, now)
            if owner is not None:
                self._pass_on.to(exchange, owner)
                return
        super()._choose(exchange, pin)

    def place(self, exchange: Exchange, pin: Pin | None, tried: tuple[Member, ...] = ()) -> Member | None:
        """Choose as every other node would while the nodes cannot share pins."""
        request = exchange.request
        client = self._table.key(request) if self._peers.apart else None
        if client is None:
            return super().place(exchange, pin, tried)
        return self.pool.relocate(client, request, exchange.service.clock.now, tried)

    def serve_here(self, exchange: Exchange) -> None:
        """The node that the client belongs to cannot serve it."""
        exchange.attempts = 0
        exchange.tried = ()
        super()._choose(exchange, None)


class PassedAttempt(Attempt):
    """A request at another node, with the marker that it carries."""

    __slots__ = ("marker", "passing")

    def __init__(self, passing: PassOn, exchange: Exchange, member: Member) -> None:
        super().__init__(passing, exchange, member)
        self.passing = passing
        self.marker = b""

    def response_head(self, response: Response, body: bytes, end: bool) -> None:
        if response.status == REFUSED and self.passing.refuses(self, response):
            if end:
                self._settle(REFUSED)
            self.passing.refused(self)
        else:
            super().response_head(response, body, end)


class PassOn(Forward):
    """Sends exchanges to other nodes as the client sent them: the node that serves adds what a proxy adds."""

    __slots__ = ("_here", "_peers")

    def __init__(self, here: ClusterForward, peers: Peers) -> None:
        limits = here.timeouts
        response_head = limits.response_head + _ITS_OWN
        timeouts = Timeouts(CONNECT_LIMIT, response_head, limits.idle, inf, limits.tunnel)
        super().__init__(peers.pool, timeouts, RetryPolicy(0))
        self._here = here
        self._peers = peers

    def to(self, exchange: Exchange, owner: Member) -> None:
        """Pass `exchange` to `owner`: what must not be executed twice goes on a connection proved just now."""
        self._peers.counted(owner.name, "passed")
        if exchange.request.method not in IDEMPOTENT:
            owner.link.close_idle()
        self._try(exchange, owner)

    def _try(self, exchange: Exchange, member: Member) -> None:
        exchange.attempts += 1
        exchange.member = member.address
        attempt = PassedAttempt(self, exchange, member)
        exchange.attempt = attempt
        self.pool.started(member, attempt.began)
        connection = member.link.acquire(attempt)
        if connection is not None:
            attempt.connection = connection
            self.send(exchange, connection)
        else:
            exchange.limit("connect", self.timeouts.connect)

    def send(self, exchange: Exchange, connection: MemberConnection, lines: list[Pair] | None = None) -> None:
        attempt, markers = exchange.attempt, self._peers.markers
        if not isinstance(attempt, PassedAttempt) or markers is None:
            return
        request = exchange.request
        told = [
            (POOL, self._here.pool.name.encode()),
            (CLIENT, request.source.encode()),
            (PEER, request.client.peer.encode()),
            (SCHEME, request.scheme.encode()),
            (b"X-Request-Id", exchange.request_id.encode()),
        ]
        kept = [pair for pair in request.headers.pairs if pair[0].lower() not in _REPLACED] + told
        parts = signed_parts(request.method, exchange.target, Headers(kept))
        wall = exchange.service.clock.wall
        attempt.marker = markers.sign(self._peers.name, attempt.member.name, parts, wall)
        self._peers.sent(attempt)
        super().send(exchange, connection, [*kept, (MARKER, attempt.marker)])

    def failed(self, attempt: Attempt, failure: Failure, detail: str) -> None:
        exchange = attempt.exchange
        self._peers.counted(attempt.member.name, failure.value)
        exchange.service.member_failed(exchange, attempt.member, failure, detail)
        if failure.unsent and failure.source is FailureSource.MEMBER:
            self._peers.silent(attempt.member)
        if not self.may_repeat(exchange, failure) or self._is_slow(attempt.member, failure):
            self.refuse(exchange, failure)
        elif failure is Failure.STALE_CONNECTION:
            exchange.redial = True
            self._try(exchange, attempt.member)
        else:
            self._here.serve_here(exchange)

    def gone(self, attempt: PassedAttempt) -> None:
        """The node of `attempt` fell silent."""
        attempt.cancel(Failure.RESPONSE_TIMEOUT)
        self.failed(attempt, Failure.RESPONSE_TIMEOUT, "the node fell silent")

    def _is_slow(self, node: Member, failure: Failure) -> bool:
        """True if it was the application that did not respond in time: it would not here, either."""
        return failure is Failure.RESPONSE_TIMEOUT and self._peers.lives(node)

    def refuses(self, attempt: PassedAttempt, response: Response) -> bool:
        """True if the other node signed that it does not serve the request; an application's 421 is a response."""
        markers = self._peers.markers
        return markers is not None and markers.refuses(response.headers.get(REFUSAL), attempt.marker)

    def refused(self, attempt: PassedAttempt) -> None:
        """Serve here what the other node did not."""
        exchange = attempt.exchange
        self._peers.counted(attempt.member.name, "refused")
        attempt.cancel(REFUSED)
        if exchange.replayable:
            self._here.serve_here(exchange)
        else:
            self.refuse(exchange, Failure.NO_MEMBER)

    def may_repeat(self, exchange: Exchange, failure: Failure) -> bool:
        """True if the request can be sent again and no harm is done by executing it twice."""
        if not exchange.replayable or exchange.head_sent:
            return False
        return failure.unsent or exchange.request.method in IDEMPOTENT


def signed_parts(method: str, target: str, headers: Headers) -> list[bytes]:
    """Return the parts of a request that its marker covers: all that decide who is served, where, and what."""
    fields = [headers.get(name) or b"" for name in (b"host", POOL, CLIENT, PEER, SCHEME, b"x-request-id")]
    return [method.encode("utf-8", "surrogateescape"), target.encode("utf-8", "surrogateescape"), *fields]


def arrive(request: Request, sender: str) -> None:
    """Make `request`, whose marker is genuine, what it was at the node that passed it here."""
    headers = request.headers
    client = request.client
    request.client = Client(
        (headers.get(PEER) or b"").decode("latin-1"), client.scheme, client.sni, client.alpn
    )
    request.source = (headers.get(CLIENT) or b"").decode("latin-1")
    request.scheme = (headers.get(SCHEME) or b"http").decode("latin-1")
    request.passed_by = sender
