"""One try at a member."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from adc.codecs.interface import KeptConnection, MemberConnection
from adc.http.headers import Pair
from adc.http.message import Response
from adc.http.via import VIA, via
from adc.net.proxy_protocol import Endpoints
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.proxy.endpoints import client_endpoints
from adc.proxy.pending import Pending

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange
    from adc.proxy.forward import Forward


class Attempt(Pending):
    """A request at one member: the `ResponseReceiver` of its connection. `tied`: that belongs to the client alone."""

    __slots__ = ("began", "forward", "member", "status", "tied")

    def __init__(self, forward: Forward, exchange: Exchange, member: Member) -> None:
        super().__init__(exchange)
        self.forward = forward
        self.member = member
        self.status = 0
        self.tied = False
        self.began = time.monotonic()

    @property
    def answered_by(self) -> Attempt | None:
        return self

    @property
    def endpoints(self) -> Endpoints | None:
        return client_endpoints(self.exchange)

    def connected(self, connection: MemberConnection) -> None:
        self.connection = connection
        self.forward.send(self.exchange, connection)

    def keep(self, connection: KeptConnection) -> bool:
        return self.exchange.stream.keep(self.member, connection)

    def response_informational(self, response: Response) -> None:
        if response.status == 100:
            self.exchange.send_continue(response)
        elif not self.exchange.head_sent:
            self.exchange.stream.send_informational(response)

    def response_head(self, response: Response, body: bytes, end: bool) -> None:
        status = self.status = response.status
        forward = self.forward
        if end:
            self._settle(status)
        if status in forward.retry.statuses and forward.again(self, status):
            return
        response.headers.pairs.append(VIA if response.version == "1.1" else via(response.version))
        if status == 101:
            forward.switch(self, response, body)
        else:
            self.exchange.respond(response, body, end)

    def response_body(self, data: bytes, end: bool) -> None:
        if end:
            self._settle(self.status)
        self.exchange.respond_body(data, end)

    def response_trailers(self, fields: list[Pair]) -> None:
        self.response_body(b"", True)

    def failed(self, failure: Failure, detail: str) -> None:
        if not self.over:
            self._settle(failure)
            self.forward.failed(self, failure, detail)

    def member_blocked(self) -> None:
        if self.exchange.plugins is not None:
            self.exchange.plugins.member_blocked = True
        self.exchange.stream.pause_reading()
        if not self.exchange.head_sent:
            self.exchange.limit("member_write", self.forward.timeouts.idle)

    def member_writable(self) -> None:
        if self.exchange.plugins is not None:
            self.exchange.plugins.member_blocked = False
            if self.exchange.plugins.requests.busy:
                return
        self.exchange.stream.resume_reading()
        if not self.exchange.head_sent:
            self.exchange.await_next()

    def time_out(self, failure: Failure, phase: str) -> None:
        connection = self.connection
        if failure is Failure.RESPONSE_TIMEOUT and connection is not None and connection.reused:
            self.member.link.drop_older(connection)  # packets may vanish on the way to all of them
        self.cancel(failure)
        self.forward.failed(self, failure, f"the member was over its time limit ({phase})")

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        """Give up: close the connection, whatever it was doing."""
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
        now = time.monotonic()
        elapsed = now - self.began
        self.exchange.upstream_elapsed += elapsed
        self.forward.pool.finished(self.member, now, outcome, elapsed)
