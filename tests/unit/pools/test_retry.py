"""When a failed attempt is followed by another."""

from __future__ import annotations

from typing import Any

import pytest

from adc.pools.errors import Failure, FailureSource, Outcome
from adc.pools.retry import FLOOR, RetryBudget, RetryPolicy, Verdict

ON = ("connect_failure", "reset_before_response", "timeout", "503")


def decide(policy: RetryPolicy, outcome: Outcome, **changes: Any) -> Verdict:
    facts: dict[str, Any] = {
        "method": "GET",
        "replayable": True,
        "response_begun": False,
        "attempt": 1,
        "now": 0.0,
    }
    return policy.decide(outcome, **(facts | changes))


@pytest.mark.parametrize(
    ("outcome", "changes", "verdict"),
    [
        (Failure.CONNECTION_REFUSED, {}, Verdict.RETRY),
        (Failure.RESET, {}, Verdict.RETRY),
        (Failure.RESPONSE_TIMEOUT, {}, Verdict.RETRY),
        (503, {}, Verdict.RETRY),
        (502, {}, Verdict.NOT_LISTED),
        (200, {}, Verdict.NOT_LISTED),
        (Failure.PROTOCOL_ERROR, {}, Verdict.NOT_LISTED),
        (Failure.CLIENT_GONE, {}, Verdict.NOT_LISTED),
        (Failure.BODY_INCOMPLETE, {}, Verdict.NOT_LISTED),
        (Failure.RESET, {"response_begun": True}, Verdict.RESPONSE_BEGUN),
        (Failure.RESET, {"attempt": 2}, Verdict.RETRY),
        (Failure.RESET, {"attempt": 3}, Verdict.ATTEMPTS_SPENT),
        (Failure.RESET, {"replayable": False}, Verdict.BODY_GONE),
        (Failure.RESET, {"method": "POST"}, Verdict.NOT_IDEMPOTENT),
        (Failure.RESET, {"method": "PATCH"}, Verdict.NOT_IDEMPOTENT),
        (Failure.RESET, {"method": "get"}, Verdict.NOT_IDEMPOTENT),  # methods are case-sensitive
        (Failure.RESET, {"method": "PUT"}, Verdict.RETRY),
        (Failure.RESET, {"method": "DELETE"}, Verdict.RETRY),
        (503, {"method": "POST"}, Verdict.NOT_IDEMPOTENT),
        (Failure.CONNECTION_REFUSED, {"method": "POST"}, Verdict.RETRY),
        (Failure.CONNECTION_REFUSED, {"method": "POST", "replayable": False}, Verdict.BODY_GONE),
    ],
)
def test_only_what_is_listed_and_safe_is_retried(outcome: Outcome, changes: dict[str, Any], verdict: Verdict):
    assert decide(RetryPolicy(2, ON), outcome, **changes) is verdict


class TestStaleConnection:
    def test_is_retried_without_being_listed(self):
        assert decide(RetryPolicy(0, ()), Failure.STALE_CONNECTION) is Verdict.RETRY

    def test_is_retried_however_many_attempts_there_were(self):
        assert decide(RetryPolicy(0, ()), Failure.STALE_CONNECTION, attempt=5) is Verdict.RETRY

    def test_nor_for_what_must_not_be_sent_twice(self):
        policy = RetryPolicy(0, ())
        assert decide(policy, Failure.STALE_CONNECTION, method="POST") is Verdict.NOT_IDEMPOTENT

    def test_and_costs_no_budget(self):
        policy = RetryPolicy(2, ON, RetryBudget(0.2))
        for _ in range(FLOOR + 1):
            assert decide(policy, Failure.STALE_CONNECTION) is Verdict.RETRY


class TestUnprocessed:
    """A request that the member did not process is safe to repeat, whatever its method (RFC 9113 section 8.7)."""

    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "LIST"])
    def test_every_method_is_retried_without_being_listed(self, method: str):
        assert decide(RetryPolicy(2, ()), Failure.UNPROCESSED, method=method) is Verdict.RETRY

    def test_it_is_retried_once_though_there_are_no_retries(self):
        policy = RetryPolicy(0, ())
        assert decide(policy, Failure.UNPROCESSED) is Verdict.RETRY
        assert decide(policy, Failure.UNPROCESSED, attempt=2) is Verdict.ATTEMPTS_SPENT

    def test_it_counts_as_an_attempt_and_costs_budget(self):
        policy = RetryPolicy(2, (), RetryBudget(0.2))
        assert decide(policy, Failure.UNPROCESSED, attempt=3) is Verdict.ATTEMPTS_SPENT
        for _ in range(FLOOR):
            assert decide(policy, Failure.UNPROCESSED) is Verdict.RETRY
        assert decide(policy, Failure.UNPROCESSED) is Verdict.BUDGET_SPENT

    def test_content_that_is_gone_cannot_be_repeated(self):
        assert decide(RetryPolicy(2, ()), Failure.UNPROCESSED, replayable=False) is Verdict.BODY_GONE

    def test_it_is_not_the_members_fault(self):
        assert Failure.UNPROCESSED.source is FailureSource.PROXY


class TestWords:
    def test_5xx_is_every_server_error_but_a_loop(self):
        policy = RetryPolicy(1, ("5xx",))
        assert decide(policy, 500) is Verdict.RETRY
        assert decide(policy, 599) is Verdict.RETRY
        assert decide(policy, 499) is Verdict.NOT_LISTED
        assert decide(policy, 508) is Verdict.NOT_LISTED
        assert decide(RetryPolicy(1, ("508",)), 508) is Verdict.RETRY

    @pytest.mark.parametrize("word", ["connect-failure", "200", "600", "", "4xx", "⁵⁰³"])
    def test_others_are_errors_that_list_the_known_ones(self, word: str):
        with pytest.raises(ValueError, match="use connect_failure, invalid_response"):
            RetryPolicy(1, (word,))


class TestBudget:
    def spend_all(self, budget: RetryBudget, now: float) -> int:
        spent = 0
        while budget.spend(now):
            spent += 1
        return spent

    def test_little_traffic_may_retry_up_to_the_floor(self):
        assert self.spend_all(RetryBudget(0.2), 0.0) == FLOOR

    def test_much_traffic_may_retry_its_share(self):
        budget = RetryBudget(0.2)
        for i in range(1000):
            budget.request(i * 0.009)
        assert self.spend_all(budget, 9.0) == 200

    def test_only_the_last_ten_seconds_count(self):
        budget = RetryBudget(0.2)
        for _ in range(1000):
            budget.request(0.0)
        assert self.spend_all(budget, 0.5) == 200
        for _ in range(500):
            budget.request(5.0)
        assert self.spend_all(budget, 5.0) == 100
        assert self.spend_all(budget, 10.5) == 0
        assert self.spend_all(budget, 15.5) == FLOOR

    def test_a_spent_budget_ends_retries(self):
        policy = RetryPolicy(2, ON, RetryBudget(0.2))
        verdicts = {decide(policy, Failure.RESET) for _ in range(FLOOR)}
        assert verdicts == {Verdict.RETRY}
        assert decide(policy, Failure.RESET) is Verdict.BUDGET_SPENT

    def test_failure_that_is_not_retried_costs_nothing(self):
        policy = RetryPolicy(2, ON, RetryBudget(0.2))
        for _ in range(FLOOR):
            decide(policy, Failure.RESET, method="POST")
        assert decide(policy, Failure.RESET) is Verdict.RETRY
