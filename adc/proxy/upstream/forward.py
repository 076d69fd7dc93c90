"""The action that passes a request to a pool: choose a member, try it, and decide what a failure means."""

from __future__ import annotations

from adc.codecs.interface import MemberConnection
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.retry import RetryPolicy, Verdict
from adc.proxy.states import RESPONDING
from adc.proxy.timeouts import Timeouts
from adc.proxy.upstream.attempt import Attempt, PoolDispatch
from adc.proxy.upstream.choice import Choice
from adc.proxy.upstream.forwarding import with_host
from adc.proxy.upstream.launch import Launch
from adc.proxy.upstream.queue_gate import QueueGate
from adc.proxy.upstream.request import UpstreamRequest


class Forward(PoolDispatch):
    """Passes requests of one route to one pool. `choice` says to which members, `launch` how each is tried. `queue` is
    where requests wait for a free member; None if the pool has no queue."""

    __slots__ = ("choice", "launch", "queue")

    def __init__(self, choice: Choice, launch: Launch, timeouts: Timeouts, retry: RetryPolicy) -> None:
        super().__init__(choice.pool, timeouts, retry)
        self.choice = choice
        self.launch = launch
        self.queue: QueueGate | None = None

    def start(self, upstream: UpstreamRequest) -> None:
        """Carry out a request: `enter` and `choose`, without their calls."""
        now, budget = upstream.context.clock.now, self.retry.budget
        upstream.pool = self.pool.name
        upstream.total_at = now + self.timeouts.total
        if budget is not None:
            budget.request(now)
        member = self.choice.first(self, upstream, now)
        if member is not None:
            self.launch.start(self, self.choice, upstream, member)

    def enter(self, upstream: UpstreamRequest) -> None:
        """Run once for each request, before a member is chosen."""
        now = upstream.context.clock.now
        upstream.pool = self.pool.name
        upstream.total_at = now + self.timeouts.total
        if self.retry.budget is not None:
            self.retry.budget.request(now)

    def choose(self, upstream: UpstreamRequest) -> None:
        now, tried = upstream.context.clock.now, upstream.tried
        if not tried:
            member = self.choice.first(self, upstream, now)
            if member is not None:
                self.begin(upstream, member)
            return
        member = self.choice.next(upstream, tried[-1], now, tried)
        if member is None:
            self.unserved(upstream)
        else:
            member.retries += 1
            self.begin(upstream, member)

    def begin(self, upstream: UpstreamRequest, member: Member) -> None:
        self.launch.start(self, self.choice, upstream, member)

    def unserved(self, upstream: UpstreamRequest, wanted: Member | None = None) -> None:
        if not self.pool.beside(upstream.tried):
            self.refuse(upstream, Failure.NO_MEMBER)
        elif self.queue is not None:
            self.queue.join(self, upstream, wanted)
        else:
            self.refuse(upstream, Failure.CONNECTION_LIMIT)

    def send(self, attempt: Attempt, connection: MemberConnection) -> None:
        upstream = attempt.upstream
        request = upstream.request
        lines = upstream.context.forwarding.lines(request, upstream.request_id, upstream.decided)
        if self.choice.marks_requests:
            lines = self.choice.unmarked(request, lines)
        if not request.proxy_fields.get(b"host"):
            lines = with_host(lines, attempt.member.address)
        attempt.transmit(connection, lines)

    def failed(self, attempt: Attempt, failure: Failure, detail: str) -> None:
        upstream = attempt.upstream
        upstream.context.member_failed(attempt.member, failure, detail, upstream.request_id)
        if not self.again(attempt, failure):
            self.refuse(upstream, failure)

    def again(self, attempt: Attempt, outcome: Outcome) -> bool:
        upstream = attempt.upstream
        now = upstream.context.clock.now
        stale = outcome is Failure.STALE_CONNECTION
        if attempt.tied and not (stale and b"authorization" not in upstream.request.proxy_fields):
            return False  # elsewhere the client is nobody, and half of a handshake is worth nothing
        verdict = self.retry.decide(
            outcome,
            method=upstream.request.method,
            replayable=upstream.replayable,
            response_begun=upstream.state >= RESPONDING,
            attempt=upstream.attempts - int(upstream.redial),
            now=now,
        )
        if verdict is not Verdict.RETRY:
            return False
        tried = (*upstream.tried, attempt.member)
        member = self._following(attempt, outcome, now, tried)
        if member is None and (self.choice.is_bound(upstream) or not self._may_wait(tried)):
            return False
        attempt.cancel(outcome)
        upstream.tried = tried
        upstream.redial = upstream.redial or stale
        if member is None:
            self.unserved(upstream)
        else:
            member.retries += 1
            self.begin(upstream, member)
        return True

    def _following(
        self, attempt: Attempt, outcome: Outcome, now: float, tried: tuple[Member, ...]
    ) -> Member | None:
        """Return the member for the attempt that follows `attempt`; None if none is free."""
        upstream, failed = attempt.upstream, attempt.member
        if outcome is Failure.STALE_CONNECTION and failed.pinnable:
            return failed  # a stale connection says nothing of its member
        member = None
        if not self.choice.is_bound(upstream):
            refused = outcome is Failure.CONNECTION_REFUSED
            member = self.choice.next(upstream, failed, now, tried, refused)
        if member is None and outcome is Failure.UNPROCESSED and failed.pinnable:
            return failed  # on another connection
        return member

    def _may_wait(self, tried: tuple[Member, ...]) -> bool:
        """True if a request for a member outside `tried` can wait in the queue."""
        queue = self.queue
        return queue is not None and not queue.full and bool(self.pool.beside(tried))
