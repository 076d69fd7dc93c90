"""How worker processes are started."""

import sys

import pytest

from adc.control.processes import ALLOCATOR, WorkerProcess

TELL = "import os, sys; os.write(int(sys.argv[2]), os.environ['MALLOC_TRIM_THRESHOLD_'].encode())"


@pytest.mark.parametrize("chosen", [None, "1234"])
def test_workers_return_freed_memory_unless_the_environment_says_otherwise(monkeypatch, chosen):
    if chosen is None:
        monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    else:
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", chosen)
    worker = WorkerProcess.start(0, (), (sys.executable, "-c", TELL))
    with worker.sock:
        assert worker.sock.recv(100).decode() == (chosen or ALLOCATOR["MALLOC_TRIM_THRESHOLD_"])
    worker._process.wait(10)
