"""The wait queue against a plain list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adc.pools.queue import WaitQueue

TIMEOUT = 5
steps = st.lists(
    st.one_of(
        st.just(("push", 0)),
        st.just(("pop", 0)),
        st.just(("expire", 0)),
        st.tuples(st.just("remove"), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.integers(1, 4)),
    ),
    max_size=60,
)


@given(steps, st.integers(1, 6), st.booleans())
def test_waiters_leave_once_in_order_and_in_time(
    steps: list[tuple[str, int]], limit: int, newest_first: bool
):
    queue: WaitQueue[int] = WaitQueue(limit, newest_first=newest_first)
    model: list[tuple[int, int]] = []  # (waiter, deadline) by arrival
    now = pushed = expired = 0
    for step, number in steps:
        if step == "wait":
            now += number
        elif step == "push":
            accepted = queue.push(pushed, now + TIMEOUT)
            assert accepted is (len(model) < limit)
            if accepted:
                model.append((pushed, now + TIMEOUT))
            pushed += 1
        elif step == "pop":
            alive = [entry for entry in model if entry[1] > now]
            expected = alive[-1 if newest_first else 0] if alive else None
            assert queue.pop(now) == (expected and expected[0])
            model = [entry for entry in model if entry is not expected]
        elif step == "expire":
            late = [entry for entry in model if entry[1] <= now]
            assert all(queue.remove(waiter, late=True) for waiter, _ in late)
            expired += len(late)
            model = [entry for entry in model if entry not in late]
        else:
            assert queue.remove(number) is any(waiter == number for waiter, _ in model)
            model = [entry for entry in model if entry[0] != number]
        assert (len(queue), queue.expired) == (len(model), expired)
