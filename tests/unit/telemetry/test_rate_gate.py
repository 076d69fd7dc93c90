from __future__ import annotations

from adc.telemetry.rate_gate import RateGate


def test_the_burst_passes_then_the_rate() -> None:
    gate = RateGate(burst=3, per_second=2.0)
    assert [gate.admit("x", 10.0) for _ in range(5)] == [0, 0, 0, None, None]
    assert [gate.admit("x", 10.5) for _ in range(2)] == [2, None]


def test_a_rest_refills_no_more_than_the_burst() -> None:
    gate = RateGate(burst=2, per_second=1.0)
    gate.admit("x", 0.0)
    assert [gate.admit("x", 1000.0) for _ in range(3)] == [0, 0, None]


def test_a_clock_that_steps_back_neither_opens_nor_locks_the_gate() -> None:
    gate = RateGate(burst=1, per_second=1.0)
    assert gate.admit("x", 1000.0) == 0
    assert gate.admit("x", 10.0) is None
    assert gate.admit("x", 11.0) == 1


def test_invented_kinds_share_one_bucket() -> None:
    gate = RateGate(burst=1, per_second=1.0)
    passed = sum(gate.admit(f"kind {number}", 0.0) is not None for number in range(10_000))
    assert passed < 600


def test_settle_tells_each_count_once() -> None:
    gate = RateGate(burst=1, per_second=1.0)
    for kind in "aab":
        gate.admit(kind, 0.0)
    assert gate.settle(0.0) == []
    assert gate.settle(5.0) == [("a", 1)]
    assert gate.settle(9.0) == []
