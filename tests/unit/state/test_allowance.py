"""Takes from token buckets and sliding windows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.state.allowance import Bucket, Window
from adc.state.interface import MAX_VALUE_BYTES
from adc.state.local import LocalStore
from adc.state.memory import MemoryStore

NOW = 1_800_000_000.0

requests = st.lists(
    st.tuples(st.floats(0, 2), st.integers(1, 3), st.integers(1, 50)), min_size=1, max_size=200
)


def granted(allowance: Any, asked: Any) -> list[tuple[float, int]]:
    state, now, grants = b"", NOW, []
    for pause, least, want in asked:
        now += pause
        grant, after = allowance.take(state, least, want, now)
        assert grant.granted == 0 or grant.granted >= least
        assert (grant.granted == 0) <= (grant.wait > 0)
        if grant.granted:
            state = after
            grants.append((now, grant.granted))
        assert len(state) <= MAX_VALUE_BYTES
    return grants


@given(requests)
def test_bucket_never_grants_more_than_burst_and_rate(asked: Any) -> None:
    grants = granted(Bucket(10.0, 20), asked)
    for number, (begin, _) in enumerate(grants):
        total = 0
        for end, units in grants[number:]:
            total += units
            assert total <= 20 + 10 * (end - begin) + 0.01


@given(requests)
def test_window_never_holds_more_than_its_limit(asked: Any) -> None:
    grants = granted(Window(20, 2.0), asked)
    for number, (begin, _) in enumerate(grants):
        assert sum(units for at, units in grants[number:] if at < begin + 2.0) <= 20


@pytest.mark.parametrize(
    "allowance", [Bucket(100.0, 200), Bucket(1000.0, 20), Window(100, 1.0), Window(1000, 10.0)]
)
def test_wait_is_long_enough_and_no_longer(allowance: Any) -> None:
    state, now, total = b"", NOW, 0
    while now < NOW + 10:
        grant, after = allowance.take(state, 1, 1, now)
        if grant.granted:
            state, total = after, total + 1
        else:
            early, _ = allowance.take(state, 1, 1, now + grant.wait * 0.9 - 0.001)
            assert early.granted == 0
            now += grant.wait + 1e-6
    limit = (
        10 * allowance.rate + allowance.burst
        if isinstance(allowance, Bucket)
        else 10 * allowance.most / allowance.period
    )
    assert 0.99 * limit <= total <= 1.0 * limit + 1


def test_portions_shrink_as_the_bucket_empties() -> None:
    state, portions = b"", []
    for _ in range(12):
        grant, state = Bucket(1.0, 100).take(state, 1, 1000, NOW)
        portions.append(grant.granted)
    assert portions == [25, 18, 14, 10, 8, 6, 4, 3, 3, 2, 1, 1]


def test_debt_is_lent_and_its_use_delayed() -> None:
    bucket, state, waits = Bucket(10.0, 1, debt=2), b"", []
    for _ in range(4):
        grant, state = bucket.take(state, 1, 1, NOW)
        waits.append((grant.granted, round(grant.wait, 3)))
    assert waits == [(1, 0.0), (1, 0.1), (1, 0.2), (0, 0.1)]


def test_reset_is_when_everything_is_left() -> None:
    _, state = Bucket(10.0, 20).take(b"", 5, 5, NOW)
    grant, _ = Bucket(10.0, 20).take(state, 1, 1, NOW + 0.2)
    assert (grant.remaining, round(grant.reset, 3)) == (16, 0.4)
    _, state = Window(20, 2.0).take(b"", 5, 5, NOW)
    grant, _ = Window(20, 2.0).take(state, 1, 1, NOW + 1)
    assert (grant.remaining, round(grant.reset, 2)) == (14, 2.0)


@pytest.mark.parametrize("state", [b"x", b"1 2 3", b"nan:1", b"5 a:b", b"\xff"])
@pytest.mark.parametrize("allowance", [Bucket(10.0, 20), Window(20, 2.0)])
def test_state_that_cannot_be_read_counts_as_none(allowance: Any, state: bytes) -> None:
    assert allowance.take(state, 1, 1, NOW)[0].granted == 1


def test_window_of_a_busy_year_fits_into_a_table() -> None:
    window, state, now = Window(1_000_000_000, 366 * 86400.0), b"", NOW
    for _ in range(400):
        now += window.period / 200
        _, state = window.take(state, 5_000_000, 5_000_000, now)
    assert len(state) <= MAX_VALUE_BYTES


@pytest.mark.parametrize("kind", ["memory", "local"])
def test_takes_through_a_table_are_those_of_the_allowance(kind: str, tmp_path: Any) -> None:
    from adc.state.interface import take_from

    store = MemoryStore() if kind == "memory" else LocalStore(tmp_path / "state")
    table = store.table("t", 10)
    grants = [take_from(table, b"k", Bucket(10.0, 2), 1, 1, NOW).granted for _ in range(3)]
    assert grants == [1, 1, 0]
    assert take_from(table, b"k", Bucket(10.0, 2), 1, 1, NOW + 0.11).granted == 1
