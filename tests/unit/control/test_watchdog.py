"""When a worker counts as hung."""

from adc.control.watchdog import Watchdog


def looks(watchdog, times, *, elapsed=1.0, limit=10.0):
    found = []
    for number in range(times):
        if watchdog.look(["a", "b"], elapsed, limit):
            found.append(number)
        watchdog.answered("b")
    return found


def test_a_silent_worker_hangs_one_look_after_its_time():
    assert looks(Watchdog(), 12) == [10, 11]


def test_an_answer_at_the_last_moment_counts():
    watchdog = Watchdog()
    assert looks(watchdog, 10) == []
    watchdog.answered("a")
    assert looks(watchdog, 10) == []


def test_the_time_in_which_this_process_did_not_run_counts_for_nothing():
    watchdog = Watchdog()
    assert looks(watchdog, 5, elapsed=600.0) == []
    assert watchdog.quiet() == ["a"]


def test_without_a_limit_no_worker_hangs():
    assert looks(Watchdog(), 100, limit=0.0) == []


def test_a_worker_that_is_not_watched_is_forgotten():
    watchdog = Watchdog()
    looks(watchdog, 9)
    watchdog.look(["b"], 1.0, 10.0)
    assert looks(watchdog, 9) == []
