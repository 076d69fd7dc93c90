"""Copies of requests for another pool, whose responses are compared or just discarded."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.proxy.body_filter import BodyFilter
from adc.proxy.pipeline import Action, RouteCounters
from adc.proxy.states import ENDED, RESPONDING
from adc.proxy.timeouts import Timeouts
from adc.proxy.upstream.comparison import SAME, Comparison, Observed
from adc.proxy.upstream.request import UpstreamRequest

MOST = 256
"""Copies of one route that are on their way at the same time; while there are so many no more are made."""


class Mirror:
    """Sends a share of a route's requests to `copies` as well, before they go on to `following`.

    A request with content is copied once the response to it begins, by when all of its content has come; content that
    was too long to be kept for a retry is not copied. `dropped` counts those that there was no room for.

    `compare` is `off`, `size` (status and size) or `body` (a digest too); the results are counted in `counters`, and
    differences are logged.
    """

    __slots__ = (
        "_compare",
        "_copies",
        "_counters",
        "_next",
        "_pairs",
        "_random",
        "_route",
        "_share",
        "_timeouts",
        "active",
        "dropped",
    )

    def __init__(
        self,
        copies: Action[UpstreamRequest],
        timeouts: Timeouts,
        share: float,
        random: Callable[[], float],
        following: Action[UpstreamRequest],
        route: str,
        compare: str,
        counters: RouteCounters,
    ) -> None:
        self._route = route
        self._compare = compare
        self._counters = counters
        self._pairs: dict[str, Comparison] = {}  # by request id: a fetch of the cache is another object
        self._copies = copies
        self._timeouts = timeouts
        self._share = share
        self._random = random
        self._next = following
        self.active = 0
        self.dropped = 0

    def __call__(self, upstream: UpstreamRequest) -> None:
        if upstream.request.body_length == 0:
            self._reflect(upstream)
        self._next(upstream)

    def answered(self, upstream: UpstreamRequest, response: Response) -> BodyFilter | None:
        """Return the response stage, for requests with content."""
        if upstream.request.body_length != 0 and upstream.body_end and upstream.replayable:
            self._reflect(upstream)
        comparison = self._pairs.pop(upstream.request_id, None) if self._pairs else None
        if comparison is None:
            return None
        comparison.primary.status = response.status
        return Observed(comparison)

    def _reflect(self, upstream: UpstreamRequest) -> None:
        if upstream.request.upgrade or self._random() >= self._share:
            return
        if self.active >= MOST:
            self.dropped += 1
            return
        self.active += 1
        copy = Copy(upstream, self._timeouts, self._ended)
        if self._compare != "off":
            copy.comparison = self._compared_with(upstream)
        upstream.context.active.add(copy)
        copies = self._copies
        copies(copy)

    def _compared_with(self, upstream: UpstreamRequest) -> Comparison:
        while len(self._pairs) >= 2 * MOST:  # clients that left before their response began
            del self._pairs[next(iter(self._pairs))]

        log, request_id = upstream.context.error_log, upstream.request_id  # no cycle with the exchange

        def compared(comparison: Comparison, result: str) -> None:
            mirrored = self._counters.mirrored
            mirrored[result] = mirrored.get(result, 0) + 1
            if result != SAME:
                primary, copy, request = comparison.primary, comparison.copy, comparison.request
                log.warn(
                    "mirror_differs",
                    route=self._route,
                    request_id=request_id,
                    method=request.method,
                    path=request.path,
                    difference=result,
                    status=primary.status,
                    mirror_status=copy.status,
                    size=primary.size,
                    mirror_size=copy.size,
                )

        comparison = Comparison(upstream.request, self._compare == "body", compared)
        self._pairs[request_id] = comparison
        return comparison

    def _ended(self) -> None:
        self.active -= 1


class Copy(UpstreamRequest):
    """A copy of a request: a sink that drops the response. It is not logged and counts for no route."""

    __slots__ = ("_ended", "comparison")

    def __init__(self, original: UpstreamRequest, timeouts: Timeouts, ended: Callable[[], None]) -> None:
        super().__init__(original.context, _copied(original.request), original.target, original.request_id)
        self.decided = original.decided
        self.timeouts = timeouts
        self.body, self.body_end, self.trailers = original.body, True, original.trailers
        self._ended = ended
        self.comparison: Comparison | None = None

    def respond(self, response: Response, body: bytes, end: bool) -> None:
        self.state = RESPONDING
        if self.comparison is not None:
            self.comparison.copy.status = response.status
        self.respond_body(body, end)

    def respond_body(self, data: bytes, end: bool) -> None:
        if self.comparison is not None:
            self.comparison.copy.add(data)
        if end:
            self.end("")
        else:
            self.await_next()

    def respond_trailers(self, fields: list[Pair]) -> None:
        self.end("")

    def fail(self, status: int, reason: str, proxy_status: str = "", lines: tuple[Pair, ...] = ()) -> None:
        if self.attempt is not None:
            self.attempt.cancel()
        if self.comparison is not None:
            self.comparison.copy.status = 0
        self.end(reason)

    def end(self, reason: str) -> None:
        if self.state == ENDED:
            return
        self.state = ENDED
        self.deadline = inf
        self.attempt = None
        self.context.active.discard(self)
        comparison, self.comparison = self.comparison, None
        if comparison is not None:
            comparison.finish(comparison.copy)
        self._ended()


def _copied(request: Request) -> Request:
    """Return `request` with separate headers: the route continues to edit those of the original."""
    copy = request.with_headers(Headers(list(request.headers.pairs)))
    copy.upgrade = b""
    copy.tied = False
    copy.expect_continue = False
    copy.passed_by = ""
    return copy
