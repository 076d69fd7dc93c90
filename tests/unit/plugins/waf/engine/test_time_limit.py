"""The time in which all rules must be evaluated."""

from __future__ import annotations

from itertools import count

import pytest
from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.engine import phases
from adc_plugins.waf.engine.ruleset import Ruleset
from adc_plugins.waf.engine.transaction import Transaction

RULES = "\n".join(f'SecAction "id:{number},phase:{1 + number % 2},pass,log"' for number in range(1, 41))


def _transaction() -> Transaction:
    facts = RequestFacts(b"GET", b"/", b"HTTP/1.1", (), b"192.0.2.1", 1, b"192.0.2.2", 80, b"id", 0.0)
    return Ruleset.load([("rules", RULES)]).transaction(facts)


def test_rules_after_a_second_of_work_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    work = count()
    monkeypatch.setattr(phases, "thread_time", lambda: next(work) * 1.1)
    transaction = _transaction()
    transaction.request_head()
    transaction.request_body(b"", False)
    assert transaction.reached == {"seconds"}
    assert len(transaction.matches) < 15


def test_time_in_which_the_client_is_awaited_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = [0.0]
    monkeypatch.setattr(phases, "thread_time", lambda: worked[0])
    transaction = _transaction()
    transaction.request_head()
    worked[0] += 60.0
    transaction.request_body(b"", False)
    assert transaction.reached == frozenset()
    assert len(transaction.matches) == 40


def test_rules_without_match_count_for_a_large_body(monkeypatch: pytest.MonkeyPatch) -> None:
    work = count()
    monkeypatch.setattr(phases, "thread_time", lambda: next(work) * 0.1)
    rule = 'SecRule REQUEST_BODY "!@rx ^a" "id:{},phase:2,pass,log"'
    last = 'SecRule REQUEST_BODY "@rx ^a" "id:99,phase:2,pass,log"'
    ruleset = Ruleset.load([("rules", "\n".join([*(rule.format(number) for number in range(1, 20)), last]))])
    facts = RequestFacts(b"POST", b"/", b"HTTP/1.1", (), b"192.0.2.1", 1, b"192.0.2.2", 80, b"id", 0.0)
    transaction = ruleset.transaction(facts)
    transaction.request_body(b"a" * 70_000, False)
    assert transaction.reached == {"seconds"}
    assert transaction.matches == []
