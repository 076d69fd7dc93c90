"""The launch of a request: how the chosen member is tried."""

from __future__ import annotations

from abc import abstractmethod

from adc.pools.member import Member
from adc.proxy.upstream.attempt import Attempt, Dispatch
from adc.proxy.upstream.choice import Choice
from adc.proxy.upstream.request import UpstreamRequest


class Launch:
    """Begins what a request does at a member."""

    __slots__ = ()

    @abstractmethod
    def start(self, dispatch: Dispatch, choice: Choice, upstream: UpstreamRequest, member: Member) -> None:
        """Begin an attempt at `member`; `choice` chose it and chooses others."""


class Single(Launch):
    """One attempt at a time."""

    __slots__ = ()

    def start(self, dispatch: Dispatch, choice: Choice, upstream: UpstreamRequest, member: Member) -> None:
        attempt = Attempt(dispatch, upstream, member)
        upstream.attempt = attempt
        upstream.member = member.address
        attempt.launch()
