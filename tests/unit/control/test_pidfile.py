"""The pidfile names the process that serves."""

import os
import subprocess

import pytest

from adc.control import pidfile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "adc.pid"


@pytest.fixture
def gone():
    """The id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_it_holds_our_id_until_it_is_removed(path):
    pidfile.write(path)
    assert path.read_text() == f"{os.getpid()}\n"
    pidfile.remove(path)
    assert not path.exists()


def test_a_living_process_keeps_its_pidfile(path):
    path.write_text("1\n")
    with pytest.raises(pidfile.PidfileTaken, match="process 1 is running"):
        pidfile.write(path)
    assert path.read_text() == "1\n"


def test_the_process_that_is_replaced_by_an_upgrade_gives_way(path):
    path.write_text("1\n")
    pidfile.write(path, replaces=1)
    assert pidfile.read(path) == os.getpid()


@pytest.mark.parametrize("text", ["", "soon", "-1", "0"])
def test_a_file_without_a_process_is_overwritten(path, text):
    path.write_text(text)
    pidfile.write(path)
    assert pidfile.read(path) == os.getpid()


def test_the_file_of_a_dead_process_is_overwritten(path, gone):
    path.write_text(str(gone))
    pidfile.write(path)
    assert pidfile.read(path) == os.getpid()


def test_the_file_of_the_process_after_us_stays(path):
    path.write_text("1\n")
    pidfile.remove(path)
    assert path.exists()
