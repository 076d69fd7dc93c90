"""One request of a client and its response, for every codec."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Final

from adc.codecs.interface import Stream
from adc.http.headers import Pair
from adc.http.message import Request, Response
from adc.http.upgrade import among
from adc.http.via import goes_round
from adc.proxy.body_filter import BodyFilter, BrokenContent
from adc.proxy.end_reasons import CLIENT_CLOSED
from adc.proxy.gate import BUFFER, CLIENT, MEMBER, PLUGIN
from adc.proxy.phases import CLIENT_WRITE, IDLE, MEMBER_WRITE, TUNNEL
from adc.proxy.phases import PLUGIN as AT_PLUGIN
from adc.proxy.pipeline import Pipeline
from adc.proxy.request_side import RequestSide
from adc.proxy.service import Service
from adc.proxy.stages.unpack import Unpacker
from adc.proxy.states import AWAITING, ENDED, RESPONDING, SWITCHED
from adc.proxy.trailers import still_true
from adc.proxy.upstream.request import NO_FIELDS
from adc.proxy.upstream.stick import stick
from adc.routing.settle import PathPolicy, settle
from adc.telemetry.record import COMPLETE
from adc.telemetry.tracing import accepted_request_id, new_request_id

if TYPE_CHECKING:
    from adc.net.file_output import FileOutput

_LARGE_BYTES: Final = 32 << 10
_NO_LINES: Final[tuple[Pair, ...]] = ()
_monotonic: Final = time.monotonic


class Exchange(RequestSide):
    """Owns the timeouts, the route, the attempts and the log record of one request, and sends the response.

    Its stages may put a filter or an `unpacker` in the way of the response content, and give the response
    `response_lines`. `route`, `listener`, `client`, `elapsed` and further attributes are what the access log prints.
    """

    __slots__ = (
        "_filters",
        "bytes_out",
        "cache",
        "client",
        "elapsed",
        "end_reason",
        "listener",
        "pipeline",
        "response_lines",
        "route",
        "service",
        "started",
        "unpacker",
    )

    def __init__(self, service: Service[Exchange], stream: Stream, request: Request) -> None:
        given = request.proxy_fields.get(b"x-request-id")
        request_id = (accepted_request_id(given) if given else "") or new_request_id()
        super().__init__(service, request, request.target, request_id)
        self.service = service
        self.stream = stream
        self.started_at = _monotonic()
        self.started = service.clock.wall
        self.pipeline: Pipeline[Exchange] | None = None
        self.plugins = None
        self.body_limit = service.body_limit
        self.bytes_in = 0
        self._content_due = inf
        self._content_seen = 0.0
        self._content_gate = None
        self._filters: tuple[BodyFilter, ...] = ()
        self.unpacker: Unpacker | None = None
        self.response_lines = _NO_LINES
        self.response_trailers = NO_FIELDS
        self.client = request.source
        self.listener = service.name
        self.route = ""
        self.cache = ""
        self.bytes_out = 0
        self.elapsed = 0.0
        self.end_reason = COMPLETE

    # The request.

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
        pipeline = self.pipeline = find(request) if request.plain else self._settle()
        if pipeline is None:
            if self.state != ENDED:
                self.fail(404, "no_route", "destination_not_found")
            return
        self.route = pipeline.name
        self.timeouts = pipeline.timeouts
        if request.upgrade:
            request.upgrade = among(request.upgrade, pipeline.upgrades)
        if b"via" in proxy_fields and self._ends_loop():
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

    def _settle(self) -> Pipeline[Exchange] | None:
        """Return the route of a request whose path has several readings; refuse it if they lead to several routes."""
        request = self.request
        settled = settle(request, self.service.find, _path_policy)
        if settled.refusal:
            self.pipeline = settled.value
            self.route = settled.value.name if settled.value is not None else ""
            self.service.refused("ambiguous_path", settled.refusal, request)
            self.fail(400, "ambiguous_path")
            return None
        request.target = self.target = settled.target
        return settled.value

    def _ends_loop(self) -> bool:
        """Refuse a request that has come through here again and again; True if it was one."""
        if not goes_round(self.request.proxy_fields[b"via"]):
            return False
        self.service.refused("loop", "the route leads back to where the request came from", self.request)
        self.fail(508, "loop", "proxy_loop_detected")
        return True

    # Backpressure and timeouts of the response.

    def stream_blocked(self) -> None:
        self.hold_response(CLIENT)
        self.limit(CLIENT_WRITE, self.service.client_write_timeout)

    def stream_writable(self) -> None:
        self.release_response(CLIENT)
        if self.state == ENDED:
            return
        self.await_next()
        if self.unpacker is not None:
            self.unpacker.writable(self)

    def let_response_go_on(self, reasons: int) -> None:
        """Read the response on: little by little if only the client has stopped it, and as long as that is slow."""
        attempt = self.attempt
        if attempt is not None:
            if reasons == CLIENT and self.stream.is_slow:
                attempt.resume_slowly()
            else:
                attempt.resume()

    def stream_lost(self) -> None:
        if self.attempt is not None:
            self.attempt.cancel()
        if not self.status:
            self.status = CLIENT_CLOSED
        self.end("client_gone")

    def await_next(self) -> None:
        response_holds, content_holds = self.response_holds, self.content_holds
        if response_holds & CLIENT:
            self.limit(CLIENT_WRITE, self.service.client_write_timeout)
        elif (response_holds | content_holds) & PLUGIN:
            self.limit(AT_PLUGIN, inf)
        elif content_holds & MEMBER and self.state == AWAITING:
            self.limit(MEMBER_WRITE, self.timeouts.idle)
        elif self.state == SWITCHED:
            self.limit(TUNNEL, self.timeouts.tunnel)
        else:
            super().await_next()

    # The response.

    def inform(self, response: Response) -> None:
        self.stream.send_informational(response)

    def switch(self, response: Response, body: bytes) -> None:
        stick(self, response)
        self.state = SWITCHED
        self.status = 101
        self.bytes_out = len(body)
        self.body = b""
        self.replayable = False
        self.stream.send_head(response, body, False)
        self.release_content(BUFFER)
        self.limit(TUNNEL, self.timeouts.tunnel)

    def respond(self, response: Response, body: bytes, end: bool) -> None:
        """Send the final response head through the plugins and the response stages of the route."""
        if self.plugins is not None and not self.plugins.open:
            self.plugins.response(response, body, end)
            return
        if self.response_lines:
            response.headers.extend(self.response_lines)
        self.state = RESPONDING
        self.status = response.status
        pipeline = self.pipeline
        if pipeline is not None and pipeline.response_stages:
            try:
                body = self._through_stages(pipeline, response, body, end)
            except BrokenContent as broken:
                self.state = AWAITING
                self.content_broke(broken)
                return
        unpacker = self.unpacker
        if unpacker is not None:
            end = unpacker.ended
        self.bytes_out = len(body)
        if end and self.response_trailers:
            self.stream.send_head(response, body, False)
            self._end_with_trailers()
            return
        self.stream.send_head(response, body, end)
        if end:
            self.end(self.end_reason)
            return
        self.limit(IDLE, self.timeouts.idle)
        if unpacker is not None and unpacker.pending:
            unpacker.schedule(self)

    def respond_shared(self, response: Response, body: bytes) -> bool:
        """Send the response, if nothing on the way changes heads."""
        pipeline = self.pipeline
        if pipeline is None or pipeline.response_stages or self.plugins is not None or self.response_lines:
            return False
        self.state = RESPONDING
        self.status = response.status
        self.bytes_out = len(body)
        self.stream.send_head(response, body, True)
        self.end(self.end_reason)
        return True

    def _through_stages(
        self, pipeline: Pipeline[Exchange], response: Response, body: bytes, end: bool
    ) -> bytes:
        found = [stage(self, response) for stage in pipeline.response_stages]
        self._filters = tuple([each for each in found if each is not None])
        for each in self._filters:
            body = each.feed(body, end)
        return body if self.unpacker is None else self.unpacker.first(body, end)

    def respond_trailers(self, fields: list[Pair]) -> None:
        if self.request.takes_trailers:
            self.response_trailers = fields
        else:
            self.service.trailers_dropped["response"] += len(fields)
        self.respond_body(b"", True)

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
        if not end and self.phase is not CLIENT_WRITE:
            if self.state == SWITCHED:
                self.limit(TUNNEL, self.timeouts.tunnel)
            else:
                self.limit(IDLE, self.timeouts.idle)
        if end and self.response_trailers:
            if data:
                self.stream.send_body(data, False)
            self._end_with_trailers()
            return
        if data or end:
            self.stream.send_body(data, end)
        if end:
            self.end(COMPLETE)
        elif (
            len(data) >= _LARGE_BYTES
            and self.state == RESPONDING
            and self.plugins is None
            and self.unpacker is None
            and not self.response_holds
        ):
            self.let_response_go_on(CLIENT)

    def _end_with_trailers(self) -> None:
        """End the response with its trailers, as far as they hold for the content that the client got."""
        stream, fields = self.stream, self.response_trailers
        kept = still_true(fields) if self._changed_content else fields
        sent = 0
        if not kept:
            stream.send_body(b"", True)
        elif stream.send_trailers(kept):
            sent = len(kept)
        self.service.trailers_dropped["response"] += len(fields) - sent
        self.end(COMPLETE)

    @property
    def _changed_content(self) -> bool:
        """True if the content may differ from what the member sent."""
        return (
            self.unpacker is not None
            or (self.plugins is not None and self.plugins.changes)
            or any(each.changes for each in self._filters)
        )

    def file_output(self) -> FileOutput | None:
        """Return the one of the stream if nothing on the way to the client reads or changes the content."""
        read = self.plugins is not None and self.plugins.takes_response_body
        if read or self.unpacker is not None or self._filters:
            return None
        return self.stream.file_output(self.stream_writable)

    def file_sent(self, size: int, end: bool) -> None:
        self.bytes_out += size
        if not end:
            self.stream_blocked()

    # Errors, and the end.

    def fail(self, status: int, reason: str, proxy_status: str = "", lines: tuple[Pair, ...] = ()) -> None:
        """Send an error response of adc, with `lines` in its head; if the response has begun, abort it visibly for the
        client."""
        if self.state == ENDED:
            return
        if self.state != AWAITING:
            self.break_off(reason)
            return
        if self.attempt is not None:
            self.attempt.cancel()
        self.end_reason = reason
        response, body = self.error(status, proxy_status)
        for name, value in lines:
            response.headers.add(name, value)
        if self.plugins is not None:
            self.plugins.error_head(response)
        if self.request.method == "HEAD":
            body = b""
        self.state = RESPONDING
        self.status = status
        self.bytes_out = len(body)
        self.stream.send_head(response, body, True)
        self.end(reason)

    def error(self, status: int, proxy_status: str) -> tuple[Response, bytes]:
        """Return an error page for this exchange, whose `end_reason` is known."""
        replies = None if self.pipeline is None else self.pipeline.replies
        return self.service.error(
            status, proxy_status, self.end_reason, self.request_id, self.request, replies
        )

    def reply_unlogged(self, response: Response) -> None:
        """Send `response`, which has no body, and neither count nor log the exchange."""
        self.state = ENDED
        self.deadline = inf
        self.service.active.discard(self)
        self.stream.send_head(response, b"", True)

    def end(self, reason: str) -> None:
        """Count the exchange, log it and forget what it refers to. Once."""
        if self.state == ENDED:
            return
        self.state = ENDED
        self.elapsed = _monotonic() - self.started_at
        self.end_reason = reason
        self.deadline = inf
        if self.plugins is not None:
            plugins, self.plugins = self.plugins, None
            plugins.ended()
        self.unpacker = None
        self._filters = ()
        self.attempt = self.response_gate = None  # cycles: without them an exchange is freed at once
        service, pipeline = self.service, self.pipeline
        service.active.discard(self)
        if pipeline is not None:
            counters = pipeline.counters
            counters.responded(service.name, self.status)
            counters.durations.observe(self.elapsed)
            counters.bytes_in += self.bytes_in
            counters.bytes_out += self.bytes_out
        else:
            service.unrouted += 1
        if reason != COMPLETE:
            service.ends[reason] = service.ends.get(reason, 0) + 1
        if service.access_log is not None:
            service.access_log.write(self)


def _path_policy(pipeline: Pipeline[Exchange]) -> PathPolicy:
    return pipeline.paths
