"""The object that a request waits for: an attempt at a member, a place in a queue, the cache."""

from __future__ import annotations

from abc import abstractmethod

from adc.http.headers import Pair
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.proxy.phases import Phase


class Pending:
    """`UpstreamRequest.attempt`, the sender of the response. `over` once nothing more will come of it."""

    __slots__ = ("over",)

    over: bool

    @abstractmethod
    def time_out(self, failure: Failure, phase: Phase) -> None:
        """Fail with `failure`: `phase` took too long."""

    @abstractmethod
    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        """End without a response."""

    @property
    def responder(self) -> Member | None:
        """The member whose response the client gets as it comes; None if no member was asked for it."""
        return None

    @property
    def takes_content(self) -> bool:
        """True if request content can be sent; otherwise it has to be buffered."""
        return False

    def send_body(self, data: bytes, end: bool) -> None:
        """Send more request content. `takes_content` is true."""

    def send_trailers(self, fields: list[Pair]) -> None:
        """End the request content with trailers. `takes_content` is true."""

    def pause(self) -> None:
        """Stop the response until `resume`."""

    def resume(self) -> None:
        """Let the response go on."""

    def resume_slowly(self) -> None:
        """Let the response go on, a little at a time."""
        self.resume()
