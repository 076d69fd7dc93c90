"""Hedging: while one member is silent, the same request goes to another, and the first to respond serves."""

from __future__ import annotations

import asyncio
from math import inf

from adc.codecs.interface import MemberConnection
from adc.http.message import Response
from adc.http.methods import IDEMPOTENT
from adc.http.tied import is_tied
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.proxy.phases import IDLE, Phase
from adc.proxy.upstream.attempt import Attempt, Dispatch
from adc.proxy.upstream.choice import Choice
from adc.proxy.upstream.launch import Single
from adc.proxy.upstream.request import UpstreamRequest


class Raced(Single):
    """Begins up to `most` further attempts, one each time that `after` seconds pass without a response head.

    Only requests that may be sent twice and have arrived completely are hedged. A hedge is a retry to the budget.
    """

    __slots__ = ("after", "most")

    def __init__(self, after: float, most: int) -> None:
        self.after = after
        self.most = most

    def start(self, dispatch: Dispatch, choice: Choice, upstream: UpstreamRequest, member: Member) -> None:
        request = upstream.request
        whole = request.body_length == 0 or (upstream.body_end and upstream.replayable)
        if whole and request.method in IDEMPOTENT and not (request.upgrade or is_tied(request)):
            Race(dispatch, choice, upstream, self.after, self.most).start(member)
        else:
            super().start(dispatch, choice, upstream, member)


class Race:
    """The attempts at one request that run at the same time. `first` is the member that was chosen for it."""

    __slots__ = ("_after", "_choice", "_dispatch", "_first", "_left", "_timer", "_upstream", "running")

    def __init__(
        self, dispatch: Dispatch, choice: Choice, upstream: UpstreamRequest, after: float, most: int
    ) -> None:
        self._dispatch = dispatch
        self._choice = choice
        self._upstream = upstream
        self._after = after
        self._left = most
        self._first: Member | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.running: list[Runner] = []

    def start(self, member: Member) -> None:
        """Begin the first attempt."""
        self._first = member
        self._timer = asyncio.get_running_loop().call_later(self._after, self._hedge)
        self._add(member)

    def _add(self, member: Member) -> None:
        runner = Runner(self._dispatch, self._upstream, member, self)
        self.running.append(runner)
        if len(self.running) == 1:
            self._lead(runner)
        runner.launch()
        self.limited(runner)

    def _lead(self, runner: Runner) -> None:
        """Make `runner` the attempt that the request and its log record name."""
        self._upstream.attempt = runner
        self._upstream.member = runner.member.address

    def limited(self, runner: Runner) -> None:
        """Take over the timeout that the request has now as that of `runner`; the nearest of all holds."""
        upstream = self._upstream
        runner.due, runner.phase = upstream.deadline, upstream.phase
        if runner in self.running:
            self._heed()

    def _heed(self) -> None:
        due = self.nearest
        self._upstream.deadline, self._upstream.phase = due.due, due.phase

    @property
    def nearest(self) -> Runner:
        """The attempt that times out first."""
        return min(self.running, key=_due)

    def _hedge(self) -> None:
        """Begin another attempt: no member has responded yet."""
        upstream, retry = self._upstream, self._dispatch.retry
        now = upstream.context.clock.now
        known = (*upstream.tried, *[runner.member for runner in self.running])
        member = self._choice.hedge(upstream, known, now)
        if member is None or member.ejected or (retry.budget is not None and not retry.budget.spend(now)):
            return  # an ejected member is the last resort of failures only: its quick error must win no race
        member.retries += 1
        self._left -= 1
        if self._left:
            self._timer = asyncio.get_running_loop().call_later(self._after, self._hedge)
        self._add(member)

    def won(self, winner: Runner) -> None:
        """End all attempts but `winner`, which responds."""
        self._lead(winner)
        self.running.remove(winner)
        self.stop(Failure.CLIENT_GONE)
        first, upstream = self._first, self._upstream
        if first is not None and winner.member is not first:
            self._choice.hedge_won(upstream, first, winner.member, upstream.context.clock.now)

    def lost(self, loser: Runner) -> bool:
        """Remove `loser`, which failed; True if others still run."""
        self.running.remove(loser)
        if not self.running:
            self.stop(Failure.CLIENT_GONE)
            return False
        self._lead(self.running[0])
        self._upstream.tried = (*self._upstream.tried, loser.member)
        self._heed()
        return True

    def stop(self, outcome: Outcome) -> None:
        """End every attempt that still runs."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self.running:
            self.running.pop().give_up(outcome)


class Runner(Attempt):
    """One attempt of a race, with a separate timeout: `phase` may last until `due` (monotonic seconds)."""

    __slots__ = ("_race", "due", "phase")

    def __init__(self, dispatch: Dispatch, upstream: UpstreamRequest, member: Member, race: Race) -> None:
        super().__init__(dispatch, upstream, member)
        self._race = race
        self.due = inf
        self.phase: Phase = IDLE

    def connected(self, connection: MemberConnection) -> None:
        super().connected(connection)
        self._race.limited(self)

    def member_blocked(self) -> None:
        super().member_blocked()
        if self in self._race.running:
            self._race.limited(self)

    def member_writable(self) -> None:
        super().member_writable()
        if self in self._race.running:
            self._race.limited(self)

    def time_out(self, failure: Failure, phase: Phase) -> None:
        race = self._race
        if failure is Failure.TOTAL_TIMEOUT or len(race.running) < 2:
            super().time_out(failure, phase)
            return
        late = race.nearest
        late.give_up(failure)
        race.lost(late)
        self._report(late.member, failure, f"the member was over its time limit ({phase.name})")

    def response_head(self, response: Response, body: bytes, end: bool) -> None:
        rivals = len(self._race.running) > 1
        if rivals and response.status in self.dispatch.retry.statuses:  # another attempt may do better
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
            self._report(self.member, failure, detail)
        else:
            super().failed(failure, detail)

    def _report(self, member: Member, failure: Failure, detail: str) -> None:
        self.upstream.context.member_failed(member, failure, detail, self.upstream.request_id)

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        self._race.stop(outcome)
        self.give_up(outcome)

    def give_up(self, outcome: Outcome) -> None:
        """End this attempt alone."""
        super().cancel(outcome)


def _due(runner: Runner) -> float:
    return runner.due
