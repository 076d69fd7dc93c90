"""The action that passes a request to a pool: choose, send, and decide what a failure means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adc.codecs.interface import MemberConnection
from adc.http.headers import Pair
from adc.http.message import Response
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.retry import RetryPolicy, Verdict
from adc.proxy.attempt import Attempt
from adc.proxy.end_reasons import end_reason
from adc.proxy.forwarding import with_host
from adc.proxy.pipeline import Timeouts

if TYPE_CHECKING:
    from adc.codecs.interface import Link
    from adc.proxy.exchange import Exchange
    from adc.proxy.queue_gate import QueueGate

_EXPECT: Final = (b"Expect", b"100-continue")
_EXPECT_PATIENCE: Final = 1.0
"""Seconds to wait for the member's word on `Expect: 100-continue` before the client is told to go on."""


class Forward:
    """Passes exchanges of one route to one pool. `waiting` is where those wait for which no member is free;
    None if the pool has no queue."""

    __slots__ = ("pool", "retry", "timeouts", "waiting")

    def __init__(self, pool: Pool, timeouts: Timeouts, retry: RetryPolicy) -> None:
        self.pool = pool
        self.timeouts = timeouts
        self.retry = retry
        self.waiting: QueueGate | None = None

    def __call__(self, exchange: Exchange) -> None:  # `enter` and `choose` without two calls
        now, pool, budget = exchange.service.clock.now, self.pool, self.retry.budget
        exchange.pool = pool.name
        exchange.total_at = now + self.timeouts.total
        if budget is not None:
            budget.request(now)
        if exchange.request.tied and self.chose_kept(exchange):
            return
        member = pool.pick(exchange.request, now)
        if member is None:
            self.unserved(exchange)
        else:
            self._try(exchange, member)

    def enter(self, exchange: Exchange) -> None:
        """Run once for each exchange, before a member is chosen."""
        now = exchange.service.clock.now
        exchange.pool = self.pool.name
        exchange.total_at = now + self.timeouts.total
        if self.retry.budget is not None:
            self.retry.budget.request(now)

    def choose(self, exchange: Exchange) -> None:
        """Choose a member, none of those tried, and try it."""
        if exchange.request.tied and not exchange.tried and self.chose_kept(exchange):
            return
        member = self.pool.pick(exchange.request, exchange.service.clock.now, exchange.tried)
        if member is None:
            self.unserved(exchange)
            return
        if exchange.tried:
            member.retries += 1
        self._try(exchange, member)

    def chose_kept(self, exchange: Exchange) -> bool:
        """Send the request to the member whose connection is kept for the client; False if there is none."""
        member = self.kept_member(exchange)
        if member is None:
            return False
        if self.pool.has_room(member):
            self._try(exchange, member)
        else:
            self.unserved(exchange, member)
        return True

    def kept_member(self, exchange: Exchange) -> Member | None:
        """Return the member to which a connection is kept for the client, if it may serve."""
        kept = exchange.stream.kept(self.pool.name)
        return kept[0] if kept is not None and kept[0] in self.pool.members and kept[0].pinnable else None

    def unserved(self, exchange: Exchange, wanted: Member | None = None) -> None:
        """No member is free, or `wanted` is not: wait for it if that can help."""
        if not self.pool.beside(exchange.tried):
            self.refuse(exchange, Failure.NO_MEMBER)
        elif self.waiting is not None:
            self.waiting.join(self, exchange, wanted)
        else:
            self.refuse(exchange, Failure.CONNECTION_LIMIT)

    def _try(self, exchange: Exchange, member: Member) -> None:
        exchange.attempts += 1
        exchange.member = member.address
        attempt = exchange.attempt = Attempt(self, exchange, member)
        self.pool.started(member, attempt.began)
        special = exchange.request.tied or exchange.redial
        connection = self.acquire(attempt) if special else member.link.acquire(attempt)
        if connection is not None:
            attempt.connection = connection
            self.send(exchange, connection)
        else:
            exchange.limit("connect", self.timeouts.connect)

    def acquire(self, attempt: Attempt) -> MemberConnection | None:
        """Return a connection for `attempt`: the one kept for the client, none that is idle if one was stale."""
        exchange, member = attempt.exchange, attempt.member
        link: Link = member.link
        if exchange.redial:
            link.dial(attempt)
            return None
        kept = exchange.stream.kept(self.pool.name)
        if kept is not None and kept[0] is member and kept[1].reacquire(attempt):
            attempt.tied = True
            return kept[1]
        return link.acquire(attempt)

    def send(self, exchange: Exchange, connection: MemberConnection, lines: list[Pair] | None = None) -> None:
        """Send the head and what has come of the body."""
        request = exchange.request
        if lines is None:
            lines = exchange.service.member_lines(exchange)
        if not request.proxy_fields.get(b"host"):
            lines = with_host(lines, exchange.member)
        body, end = exchange.body, exchange.body_end
        if end:
            connection.send(request, exchange.target, lines, body, True)
            exchange.limit("response_head", self.timeouts.response_head)
            return
        exchange.service.await_body(exchange)
        if request.expect_continue and not body:
            lines.append(_EXPECT)
            exchange.limit("expect", _EXPECT_PATIENCE)
        connection.send(request, exchange.target, lines, body, end)
        if len(body) > 0:
            exchange.stream.resume_reading()

    def switch(self, attempt: Attempt, response: Response, body: bytes) -> None:
        """The member agreed to another protocol: from here on the exchange is a tunnel."""
        exchange = attempt.exchange
        exchange.switched = exchange.head_sent = True
        exchange.status = 101
        exchange.bytes_out = len(body)
        exchange.body = b""
        exchange.replayable = False
        exchange.stream.send_head(response, body, False)
        exchange.stream.resume_reading()
        exchange.limit("tunnel", self.timeouts.tunnel)

    def failed(self, attempt: Attempt, failure: Failure, detail: str) -> None:
        """The try came to nothing: another one, or an error for the client."""
        exchange = attempt.exchange
        exchange.service.member_failed(exchange, attempt.member, failure, detail)
        if not self.again(attempt, failure):
            self.refuse(exchange, failure)

    def again(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Try another member if the policy allows it and there is one, in turn if all are at their limit; True if
        so."""
        exchange = attempt.exchange
        now = exchange.service.clock.now
        stale = outcome is Failure.STALE_CONNECTION
        if attempt.tied and not (stale and b"authorization" not in exchange.request.proxy_fields):
            return False  # elsewhere the client is nobody, and half of a handshake is worth nothing
        verdict = self.retry.decide(
            outcome,
            method=exchange.request.method,
            replayable=exchange.replayable,
            response_begun=exchange.head_sent,
            attempt=exchange.attempts - int(exchange.redial),
            now=now,
        )
        if verdict is not Verdict.RETRY:
            return False
        tried = (*exchange.tried, attempt.member)
        member = self.another(attempt, outcome, now, tried)
        if member is None and not self.may_wait(exchange, tried):
            return False
        attempt.cancel(outcome)
        exchange.tried = tried
        exchange.redial = exchange.redial or stale
        if member is None:
            self.unserved(exchange)
        else:
            member.retries += 1
            self._try(exchange, member)
        return True

    def may_wait(self, exchange: Exchange, tried: tuple[Member, ...]) -> bool:
        """True if a request for a member outside `tried` can wait in the queue."""
        waiting = self.waiting
        return waiting is not None and not waiting.full and bool(self.pool.beside(tried))

    def another(
        self, attempt: Attempt, outcome: Outcome, now: float, tried: tuple[Member, ...]
    ) -> Member | None:
        """The member for the next try; None if there is none."""
        if outcome is Failure.STALE_CONNECTION and attempt.member.pinnable:
            return attempt.member  # it says nothing of the member
        return self.pool.pick(attempt.exchange.request, now, tried)

    def refuse(self, exchange: Exchange, failure: Failure) -> None:
        """Answer with what `failure` means to the client."""
        exchange.fail(failure.status, end_reason(failure), failure.token)
