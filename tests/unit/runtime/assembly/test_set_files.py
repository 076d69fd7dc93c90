"""Files of sets: only regular ones are read, and a change counts when it is complete."""

import os

import pytest

from adc.firewall import set_text
from adc.runtime.assembly import firewall
from adc.runtime.assembly.firewall import BadSet, read_set
from adc.runtime.assembly.set_files import SetFiles


@pytest.fixture
def file(tmp_path):
    return tmp_path / "bad.txt"


def test_pipe_without_a_writer_is_refused_at_once(file):
    os.mkfifo(file)
    with pytest.raises(BadSet, match=r"bad\.txt: not a regular file"):
        read_set(str(file))


@pytest.mark.parametrize("target", ["/dev/zero", "/tmp"])
def test_devices_and_folders_are_refused(target):
    with pytest.raises(BadSet, match="not a regular file"):
        read_set(target)


def test_file_above_the_limit_is_refused(file, monkeypatch):
    for module in (firewall, set_text):
        monkeypatch.setattr(module, "MAX_BYTES", 20)
    file.write_text("192.0.2.0/24\n" * 2)
    with pytest.raises(BadSet, match="larger than"):
        read_set(str(file))


def test_change_counts_once_two_looks_agree(file):
    file.write_text("192.0.2.0/24\n")
    files = SetFiles({"bad": str(file)})
    assert files.look() == ()
    file.write_text("192.0.2.0/24\n192.0.")
    assert files.look() == ()
    file.write_text("192.0.2.0/24\n192.0.3.0/24\n")
    assert [files.look(), files.look(), files.look()] == [(), ("bad",), ()]


def test_change_while_the_file_was_read_counts(file):
    file.write_text("192.0.2.0/24\n")
    files = SetFiles({"bad": str(file)})
    read_set(str(file))
    file.write_text("192.0.2.0/25\n10.0.0.0/8\n")
    assert [files.look(), files.look()] == [(), ("bad",)]


def test_file_that_disappears_and_returns_counts_twice(file):
    file.write_text("192.0.2.0/24\n")
    files = SetFiles({"bad": str(file)})
    file.unlink()
    assert [files.look(), files.look(), files.look()] == [(), ("bad",), ()]
    file.write_text("192.0.2.0/24\n")
    assert [files.look(), files.look()] == [(), ("bad",)]
