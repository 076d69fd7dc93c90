"""One request and its response, whatever codec carries them."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Final

from adc.codecs.interface import Stream
from adc.codecs.refused import Refused
from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.http.upgrade import among
from adc.proxy.body_filter import BodyFilter, BrokenContent
from adc.proxy.end_reasons import CLIENT_CLOSED, OVERDUE_MEMBER
from adc.telemetry.record import COMPLETE
from adc.telemetry.tracing import accepted_request_id, new_request_id

if TYPE_CHECKING:
    from adc.pools.member import Member
    from adc.proxy.pending import Pending
    from adc.proxy.pipeline import Pipeline
    from adc.proxy.plugin_run import PluginRun
    from adc.proxy.service import Service
    from adc.proxy.sticky import Assignment
    from adc.proxy.unpack import Unpacker

_LARGE_BYTES: Final = 32 << 10
HOLD_BYTES: Final = 64 << 10
"""Request content kept for a member that is not connected yet, and for a retry."""


class Exchange:
    """Owns the time limits, the route, the tries and the log record of one request.

    `deadline` (monotonic seconds) is when `timed_out` is called; `phase` names what is then overdue. Request
    content that arrives before a member is connected is held, up to `HOLD_BYTES`; what was sent stays in `body`
    while it is that small, so that a retry can send it again (`replayable`). `redial`: a stale connection was found:
    no other idle one is used.
    """

    __slots__ = (
        "_filters",
        "attempt",
        "attempts",
        "body",
        "body_due",
        "body_end",
        "body_limit",
        "body_seen",
        "bytes_in",
        "bytes_out",
        "cache",
        "client",
        "deadline",
        "end_reason",
        "finished_at",
        "head_sent",
        "member",
        "phase",
        "pipeline",
        "plugins",
        "pool",
        "redial",
        "replayable",
        "request",
        "request_id",
        "service",
        "started",
        "started_at",
        "status",
        "sticky",
        "stream",
        "switched",
        "target",
        "total_at",
        "tried",
        "unpacker",
        "upstream_elapsed",
    )

    def __init__(self, service: Service, stream: Stream, request: Request) -> None:
        self.service = service
        self.stream = stream
        self.request = request
        self.client = request.source
        self.started_at = time.monotonic()
        self.finished_at = 0.0
        self.started = service.clock.wall
        self.deadline = inf
        self.total_at = inf
        self.phase = ""
        self.pipeline: Pipeline | None = None
        self.plugins: PluginRun | None = None
        self.attempt: Pending | None = None
        self.attempts = 0
        self.target = request.target
        self.redial = False
        self.tried: tuple[Member, ...] = ()
        self.body = b""
        self.body_end = False
        self.body_due = inf
        self.body_seen = 0.0
        self.body_limit = service.body_limit
        self.replayable = True
        self.head_sent = False
        self.switched = False
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.upstream_elapsed = 0.0
        self.pool = ""
        self.member = ""
        self.cache = ""
        self.sticky: Assignment | None = None
        self.end_reason = COMPLETE
        self.unpacker: Unpacker | None = None
        self._filters: tuple[BodyFilter, ...] = ()
        given = request.proxy_fields.get(b"x-request-id")
        self.request_id = (accepted_request_id(given) if given else "") or new_request_id()

    # What the log asks for.

    @property
    def elapsed(self) -> float:
        return self.finished_at - self.started_at

    @property
    def route(self) -> str:
        return "" if self.pipeline is None else self.pipeline.name

    @property
    def listener(self) -> str:
        return self.service.name

    # The request side: events of the codec.

    def start(self, body: bytes, end: bool) -> None:
        service = self.service
        service.active.add(self)
        request, proxy_fields = self.request, self.request.proxy_fields
        if request.spoofable:
            service.drop_spoofed(request)
        self.body = body
        self.body_end = end
        self.bytes_in = len(body)
        find = service.find
        pipeline = self.pipeline = find(request) if request.plain else service.settle(self)
        if pipeline is None:
            if not self.finished_at:
                self.fail(404, "no_route")
            return
        if request.upgrade:
            request.upgrade = among(request.upgrade, pipeline.upgrades)
        if b"via" in proxy_fields and service.ends_loop(self):
            return
        if not end or body:
            limit = pipeline.body_limit
            if limit is not None and limit < self.body_limit:
                self.body_limit = limit
            if max(request.body_length, self.bytes_in) > self.body_limit:
                self._refuse_body()
                return
        start = pipeline.start
        start(self)

    def request_body(self, data: bytes, end: bool) -> None:
        self.bytes_in += len(data)
        if self.bytes_in > self.body_limit and not self.switched:
            self._refuse_body()
            return
        plugins = self.plugins
        if plugins is not None and plugins.requests.content is not None:
            plugins.requests.push(data, end)
        else:
            self.pass_body(data, end)

    def request_trailers(self, fields: list[Pair]) -> None:
        self.request_body(b"", True)

    def pass_body(self, data: bytes, end: bool) -> None:
        """Pass request content on to the member, or hold it until one is connected."""
        self.body_end = self.body_end or end
        attempt = self.attempt
        if attempt is not None and attempt.connection is not None and not attempt.over:
            if self.replayable:
                self._keep(data)
            attempt.connection.send_body(data, end)
            self._moved(len(data), end)
        elif not self.finished_at:
            self.body += data
            if self.holds_enough:
                self.stream.pause_reading()

    @property
    def holds_enough(self) -> bool:
        """True if no more request content may be buffered."""
        return len(self.body) > HOLD_BYTES

    def _refuse_body(self) -> None:
        detail = f"the request content is over {self.body_limit} bytes"
        self.service.refused("limit_body", detail, self.request)
        self.fail(413, "limit_body")

    def _keep(self, data: bytes) -> None:
        if len(self.body) + len(data) <= HOLD_BYTES:
            self.body += data
        else:
            self.replayable = False
            self.body = b""

    def _moved(self, count: int, end: bool) -> None:
        """A byte went through: the time limit of the phase starts afresh."""
        if self.head_sent:
            self.limit(self.phase, self.pipeline_idle)
        elif end:
            self.limit("response_head", self.pipeline_response_head)
        else:
            self.service.await_body(self, count)

    def bad_body(self, refused: Refused) -> None:
        self.service.refused(refused.reason, refused.detail, self.request)
        self.fail(refused.status, refused.reason)

    def stream_blocked(self) -> None:
        if self.plugins is not None:
            self.plugins.client_blocked = True
        if self.unpacker is not None:
            self.unpacker.client_blocked = True
        attempt = self.attempt
        if attempt is not None and attempt.connection is not None and not attempt.over:
            attempt.connection.pause_reading()
        self.limit("client_write", self.service.client_write_timeout)

    def stream_writable(self) -> None:
        if self.plugins is not None:
            self.plugins.client_blocked = False
            if self.plugins.responses.busy:
                self.limit("plugin", inf)
                return
        self.await_next()
        if self.unpacker is not None and self.unpacker.writable(self):
            return
        self._pace()

    def _pace(self) -> None:
        """Read the response little by little as long as the client is slow."""
        attempt = self.attempt
        if attempt is not None and attempt.connection is not None and not attempt.over:
            if self.stream.is_slow:
                attempt.connection.resume_slowly()
            else:
                attempt.connection.resume_reading()

    def stream_lost(self) -> None:
        if self.attempt is not None:
            self.attempt.cancel()
        if not self.status:
            self.status = CLIENT_CLOSED
        self.end("client_gone")

    # Time limits.

    @property
    def pipeline_idle(self) -> float:
        if self.pipeline is None:
            return inf
        return self.pipeline.timeouts.tunnel if self.switched else self.pipeline.timeouts.idle

    @property
    def pipeline_response_head(self) -> float:
        return inf if self.pipeline is None else self.pipeline.timeouts.response_head

    def limit(self, phase: str, seconds: float) -> None:
        """`phase` may take `seconds` from now; the exchange as a whole keeps its own limit."""
        deadline = self.service.clock.now + seconds
        if deadline < self.total_at:
            self.deadline = deadline
            self.phase = phase
        else:
            self.deadline = self.total_at
            self.phase = "total"

    def await_next(self) -> None:
        """Nothing is held up any more: the time limit of what is due next begins."""
        if self.head_sent:
            self.limit("tunnel" if self.switched else "idle", self.pipeline_idle)
        elif self.body_end:
            self.limit("response_head", self.pipeline_response_head)
        else:
            self.service.await_body(self)

    def timed_out(self) -> None:
        """The tick found `deadline` passed."""
        self.deadline = inf
        phase, attempt = self.phase, self.attempt
        if phase == "expect":
            self.send_continue(Response(100, Headers()))
        elif phase in OVERDUE_MEMBER and attempt is not None and not attempt.over:
            attempt.time_out(OVERDUE_MEMBER[phase], phase)
        elif phase == "client_write":
            self._break_off("client_write_timeout")
        elif phase == "tunnel":
            self._break_off("idle_timeout")
        elif phase == "request_body":
            self.service.refused("request_body_timeout", self.service.overdue_body(self), self.request)
            self.fail(408, "request_body_timeout")
        else:
            self.fail(504, f"{phase}_timeout")

    def send_continue(self, response: Response) -> None:
        """Tell the client to go on with its content: once, and only if it waits for that."""
        if self.phase == "expect":
            self.request.expect_continue = False
            self.stream.send_informational(response)
            self.service.await_body(self)

    def _break_off(self, reason: str) -> None:
        if self.attempt is not None:
            self.attempt.cancel()
        self.stream.abort()
        self.end(reason)

    # The response side.

    def respond(self, response: Response, body: bytes, end: bool) -> None:
        """Send the final response head through the plugins and the response stages of the route."""
        if self.plugins is not None and not self.plugins.open:
            self.plugins.response(response, body, end)
            return
        self.head_sent = True
        self.status = response.status
        pipeline = self.pipeline
        if pipeline is not None and pipeline.response_stages:
            try:
                body = self._through_stages(pipeline, response, body, end)
            except BrokenContent as broken:
                self.head_sent = False
                self.content_broke(broken)
                return
        unpacker = self.unpacker
        if unpacker is not None:
            end = unpacker.ended
        self.bytes_out = len(body)
        self.stream.send_head(response, body, end)
        if end:
            self.end(self.end_reason)
            return
        self.limit("idle", self.pipeline_idle)
        if unpacker is not None and unpacker.pending:
            unpacker.schedule(self)

    def _through_stages(self, pipeline: Pipeline, response: Response, body: bytes, end: bool) -> bytes:
        found = [stage(self, response) for stage in pipeline.response_stages]
        self._filters = tuple([each for each in found if each is not None])
        for each in self._filters:
            body = each.feed(body, end)
        return body if self.unpacker is None else self.unpacker.first(body, end)

    def respond_body(self, data: bytes, end: bool) -> None:
        """Send more of the response, through the plugins that want its content."""
        plugins = self.plugins
        if plugins is not None and plugins.takes_response_body:
            plugins.responses.push(data, end)
        else:
            self.deliver(data, end)

    def deliver(self, data: bytes, end: bool) -> None:
        """Send more of the response, through the filters of its stages."""
        try:
            for each in self._filters:
                data = each.feed(data, end)
        except BrokenContent as broken:
            self.content_broke(broken)
            return
        if self.unpacker is None:
            self.pass_on(data, end)
        else:
            self.unpacker.push(self, data, end)

    def pass_on(self, data: bytes, end: bool) -> None:
        """Send more of the response as it is."""
        self.bytes_out += len(data)
        if not end and self.phase != "client_write":  # that one is for a client who reads too slowly
            self.deadline = min(self.service.clock.now + self.pipeline_idle, self.total_at)
        if data or end:
            self.stream.send_body(data, end)
        if end:
            self.end(COMPLETE)
        elif (
            len(data) >= _LARGE_BYTES
            and self.phase == "idle"
            and self.plugins is None
            and self.unpacker is None
        ):
            self._pace()

    @property
    def content_is_final(self) -> bool:
        """True if nothing on the way to the client reads or changes the content of the response."""
        return (
            self.unpacker is None
            and not self._filters
            and (self.plugins is None or not self.plugins.takes_response_body)
        )

    def content_broke(self, broken: BrokenContent) -> None:
        """The content cannot be passed on: answer 502, or abort the response."""
        self.service.error_log.warn("bad_content", detail=str(broken), request_id=self.request_id)
        self.fail(502, "bad_response", "http_response_content_coding")

    def fail(self, status: int, reason: str, proxy_status: str = "", lines: tuple[Pair, ...] = ()) -> None:
        """Answer with an error made here, with `lines` in its head; if the response has begun, break it off so
        that it shows.
        """
        if self.finished_at:
            return
        if self.head_sent:
            self._break_off(reason)
            return
        if self.attempt is not None:
            self.attempt.cancel()
        self.end_reason = reason
        response, body = self.service.error(self, status, proxy_status)
        for name, value in lines:
            response.headers.add(name, value)
        if self.request.method == "HEAD":
            body = b""
        self.head_sent = True
        self.status = status
        self.bytes_out = len(body)
        self.stream.send_head(response, body, True)
        self.end(reason)

    def reply_unlogged(self, response: Response) -> None:
        """Send `response`, which has no body, and neither count nor log the exchange."""
        self.finished_at = time.monotonic()
        self.deadline = inf
        self.head_sent = True
        self.service.active.discard(self)
        self.stream.send_head(response, b"", True)

    def end(self, reason: str) -> None:
        """The exchange is over: count it, log it, forget it. Once."""
        if self.finished_at:
            return
        self.finished_at = time.monotonic()
        self.end_reason = reason
        self.deadline = inf
        if self.plugins is not None:
            plugins, self.plugins = self.plugins, None
            plugins.ended()
        self.unpacker = None
        self.attempt = None  # the one reference cycle: without it an exchange is freed at once
        self.service.ended(self)
