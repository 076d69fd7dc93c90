from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from adc.telemetry import log_file
from adc.telemetry.log_file import LogFile


class Disk:
    """Stands in for `os.write`: each call takes as many bytes as told, or fails as told."""

    def __init__(self, *answers: int | OSError) -> None:
        self.answers = list(answers)
        self.content = b""

    def write(self, fd: int, data: bytes) -> int:
        answer = self.answers.pop(0) if self.answers else len(data)
        if isinstance(answer, OSError):
            raise answer
        self.content += data[:answer]
        return min(answer, len(data))


@pytest.fixture
def file(tmp_path: Path) -> LogFile:
    return LogFile(str(tmp_path / "x.log"))


def install(monkeypatch: pytest.MonkeyPatch, *answers: int | OSError) -> Disk:
    disk = Disk(*answers)
    monkeypatch.setattr("adc.telemetry.log_file.os.write", disk.write)
    return disk


def test_lines_are_appended_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"old\n")
    assert LogFile(str(path)).write(b"new\n") == (b"", 0)
    assert path.read_bytes() == b"old\nnew\n"


def test_a_file_is_closed_with_its_last_reference(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = LogFile(str(path))
    assert open_descriptors(path) == 1
    del file
    assert open_descriptors(path) == 0


def open_descriptors(path: Path) -> int:
    """Return the number of descriptors of this process that are open on `path`."""
    opened = os.stat(path)
    count = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            count += os.path.samestat(os.fstat(int(name)), opened)
        except OSError:  # that of the listing itself
            pass
    return count


def test_a_short_write_is_completed(file: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = install(monkeypatch, 3, 1)
    assert file.write(b"one\ntwo\n") == (b"", 0)
    assert disk.content == b"one\ntwo\n"


def test_a_full_disk_costs_the_lines_and_is_told(file: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = install(monkeypatch, OSError(errno.ENOSPC, "full"))
    assert file.write(b"one\ntwo\n") == (b"", 2)
    assert file.write(b"three\n") == (b"", 0)
    assert disk.content == b"three\n"


def test_after_a_line_was_torn_the_next_begins_on_its_own(
    file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = install(monkeypatch, 6, OSError(errno.ENOSPC, "full"))
    assert file.write(b"one\ntwo\n") == (b"", 1)
    assert file.write(b"three\n") == (b"", 0)
    assert disk.content == b"one\ntw\nthree\n"


def test_a_busy_reader_gets_the_rest_later_in_one_piece(
    file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = install(monkeypatch, 6, BlockingIOError())
    rest, lost = file.write(b"one\ntwo\n")
    assert (rest, lost) == (b"o\n", 0)
    assert file.write(rest + b"three\n") == (b"", 0)
    assert disk.content == b"one\ntwo\nthree\n"


def test_a_full_pipe_is_never_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = LogFile(str(path))
    data = b"x" * 99 + b"\n"
    rest, lost = file.write(data * 10_000)
    assert rest.startswith(b"x")
    assert len(rest) % 100 == 0
    assert lost == 0
    os.read(reader, 1 << 20)
    assert len(file.write(rest)[0]) < len(rest)
    file.close()
    os.close(reader)


def test_a_full_pipe_on_standard_output_is_never_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setitem(log_file._STANDARD, "-", writer)
    data = (b"x" * 99 + b"\n") * 10_000
    rest, lost = LogFile("-").write(data)
    assert 0 < len(rest) < len(data)
    assert lost == 0
    os.close(reader)
    os.close(writer)


def test_a_pipe_without_a_reader_is_an_error_at_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        LogFile(str(tmp_path / "pipe"))


def test_reopen_follows_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = LogFile(str(path))
    file.write(b"before\n")
    path.rename(tmp_path / "x.log.1")
    file.reopen()
    file.write(b"after\n")
    assert (tmp_path / "x.log.1").read_bytes() == b"before\n"
    assert path.read_bytes() == b"after\n"


def test_a_failed_reopen_keeps_the_old_file(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    file = LogFile(str(folder / "x.log"))
    folder.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        file.reopen()
    file.write(b"still here\n")
    assert (tmp_path / "moved" / "x.log").read_bytes() == b"still here\n"


def test_reopening_does_not_leak_descriptors(tmp_path: Path) -> None:
    file = LogFile(str(tmp_path / "x.log"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        file.reopen()
    assert len(os.listdir("/proc/self/fd")) == before
    file.close()


def test_standard_output_is_written_and_left_open(capfd: pytest.CaptureFixture[str]) -> None:
    file = LogFile("-")
    file.write(b"line\n")
    file.reopen()
    file.close()
    os.fstat(1)
    assert capfd.readouterr().out == "line\n"
