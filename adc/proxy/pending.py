"""What an exchange waits for: a try at a member, a place in a queue, the cache."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from adc.codecs.interface import MemberConnection
from adc.pools.errors import Failure, Outcome

if TYPE_CHECKING:
    from adc.proxy.attempt import Attempt
    from adc.proxy.exchange import Exchange


class Pending:
    """`Exchange.attempt`. `connection` is where the response comes from, None as long as it cannot; `over` once
    nothing more will come of it."""

    __slots__ = ("connection", "exchange", "over")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.connection: MemberConnection | None = None
        self.over = False

    @property
    def answered_by(self) -> Attempt | None:
        """The try at a member whose response this brings; None if no member was asked for it."""
        return None

    @abstractmethod
    def time_out(self, failure: Failure, phase: str) -> None:
        """The exchange took too long in `phase`."""

    @abstractmethod
    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        """Give up."""
