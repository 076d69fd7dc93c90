"""A request to a member, and the sink of its response."""

from __future__ import annotations

from abc import abstractmethod
from math import inf
from typing import TYPE_CHECKING, Final

from adc.http.headers import Pair
from adc.http.message import Request, Response
from adc.pools.member import Member
from adc.proxy.context import Context, InFlight
from adc.proxy.gate import Gate
from adc.proxy.phases import IDLE, REQUEST_BODY, RESPONSE_HEAD, TOTAL, Phase
from adc.proxy.states import AWAITING, RESPONDING
from adc.proxy.timeouts import NO_TIMEOUTS
from adc.proxy.upstream.forwarding import NONE_DECIDED
from adc.proxy.upstream.pending import Pending

if TYPE_CHECKING:
    from adc.codecs.interface import KeptConnection
    from adc.net.file_output import FileOutput
    from adc.net.proxy_protocol import Endpoints
    from adc.persistence.assignment import Assignment

NO_FIELDS: Final[list[Pair]] = []
"""No trailers."""


class UpstreamRequest(InFlight):
    """A request to a member, with all that its attempts share. Its subclass is the sink of the response: a client's
    exchange, a fetch of the cache, or a mirrored copy.

    `target` and the fields in `decided` are what the route made of the request. `body` is the content that has arrived
    and is not sent yet, or is kept for another attempt; `body_end`: all has arrived, with `trailers` behind it.
    `replayable`: another attempt can send all of it again. `redial`: a stale connection was found, so no other idle one
    is used. `tried` lists the members that failed. `pool`, `member`, `attempts` and `upstream_elapsed` are for the log.
    `phase` is what the request waits for, `total_at` bounds all phases together.
    """

    __slots__ = (
        "assignment",
        "attempt",
        "attempts",
        "body",
        "body_end",
        "context",
        "decided",
        "member",
        "phase",
        "pool",
        "redial",
        "replayable",
        "request",
        "request_id",
        "response_gate",
        "state",
        "status",
        "target",
        "timeouts",
        "total_at",
        "trailers",
        "tried",
        "upstream_elapsed",
    )

    def __init__(self, context: Context, request: Request, target: str, request_id: str) -> None:
        self.context = context
        self.request = request
        self.target = target
        self.request_id = request_id
        self.decided = NONE_DECIDED
        self.timeouts = NO_TIMEOUTS
        self.deadline = inf
        self.total_at = inf
        self.phase: Phase = REQUEST_BODY
        self.state = AWAITING
        self.status = 0
        self.body = b""
        self.body_end = False
        self.trailers = NO_FIELDS
        self.replayable = True
        self.redial = False
        self.attempt: Pending | None = None
        self.attempts = 0
        self.tried: tuple[Member, ...] = ()
        self.pool = ""
        self.member = ""
        self.upstream_elapsed = 0.0
        self.assignment: Assignment | None = None
        self.response_gate: ResponseGate | None = None

    # The sink of the response.

    @abstractmethod
    def respond(self, response: Response, body: bytes, end: bool) -> None:
        """Receive the final response head and the first of its content; `end` if that is all."""

    @abstractmethod
    def respond_body(self, data: bytes, end: bool) -> None:
        """Receive more content."""

    @abstractmethod
    def respond_trailers(self, fields: list[Pair]) -> None:
        """Receive the trailers, which end the response."""

    def respond_shared(self, response: Response, body: bytes) -> bool:
        """Receive a whole response whose head serves other requests too; False if it may be changed on its way, and
        `respond` must be called with one of its own."""
        return False

    def file_output(self) -> FileOutput | None:
        """Return what has the kernel send files to the client; None if `respond_body` must get their content."""
        return None

    def file_sent(self, size: int, end: bool) -> None:
        """Receive the news that the kernel has sent `size` bytes of a file; unless that is the `end`, the client takes
        no more for now."""

    def inform(self, response: Response) -> None:
        """Receive an interim response (1xx except 100 and 101)."""

    def send_continue(self, response: Response) -> None:
        """Receive a 100 (Continue)."""

    def switch(self, response: Response, body: bytes) -> None:
        """Receive a 101 (Switching Protocols) and the first bytes of the other protocol, which only a client's
        request asks for."""
        self.fail(502, "bad_response", "http_upgrade_failed")

    @abstractmethod
    def end(self, reason: str) -> None:
        """End the request; `reason` is for the log. Calls after the first have no effect."""

    # The request content.

    def await_content(self) -> None:
        """Wait for more request content."""

    def hold_content(self, reason: int) -> None:
        """Stop the sender of the request content for `reason`."""

    def release_content(self, reasons: int) -> None:
        """Remove `reasons` for which the sender of the request content was stopped."""

    # The client's connection.

    @property
    def endpoints(self) -> Endpoints | None:
        """Both addresses of the client's connection, for a PROXY protocol header; None if there are none."""
        return None

    def keep(self, member: Member, connection: KeptConnection) -> bool:
        """Keep a connection on which the client authenticated for its next requests; False if that cannot be."""
        return False

    def kept(self, pool: str) -> tuple[Member, KeptConnection] | None:
        """Return the connection that is kept for the client, with its member."""
        return None

    # Timeouts.

    def limit(self, phase: Phase, seconds: float) -> None:
        """Let `phase` take up to `seconds` from now, within the limit of all phases together."""
        deadline = self.context.clock.now + seconds
        if deadline < self.total_at:
            self.deadline = deadline
            self.phase = phase
        else:
            self.deadline = self.total_at
            self.phase = TOTAL

    def await_next(self) -> None:
        """Begin the phase that is due next."""
        if self.state >= RESPONDING:
            self.limit(IDLE, self.timeouts.idle)
        elif self.body_end:
            self.limit(RESPONSE_HEAD, self.timeouts.response_head)
        else:
            self.await_content()

    def timed_out(self) -> None:
        self.deadline = inf
        phase, attempt = self.phase, self.attempt
        failure = phase.failure
        if failure is not None and attempt is not None and not attempt.over:
            attempt.time_out(failure, phase)
        else:
            self.overdue(phase)

    def overdue(self, phase: Phase) -> None:
        """End because `phase` took too long, and no attempt is to blame."""
        self.fail(phase.status, phase.reason)

    # Backpressure toward the member.

    def hold_response(self, reason: int) -> None:
        """Stop the response for `reason`."""
        gate = self.response_gate
        if gate is None:
            gate = self.response_gate = ResponseGate(self)
        gate.close(reason)

    def release_response(self, reasons: int) -> None:
        """Remove `reasons` for which the response was stopped."""
        if self.response_gate is not None:
            self.response_gate.open(reasons)

    @property
    def response_holds(self) -> int:
        """The reasons for which the response is stopped."""
        return 0 if self.response_gate is None else self.response_gate.reasons

    def let_response_go_on(self, reasons: int) -> None:
        """Have the response delivered again, after `reasons` had stopped it."""
        if self.attempt is not None:
            self.attempt.resume()


class ResponseGate(Gate):
    """Stops the attempt that a request has at the moment."""

    __slots__ = ("_upstream",)

    def __init__(self, upstream: UpstreamRequest) -> None:
        super().__init__()
        self._upstream = upstream

    def _pause(self) -> None:
        attempt = self._upstream.attempt
        if attempt is not None:
            attempt.pause()

    def _resume(self, reasons: int) -> None:
        self._upstream.let_response_go_on(reasons)
