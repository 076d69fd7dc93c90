import sys

import pytest

from benchmarks.cores import PEER_CORE
from benchmarks.processes import Processes, StartError, Usage, answers, last_lines
from tests.kit.ports import free_port


def test_the_last_lines_that_say_something_are_kept_and_cut():
    assert last_lines("one\ntwo\n\n" + "x" * 500 + "\n", count=2, width=5) == "two\nxxxxx"


def test_usage_since_is_the_difference():
    assert Usage(5.0, 2.0, 300).since(Usage(4.0, 0.5, 100)) == Usage(1.0, 1.5, 200)


def test_a_command_that_ends_is_reported_with_what_it_said(tmp_path):
    processes = Processes([["sh", "-c", "echo no such option >&2; exit 2"]], tmp_path, PEER_CORE)
    with pytest.raises(StartError, match="no such option"):
        processes.wait_until_serving(free_port(), b"/")
    processes.stop()


def test_a_command_that_does_not_serve_in_time_is_an_error(tmp_path):
    processes = Processes([["sleep", "30"]], tmp_path, PEER_CORE)
    with pytest.raises(StartError, match="it said nothing"):
        processes.wait_until_serving(free_port(), b"/", limit=0.05)
    processes.stop()


def test_a_server_is_waited_for_and_its_tree_is_measured_and_ended(tmp_path):
    (tmp_path / "index.html").write_text("hello")
    port = free_port()
    server = f"{sys.executable} -m http.server --bind 127.0.0.1 {port}"
    processes = Processes([["sh", "-c", f"{server} & wait"]], tmp_path, PEER_CORE)
    took = processes.wait_until_serving(port, b"/")
    used = processes.usage()
    processes.stop()
    assert 0 < took < 15
    assert used.cpu > used.master
    assert used.rss > 5_000_000
    with pytest.raises(StartError):
        processes.usage()
    assert not answers(port, b"/")
