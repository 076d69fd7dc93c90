"""The exchanges that get the response of one fetch."""

from __future__ import annotations

from abc import abstractmethod

from adc.pools.member import Member
from adc.proxy.caching.fill import Fill
from adc.proxy.caching.local_response import LocalResponse
from adc.proxy.exchange import Exchange
from adc.proxy.gate import CLIENT
from adc.proxy.plugins.interception import Intercepted
from adc.proxy.upstream.request import NO_FIELDS


class Follower(LocalResponse):
    """An exchange that is answered from a fetch. `position`: bytes of the content that it was given; `answered_by`: the
    member whose response only this exchange gets."""

    __slots__ = ("_audience", "answered_by", "blocked", "position")

    def __init__(self, exchange: Exchange, audience: Audience) -> None:
        super().__init__(exchange)
        self._audience = audience
        self.answered_by: Member | None = None
        self.position = 0
        self.blocked = False

    @property
    def responder(self) -> Member | None:
        return self.answered_by

    def pause(self) -> None:
        self.blocked = True
        self._audience.pace()

    def resume(self) -> None:
        self.blocked = False
        self._audience.catch_up(self)
        self._audience.pace()

    def left(self) -> None:
        self._audience.left(self)

    def finish(self) -> None:
        super().finish()
        self._audience.released(self)


class Watched(Intercepted):
    """A request to a member whose response goes to an audience."""

    __slots__ = ()

    @abstractmethod
    def deserted(self) -> bool:
        """Cancel the request unless its response is wanted though no client receives it; True if cancelled."""


class Audience:
    """The followers of one fetch. A client that keeps up gets the content as it comes, without a copy; a client that is
    slow reads later what was stored. The member is paused only while all clients are slow, and while any is once the
    content cannot be stored. `trailers` end the content.
    """

    __slots__ = ("_fetch", "fill", "followers", "trailers")

    def __init__(self, fetch: Watched) -> None:
        self._fetch: Watched | None = fetch
        self.fill: Fill | None = None
        self.followers: list[Follower] = []
        self.trailers = NO_FIELDS

    def add(self, exchange: Exchange) -> Follower:
        """Make `exchange` a follower."""
        follower = Follower(exchange, self)
        self.followers.append(follower)
        return follower

    def dismiss(self) -> list[Follower]:
        """Remove and return all followers."""
        followers, self.followers = self.followers, []
        return followers

    def give(self, data: bytes, end: bool) -> None:
        """Send `data`, which is in `fill` already, to all followers that keep up."""
        fill, followers = self.fill, tuple(self.followers)
        if fill is None:
            return
        start = fill.length - len(data)
        for follower in followers:
            if follower.over or follower.position != start:
                continue
            if follower.blocked and data and fill.stored and len(followers) > 1:
                continue
            follower.position = fill.length
            self._send(follower, data, end)

    def catch_up(self, follower: Follower) -> None:
        """Send `follower` what came while it was slow."""
        fill = self.fill
        if fill is None:
            return
        while not (follower.blocked or follower.over) and follower.position < fill.length:
            data = fill.read(follower.position)
            if not data:
                follower.exchange.fail(502, "cache_failed")
                break
            follower.position += len(data)
            self._send(follower, data, fill.complete and follower.position == fill.length)
        self.drop_unread()

    def _send(self, follower: Follower, data: bytes, end: bool) -> None:
        exchange = follower.exchange
        if not end:
            exchange.respond_body(data, False)
            return
        follower.finish()
        self.inform(follower)
        if self.trailers:
            if data:
                exchange.respond_body(data, False)
            exchange.respond_trailers(self.trailers)
        else:
            exchange.respond_body(data, True)

    def drop_unread(self) -> None:
        """Drop what was collected once it cannot be stored and no follower has to read it any more."""
        fill = self.fill
        if fill is None or not fill.failed:
            return
        if all(follower.over or follower.position >= fill.length for follower in self.followers):
            fill.abort(fill.failed)

    def inform(self, follower: Follower) -> None:
        """Tell the exchange of a follower what its log record and a sticky pool need to know."""
        exchange, fetch = follower.exchange, self._fetch
        if fetch is None:
            return
        exchange.pool, exchange.member = fetch.pool, fetch.member
        exchange.attempts, exchange.upstream_elapsed = fetch.attempts, fetch.upstream_elapsed
        attempt = fetch.attempt
        if attempt is not None and exchange.cache == "miss":
            follower.answered_by = attempt.responder
            exchange.assignment = fetch.assignment

    def left(self, follower: Follower) -> None:
        """Remove a follower whose client is gone. A fetch that can still be stored, or has other followers,
        continues."""
        if follower in self.followers:
            self.followers.remove(follower)
        self.drop_unread()
        fetch = self._fetch
        if fetch is not None and (self.followers or not fetch.deserted()):
            self.pace()

    def released(self, follower: Follower) -> None:
        """Remove a follower that read on after the end of the fetch and has all of it."""
        if self._fetch is None and follower in self.followers:
            self.followers.remove(follower)

    def pace(self) -> None:
        """Pause the member while every client is slow, and while one is that cannot read the rest later."""
        fetch = self._fetch
        if fetch is None or fetch.attempt is None:
            return
        blocked = [follower.blocked for follower in self.followers]
        if any(blocked) and (all(blocked) or self.fill is None or not self.fill.stored):
            if not fetch.response_holds & CLIENT:
                fetch.hold_response(CLIENT)
                fetch.await_next()
        elif fetch.response_holds & CLIENT:
            fetch.release_response(CLIENT)
            fetch.await_next()

    def end(self) -> None:
        """End the fetch; followers without all of the content continue from what was stored."""
        self.followers = [follower for follower in self.followers if not follower.over]
        for follower in self.followers:
            self.inform(follower)
        self._fetch = None
