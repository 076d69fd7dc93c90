"""Passing a request, once, to the node of the cluster that its client belongs to, or serving it here."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING, Protocol

from adc.codecs.interface import MemberConnection
from adc.http.headers import Pair
from adc.http.message import Request
from adc.persistence.decide import Stickiness
from adc.persistence.ownership import Markers
from adc.persistence.pin import Pin
from adc.persistence.table import TablePersistence
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.retry import IDEMPOTENT, RetryPolicy
from adc.proxy.attempt import Attempt
from adc.proxy.forward import Forward
from adc.proxy.pipeline import Timeouts
from adc.proxy.sticky import StickyForward

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange

REFUSED = 421
"""What a node answers to a marker that it does not believe (RFC 9110 section 15.5.20)."""

CONNECT_LIMIT = 0.3
"""Seconds that another node may take to accept a connection."""

MARKER, POOL, CLIENT, PEER, SCHEME = (
    b"x-adc-passed",
    b"x-adc-pool",
    b"x-adc-client",
    b"x-adc-peer",
    b"x-adc-scheme",
)
OURS = frozenset({MARKER, POOL, CLIENT, PEER, SCHEME})
_REPLACED = OURS | {b"x-request-id"}
PASSED = b"(passed by)"
"""The entry of `Request.noted` with the node that passed the request here; no field can have this name."""


class Peers(Protocol):
    """The other nodes, as far as they live."""

    name: str
    pool: Pool
    markers: Markers | None

    def owner(self, client: bytes, now: float) -> Member | None:
        """The node that `client` belongs to, as a member named after it; None if it is this one. `now` is
        wall-clock."""

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
        """A client that nobody knows is pinned by the node that it belongs to."""
        self._persistence.fetch(exchange.request, wall, partial(self._fetched, exchange))

    def _choose(self, exchange: Exchange, pin: Pin | None) -> None:
        request = exchange.request
        if pin is None and PASSED not in request.noted and not request.upgrade:
            client = self._table.key(request)
            now = exchange.service.clock.wall
            owner = None if client is None else self._peers.owner(client, now)
            if owner is not None:
                self._pass_on.to(exchange, owner)
                return
        super()._choose(exchange, pin)

    def serve_here(self, exchange: Exchange) -> None:
        """The node that the client belongs to cannot serve it."""
        exchange.attempts = 0
        exchange.tried = ()
        super()._choose(exchange, None)


class PassOn(Forward):
    """Sends exchanges to other nodes as the client sent them: the node that serves adds what a proxy adds."""

    __slots__ = ("_here", "_peers")

    def __init__(self, here: ClusterForward, peers: Peers) -> None:
        limits = here.timeouts
        timeouts = Timeouts(CONNECT_LIMIT, limits.response_head, limits.idle, inf, limits.tunnel)
        super().__init__(peers.pool, timeouts, RetryPolicy(1, (str(REFUSED),)))
        self._here = here
        self._peers = peers

    def to(self, exchange: Exchange, owner: Member) -> None:
        """Pass `exchange` to `owner`."""
        self._peers.counted(owner.name, "passed")
        self._try(exchange, owner)

    def send(self, exchange: Exchange, connection: MemberConnection, lines: list[Pair] | None = None) -> None:
        attempt, markers = exchange.attempt, self._peers.markers
        if not isinstance(attempt, Attempt) or markers is None:
            return
        request, wall = exchange.request, exchange.service.clock.wall
        marker = markers.sign(self._peers.name, attempt.member.name, wall)
        kept = [pair for pair in request.headers.pairs if pair[0].lower() not in _REPLACED]
        kept += [
            (b"X-Request-Id", exchange.request_id.encode()),
            (MARKER, marker),
            (POOL, self._here.pool.name.encode()),
            (CLIENT, request.client.encode()),
            (PEER, request.peer.encode()),
            (SCHEME, request.scheme.encode()),
        ]
        super().send(exchange, connection, kept)

    def failed(self, attempt: Attempt, failure: Failure, detail: str) -> None:
        exchange = attempt.exchange
        self._peers.counted(attempt.member.name, failure.value)
        if (
            failure is Failure.STALE_CONNECTION
            and exchange.replayable
            and self._repeatable(exchange, failure)
        ):
            attempt.member.link.close_idle()
            self._try(exchange, attempt.member)
        elif exchange.replayable and not exchange.head_sent and self._repeatable(exchange, failure):
            self._here.serve_here(exchange)
        else:
            self.refuse(exchange, failure)

    def again(self, attempt: Attempt, outcome: Outcome) -> bool:
        if not attempt.exchange.replayable:
            return False
        self._peers.counted(attempt.member.name, "refused")
        attempt.cancel(outcome)
        self._here.serve_here(attempt.exchange)
        return True

    def _repeatable(self, exchange: Exchange, failure: Failure) -> bool:
        return failure.unsent or exchange.request.method in IDEMPOTENT


def arrive(request: Request, sender: str) -> None:
    """Make `request`, whose marker is genuine, what it was at the node that passed it here."""
    headers = request.headers
    request.client = (headers.get(CLIENT) or b"").decode("latin-1")
    request.peer = (headers.get(PEER) or b"").decode("latin-1")
    request.scheme = (headers.get(SCHEME) or b"http").decode("latin-1")
    request.noted[PASSED] = sender.encode()
    headers.remove(*(OURS - {POOL}))
