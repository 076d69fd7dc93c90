"""Who waits, who is next and who has waited too long."""

from __future__ import annotations

from adc.pools.queue import WaitQueue


def queue(limit: int = 9, *, newest_first: bool = False) -> WaitQueue[str]:
    waiting: WaitQueue[str] = WaitQueue(limit, newest_first=newest_first)
    for i, name in enumerate("abc"):
        waiting.push(name, 10.0 + i)
    return waiting


def test_oldest_first():
    waiting = queue()
    assert [waiting.pop(0.0) for _ in range(4)] == ["a", "b", "c", None]


def test_newest_first_when_asked():
    waiting = queue(newest_first=True)
    assert [waiting.pop(0.0) for _ in range(4)] == ["c", "b", "a", None]


def test_a_full_queue_refuses_and_counts():
    waiting = queue(limit=3)
    assert not waiting.push("d", 99.0)
    assert (len(waiting), waiting.refused) == (3, 1)
    waiting.pop(0.0)
    assert waiting.push("d", 99.0)


def test_expired_waiter_is_not_served():
    assert queue().pop(11.0) == "c"
    assert queue(newest_first=True).pop(12.0) is None


def test_waiter_that_is_not_ready_is_skipped_and_keeps_its_place():
    waiting = queue()
    assert waiting.pop(0.0, lambda name: name == "b") == "b"
    assert waiting.pop(0.0, lambda name: False) is None
    assert [waiting.pop(0.0) for _ in range(2)] == ["a", "c"]


def test_waiter_that_timed_out_is_counted_once():
    waiting = queue()
    waiting.pop(11.0)
    assert waiting.remove("a", late=True)
    assert not waiting.remove("a", late=True)
    assert (len(waiting), waiting.expired) == (1, 1)


def test_a_client_that_leaves_gives_up_its_place():
    waiting = queue()
    assert waiting.remove("b")
    assert not waiting.remove("b")
    assert [waiting.pop(0.0), waiting.pop(0.0)] == ["a", "c"]
