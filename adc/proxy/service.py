"""The parts that all exchanges of one listener share: the compiled routes, the clock, logs, counters, error pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from adc.codecs.refused import Refused
from adc.http.client import Client
from adc.http.fields import SPOOFABLE_FIELDS, is_reserved
from adc.http.headers import Pair
from adc.http.message import Request, Response
from adc.http.via import goes_round
from adc.net.clock import Clock
from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.proxy.end_reasons import proxy_status
from adc.proxy.exchange import Exchange
from adc.proxy.forwarding import member_lines
from adc.proxy.pipeline import Pipeline
from adc.proxy.refusal import Refusal
from adc.proxy.replies import Replies
from adc.routing.settle import PathPolicy, settle
from adc.telemetry.error_log import ErrorLog
from adc.telemetry.record import COMPLETE, RecordLog
from adc.telemetry.tracing import new_request_id


def _path_policy(pipeline: Pipeline) -> PathPolicy:
    return pipeline.paths


def _nobody(address: str) -> bool:
    return False


class Service:
    """One HTTP listener as the proxy sees it. A reload swaps `find` and the settings in place; exchanges in flight
    keep the pipeline they began with.
    """

    def __init__(
        self, name: str, clock: Clock, replies: Replies, access_log: RecordLog | None, error_log: ErrorLog
    ) -> None:
        self.name = name
        self.clock = clock
        self.replies = replies
        self.access_log = access_log
        self.error_log = error_log
        self.find: Callable[[Request], Pipeline | None] = lambda request: None
        self.trusts: Callable[[str], bool] = _nobody
        self.member_lines: Callable[[Exchange], list[Pair]] = member_lines
        self.active: set[Exchange] = set()
        self.body_limit = 16 << 30
        self.request_body_timeout = 30.0
        self.request_body_rate = 500
        self.client_write_timeout = 60.0
        self.unrouted = 0
        self.refusals: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.upstream_errors: dict[tuple[str, str, str], int] = {}

    def refuse_message(self, client: Client, refused: Refused) -> tuple[Response, bytes]:
        """The response to a message that a codec refused; logged with its reason."""
        request_id = new_request_id()
        told = proxy_status("", refused.status, refused.reason)
        response, body = self.replies.error(refused.status, None, request_id, told)
        self.refused(refused.reason, refused.detail, None, client.peer)
        if self.access_log is not None:
            record = Refusal(
                client.peer, self.name, refused.status, len(body), self.clock.wall, request_id, refused.reason
            )
            self.access_log.write(record)
        return response, body

    def refused(self, reason: str, detail: str, request: Request | None, client: str = "") -> None:
        """Count and log what is refused."""
        self.refusals[reason] = self.refusals.get(reason, 0) + 1
        client = client if request is None else request.source
        self.error_log.warn(
            "request_refused", reason=reason, detail=detail, client=client, listener=self.name
        )

    def settle(self, exchange: Exchange) -> Pipeline | None:
        """Return the route of a request whose path has several readings; refuse it if they lead to several routes."""
        request = exchange.request
        settled = settle(request, self.find, _path_policy)
        if settled.refusal:
            exchange.pipeline = settled.value
            self.refused("ambiguous_path", settled.refusal, request)
            exchange.fail(400, "ambiguous_path")
            return None
        request.target = exchange.target = settled.target
        return settled.value

    def ends_loop(self, exchange: Exchange) -> bool:
        """Refuse a request that has come through here again and again; True if it was one."""
        if not goes_round(exchange.request.proxy_fields[b"via"]):
            return False
        self.refused("loop", "the route leads back to where the request came from", exchange.request)
        exchange.fail(508, "loop", "proxy_loop_detected")
        return True

    def error(self, exchange: Exchange, status: int, token: str) -> tuple[Response, bytes]:
        """An error page for `exchange`, whose `end_reason` is known; `token` is its error type in
        `Proxy-Status`."""
        told = proxy_status(token, status, exchange.end_reason)
        return self.replies.error(status, exchange.request, exchange.request_id, told)

    def await_body(self, exchange: Exchange, received: int = 0) -> None:
        """More request content is due: a byte within `request_body_timeout`, and on the whole
        `request_body_rate` bytes a second from the first call on; `received` have just come.

        Without the rate, a client could hold a member's connection as long as it likes, a byte now and then.
        """
        now, patience = self.clock.now, self.request_body_timeout
        exchange.body_seen = now
        if received and self.request_body_rate and exchange.phase == "request_body":
            exchange.body_due += received / self.request_body_rate
        else:
            exchange.body_due = now + patience
        exchange.limit("request_body", min(patience, exchange.body_due - now))

    def overdue_body(self, exchange: Exchange) -> str:
        """Name the limit that the request content of `exchange` has not met, and the rate at which it came."""
        rate = exchange.bytes_in / max(time.monotonic() - exchange.started_at, 1)
        came = f"{exchange.bytes_in} bytes came, {rate:.0f} a second"
        if exchange.body_due < exchange.body_seen + self.request_body_timeout:
            return f"the content is slower than limits.body_rate, {self.request_body_rate} bytes a second: {came}"
        return f"no content for timeouts.request_body, {self.request_body_timeout:g} s: {came}"

    def drop_spoofed(self, request: Request) -> None:
        """Take from a client what only another node may say, and if it is not trusted, what only a proxy in front may.

        A request that another node passed here has been through this there; since then its route may have written
        such fields.
        """
        if request.passed_by:
            return
        headers = request.headers
        if not self.trusts(request.client.peer):
            headers.remove(*SPOOFABLE_FIELDS)
        headers.remove(*{name.lower() for name, _ in headers.pairs if is_reserved(name)})

    def member_failed(self, exchange: Exchange, member: Member, failure: Failure, detail: str) -> None:
        """Count and log a failed try."""
        key = (member.pool, member.name, failure.value)
        self.upstream_errors[key] = self.upstream_errors.get(key, 0) + 1
        self.error_log.warn(
            "member_failed",
            pool=member.pool,
            member=member.address,
            reason=failure.value,
            detail=detail,
            request_id=exchange.request_id,
        )

    def ended(self, exchange: Exchange) -> None:
        """Count and log a finished exchange."""
        self.active.discard(exchange)
        pipeline = exchange.pipeline
        if pipeline is not None:
            counters = pipeline.counters
            key = (self.name, exchange.status)
            counters.statuses[key] = counters.statuses.get(key, 0) + 1
            counters.durations.observe(exchange.finished_at - exchange.started_at)
            counters.bytes_in += exchange.bytes_in
            counters.bytes_out += exchange.bytes_out
        else:
            self.unrouted += 1
        reason = exchange.end_reason
        if reason != COMPLETE:
            self.ends[reason] = self.ends.get(reason, 0) + 1
        if self.access_log is not None:
            self.access_log.write(exchange)

    def tick(self, now: float) -> None:
        """Tell the exchanges whose time is up."""
        for exchange in [exchange for exchange in self.active if exchange.deadline <= now]:
            exchange.timed_out()

    def drop_all(self, reason: str) -> None:
        """End every exchange at once."""
        for exchange in list(self.active):
            exchange.deadline = inf
            exchange.fail(503, reason)
