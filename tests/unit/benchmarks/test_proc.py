import os
import subprocess
import time

import pytest

from benchmarks.proc import Stat, cpu_seconds, descendants, parse_stat, read_all

ROUNDING = 1e-6
"""The clocks count nanoseconds, which both calls turn into floating point in their own way."""

LINE = (
    "4321 (a (strange) name) S 99 4321 4321 0 -1 4194560 1500 0 3 0 "
    "250 150 7 8 20 0 3 0 123456 987654321 2048 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0"
)


def test_a_command_name_with_brackets_and_spaces_does_not_shift_the_fields():
    assert parse_stat(LINE, cpu=1.5, page_bytes=4096) == Stat(4321, 99, 1.5, 2048 * 4096)


def test_cpu_time_is_that_of_the_process_with_its_threads():
    before = time.process_time()
    measured = cpu_seconds(os.getpid())
    assert before - ROUNDING <= measured <= time.process_time() + ROUNDING


def test_a_process_that_was_reaped_has_no_cpu_time():
    child = subprocess.Popen(["true"])
    child.wait()
    with pytest.raises(OSError, match="Invalid argument"):
        cpu_seconds(child.pid)


def test_descendants_are_the_roots_and_all_below_and_nobody_else():
    stats = [Stat(pid, parent, 0.0, 0) for pid, parent in ((10, 1), (11, 10), (12, 11), (20, 1), (21, 20))]
    assert sorted(descendants([10], stats)) == [10, 11, 12]


def test_descendants_of_several_roots_count_a_process_once():
    stats = [Stat(pid, parent, 0.0, 0) for pid, parent in ((10, 1), (11, 10), (12, 11))]
    assert sorted(descendants([10, 11], stats)) == [10, 11, 12]


def test_a_root_that_has_ended_has_no_entry():
    assert descendants([10], [Stat(20, 1, 0.0, 0)]) == {}


def test_this_process_is_among_those_alive():
    mine = {stat.pid: stat for stat in read_all()}[os.getpid()]
    assert mine.parent == os.getppid()
    assert mine.rss > 1_000_000
