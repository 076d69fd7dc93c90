"""The parts of a listener that all of its requests use: clock, logs, limits, counters, requests in flight."""

from __future__ import annotations

from abc import abstractmethod
from math import inf

from adc.codecs.refused import Refused
from adc.http.client import Client
from adc.http.fields import SPOOFABLE_FIELDS, is_reserved
from adc.http.headers import Pair
from adc.http.message import Request, Response
from adc.net.clock import Clock
from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.proxy.end_reasons import proxy_status
from adc.proxy.refusal import Refusal
from adc.proxy.replies import Replies
from adc.proxy.upstream.forwarding import Forwarding
from adc.telemetry.error_log import ErrorLog
from adc.telemetry.record import RecordLog
from adc.telemetry.tracing import new_request_id


class InFlight:
    """A request in flight, as the tick of its listener sees it: `deadline` is when `timed_out` is called, in
    monotonic seconds."""

    __slots__ = ("deadline",)

    deadline: float

    @abstractmethod
    def timed_out(self) -> None:
        """Handle that `deadline` has passed."""

    @abstractmethod
    def fail(self, status: int, reason: str, proxy_status: str = "", lines: tuple[Pair, ...] = ()) -> None:
        """End with an error that adc makes: `status`, the `reason` for the log, an error type for `Proxy-Status`, and
        further `lines` of the head."""


class Context:
    """One HTTP listener as its requests see it. A reload swaps the settings in place."""

    def __init__(
        self, name: str, clock: Clock, replies: Replies, access_log: RecordLog | None, error_log: ErrorLog
    ) -> None:
        self.name = name
        self.clock = clock
        self.replies = replies
        self.access_log = access_log
        self.error_log = error_log
        self.forwarding = Forwarding()
        self.active: set[InFlight] = set()
        self.body_limit = 16 << 30
        self.request_body_timeout = 30.0
        self.request_body_rate = 500
        self.client_write_timeout = 60.0
        self.unrouted = 0
        self.refusals: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.trailers_dropped = {"request": 0, "response": 0}
        self.upstream_errors: dict[tuple[str, str, str], int] = {}

    def trusts(self, peer: str) -> bool:
        """True if forwarding fields from `peer` count."""
        trusts = self.forwarding.trusts
        return trusts(peer)

    def refuse_message(self, client: Client, refused: Refused) -> tuple[Response, bytes]:
        """Return the response to a message that a codec rejected; logged with its reason."""
        request_id = new_request_id()
        response, body = self.error(refused.status, "", refused.reason, request_id, None)
        self.refused(refused.reason, refused.detail, None, client.peer)
        if self.access_log is not None:
            record = Refusal(
                client.peer, self.name, refused.status, len(body), self.clock.wall, request_id, refused.reason
            )
            self.access_log.write(record)
        return response, body

    def refused(self, reason: str, detail: str, request: Request | None, client: str = "") -> None:
        """Count and log a rejected request."""
        self.refusals[reason] = self.refusals.get(reason, 0) + 1
        client = client if request is None else request.source
        self.error_log.warn(
            "request_refused", reason=reason, detail=detail, client=client, listener=self.name
        )

    def error(
        self,
        status: int,
        token: str,
        reason: str,
        request_id: str,
        request: Request | None,
        replies: Replies | None = None,
    ) -> tuple[Response, bytes]:
        """Return an error page. `token` is the error type of `Proxy-Status`, `reason` the end reason in the log,
        `replies` has the pages of a route that does not use those of all."""
        replies = replies or self.replies
        return replies.error(status, request, request_id, proxy_status(token, status, reason))

    def drop_spoofed(self, request: Request) -> None:
        """Remove the fields that only another node may send, and, unless the client is trusted, those that only a
        proxy in front may send.

        A request that another node passed here went through this there; its route may have written such fields since.
        """
        if request.passed_by:
            return
        headers = request.headers
        if not self.trusts(request.client.peer):
            headers.remove(*SPOOFABLE_FIELDS)
        headers.remove(*{name.lower() for name, _ in headers.pairs if is_reserved(name)})

    def member_failed(self, member: Member, failure: Failure, detail: str, request_id: str) -> None:
        """Count and log a failed attempt."""
        key = (member.pool, member.name, failure.value)
        self.upstream_errors[key] = self.upstream_errors.get(key, 0) + 1
        self.error_log.warn(
            "member_failed",
            pool=member.pool,
            member=member.address,
            reason=failure.value,
            detail=detail,
            request_id=request_id,
        )

    def tick(self, now: float) -> None:
        """Notify the requests whose time is up."""
        for request in [request for request in self.active if request.deadline <= now]:
            request.timed_out()

    def drop_all(self, reason: str) -> None:
        """End every request at once."""
        for request in list(self.active):
            request.deadline = inf
            request.fail(503, reason)
