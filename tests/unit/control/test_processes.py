"""How worker processes return freed memory to the system."""

import sys

import pytest

from adc.control.allocator import SETTINGS, HeapTrimmer, heap_trimmer
from adc.control.processes import WorkerProcess

TELL = "import os, sys; os.write(int(sys.argv[2]), os.environ['MALLOC_TRIM_THRESHOLD_'].encode())"


@pytest.mark.parametrize("chosen", [None, "1234"])
def test_workers_return_freed_memory_unless_the_environment_says_otherwise(monkeypatch, chosen):
    if chosen is None:
        monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    else:
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", chosen)
    worker = WorkerProcess.start(0, (), (sys.executable, "-c", TELL))
    with worker.sock:
        assert worker.sock.recv(100).decode() == (chosen or SETTINGS["MALLOC_TRIM_THRESHOLD_"])
    worker._process.wait(10)


def trims(*sizes):
    """At which of the resident `sizes` (megabytes), a look each, the heap is trimmed; a trim returns nothing."""
    size, at = sizes[0], []
    trimmer = HeapTrimmer(lambda: size << 20, lambda: at.append(size))
    for size in sizes[1:]:  # noqa: B007
        trimmer.look()
    return at


def test_the_heap_is_trimmed_after_growth_and_not_again_without_more():
    assert trims(100, 105, 110, 111, 117, 120) == [110, 120]


def test_the_heap_is_not_trimmed_while_memory_falls():
    assert trims(100, 95, 90, 92, 98) == []
    assert trims(100, 95, 90, 99) == [99]


def test_this_machine_can_trim():
    trimmer = heap_trimmer()
    assert trimmer is not None
    trimmer._trim()
