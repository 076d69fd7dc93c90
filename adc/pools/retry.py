"""The decision about another attempt after a failed one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from math import inf

from adc.http.methods import IDEMPOTENT
from adc.pools.errors import RETRY_WORDS, Failure, Outcome

WINDOW = 10
"""Seconds of traffic that a retry budget looks back over."""
FLOOR = 50
"""Retries in a window that are allowed however little traffic there is."""
DEFAULT_ON = ("connect_failure", "reset_before_response")

_EVERY_5XX = frozenset(range(500, 600)) - {508}
"""After "loop detected", another attempt would only repeat the loop, in every round."""


class Verdict(StrEnum):
    """RETRY, or the reason against it, for the log."""

    RETRY = "retry"
    RESPONSE_BEGUN = "response_begun"
    NOT_LISTED = "not_listed"
    ATTEMPTS_SPENT = "attempts_spent"
    BODY_GONE = "body_gone"
    NOT_IDEMPOTENT = "not_idempotent"
    BUDGET_SPENT = "budget_spent"


class RetryBudget:
    """Allows retries up to the share `share` of the requests of the last WINDOW seconds, or FLOOR if that is
    more.

    It keeps a failing pool from getting a multiple of its traffic just when it can bear it least.
    """

    __slots__ = ("_past", "_requests", "_retries", "_second", "_share")

    def __init__(self, share: float) -> None:
        self._share = share
        self._second = -inf
        self._requests = 0
        self._retries = 0
        self._past: deque[tuple[float, int, int]] = deque()

    def request(self, now: float) -> None:
        """Count a request (its first attempt)."""
        if now >= self._second + 1:
            self._turn(now)
        self._requests += 1

    def spend(self, now: float) -> bool:
        """Count a retry if it is within the budget; False if it is not."""
        self._turn(now)
        requests = self._requests + sum(requests for _, requests, _ in self._past)
        retries = self._retries + sum(retries for _, _, retries in self._past)
        if retries + 1 > max(requests * self._share, FLOOR):
            return False
        self._retries += 1
        return True

    def _turn(self, now: float) -> None:
        """Add up the past seconds and forget seconds before the window."""
        if now >= self._second + 1:
            self._past.append((self._second, self._requests, self._retries))
            self._second = now
            self._requests = self._retries = 0
        while self._past and self._past[0][0] <= now - WINDOW:
            self._past.popleft()


class RetryPolicy:
    """Up to `attempts` further attempts after the first, when its failure is among `on`.

    `on` holds words (RETRY_WORDS), status codes such as "503", and "5xx". A request that found a stale keep-alive
    connection is always sent again, on a new one, and costs neither an attempt nor the budget: that is the price of
    reuse, and nginx and Go's client do the same. On a new connection nothing is stale, so it happens once. A request
    that the member did not process is always retried too, at least once; it costs both. Raises ValueError for an
    unknown word. `statuses` are the ones that may be retried.
    """

    __slots__ = ("_attempts", "_words", "budget", "statuses")

    def __init__(
        self, attempts: int = 2, on: Iterable[str] = DEFAULT_ON, budget: RetryBudget | None = None
    ) -> None:
        self._attempts = attempts
        self._words = {"stale_connection", "unprocessed"}
        statuses: set[int] = set()
        for word in on:
            if word in RETRY_WORDS:
                self._words.add(word)
            else:
                statuses |= _statuses(word)
        self.statuses = frozenset(statuses if attempts else ())
        self.budget = budget

    def decide(
        self,
        outcome: Outcome,
        *,
        method: str,
        replayable: bool,
        response_begun: bool,
        attempt: int,
        now: float,
    ) -> Verdict:
        """Judge attempt number `attempt` (1 for the first, stale ones not counted), which ended with `outcome`.
        RETRY spends from the budget.

        `replayable`: all of the request body can still be sent. `response_begun`: the client has been sent
        a part of the response.
        """
        if response_begun:
            return Verdict.RESPONSE_BEGUN
        if not self._listed(outcome):
            return Verdict.NOT_LISTED
        stale = outcome is Failure.STALE_CONNECTION
        attempts = max(self._attempts, 1) if outcome is Failure.UNPROCESSED else self._attempts
        if not stale and attempt > attempts:
            return Verdict.ATTEMPTS_SPENT
        if not replayable:
            return Verdict.BODY_GONE
        unsent = isinstance(outcome, Failure) and outcome.unsent
        if method not in IDEMPOTENT and not unsent:
            return Verdict.NOT_IDEMPOTENT
        if self.budget is not None and not stale and not self.budget.spend(now):
            return Verdict.BUDGET_SPENT
        return Verdict.RETRY

    def _listed(self, outcome: Outcome) -> bool:
        if isinstance(outcome, Failure):
            return outcome.retry_on in self._words
        return outcome in self.statuses


def _statuses(word: str) -> frozenset[int]:
    if word == "5xx":
        return _EVERY_5XX
    if word.isascii() and word.isdigit() and 400 <= int(word) <= 599:
        return frozenset((int(word),))
    known = ", ".join(sorted(RETRY_WORDS))
    raise ValueError(f"unknown retry condition {word!r}; use {known}, 5xx or a status from 400 to 599")
