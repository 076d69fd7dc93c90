"""The cache's replacement for an attempt at a member while it responds."""

from __future__ import annotations

from adc.pools.errors import Failure, Outcome
from adc.proxy.end_reasons import end_reason
from adc.proxy.exchange import Exchange
from adc.proxy.phases import Phase
from adc.proxy.upstream.pending import Pending


class LocalResponse(Pending):
    """The exchange's `attempt` for a response that does not come straight from a member: it can be paused and
    cancelled. Requests that reach a cache have no content."""

    __slots__ = ("exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self.over = False
        self.exchange = exchange
        exchange.attempt = self

    def time_out(self, failure: Failure, phase: Phase) -> None:
        self.exchange.fail(failure.status, end_reason(failure), failure.token)

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        if not self.over:
            self.finish()
            self.left()

    def finish(self) -> None:
        """Note that nothing more will come."""
        self.over = True

    def left(self) -> None:
        """Handle that the exchange does not want its response any more."""
