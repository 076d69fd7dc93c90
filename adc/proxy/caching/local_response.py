"""The cache's replacement for an attempt at a member while it responds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adc.http.headers import Pair
from adc.http.message import Request
from adc.pools.errors import Failure, Outcome
from adc.proxy.end_reasons import end_reason
from adc.proxy.pending import Pending

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange


class LocalResponse(Pending):
    """The exchange's `attempt` for a response that does not come straight from a member: it can be held up
    and given up. It is its own `connection`, whose sending side nobody uses: requests that reach a cache have
    no content.
    """

    __slots__ = ("reused",)

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.connection = self
        self.reused = False
        exchange.attempt = self

    def send(self, request: Request, target: str, lines: list[Pair], body: bytes, end: bool) -> None:
        """Nothing is sent."""

    def send_body(self, data: bytes, end: bool) -> None:
        """Nothing is sent."""

    def send_trailers(self, fields: list[Pair]) -> bool:
        """Return False: a stored response has no request to send to."""
        return False

    def pause_reading(self) -> None:
        """Hold the response up until `resume_reading`."""

    def resume_reading(self) -> None:
        """Go on."""

    def resume_slowly(self) -> None:
        """Go on: what a local response sends is bounded anyway."""
        self.resume_reading()

    def abort(self) -> None:
        self.cancel()

    def time_out(self, failure: Failure, phase: str) -> None:
        self.exchange.fail(failure.status, end_reason(failure), failure.token)

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        if not self.over:
            self.finish()
            self.left()

    def finish(self) -> None:
        """Nothing more will come of it."""
        self.over = True
        self.connection = None  # a cycle otherwise

    def left(self) -> None:
        """The exchange does not want its response any more."""
