"""Reading of rule files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from adc_plugins.waf.regular_file import LARGEST, read_regular, read_regular_text


def test_bytes_outside_utf8_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"a\xff\r\n")
    assert read_regular(file) == b"a\xff\r\n"
    assert read_regular_text(file) == "a\udcff\n"


def test_pipe_and_device_are_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            read_regular(path)


def test_folder_and_absent_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "absent")


def test_huge_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a"
    with file.open("wb") as sparse:
        sparse.truncate(LARGEST + 1)
    with pytest.raises(OSError, match="larger than 64 MB"):
        read_regular(file)
