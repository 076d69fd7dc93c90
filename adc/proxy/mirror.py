"""Copies of requests for another pool, whose responses nobody reads."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from adc.http.headers import Headers, Pair
from adc.http.message import NOBODY, Request, Response
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Action, Pipeline

if TYPE_CHECKING:
    from adc.codecs.interface import KeptConnection
    from adc.pools.member import Member
    from adc.proxy.body_filter import BodyFilter

MOST = 256
"""Copies of one route that are on their way at the same time; while there are so many no more are made."""


class Mirror:
    """Sends a share of a route's requests through `pipeline` as well, before they go on to `following`.

    A request with content is copied once the response to it begins, by when all of its content has come;
    content that was too long to be kept for a retry is not copied. `dropped` counts those that there was no
    room for.
    """

    __slots__ = ("_next", "_pipeline", "_random", "_share", "active", "dropped")

    def __init__(
        self, pipeline: Pipeline, share: float, random: Callable[[], float], following: Action
    ) -> None:
        self._pipeline = pipeline
        self._share = share
        self._random = random
        self._next = following
        self.active = 0
        self.dropped = 0

    def __call__(self, exchange: Exchange) -> None:
        if exchange.request.body_length == 0:
            self._reflect(exchange)
        self._next(exchange)

    def answered(self, exchange: Exchange, response: Response) -> BodyFilter | None:
        """The response stage, for requests with content."""
        if exchange.request.body_length != 0 and exchange.body_end and exchange.replayable:
            self._reflect(exchange)
        return None

    def _reflect(self, exchange: Exchange) -> None:
        if exchange.request.upgrade or self._random() >= self._share:
            return
        if self.active >= MOST:
            self.dropped += 1
            return
        self.active += 1
        Copy(exchange, self._pipeline, self._ended).begin()

    def _ended(self) -> None:
        self.active -= 1


class Copy(Exchange):
    """A copy of an exchange that has no client: it is not logged and counts for no route."""

    __slots__ = ("_ended",)

    def __init__(self, original: Exchange, pipeline: Pipeline, ended: Callable[[], None]) -> None:
        super().__init__(original.service, Nowhere(), _copied(original.request))
        self.request_id = original.request_id
        self.target = original.target
        self.pipeline = pipeline
        self.body, self.body_end = original.body, True
        self._ended = ended

    def begin(self) -> None:
        """Send it."""
        self.service.active.add(self)
        if self.pipeline is not None:
            self.pipeline.start(self)

    def end(self, reason: str) -> None:
        if self.finished_at:
            return
        self.finished_at = time.monotonic()
        self.deadline = inf
        self.attempt = None
        self.service.active.discard(self)
        self._ended()


class Nowhere:
    """The `Stream` of a copy."""

    client = NOBODY

    def send_informational(self, response: Response) -> None:
        """No-op: a mirrored request has no client."""

    def send_head(self, response: Response, body: bytes, end: bool) -> None:
        """No-op: a mirrored request has no client."""

    def send_body(self, data: bytes, end: bool) -> None:
        """No-op: a mirrored request has no client."""

    def send_trailers(self, fields: list[Pair]) -> bool:
        """Return False: a mirrored request has no client."""
        return False

    def file_output(self, writable: Callable[[], None]) -> None:
        """Return None: a mirrored request has no client."""

    def keep(self, member: Member, connection: KeptConnection) -> bool:
        """A copy belongs to no client connection."""
        return False

    def kept(self, pool: str) -> None:
        """Nothing is kept."""

    def abort(self) -> None:
        """There is nothing to break off."""

    def pause_reading(self) -> None:
        """All of the request is here."""

    @property
    def is_slow(self) -> bool:
        return False

    def resume_reading(self) -> None:
        """All of the request is here."""


def _copied(request: Request) -> Request:
    copy = Request(
        request.method,
        request.target,
        request.path,
        request.query,
        request.authority,
        request.host,
        Headers(list(request.headers.pairs)),
        request.proxy_fields,
        request.body_length,
        request.version,
        request.scheme,
        request.client,
        request.source,
    )
    copy.plain = request.plain
    return copy
