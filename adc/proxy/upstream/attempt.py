"""One attempt at a member, and the owner of a request's attempts."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Final

from adc.codecs.interface import KeptConnection, Link, MemberConnection
from adc.http.headers import Pair
from adc.http.message import Response
from adc.http.trailers import divide_trailers
from adc.http.via import VIA, via
from adc.net.proxy_protocol import Endpoints
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.retry import RetryPolicy
from adc.proxy.end_reasons import end_reason
from adc.proxy.gate import BUFFER, MEMBER
from adc.proxy.phases import CONNECT, EXPECT, MEMBER_WRITE, RESPONSE_HEAD, Phase
from adc.proxy.states import RESPONDING
from adc.proxy.timeouts import Timeouts
from adc.proxy.upstream.pending import Pending
from adc.proxy.upstream.request import UpstreamRequest

_monotonic: Final = time.monotonic
_EXPECT: Final = (b"Expect", b"100-continue")
_EXPECT_PATIENCE: Final = 1.0
"""Seconds to wait for the member's response to `Expect: 100-continue` before adc sends the client a 100."""


class Dispatch:
    """Makes the attempts at the members of one pool, and decides what their failures mean."""

    __slots__ = ("pool", "retry", "timeouts")

    def __init__(self, pool: Pool, timeouts: Timeouts, retry: RetryPolicy) -> None:
        self.pool = pool
        self.timeouts = timeouts
        self.retry = retry

    @abstractmethod
    def send(self, attempt: Attempt, connection: MemberConnection) -> None:
        """Send the request on `connection`, with the fields for the member."""

    @abstractmethod
    def failed(self, attempt: Attempt, failure: Failure, detail: str) -> None:
        """Begin another attempt, or respond with an error; `detail` is for the log."""

    @abstractmethod
    def again(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Begin another attempt if the policy allows it and there is a member; True if so."""

    def refuse(self, upstream: UpstreamRequest, failure: Failure) -> None:
        """Respond with the error that `failure` means to the client."""
        upstream.fail(failure.status, end_reason(failure), failure.token)


class PoolDispatch(Dispatch):
    """A dispatch whose pool chooses the members."""

    __slots__ = ()

    @abstractmethod
    def choose(self, upstream: UpstreamRequest) -> None:
        """Choose a member that was not tried yet, and begin an attempt."""

    @abstractmethod
    def begin(self, upstream: UpstreamRequest, member: Member) -> None:
        """Begin an attempt at `member`."""

    @abstractmethod
    def unserved(self, upstream: UpstreamRequest, wanted: Member | None = None) -> None:
        """Wait for a member, or for `wanted`, because none is free; refuse if waiting cannot help."""


class Attempt(Pending):
    """A request at one member: the `ResponseReceiver` of its connection. `tied`: that belongs to the client alone."""

    __slots__ = ("began", "connection", "dispatch", "member", "status", "tied", "upstream")

    def __init__(self, dispatch: Dispatch, upstream: UpstreamRequest, member: Member) -> None:
        self.over = False
        self.dispatch = dispatch
        self.upstream = upstream
        self.member = member
        self.connection: MemberConnection | None = None
        self.status = 0
        self.tied = False
        self.began = _monotonic()

    @property
    def responder(self) -> Member | None:
        return self.member

    @property
    def endpoints(self) -> Endpoints | None:
        return self.upstream.endpoints

    def launch(self) -> None:
        """Acquire a connection, and send the request as soon as there is one."""
        upstream, member, dispatch = self.upstream, self.member, self.dispatch
        upstream.attempts += 1
        dispatch.pool.started(member, self.began)
        special = upstream.request.tied or upstream.redial
        connection = self._acquire() if special else member.link.acquire(self)
        if connection is None:
            upstream.limit(CONNECT, dispatch.timeouts.connect)
        else:
            self.connection = connection
            dispatch.send(self, connection)

    def _acquire(self) -> MemberConnection | None:
        """Return a connection: the one kept for the client, none that is idle if one was stale."""
        link: Link = self.member.link
        upstream = self.upstream
        if upstream.redial:
            link.dial(self)
            return None
        kept = upstream.kept(self.dispatch.pool.name)
        if kept is not None and kept[0] is self.member and kept[1].reacquire(self):
            self.tied = True
            return kept[1]
        return link.acquire(self)

    def connected(self, connection: MemberConnection) -> None:
        self.connection = connection
        self.dispatch.send(self, connection)

    def keep(self, connection: KeptConnection) -> bool:
        return self.upstream.keep(self.member, connection)

    # The request.

    def transmit(self, connection: MemberConnection, lines: list[Pair]) -> None:
        """Send the head, with `lines` as its fields, and the content that has arrived."""
        upstream = self.upstream
        request, body, end = upstream.request, upstream.body, upstream.body_end
        if end:
            trailers = upstream.trailers
            connection.send(request, upstream.target, lines, body, not trailers)
            if trailers:
                self.send_trailers(trailers)
            upstream.limit(RESPONSE_HEAD, self.dispatch.timeouts.response_head)
            return
        upstream.await_content()
        if request.expect_continue and not body:
            lines.append(_EXPECT)
            upstream.limit(EXPECT, _EXPECT_PATIENCE)
        connection.send(request, upstream.target, lines, body, False)
        upstream.release_content(BUFFER)

    @property
    def takes_content(self) -> bool:
        return self.connection is not None and not self.over

    def send_body(self, data: bytes, end: bool) -> None:
        if self.connection is not None:
            self.connection.send_body(data, end)

    def send_trailers(self, fields: list[Pair]) -> None:
        if self.connection is not None and not self.connection.send_trailers(fields):
            self.upstream.context.trailers_dropped["request"] += len(fields)

    def member_blocked(self) -> None:
        self.upstream.hold_content(MEMBER)
        if self.upstream.state < RESPONDING:
            self.upstream.limit(MEMBER_WRITE, self.dispatch.timeouts.idle)

    def member_writable(self) -> None:
        self.upstream.release_content(MEMBER)
        if self.upstream.state < RESPONDING:
            self.upstream.await_next()

    # The response.

    def response_informational(self, response: Response) -> None:
        if response.status == 100:
            self.upstream.send_continue(response)
        elif self.upstream.state < RESPONDING:
            self.upstream.inform(response)

    def response_head(self, response: Response, body: bytes, end: bool) -> None:
        status = self.status = response.status
        dispatch = self.dispatch
        if end:
            self._settle(status)
        if status in dispatch.retry.statuses and dispatch.again(self, status):
            return
        response.headers.pairs.append(VIA if response.version == "1.1" else via(response.version))
        if status == 101:
            self.upstream.switch(response, body)
        else:
            self.upstream.respond(response, body, end)

    def response_body(self, data: bytes, end: bool) -> None:
        if end:
            self._settle(self.status)
        self.upstream.respond_body(data, end)

    def response_trailers(self, fields: list[Pair]) -> None:
        self._settle(self.status)
        upstream = self.upstream
        passable, forbidden = divide_trailers(fields)
        upstream.context.trailers_dropped["response"] += len(forbidden)
        if passable:
            upstream.respond_trailers(passable)
        else:
            upstream.respond_body(b"", True)

    def failed(self, failure: Failure, detail: str) -> None:
        if not self.over:
            self._settle(failure)
            self.dispatch.failed(self, failure, detail)

    def pause(self) -> None:
        if self.connection is not None and not self.over:
            self.connection.pause_reading()

    def resume(self) -> None:
        if self.connection is not None and not self.over:
            self.connection.resume_reading()

    def resume_slowly(self) -> None:
        if self.connection is not None and not self.over:
            self.connection.resume_slowly()

    # The end.

    def time_out(self, failure: Failure, phase: Phase) -> None:
        connection = self.connection
        if failure is Failure.RESPONSE_TIMEOUT and connection is not None and connection.reused:
            self.member.link.drop_older(connection)  # packets may vanish on the way to all of them
        self.cancel(failure)
        self.dispatch.failed(self, failure, f"the member was over its time limit ({phase.name})")

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        if self.over:
            return
        connection = self.connection
        if connection is None:
            self.member.link.forget(self)
        else:
            connection.abort()
        self._settle(outcome)

    def _settle(self, outcome: Outcome) -> None:
        self.over = True
        now = _monotonic()
        elapsed = now - self.began
        self.upstream.upstream_elapsed += elapsed
        self.dispatch.pool.finished(self.member, now, outcome, elapsed)
