from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from adc.telemetry.access_log import AccessLog
from tests.unit.telemetry.finished import Finished


def test_nothing_is_written_before_the_flush(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(str(path), "{status}")
    log.write(Finished(status=200))
    log.write(Finished(status=404))
    assert path.read_bytes() == b""
    log.flush()
    log.flush()
    assert path.read_bytes() == b"200\n404\n"
    assert (log.written, log.dropped) == (2, 0)


def test_a_flush_is_one_system_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bytes] = []
    monkeypatch.setattr("adc.telemetry.log_file.os.write", lambda fd, data: calls.append(data) or len(data))
    log = AccessLog(str(tmp_path / "access.log"), "{status}")
    for _ in range(500):
        log.write(Finished())
    log.flush()
    assert calls == [b"200\n" * 500]


def test_records_over_the_limit_are_dropped_and_counted_until_the_flush(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(str(path), "{status}", limit=9)
    for _ in range(5):
        log.write(Finished())
    assert log.dropped == 2
    log.flush()
    log.write(Finished(status=500))
    log.close()
    assert path.read_bytes() == b"200\n200\n200\n500\n"
    assert (log.written, log.dropped) == (4, 2)


def test_a_full_disk_is_counted_and_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(str(path), "{status}")
    with monkeypatch.context() as disk:

        def full(fd: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        disk.setattr("adc.telemetry.log_file.os.write", full)
        log.write(Finished())
        log.flush()
    log.write(Finished(status=503))
    log.flush()
    assert path.read_bytes() == b"503\n"
    assert (log.written, log.dropped) == (1, 1)


def test_a_reader_that_stalls_makes_the_log_drop_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = AccessLog(str(path), "json", limit=100_000)
    for _ in range(20):
        for _ in range(100):
            log.write(Finished())
        log.flush()
    assert log.dropped > 0
    assert log.written + log.dropped < 2000
    received = b""
    while log.written + log.dropped < 2000:
        received += os.read(reader, 1 << 20)
        log.flush()
    received += os.read(reader, 1 << 20)
    assert received.count(b"\n") == log.written
    log.close()
    os.close(reader)


def test_records_before_a_rotation_go_to_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(str(path), "{status}")
    log.write(Finished(status=200))
    path.rename(tmp_path / "access.log.1")
    log.reopen()
    log.write(Finished(status=404))
    log.close()
    assert (tmp_path / "access.log.1").read_bytes() == b"200\n"
    assert path.read_bytes() == b"404\n"


def test_a_bad_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown log field"):
        AccessLog(str(tmp_path / "access.log"), "{nope}")


def _append(path: str, member: str) -> None:
    log = AccessLog(path, "{member} {header.x} {member}")
    for _ in range(40):
        for _ in range(50):
            log.write(Finished(member=member))
        log.flush()
    log.close()


def test_lines_of_several_processes_are_never_torn(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    names = ["a" * 700, "b" * 900, "c" * 1100]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_append, args=(str(path), name)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    lines = path.read_text().splitlines()
    assert sorted(set(lines)) == [f"{name} - {name}" for name in names]
    assert len(lines) == 3 * 40 * 50
