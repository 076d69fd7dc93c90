"""Hedging: while one member is silent, the same request goes to another, and the first to answer serves."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

from adc.codecs.interface import MemberConnection
from adc.http.message import Response
from adc.http.methods import IDEMPOTENT
from adc.http.tied import is_tied
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.retry import RetryPolicy
from adc.proxy.attempt import Attempt
from adc.proxy.forward import Forward
from adc.proxy.pipeline import Timeouts

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange


class HedgedForward(Forward):
    """Starts up to `most` further tries, one each time that `after` seconds went by without a response head.

    Only requests that may be sent twice and are here in whole are hedged. A hedge is a retry to the budget.
    """

    __slots__ = ("after", "most")

    def __init__(
        self,
        pool: Pool,
        timeouts: Timeouts,
        retry: RetryPolicy,
        after: float,
        most: int,
    ) -> None:
        super().__init__(pool, timeouts, retry)
        self.after = after
        self.most = most

    def _try(self, exchange: Exchange, member: Member) -> None:
        request = exchange.request
        whole = request.body_length == 0 or (exchange.body_end and exchange.replayable)
        if whole and request.method in IDEMPOTENT and not (request.upgrade or is_tied(request)):
            Race(self, exchange).start(member)
        else:
            super()._try(exchange, member)


class Race:
    """The tries at one request that run side by side."""

    __slots__ = ("_exchange", "_forward", "_left", "_timer", "running")

    def __init__(self, forward: HedgedForward, exchange: Exchange) -> None:
        self._forward = forward
        self._exchange = exchange
        self._left = forward.most
        self._timer: asyncio.TimerHandle | None = None
        self.running: list[Runner] = []

    def start(self, member: Member) -> None:
        """The first try."""
        self._timer = asyncio.get_running_loop().call_later(self._forward.after, self._hedge)
        self._add(member)

    def _add(self, member: Member) -> None:
        exchange, forward = self._exchange, self._forward
        exchange.attempts += 1
        runner = Runner(forward, exchange, member, self)
        self.running.append(runner)
        if len(self.running) == 1:
            self._lead(runner)
        forward.pool.started(member, runner.began)
        if exchange.redial:
            member.link.dial(runner)
            connection = None
        else:
            connection = member.link.acquire(runner)
        if connection is not None:
            runner.connected(connection)
        else:
            exchange.limit("connect", forward.timeouts.connect)
            self.limited(runner)

    def _lead(self, runner: Runner) -> None:
        """Let `runner` be the one that the exchange and its log know of."""
        self._exchange.attempt = runner
        self._exchange.member = runner.member.address

    def limited(self, runner: Runner) -> None:
        """The time limit that the exchange has now is that of `runner`; the exchange heeds the nearest of all."""
        exchange = self._exchange
        runner.due, runner.phase = exchange.deadline, exchange.phase
        self._heed()

    def _heed(self) -> None:
        due = self.nearest
        self._exchange.deadline, self._exchange.phase = due.due, due.phase

    @property
    def nearest(self) -> Runner:
        """The try whose time is up first."""
        return min(self.running, key=lambda runner: runner.due)

    def _hedge(self) -> None:
        """Start another attempt: no member has responded yet."""
        exchange, forward = self._exchange, self._forward
        now = exchange.service.clock.now
        known = (*exchange.tried, *(runner.member for runner in self.running))
        member = forward.pool.pick(exchange.request, now, known)
        budget = forward.retry.budget
        if member is None or (budget is not None and not budget.spend(now)):
            return
        member.retries += 1
        self._left -= 1
        if self._left:
            self._timer = asyncio.get_running_loop().call_later(forward.after, self._hedge)
        self._add(member)

    def won(self, winner: Runner) -> None:
        """`winner` answers: nobody else is needed."""
        self._lead(winner)
        self.running.remove(winner)
        self.stop(Failure.CLIENT_GONE)

    def lost(self, loser: Runner) -> bool:
        """`loser` came to nothing; True if others still run."""
        self.running.remove(loser)
        if not self.running:
            self.stop(Failure.CLIENT_GONE)
            return False
        self._lead(self.running[0])
        self._exchange.tried = (*self._exchange.tried, loser.member)
        self._heed()
        return True

    def stop(self, outcome: Outcome) -> None:
        """Give up every try that still runs."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self.running:
            self.running.pop().give_up(outcome)


class Runner(Attempt):
    """One try of a race, with a time limit of its own: `phase` may last until `due` (monotonic seconds)."""

    __slots__ = ("_race", "due", "phase")

    def __init__(self, forward: Forward, exchange: Exchange, member: Member, race: Race) -> None:
        super().__init__(forward, exchange, member)
        self._race = race
        self.due = inf
        self.phase = ""

    def connected(self, connection: MemberConnection) -> None:
        self.connection = connection
        self.forward.send(self.exchange, connection)
        self._race.limited(self)

    def member_blocked(self) -> None:
        super().member_blocked()
        if self in self._race.running:
            self._race.limited(self)

    def member_writable(self) -> None:
        super().member_writable()
        if self in self._race.running:
            self._race.limited(self)

    def time_out(self, failure: Failure, phase: str) -> None:
        race = self._race
        if failure is Failure.TOTAL_TIMEOUT or len(race.running) < 2:
            super().time_out(failure, phase)
            return
        late = race.nearest
        late.give_up(failure)
        race.lost(late)
        detail = f"the member was over its time limit ({phase})"
        self.exchange.service.member_failed(self.exchange, late.member, failure, detail)

    def response_head(self, response: Response, body: bytes, end: bool) -> None:
        rivals = len(self._race.running) > 1
        if rivals and response.status in self.forward.retry.statuses:  # one of the others may do better
            if end:
                self._settle(response.status)
            else:
                self.give_up(response.status)
            self._race.lost(self)
            return
        if self in self._race.running:
            self._race.won(self)
        super().response_head(response, body, end)

    def failed(self, failure: Failure, detail: str) -> None:
        if self.over:
            return
        if self in self._race.running and self._race.lost(self):
            self._settle(failure)
            self.exchange.service.member_failed(self.exchange, self.member, failure, detail)
        else:
            super().failed(failure, detail)

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        self._race.stop(outcome)
        self.give_up(outcome)

    def give_up(self, outcome: Outcome) -> None:
        """End this try alone."""
        super().cancel(outcome)
